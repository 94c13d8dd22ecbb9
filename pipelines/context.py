"""What a pipeline may use of the world while it runs one task; the worker provides it, tests use LocalContext."""

import hashlib
import mimetypes
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from models.catalog import HelperKind
from models.interfaces import Adapter, Phase
from models.specs import StoredArtifact
from runtime.artifacts import content_key

if TYPE_CHECKING:
    from models.interfaces import RGB


class TaskCancelled(Exception):
    """The task was cancelled; raised out of ``progress`` and to be let through."""


class Progress(Protocol):
    """What is told of a task while it is made, or of several that are made together."""

    @contextmanager
    def phase(self, name: Phase) -> Iterator[None]:
        """Declare what is being done, so that a hang is told from slow work by the phase's own time budget."""
        ...

    def progress(self, fraction: float, preview: "RGB | None" = None) -> None:
        """Report progress of the whole task, 0 to 1, and look at the cancel flag. ``preview`` shows what is made,
        small. Raises TaskCancelled."""
        ...

    def stop_if_cancelled(self) -> None:
        """Raises TaskCancelled; unlike ``progress``, it tells of none."""
        ...

    def note(self, **parameters: Any) -> None:
        """Keep what was asked of a model, as JSON values, with what the task makes."""
        ...


class TaskContext(Progress, Protocol):
    """What a pipeline may use, and what it tells."""

    @property
    def work_dir(self) -> Path:
        """The task's own directory, at first empty, deleted after it."""
        ...

    def helper(self, kind: HelperKind) -> Adapter | None:
        """The loaded model that helps this task's model; None where its catalog entry names none."""
        ...

    def fetch(self, key: str) -> Path:
        """The local path of an artifact, downloaded once per worker. Raises FileNotFoundError."""
        ...

    def store(self, path: Path, media_type: str | None = None) -> StoredArtifact:
        """Store a finished file under its content-addressed key."""
        ...


def describe(path: Path, media_type: str | None = None) -> StoredArtifact:
    """Key, type, size and hash of a finished file; the same bytes and suffix always give the same key."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    guessed = media_type or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    sha256 = digest.hexdigest()
    return StoredArtifact(
        key=content_key(sha256, path.suffix), media_type=guessed, size=path.stat().st_size, sha256=sha256
    )


class PartOfTask:
    """A model's own progress as a part of the task's: ``share`` of it, from ``start`` on. What adapters report to."""

    def __init__(self, context: Progress, start: float, share: float) -> None:
        self._context, self._start, self._share = context, start, share

    def __call__(self, fraction: float, /, preview: "RGB | None" = None) -> None:
        self._context.progress(self._start + self._share * fraction, preview)

    def stop_if_cancelled(self) -> None:
        self._context.stop_if_cancelled()

    def phase(self, name: Phase, /) -> AbstractContextManager[None]:
        return self._context.phase(name)

    def note(self, **parameters: Any) -> None:
        self._context.note(**parameters)


class LocalContext:
    """A context over a plain directory, for tests and benchmarks of pipelines without a farm."""

    def __init__(self, root: Path, helpers: dict[HelperKind, Adapter] | None = None) -> None:
        self.root = root
        self.helpers = helpers or {}
        self.work_dir = root / "work"
        self.work_dir.mkdir(parents=True, exist_ok=True)
        self.fractions: list[float] = []
        self.phases: list[str] = []
        self.previews: list[RGB] = []
        self.parameters: dict[str, Any] = {}
        self.timings_s: dict[str, float] = {}

    @contextmanager
    def phase(self, name: Phase) -> Iterator[None]:
        self.phases.append(name)
        yield

    def progress(self, fraction: float, preview: "RGB | None" = None) -> None:
        self.fractions.append(fraction)
        if preview is not None:
            self.previews.append(preview)

    def stop_if_cancelled(self) -> None:
        """Nobody cancels."""

    def note(self, **parameters: Any) -> None:
        self.parameters |= parameters

    def helper(self, kind: HelperKind) -> Adapter | None:
        return self.helpers.get(kind)

    def fetch(self, key: str) -> Path:
        path = self.root / key
        if not path.is_file():
            raise FileNotFoundError(key)
        return path

    def store(self, path: Path, media_type: str | None = None) -> StoredArtifact:
        artifact = describe(path, media_type)
        target = self.root / artifact.key
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
        return artifact
