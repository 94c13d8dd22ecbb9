"""What a worker was given to make together: one attempt, or several of one model and shape in one call.

Each keeps its own work directory, log, manifest and end. What cannot be made together is made one by one: a batch saves
time and changes no outcome.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib import import_module
from io import StringIO
from typing import TYPE_CHECKING, Any

import structlog

from farm.attempt import Attempt, Bench
from farm.perform import End, Order, failure, finished, leave, logging_to, order_of, perform, report_of
from models.faults import lost_device
from models.interfaces import Phase
from monitoring.tracing import traced
from pipelines.context import PartOfTask, TaskCancelled
from scheduler.ports import Assignment, AttemptId, WorkerStatus
from scheduler.task import OutcomeClass

if TYPE_CHECKING:
    from models.interfaces import RGB

log = structlog.get_logger(__name__)


class Batch:
    """Performed by one thread; watched and cancelled from others. ``assignments`` are at least one."""

    def __init__(self, bench: Bench, assignments: Sequence[Assignment]) -> None:
        self._bench = bench
        self._attempts = [Attempt(bench, assignment) for assignment in assignments]
        self._at_work = self._attempts[0]
        self._at_once = len(self._attempts)
        """Of how many a step is made at a time."""

    @property
    def device_lost(self) -> bool:
        return any(attempt.device_lost for attempt in self._attempts)

    def status(self) -> WorkerStatus:
        ids = tuple(attempt.assignment.attempt for attempt in self._attempts)
        status = self._at_work.status()
        return replace(status, attempts=ids, budget_s=status.budget_s * self._at_once)

    def cancel(self, attempt_id: AttemptId) -> None:
        """One of several is made to the end with the others, and dropped."""
        for attempt in self._attempts:
            if attempt.assignment.attempt == attempt_id:
                attempt.cancel()

    def perform(self) -> list[bytes]:
        """Run all to their ends; returns their manifests."""
        count = len(self._attempts)
        if count == 1:
            return [perform(self._bench, self._at_work)]
        ends, logged = self._make_together()
        self._at_once = 1
        for attempt in self._attempts:
            attempt.share_time(count)
        manifests = []
        for attempt, end in zip(self._attempts, ends, strict=True):
            self._at_work = attempt
            attempt.resume()
            if end is None and not self.device_lost:
                attempt.begin_anew()
                manifests.append(perform(self._bench, attempt, batch=count, so_far=logged))
                continue
            lost = End(OutcomeClass.WORKER, message="the device was lost to what was made with it")
            manifests.append(leave(self._bench, report_of(self._bench, attempt, end or lost, batch=count), logged))
            attempt.clear_away()
        return manifests

    def _make_together(self) -> tuple[list[End | None], str]:
        """How each ended, None for what is to be made alone; and what was logged."""
        logged = StringIO()
        ids = [attempt.assignment.task_id for attempt in self._attempts]
        with logging_to(logged), traced(worker=self._bench.worker, **self._at_work.assignment.trace):
            log.info("batch starts", tasks=ids)
            began_s = time.monotonic()
            try:
                ends = self._run()
            except TaskCancelled:
                ends = [_CANCELLED] * len(ids)
            # A pipeline may raise anything, and whose fault it is shows when each is made alone.
            except Exception as error:  # noqa: BLE001
                ends = [None] * len(ids)
                if lost_device(error):
                    ends[0] = failure(self._at_work, error)
                else:
                    log.warning("made one by one after all", error=f"{type(error).__name__}: {error}"[:1000])
            log.info("batch ends", seconds=round(time.monotonic() - began_s, 3))
        return ends, logged.getvalue()

    def _run(self) -> list[End | None]:
        orders = [order_of(self._bench, attempt) for attempt in self._attempts]
        kind, model, _ = orders[0]
        specs = [spec for _, _, spec in orders]
        pipeline = import_module(kind.module)
        together = _Together(self._attempts)
        with self._at_work.helped():
            loading = PartOfTask(together, 0.0, 0.0)
            use = self._bench.residency.use(model, kind.shape(specs[0]), loading, batch=len(specs))
            adapter = self._at_work.held.enter_context(use)
            together.enter("run")
            made = pipeline.make_together(specs, adapter, together, [attempt.note for attempt in self._attempts])
        return [self._delivered(pipeline, *one) for one in zip(self._attempts, orders, made, strict=True)]

    def _delivered(self, pipeline: Any, attempt: Attempt, order: Order, made: Any) -> End | None:
        self._at_work = attempt
        _, _, spec = order
        try:
            attempt.stop_if_cancelled()
            result = finished(self._bench, attempt, order, pipeline.deliver(spec, made, attempt))
        except TaskCancelled:
            return _CANCELLED
        except Exception as error:  # noqa: BLE001 - what is wrong with this one shows when it is made alone
            log.warning("made alone after all", task_id=attempt.assignment.task_id, error=str(error)[:1000])
            return None
        return End(OutcomeClass.SUCCEEDED, result)


_CANCELLED = End(OutcomeClass.CANCELLED, message="cancelled")


class _Together:
    """Several attempts as one: pipelines.context.Progress. Only when all are cancelled, it stops."""

    def __init__(self, attempts: Sequence[Attempt]) -> None:
        self._attempts = attempts

    def enter(self, phase: Phase) -> None:
        for attempt in self._attempts:
            attempt.enter(phase)

    @contextmanager
    def phase(self, name: Phase) -> Iterator[None]:
        with ExitStack() as stack:
            for attempt in self._attempts:
                stack.enter_context(attempt.phase(name))
            yield

    def progress(self, fraction: float, preview: "RGB | None" = None) -> None:
        """``preview`` shows the first."""
        for number, attempt in enumerate(self._attempts):
            attempt.show(fraction, None if number else preview)
        self.stop_if_cancelled()

    def stop_if_cancelled(self) -> None:
        if all(attempt.cancelled for attempt in self._attempts):
            raise TaskCancelled

    def note(self, **parameters: Any) -> None:
        for attempt in self._attempts:
            attempt.note(**parameters)
