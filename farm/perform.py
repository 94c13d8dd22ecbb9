"""Running an attempt to its end, and the manifest that says how it ended."""

import errno
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from io import StringIO
from typing import TextIO

import structlog

from farm.attempt import Attempt, Bench, log_key, manifest_key
from farm.provenance import provenance
from models.catalog import Model
from models.faults import lost_device, ran_out_of_memory
from models.interfaces import UserInputError
from models.residency import NotEnoughMemoryError
from models.specs import Result, Spec
from monitoring.tracing import traced
from pipelines.context import PartOfTask, TaskCancelled
from pipelines.registry import TASK_KINDS, TaskKind
from runtime.artifacts import DiskFullError
from runtime.bilingual import both
from scheduler.ports import AttemptReport
from scheduler.task import OutcomeClass

log = structlog.get_logger(__name__)

Order = tuple[TaskKind, Model, Spec]
"""What is to be made, by which model, and how."""


def perform(bench: Bench, attempt: Attempt, *, batch: int = 1, so_far: str = "") -> bytes:
    """Run the attempt to its end, whatever that is; returns its manifest, which is stored as the last act. ``batch``:
    of how many it was, before it was made alone after all, and ``so_far`` what was logged until then."""
    assignment = attempt.assignment
    logged = StringIO()
    logged.write(so_far)
    try:
        with logging_to(logged), traced(worker=bench.worker, **assignment.trace):
            log.info("attempt starts", label=assignment.label)
            report = report_of(bench, attempt, _end_of(bench, attempt), batch=batch)
            log.info("attempt ends", outcome=report.outcome.value, timings_s=report.timings_s)
        return leave(bench, report, logged.getvalue())
    finally:
        attempt.clear_away()


@dataclass(frozen=True)
class End:
    """How a try ended. It holds no exception, whose frames would hold what the try had on the device."""

    outcome: OutcomeClass
    result: dict[str, object] | None = None
    message: str | None = None
    field: str | None = None
    permanent: bool = False


def _end_of(bench: Bench, attempt: Attempt) -> End:
    end = _try(bench, attempt)
    if end.outcome is OutcomeClass.MODEL_OUT_OF_MEMORY and not end.permanent:
        log.warning("out of memory: once more, without the other models")
        end = _try(bench, attempt, alone=True)
    return end


def report_of(bench: Bench, attempt: Attempt, end: End, *, batch: int = 1) -> AttemptReport:
    """How the attempt ended, for the scheduler."""
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
        batch=batch,
        peak_gb=None if attempt.peak_bytes is None else round(attempt.peak_bytes / 1e9, 3),
    )


def _try(bench: Bench, attempt: Attempt, *, alone: bool = False) -> End:
    """``alone``: after everything that the worker keeps was unloaded."""
    try:
        if alone:
            attempt.begin_anew()
            bench.residency.unload_all()
        return End(OutcomeClass.SUCCEEDED, _run(bench, attempt))
    except TaskCancelled:
        return End(OutcomeClass.CANCELLED, message="cancelled")
    except UserInputError as error:
        return End(OutcomeClass.USER, message=both(error.zh, error.en), field=error.field)
    # A pipeline may raise anything; whatever it is, this attempt has failed and the worker goes on.
    except Exception as error:  # noqa: BLE001
        return failure(attempt, error)


def failure(attempt: Attempt, error: Exception) -> End:
    """Of an attempt whose pipeline raised this."""
    log.error("attempt failed", traceback="".join(traceback.format_exception(error)))
    attempt.device_lost = lost_device(error)
    outcome = _classify(error)
    full = outcome is OutcomeClass.NODE
    message = "the disk of the machine that rendered it is full" if full else f"{type(error).__name__}: {error}"
    return End(outcome, message=message, permanent=isinstance(error, NotEnoughMemoryError))


def _run(bench: Bench, attempt: Attempt) -> dict[str, object]:
    order = kind, model, spec = order_of(bench, attempt)
    pipeline = import_module(kind.module)
    with attempt.helped():
        loading = PartOfTask(attempt, 0.0, 0.0)
        adapter = attempt.held.enter_context(bench.residency.use(model, kind.shape(spec), loading))
        attempt.enter("run")
        result = pipeline.run(spec, adapter, attempt)
    attempt.peak_bytes = bench.residency.peak_bytes(model, kind.shape(spec))
    return finished(bench, attempt, order, result)


def order_of(bench: Bench, attempt: Attempt) -> Order:
    """What is to be made, and by which model. Raises LookupError for a model that the catalog does not have."""
    kind = TASK_KINDS[attempt.assignment.kind]
    model = bench.catalog.get(attempt.assignment.model)
    if model is None:
        raise LookupError(f"the catalog has no model {attempt.assignment.model!r}")
    return kind, model, kind.spec.model_validate(attempt.assignment.spec)


def finished(bench: Bench, attempt: Attempt, order: Order, result: Result) -> dict[str, object]:
    """The result with how it was made, as JSON values. Raises TypeError for one of another kind."""
    kind, model, spec = order
    if type(result) is not kind.result:
        raise TypeError(f"{kind.module} made a {type(result).__name__}, not a {kind.result.__name__}")
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


def leave(bench: Bench, report: AttemptReport, logged: str) -> bytes:
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
def logging_to(stream: TextIO) -> Iterator[None]:
    """Everything logged meanwhile is also written there."""
    root = logging.getLogger()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(root.handlers[0].formatter if root.handlers else None)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
