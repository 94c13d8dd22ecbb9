"""What files a model has, with their digests: kept with what was pulled, and remembered of what was read."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog
from pydantic import BaseModel

MANIFEST = "reelfarm.json"
_CHUNK = 8 << 20

log = structlog.get_logger(__name__)

Progress = Callable[[str, int, int], None]
"""Of a file's name, how many bytes of all were read or are there, and how many there are."""


def quiet(name: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


class FileRecord(BaseModel):
    """``mtime_ns`` is when the file was last written, as its file system says: 0 where that is not known."""

    size: int
    sha256: str
    mtime_ns: int = 0

    def is_of(self, other: "FileRecord") -> bool:
        """Whether the content is the same."""
        return (self.size, self.sha256) == (other.size, other.sha256)


class Manifest(BaseModel):
    """What was pulled: ``revision`` is the commit that the catalog's revision meant then, where the source has
    commits."""

    source: str
    revision: str | None = None
    files: dict[str, FileRecord]

    @property
    def sha256(self) -> str:
        """One digest for all files and their names."""
        lines = [f"{record.sha256}  {name}\n" for name, record in sorted(self.files.items())]
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def files_of(folder: Path) -> Iterator[Path]:
    """Every file of a model, without what was written about them."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        if path.is_file() and path.name != MANIFEST and not any(part.startswith(".") for part in inside):
            yield path


def read_manifest(folder: Path) -> Manifest | None:
    """What was pulled into a folder; None for one of the operator's."""
    return _read(folder / MANIFEST)


def _read(path: Path) -> Manifest | None:
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None


def measure(
    folder: Path, models_dir: Path | None = None, *, full: bool = False, progress: Progress = quiet
) -> Manifest:
    """The manifest of what is in a folder. Files that have the size and the time of writing that they had when they
    were read last, as was remembered in them or in ``models_dir``, are not read again, unless it is to be ``full``.

    ``progress`` is told of the bytes that are read.
    """
    pulled = read_manifest(folder)
    kept = None if models_dir is None else _kept_manifest(folder, models_dir)
    known = (kept and _read(kept)) or pulled
    files = {path.relative_to(folder).as_posix(): path.stat() for path in files_of(folder)}
    records: dict[str, FileRecord] = {}
    for name, stat in files.items():
        old = known.files.get(name) if known is not None and not full else None
        if old is not None and (old.size, old.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
            records[name] = old
    unread = {name: stat for name, stat in files.items() if name not in records}
    total, done = sum(stat.st_size for stat in unread.values()), 0
    for name, stat in unread.items():
        digest = hashlib.sha256()
        with (folder / name).open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                done += len(chunk)
                progress(name, done, total)
        records[name] = FileRecord(size=stat.st_size, sha256=digest.hexdigest(), mtime_ns=stat.st_mtime_ns)
    found = Manifest(source=pulled.source if pulled is not None else str(folder), files=records)
    if kept is not None and (known is None or found.files != known.files):
        _keep(kept, found)
    return found


def _kept_manifest(folder: Path, models_dir: Path) -> Path:
    return models_dir / "manifests" / f"{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]}.json"


def _keep(path: Path, manifest: Manifest) -> None:
    """It only saves time: where it cannot be written, the files are read again."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(manifest.model_dump_json(), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        log.warning("digests are not remembered", path=str(path), error=str(error))
