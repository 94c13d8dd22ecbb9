"""A Ray head of our own, as processes apart from everything else: whoever uses it may die and come back."""

import os
import secrets
import socket
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from runtime.embedded.errors import EmbeddedError
from runtime.embedded.process import Child, spawn, wait_until

_START_TIMEOUT_S = 60.0
_STOP_GRACE_S = 3.0
_OBJECT_STORE_BYTES = 80_000_000  # results travel by artifact key, so Ray's own store stays almost empty
_TEMP_DIR_MAX_CHARS = 43

DRIVER_ENVIRONMENT = {
    # Without it a driver rewrites 127.0.0.1 to the machine's outer address and may wait for ever.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
}
# Workers inherit the head's environment, and render what strangers wrote: they hold no credentials.
_SECRETS = ("REELFARM_DATABASE_URL", "REELFARM_SECRET_KEY", "REELFARM_PASSWORD")


class RayHead:
    """`ray start --head`, slim and private: loopback only, its own token, temporary files under `run_dir`."""

    def __init__(
        self,
        run_dir: Path,
        *,
        cpu_workers: int,
        log: Path | None = None,
        extra_environment: Mapping[str, str] | None = None,
    ) -> None:
        # Ray opens its own directory to everybody, so it lies in one that is closed.
        self._private = run_dir / "p"
        self.temp_dir = self._private / "ray"
        if len(str(self.temp_dir)) > _TEMP_DIR_MAX_CHARS:
            raise EmbeddedError(f"{run_dir} is too long a path for Ray's sockets")
        self.child: Child | None = None
        self._cpu_workers = cpu_workers
        self._log = log
        self._extra_environment = dict(extra_environment or {})
        self._token_path = self._private / "token"

    @property
    def address(self) -> str:
        """`host:port` for `ray.init(address=…)`. Raises FileNotFoundError before the head runs."""
        return self._address_file.read_text(encoding="ascii").strip()

    @property
    def environment(self) -> dict[str, str]:
        """What a driver needs in its environment before it imports ray."""
        return {**DRIVER_ENVIRONMENT, "RAY_AUTH_TOKEN_PATH": str(self._token_path)}

    def start(self) -> Child:
        """Launch the head and wait until it takes connections. Raises EmbeddedError."""
        child = self.launch()
        wait_until(lambda: child.exit_status() is not None or self.is_ready(), _START_TIMEOUT_S)
        if child.exit_status() is not None or not self.is_ready():
            child.stop(_STOP_GRACE_S)
            raise EmbeddedError(f"Ray did not start; its log is {self._log or 'not kept'}")
        return child

    def launch(self) -> Child:
        """Start the head's processes."""
        self._private.mkdir(mode=0o700, exist_ok=True)
        self.temp_dir.mkdir(mode=0o700, exist_ok=True)
        if not self._token_path.exists():
            self._token_path.touch(mode=0o600)
            self._token_path.write_text(secrets.token_hex(32), encoding="ascii")
        self._address_file.unlink(missing_ok=True)
        inherited = {name: value for name, value in os.environ.items() if name not in _SECRETS}
        self.child = spawn(
            "ray",
            [
                *(sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--port=0"),
                "--node-ip-address=127.0.0.1",
                f"--temp-dir={self.temp_dir}",
                f"--num-cpus={self._cpu_workers}",
                "--include-dashboard=false",
                "--no-monitor",
                "--include-log-monitor=false",
                "--dashboard-agent-listen-port=0",
                f"--object-store-memory={_OBJECT_STORE_BYTES}",
                "--disable-usage-stats",
                *_client_server_flag(),
            ],
            log=self._log,
            environment={**inherited, **self._extra_environment, **self.environment},
        )
        return self.child

    def is_ready(self) -> bool:
        """Whether the head's control store takes connections."""
        try:
            host, _, port = self.address.rpartition(":")
            socket.create_connection((host, int(port)), timeout=1.0).close()
        except (OSError, ValueError):
            return False
        return True

    def stop(self, grace_s: float = _STOP_GRACE_S) -> None:
        """End every process of the head's session, and no other Ray of the machine."""
        if self.child is not None:
            self.child.stop(grace_s)
            self.child = None

    @property
    def _address_file(self) -> Path:
        return self.temp_dir / "ray_current_cluster"


def _client_server_flag() -> list[str]:
    """Where Ray's optional client server can run it takes port 10001 unless told a free one; 0 is refused."""
    if find_spec("grpc") is None:
        return []
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return [f"--ray-client-server-port={probe.getsockname()[1]}"]
