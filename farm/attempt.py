"""One attempt on a worker: what its pipeline may use, and how far it is."""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from farm.cache import ArtifactCache
from farm.process import memory_and_traffic
from farm.reporter import Reporter
from models.catalog import Catalog, HelperKind, Model
from models.interfaces import Adapter, Phase
from models.residency import Residency
from models.specs import StoredArtifact
from pipelines.context import PartOfTask, TaskCancelled, describe
from pipelines.media.frames import jpeg
from pipelines.registry import TASK_KINDS
from runtime.artifacts import ArtifactStore
from scheduler.ports import Assignment, AttemptId, WorkerStatus

if TYPE_CHECKING:
    from models.interfaces import RGB

log = structlog.get_logger(__name__)


_MOVES_BYTES: frozenset[Phase] = frozenset(("fetch", "load", "upload"))
"""Phases without steps, whose progress is that bytes move."""
_PROGRESS_BYTES = 16 << 20
"""As much moves within seconds wherever weights are read; a worker that hangs moves a hundredth of it in a minute."""


def manifest_key(attempt: AttemptId) -> str:
    task_id, epoch = attempt
    return f"manifests/{task_id}/{epoch}.json"


def log_key(attempt: AttemptId) -> str:
    task_id, epoch = attempt
    return f"logs/{task_id}/{epoch}.log"


@dataclass(frozen=True)
class Bench:
    """What a worker has at hand for every attempt. ``budget_scale`` stretches the phases' time budgets."""

    worker: str
    store: ArtifactStore
    cache: ArtifactCache
    catalog: Catalog
    residency: Residency
    reporter: Reporter
    models_dir: Path
    work_root: Path
    budget_scale: float


class Attempt:
    """The pipelines' TaskContext, watched and cancelled from another thread."""

    def __init__(self, bench: Bench, assignment: Assignment) -> None:
        self.assignment = assignment
        self._bench = bench
        self._work_path = bench.work_root / f"{assignment.task_id}-{assignment.epoch}"
        model = bench.catalog.get(assignment.model)
        weighted = model is not None and model.weights is not None
        self._budgets_s = TASK_KINDS[assignment.kind].budgets_s(weighted=weighted)
        self._cancelled = threading.Event()
        # Until the pipeline says otherwise, what takes time is importing and loading.
        self._phase: Phase = "load"
        self._fraction = 0.0
        self._started_at = self._phase_since = self._progressed_at = self._shared_at = time.monotonic()
        self._moved: tuple[int, int] | None = None
        """When it was looked at last in this phase; asked for only where somebody looks, since it takes a while."""
        self.timings_s: dict[str, float] = {}
        self.parameters: dict[str, Any] = {}
        self.held = ExitStack()
        """What the attempt keeps from being evicted until it ends."""
        self.helpers: dict[HelperKind, Model] = {}
        self._helping: dict[str, Adapter | None] = {}
        self.peak_bytes: int | None = None
        """What the model was seen to take of the device."""
        self.device_lost = False
        """Whether the device failed in a way that only the end of the process mends."""

    # --- for the worker

    def status(self) -> WorkerStatus:
        if self._phase in _MOVES_BYTES:
            now = memory_and_traffic()
            if self._moved is None:
                self._moved = now
            elif any(abs(new - old) >= _PROGRESS_BYTES for new, old in zip(now, self._moved, strict=True)):
                self._progressed()
                self._moved = now
        return WorkerStatus(
            attempts=(self.assignment.attempt,),
            phase=self._phase,
            fraction=self._fraction,
            since_progress_s=time.monotonic() - self._progressed_at,
            budget_s=self._budgets_s[self._phase] * self._bench.budget_scale,
        )

    def cancel(self) -> None:
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def _progressed(self) -> None:
        self._progressed_at = time.monotonic()

    def enter(self, phase: Phase) -> Phase:
        """Go over to another phase; returns the one before."""
        now = time.monotonic()
        before = self._phase
        self.timings_s[before] = self.timings_s.get(before, 0.0) + now - self._phase_since
        self._phase, self._phase_since, self._progressed_at = phase, now, now
        self._moved = None
        self._bench.reporter.report(self.assignment, phase, self._fraction)
        return before

    def share_time(self, count: int) -> None:
        """What was spent so far was spent for so many attempts together: this one is charged its share, and nothing
        until it is resumed."""
        now = time.monotonic()
        self.enter(self._phase)
        self._started_at = now - (now - self._started_at) / count
        self.timings_s = {phase: seconds / count for phase, seconds in self.timings_s.items()}
        self._shared_at = now

    def resume(self) -> None:
        """It is this one's turn."""
        waited_s = time.monotonic() - self._shared_at
        self._started_at += waited_s
        self._phase_since += waited_s
        self._progressed()

    def begin_anew(self) -> None:
        """Go back to loading, as far as nothing: what an earlier try reached is lost with it."""
        self._fraction = 0.0
        self.enter("load")

    def elapsed_s(self) -> float:
        return time.monotonic() - self._started_at

    @contextmanager
    def helped(self) -> Iterator[None]:
        """While a pipeline runs; what it was helped by may go afterwards."""
        try:
            with self.held:
                yield
        finally:
            self._helping.clear()

    # --- for the pipeline: pipelines.context.TaskContext

    @cached_property
    def work_dir(self) -> Path:
        """Made when it is asked for: many tasks need none."""
        path = self._work_path
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def clear_away(self) -> None:
        """Delete the work directory."""
        shutil.rmtree(self._work_path, ignore_errors=True)

    @contextmanager
    def phase(self, name: Phase) -> Iterator[None]:
        before = self.enter(name)
        try:
            yield
        finally:
            self.enter(before)

    def progress(self, fraction: float, preview: "RGB | None" = None) -> None:
        self.show(fraction, preview)
        self.stop_if_cancelled()

    def show(self, fraction: float, preview: "RGB | None" = None) -> None:
        """Tell of progress, whether it is cancelled or not."""
        self._progressed()
        self._fraction = min(max(fraction, 0.0), 1.0)
        shown = None if preview is None else jpeg(preview)
        self._bench.reporter.report(self.assignment, self._phase, self._fraction, preview=shown)

    def stop_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise TaskCancelled

    def note(self, **parameters: Any) -> None:
        self.parameters |= parameters

    def helper(self, kind: HelperKind) -> Adapter | None:
        model = self._bench.catalog.get(self.assignment.model)
        helper = self._bench.catalog.helper(model, kind) if model is not None else None
        if helper is None:
            return None
        if helper.id not in self._helping:
            use = self._bench.residency.use(helper, kind, PartOfTask(self, self._fraction, 0.0))
            self._helping[helper.id] = self.held.enter_context(use)
        self.helpers[kind] = helper
        return self._helping[helper.id]

    def fetch(self, key: str) -> Path:
        path = self._bench.cache.fetch(key, self.work_dir)
        self._progressed()
        return path

    def store(self, path: Path, media_type: str | None = None) -> StoredArtifact:
        artifact = describe(path, media_type)
        self._bench.store.keep_file(artifact.key, path)
        self._progressed()
        return artifact
