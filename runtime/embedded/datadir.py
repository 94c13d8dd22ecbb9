"""The one directory a server on one machine keeps everything in, and who holds it."""

import contextlib
import errno
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from runtime.embedded.errors import DataDirectoryInUseError, EmbeddedError
from runtime.embedded.process import ProcessRecord

_FREE_BYTES_NEEDED = 256 * 1024 * 1024


@dataclass(frozen=True)
class ServerState:
    """Where a running server is, for commands on the same machine."""

    url: str
    database_url: str
    redis_url: str
    artifacts_url: str
    ray_address: str


class DataDirectory:
    """Layout: `postgres/`, `artifacts/`, `logs/`, `renders/`, `run/` (the running server), `secret.key`."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.postgres = self.root / "postgres"
        self.artifacts = self.root / "artifacts"
        self.logs = self.root / "logs"
        self.renders = self.root / "renders"
        self.run = self.root / "run"
        self._lock = self.run / "lock"
        self._state = self.run / "server.json"
        self._processes = self.run / "processes.json"

    def create(self) -> None:
        """Make what is missing; what exists keeps its permissions. Raises EmbeddedError."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for directory in (self.artifacts, self.logs, self.renders, self.run):
                directory.mkdir(mode=0o700, exist_ok=True)
            free = shutil.disk_usage(self.root).free
            self._probe()
        except OSError as error:
            raise EmbeddedError(_explain(self.root, error)) from error
        if free < _FREE_BYTES_NEEDED:
            raise EmbeddedError(
                f"the disk of {self.root} is full: {free >> 20} MB free, {_FREE_BYTES_NEEDED >> 20} MB needed"
            )

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Be the only one to run servers on the directory; the kernel lets go of it when we die.

        Raises DataDirectoryInUseError.
        """
        self.create()
        with self._lock.open("a+", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                lock.seek(0)
                holder = lock.read().strip() or "unknown"
                raise DataDirectoryInUseError(
                    f"the data directory {self.root} is in use by a running server (process {holder})"
                ) from error
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield

    def is_held(self) -> bool:
        """Whether a process holds the directory."""
        try:
            with self._lock.open("r", encoding="ascii") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def secret_key(self) -> str:
        """The key that signs tokens and file URLs, made at the first call; so tokens outlive restarts."""
        path = self.root / "secret.key"
        if not path.exists():
            write_private(path, secrets.token_hex(32))
        return path.read_text(encoding="ascii").strip()

    def read_state(self) -> ServerState | None:
        """Where the running server is; None while none runs or it is still starting."""
        if not self.is_held():
            return None
        try:
            return ServerState(**json.loads(self._state.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def write_state(self, state: ServerState | None) -> None:
        if state is None:
            self._state.unlink(missing_ok=True)
        else:
            write_private(self._state, json.dumps(asdict(state)))

    def read_leftovers(self) -> tuple[list[ProcessRecord], Path | None]:
        """Processes and the short-lived directory that the last holder noted and did not clear away."""
        try:
            noted: Mapping[str, Any] = json.loads(self._processes.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return [], None
        return [ProcessRecord.from_json(value) for value in noted["processes"]], Path(noted["run_dir"])

    def note_processes(self, records: list[ProcessRecord], run_dir: Path) -> None:
        noted = {"processes": [record.to_json() for record in records], "run_dir": str(run_dir)}
        write_private(self._processes, json.dumps(noted))

    def forget_processes(self) -> None:
        self._processes.unlink(missing_ok=True)

    def _probe(self) -> None:
        # Root may write where the mode says no, a read-only or full disk may not: only writing tells.
        probe = self.run / "probe"
        probe.write_bytes(b"\0" * 4096)
        probe.unlink()


def write_private(path: Path, text: str) -> None:
    """Replace a file, readable by its owner alone, at once and whole."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  a descriptor has no path
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)


def _explain(root: Path, error: OSError) -> str:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"the disk of {root} is full"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"the data directory {root} is not writable: {error.strerror} ({error.filename})"
        case errno.ENOTDIR | errno.EEXIST:
            return f"the data directory {root} cannot be made: {error.filename} is a file"
        case _:
            return f"the data directory {root} cannot be used: {error}"
