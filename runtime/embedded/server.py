"""`reelfarm up`: PostgreSQL, Redis, Ray, the API and the scheduler on one machine, in one data directory."""

import contextlib
import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from monitoring.logs import configure_logging
from runtime.embedded.datadir import DataDirectory, ServerState
from runtime.embedded.errors import EmbeddedError
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.embedded.process import ProcessRecord, end_sessions
from runtime.embedded.ray_head import RayHead
from runtime.embedded.redis_server import EmbeddedRedis
from runtime.embedded.rundir import create_run_dir
from runtime.embedded.services import Service, answers_health, python_service
from runtime.embedded.supervisor import Supervisor
from runtime.settings import Settings

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ServerOptions:
    """`port` 0 takes a free one. Addresses in `settings` name servers to use instead of starting our own."""

    data_dir: Path
    host: str
    port: int
    cpu_workers: int
    settings: Settings


def run_server(
    options: ServerOptions, *, on_ready: Callable[[str], None], complain: Callable[[str], None]
) -> signal.Signals:
    """Serve until SIGTERM or SIGINT, which is returned; `on_ready` is told the address once it serves.

    Raises EmbeddedError with one line for the user. Nothing that was started is left running.
    """
    directory = DataDirectory(options.data_dir)
    with directory.hold(), (directory.logs / "supervisor.log").open("a", encoding="utf-8") as log:
        configure_logging("supervisor", options.settings.log_level, stream=log)
        _clear_leftovers(directory)
        port = _claim_port(options.host, options.port)
        run_dir = create_run_dir()
        try:
            with _Guardian(run_dir) as guardian:
                server = _Server(options, directory, run_dir, port, guardian)
                return server.run(on_ready, complain)
        finally:
            directory.write_state(None)
            directory.forget_processes()
            shutil.rmtree(run_dir, ignore_errors=True)


class _Server:
    def __init__(
        self,
        options: ServerOptions,
        directory: DataDirectory,
        run_dir: Path,
        port: int,
        guardian: "_Guardian",
    ) -> None:
        self._options = options
        self._settings = options.settings
        self._directory = directory
        self._run_dir = run_dir
        self._port = port
        self._guardian = guardian
        self._redis: EmbeddedRedis | None = None
        self._postgres: EmbeddedPostgres | None = None
        self._ray: RayHead | None = None

    def run(self, on_ready: Callable[[str], None], complain: Callable[[str], None]) -> signal.Signals:
        if not self._settings.redis_url.get_secret_value():
            self._redis = EmbeddedRedis()
            self._redis.start()
        supervisor = Supervisor(self._services(), self._note, self._watch, complain)

        def announce() -> None:
            self._directory.write_state(self._state())
            on_ready(_url(self._options.host, self._port))

        try:
            return supervisor.run(announce)
        finally:
            if self._redis is not None:
                self._redis.stop()

    def _services(self) -> list[Service]:
        logs = self._directory.logs
        services: list[Service] = []
        database_needs: tuple[str, ...] = ()
        ray_needs: tuple[str, ...] = ()
        # Ray takes longest to start, so it goes first.
        if not self._settings.ray_address:
            ray = self._ray = RayHead(self._run_dir, cpu_workers=self._options.cpu_workers, log=logs / "ray.log")
            services.append(Service("ray", ray.launch, ray.is_ready, log=logs / "ray.log"))
            ray_needs = ("ray",)
        if not self._settings.database_url.get_secret_value():
            postgres = self._postgres = EmbeddedPostgres(
                self._directory.postgres, self._run_dir, log=logs / "postgres.log"
            )
            services.append(Service("postgres", postgres.launch, postgres.is_ready, log=logs / "postgres.log"))
            database_needs = ("postgres",)
        return [
            *services,
            python_service(
                "migrate",
                ["-m", "control_plane.cli", "migrate"],
                log=logs / "migrate.log",
                environment=self._environment,
                requires=database_needs,
                finishes=True,
            ),
            python_service(
                "api",
                ["-m", "control_plane"],
                log=logs / "api.log",
                environment=self._environment,
                is_ready=lambda: answers_health(_loopback(self._options.host), self._port),
                requires=("migrate",),
            ),
            python_service(
                "scheduler",
                ["-m", "scheduler"],
                log=logs / "scheduler.log",
                environment=self._environment,
                requires=("migrate", *ray_needs),
                bound_to="ray",
            ),
        ]

    def _environment(self) -> dict[str, str]:
        """What the processes are told; on real servers an operator would say the same."""
        state = self._state()
        secret = self._settings.secret_key.get_secret_value() or self._directory.secret_key()
        return {
            **os.environ,
            **(self._ray.environment if self._ray else {}),
            "REELFARM_DATABASE_URL": state.database_url,
            "REELFARM_REDIS_URL": state.redis_url,
            "REELFARM_ARTIFACTS_URL": state.artifacts_url,
            "REELFARM_RAY_ADDRESS": state.ray_address,
            "REELFARM_DATA_DIR": str(self._directory.root),
            "REELFARM_SECRET_KEY": secret,
            "REELFARM_HOST": self._options.host,
            "REELFARM_PORT": str(self._port),
            "REELFARM_CPU_WORKERS": str(self._options.cpu_workers),
        }

    def _state(self) -> ServerState:
        settings = self._settings
        ray_address = settings.ray_address
        if self._ray is not None and self._ray.is_ready():
            ray_address = self._ray.address
        return ServerState(
            url=_url(_loopback(self._options.host), self._port),
            database_url=self._postgres.url if self._postgres else settings.database_url.get_secret_value(),
            redis_url=self._redis.url if self._redis else settings.redis_url.get_secret_value(),
            artifacts_url=settings.artifacts_url or self._directory.artifacts.as_uri(),
            ray_address=ray_address,
        )

    def _note(self, records: list[ProcessRecord]) -> None:
        self._directory.note_processes([*records, self._guardian.record], self._run_dir)
        self._guardian.watch(records)

    def _watch(self) -> None:
        self._guardian.revive()
        if self._redis is not None and not self._redis.is_alive():
            _log.error("service failed", service="redis", reason="its thread ended")
            self._redis = EmbeddedRedis(self._redis.port)
            self._redis.start()


