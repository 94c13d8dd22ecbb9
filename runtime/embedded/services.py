"""What the supervisor runs, one entry a process: how it is started and how one sees that it serves."""

import http.client
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from runtime.embedded.process import Child, spawn


@dataclass(frozen=True)
class Service:
    """`launch` starts the process and returns at once; `is_ready` says whether it serves.

    It is launched when all it `requires` is ready, and restarted with what it is `bound_to`. One that
    `finishes` counts as ready when it has ended with status 0.
    """

    name: str
    launch: Callable[[], Child]
    is_ready: Callable[[], bool]
    requires: tuple[str, ...] = ()
    bound_to: str | None = None
    finishes: bool = False
    start_timeout_s: float = 60.0
    log: Path | None = None


def python_service(
    name: str,
    arguments: list[str],
    *,
    log: Path,
    environment: Callable[[], Mapping[str, str]],
    is_ready: Callable[[], bool] = lambda: True,
    requires: tuple[str, ...] = (),
    bound_to: str | None = None,
    finishes: bool = False,
) -> Service:
    """A process of this very Python; its environment is asked for at each start, since addresses change."""

    def launch() -> Child:
        return spawn(name, [sys.executable, *arguments], log=log, environment=environment())

    return Service(name, launch, is_ready, requires, bound_to, finishes, log=log)


def answers_health(host: str, port: int) -> bool:
    """Whether an HTTP server answers `GET /healthz` with 200."""
    connection = http.client.HTTPConnection(host, port, timeout=1.0)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
