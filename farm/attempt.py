"""One attempt on a worker: what the pipeline may use, how it ended, and the manifest that says so."""

import errno
import logging
import shutil
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import structlog

from farm.cache import ArtifactCache
from farm.process import memory_and_traffic
from farm.provenance import provenance
from farm.reporter import Reporter
from models.catalog import Catalog, HelperKind, Model
from models.faults import lost_device, ran_out_of_memory
from models.interfaces import Adapter, Phase, UserInputError
from models.residency import NotEnoughMemoryError, Residency
from models.specs import StoredArtifact
from monitoring.tracing import traced
from pipelines.context import PartOfTask, TaskCancelled, describe
from pipelines.media.frames import jpeg
from pipelines.registry import TASK_KINDS
from runtime.artifacts import ArtifactStore, DiskFullError
from runtime.bilingual import both
from scheduler.ports import Assignment, AttemptId, AttemptReport, WorkerStatus
from scheduler.task import OutcomeClass

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
        self._started_at = self._phase_since = self._progressed_at = time.monotonic()
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
            attempt=self.assignment.attempt,
            phase=self._phase,
            fraction=self._fraction,
            since_progress_s=time.monotonic() - self._progressed_at,
            budget_s=self._budgets_s[self._phase] * self._bench.budget_scale,
        )

    def cancel(self) -> None:
        self._cancelled.set()

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
        self._progressed()
        self._fraction = min(max(fraction, 0.0), 1.0)
        shown = None if preview is None else jpeg(preview)
        self._bench.reporter.report(self.assignment, self._phase, self._fraction, preview=shown)
        self.stop_if_cancelled()

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


def perform(bench: Bench, attempt: Attempt) -> bytes:
    """Run the attempt to its end, whatever that is; returns its manifest, which is stored as the last act."""
    assignment = attempt.assignment
    logged = StringIO()
    try:
        with _logging_to(logged), traced(worker=bench.worker, **assignment.trace):
            log.info("attempt starts", label=assignment.label)
            report = _outcome(bench, attempt)
            log.info("attempt ends", outcome=report.outcome.value, timings_s=report.timings_s)
        return _leave(bench, report, logged.getvalue())
    finally:
        attempt.clear_away()


@dataclass(frozen=True)
class _End:
    """How a try ended. It holds no exception, whose frames would hold what the try had on the device."""

    outcome: OutcomeClass
    result: dict[str, object] | None = None
    message: str | None = None
    field: str | None = None
    permanent: bool = False


def _outcome(bench: Bench, attempt: Attempt) -> AttemptReport:
    end = _try(bench, attempt)
    if end.outcome is OutcomeClass.MODEL_OUT_OF_MEMORY and not end.permanent:
        log.warning("out of memory: once more, without the other models")
        end = _try(bench, attempt, alone=True)
    attempt.enter("upload")
    return AttemptReport(
        task_id=attempt.assignment.task_id,
        epoch=attempt.assignment.epoch,
        worker=bench.worker,
        outcome=end.outcome,
        permanent=end.permanent,
        result=end.result,
        error_message=None if end.message is None else _storable(end.message),
        error_field=end.field,
        duration_s=attempt.elapsed_s(),
        timings_s=attempt.timings_s,
        log_key=log_key(attempt.assignment.attempt),
        peak_gb=None if attempt.peak_bytes is None else round(attempt.peak_bytes / 1e9, 3),
    )


def _try(bench: Bench, attempt: Attempt, *, alone: bool = False) -> _End:
    """``alone``: after everything that the worker keeps was unloaded."""
    try:
        if alone:
            attempt.begin_anew()
            bench.residency.unload_all()
        return _End(OutcomeClass.SUCCEEDED, _run(bench, attempt))
    except TaskCancelled:
        return _End(OutcomeClass.CANCELLED, message="cancelled")
    except UserInputError as error:
        return _End(OutcomeClass.USER, message=both(error.zh, error.en), field=error.field)
    # A pipeline may raise anything; whatever it is, this attempt has failed and the worker goes on.
    except Exception as error:  # noqa: BLE001
        log.error("attempt failed", traceback=traceback.format_exc())
        attempt.device_lost = lost_device(error)
        outcome = _classify(error)
        full = outcome is OutcomeClass.NODE
        message = "the disk of the machine that rendered it is full" if full else f"{type(error).__name__}: {error}"
        return _End(outcome, message=message, permanent=isinstance(error, NotEnoughMemoryError))


def _run(bench: Bench, attempt: Attempt) -> dict[str, object]:
    assignment = attempt.assignment
    kind = TASK_KINDS[assignment.kind]
    model = bench.catalog.get(assignment.model)
    if model is None:
        raise LookupError(f"the catalog has no model {assignment.model!r}")
    pipeline = import_module(kind.module)
    spec = kind.spec.model_validate(assignment.spec)
    with attempt.helped():
        loading = PartOfTask(attempt, 0.0, 0.0)
        adapter = attempt.held.enter_context(bench.residency.use(model, kind.shape(spec), loading))
        attempt.enter("run")
        result = pipeline.run(spec, adapter, attempt)
    attempt.peak_bytes = bench.residency.peak_bytes(model, kind.shape(spec))
    if type(result) is not kind.result:
        raise TypeError(f"{kind.module}.run returned {type(result).__name__}, not {kind.result.__name__}")
    made = provenance(kind.name, model, spec, attempt, bench.models_dir)
    return dict(result.model_copy(update={"provenance": made}).model_dump(mode="json"))


def _classify(error: Exception) -> OutcomeClass:
    if lost_device(error):
        return OutcomeClass.WORKER
    if ran_out_of_memory(error):
        return OutcomeClass.MODEL_OUT_OF_MEMORY
    if isinstance(error, DiskFullError) or (isinstance(error, OSError) and error.errno == errno.ENOSPC):
        return OutcomeClass.NODE
    return OutcomeClass.TASK


def _leave(bench: Bench, report: AttemptReport, logged: str) -> bytes:
    manifest = report.model_dump_json().encode()
    try:
        bench.store.put_bytes(log_key(report.attempt), logged.encode("utf-8", "replace"))
        bench.store.put_bytes(manifest_key(report.attempt), manifest)
    # Stores fail in their own ways, and the scheduler is told over Ray as well: the manifest is the second
    # way.
    except Exception:
        log.exception("the manifest could not be stored", task_id=report.task_id)
    return manifest


def _storable(text: str) -> str:
    """The text without what PostgreSQL or UTF-8 cannot hold."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")[:4000]


@contextmanager
def _logging_to(stream: TextIO) -> Iterator[None]:
    """Everything logged meanwhile is also written there."""
    root = logging.getLogger()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(root.handlers[0].formatter if root.handlers else None)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
