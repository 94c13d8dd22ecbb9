"""The artifact store: files under keys, on a local disk or in an object store (obstore speaks S3, GCS and Azure too).

Content-addressed keys make a second upload of the same bytes harmless, so a task that ran twice leaves one file.
"""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import AzureStore, GCSStore, LocalStore, ObjectStore, S3Store, from_url


class DiskFullError(OSError):
    """The store has no room for the file."""


@dataclass(frozen=True)
class StoredObject:
    """What lies under a key. ``changed_at`` is when it was stored last."""

    key: str
    size: int
    changed_at: datetime


CONTENT, UPLOADS, MANIFESTS, LOGS = "content", "uploads", "manifests", "logs"
"""The folders of a store: files by their content, uploads that wait to be registered, what attempts leave."""

FRESH_FOR = timedelta(hours=1)
"""A file whose content is stored already is stored again once its object is older than this: whoever collects garbage
goes by an object's age, and a file that was just made must not look old."""

_SCRATCH = ".scratch"
_RESERVE_BYTES = 32 * 1024 * 1024
"""Left free for the database and the logs, which share the disk on a laptop."""


def _free_bytes(directory: Path) -> int:
    return shutil.disk_usage(directory).free


def content_key(sha256: str, suffix: str) -> str:
    """The key of a file by its content: ``content/ab/abcdef….png``. The suffix keeps players and people happy."""
    return f"content/{sha256[:2]}/{sha256}{suffix.lower()}"