class _Guardian(contextlib.AbstractContextManager["_Guardian"]):
    """The process of `runtime.embedded.guardian` and our end of the pipe that it listens on."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._records: list[ProcessRecord] = []
        self._start()

    def __exit__(self, *_exception: object) -> None:
        self._end_pipe()
        self._popen.wait()

    @property
    def record(self) -> ProcessRecord:
        return ProcessRecord.of(self._popen.pid)

    def watch(self, records: list[ProcessRecord]) -> None:
        """Tell it which sessions to end; those it was told before and that have ended do no harm."""
        new = [record for record in records if record not in self._records]
        self._records = records
        # Should it be dead, `revive` tells the next one everything.
        with contextlib.suppress(BrokenPipeError):
            self._tell(new)

    def revive(self) -> None:
        if self._popen.poll() is not None:
            _log.error("service failed", service="guardian", reason=f"exit status {self._popen.returncode}")
            with contextlib.suppress(BrokenPipeError):
                self._end_pipe()
            self._start()
            self._tell(self._records)

    def _start(self) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "runtime.embedded.guardian", str(self._run_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _tell(self, records: list[ProcessRecord]) -> None:
        assert self._popen.stdin is not None  # noqa: S101  it was asked for as a pipe
        for record in records:
            self._popen.stdin.write(json.dumps(record.to_json()).encode() + b"\n")
        self._popen.stdin.flush()

    def _end_pipe(self) -> None:
        assert self._popen.stdin is not None  # noqa: S101
        self._popen.stdin.close()


def _clear_leftovers(directory: DataDirectory) -> None:
    """End what a killed supervisor left behind; its lock is ours, so nobody needs it."""
    records, run_dir = directory.read_leftovers()
    end_sessions(records, first=signal.SIGTERM, grace_s=2.0)
    if run_dir is not None:
        shutil.rmtree(run_dir, ignore_errors=True)
    directory.write_state(None)
    directory.forget_processes()


def _claim_port(host: str, port: int) -> int:
    """The port itself, or a free one for 0. Raises EmbeddedError if it is in use or the host is not ours."""
    try:
        family, *_rest, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
            return int(probe.getsockname()[1])
    except socket.gaierror as error:
        raise EmbeddedError(f"the host {host!r} is unknown: {error.strerror}") from error
    except PermissionError as error:
        raise EmbeddedError(f"port {port} needs more rights; choose one above 1023 with --port") from error
    except OSError as error:
        raise EmbeddedError(
            f"port {port} on {host} is in use; choose another with --port"
            if error.errno == errno.EADDRINUSE
            else f"cannot listen on {host} port {port}: {error.strerror}"
        ) from error


def _loopback(host: str) -> str:
    """The address to reach ourselves at."""
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared, not bound


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