class ArtifactStore:
    """Blocking and asynchronous access to one store. Keys are relative POSIX paths without ``..``."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.local_root: Path | None = None
        if parts.scheme == "file":
            self.local_root = Path(unquote(parts.path))
            self.local_root.mkdir(parents=True, exist_ok=True)
            self._store: ObjectStore = LocalStore(self.local_root, mkdir=True)
        elif parts.scheme in {"s3", "gs", "az"}:
            self._store = from_url(url)
        else:
            raise ValueError(f"REELFARM_ARTIFACTS_URL: unknown scheme in {url!r}; use file:///… or s3://…")

    def put_file(self, key: str, path: Path) -> None:
        """Store a file; it appears under its key whole or not at all. Raises DiskFullError."""
        self._check_key(key)
        self.check_room(path.stat().st_size)
        obstore.put(self._store, key, path)

    def put_bytes(self, key: str, data: bytes) -> None:
        self._check_key(key)
        self.check_room(len(data))
        obstore.put(self._store, key, data)

    def keep_file(self, key: str, path: Path) -> None:
        """Store a file under its content's key, unless it was stored there lately. Raises DiskFullError."""
        found = self.info(key)
        if found is None or found.size != path.stat().st_size or found.changed_at < datetime.now(UTC) - FRESH_FOR:
            self.put_file(key, path)

    def move_file(self, key: str, path: Path) -> None:
        """Like put_file, of a file from ``scratch`` that is not needed any more. Raises DiskFullError."""
        self._check_key(key)
        if self.local_root is None:
            self.put_file(key, path)
            return
        target = self.local_root / key
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)

    def take(self, key: str, target: Path) -> None:
        """The object as it is now, at a path in ``scratch``; to be read only. Raises FileNotFoundError."""
        self._check_key(key)
        if self.local_root is None:
            self.download(key, target)
        else:
            # A second name: whatever is stored under the key later replaces the name there, not what this one has.
            target.hardlink_to(self.local_root / key)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A directory for the block, on the same file system as a local store."""
        base = None
        if self.local_root is not None:
            base = self.local_root / _SCRATCH
            base.mkdir(exist_ok=True)
        directory = Path(tempfile.mkdtemp(prefix="reelfarm-", dir=base))
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def clear_scratch(self, before: datetime) -> int:
        """Remove what killed processes left behind in the scratch directory; returns how many entries."""
        removed = 0
        if self.local_root is not None:
            for path in (self.local_root / _SCRATCH).glob("*"):
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime < before.timestamp():
                        shutil.rmtree(path, ignore_errors=True)
                        removed += 1
        return removed

    async def presigned_put(self, key: str, ttl: timedelta) -> str | None:
        """A URL to PUT the object to, straight to the object store; None for a local store."""
        self._check_key(key)
        if isinstance(self._store, S3Store | GCSStore | AzureStore):
            return await obstore.sign_async(self._store, "PUT", key, ttl)
        return None

    async def put_bytes_async(self, key: str, data: bytes) -> None:
        self._check_key(key)
        self.check_room(len(data))
        await obstore.put_async(self._store, key, data)

    async def get_bytes_async(self, key: str) -> bytes:
        """Raises FileNotFoundError."""
        self._check_key(key)
        try:
            result = await obstore.get_async(self._store, key)
            return bytes(await result.bytes_async())
        except (NotFoundError, FileNotFoundError) as error:
            raise FileNotFoundError(key) from error

    async def size_async(self, key: str) -> int | None:
        """Size in bytes, or None if there is no such file."""
        self._check_key(key)
        try:
            return (await obstore.head_async(self._store, key))["size"]
        except (NotFoundError, FileNotFoundError):
            return None

    async def info_async(self, key: str) -> StoredObject | None:
        self._check_key(key)
        try:
            meta = await obstore.head_async(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return None
        return StoredObject(key, meta["size"], meta["last_modified"])

    def info(self, key: str) -> StoredObject | None:
        self._check_key(key)
        try:
            meta = obstore.head(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return None
        return StoredObject(key, meta["size"], meta["last_modified"])

    async def list_async(self, folder: str) -> AsyncIterator[list[StoredObject]]:
        """Everything in a folder, in batches."""
        self._check_key(folder)
        async for batch in obstore.list(self._store, prefix=folder, chunk_size=1000):
            yield [StoredObject(meta["path"], meta["size"], meta["last_modified"]) for meta in batch]

    async def delete_async(self, key: str) -> None:
        self._check_key(key)
        with suppress(NotFoundError, FileNotFoundError):
            await obstore.delete_async(self._store, key)

    def get_bytes(self, key: str) -> bytes:
        """Raises FileNotFoundError."""
        self._check_key(key)
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except (NotFoundError, FileNotFoundError) as error:
            raise FileNotFoundError(key) from error

    def exists(self, key: str) -> bool:
        return self.size(key) is not None

    def size(self, key: str) -> int | None:
        """Size in bytes, or None if there is no such file."""
        self._check_key(key)
        try:
            return obstore.head(self._store, key)["size"]
        except (NotFoundError, FileNotFoundError):
            return None

    def download(self, key: str, target: Path) -> None:
        """Copy a file out to a local path, whole or not at all. Raises FileNotFoundError."""
        self._check_key(key)
        partial = target.with_name(target.name + f".{os.getpid()}.part")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            if self.local_root is not None:
                shutil.copyfile(self.local_root / key, partial)
            else:
                with partial.open("wb") as file:
                    for chunk in obstore.get(self._store, key):
                        file.write(chunk)
            partial.replace(target)
        except NotFoundError as error:
            raise FileNotFoundError(key) from error
        finally:
            partial.unlink(missing_ok=True)

    def local_path(self, key: str) -> Path | None:
        """Where the file lies on this machine, for a local store; None for an object store or a missing file."""
        self._check_key(key)
        if self.local_root is None:
            return None
        path = self.local_root / key
        return path if path.is_file() else None

    def copy(self, source: str, target: str) -> None:
        self._check_key(source)
        self._check_key(target)
        obstore.copy(self._store, source, target)

    def delete(self, key: str) -> None:
        self._check_key(key)
        try:
            obstore.delete(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return

    async def stream(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes ``start`` to ``end`` (exclusive) in chunks. Raises FileNotFoundError."""
        self._check_key(key)
        try:
            result = await obstore.get_async(self._store, key, options={"range": (start, end)})
        except (NotFoundError, FileNotFoundError) as error:
            raise FileNotFoundError(key) from error
        async for chunk in result.stream(min_chunk_size=256 * 1024):
            yield bytes(chunk)

    def check_room(self, size: int) -> None:
        """Refuse early when the local disk could not hold the file and the little that everything else needs."""
        if self.local_root is not None and _free_bytes(self.local_root) < size + _RESERVE_BYTES:
            raise DiskFullError(f"the disk of {self.local_root} has no room for {size} bytes")

    @staticmethod
    def _check_key(key: str) -> None:
        if not key or key.startswith("/") or "\\" in key or any(part in {"", ".", ".."} for part in key.split("/")):
            raise ValueError(f"not an artifact key: {key!r}")
