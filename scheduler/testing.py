"""A farm in memory, for tests of whatever schedules: a worker does nothing until the test says so."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from scheduler.ports import (
    Assignment,
    AttemptEnded,
    AttemptId,
    AttemptReport,
    Device,
    FarmEvent,
    FarmLostError,
    WorkerLost,
    WorkerLostError,
    WorkerStatus,
    WorkerUp,
)
from scheduler.task import OutcomeClass


@dataclass
class FakeWorker:
    """``lost`` is set at its end; a ``silent`` one answers nothing, a ``stubborn`` one ignores cancelling, a
    ``draining`` one wants no more work."""

    device: Device
    assignment: Assignment | None = None
    stalled_s: float = 0.0
    fraction: float = 0.0
    phase: str = "run"
    silent: bool = False
    stubborn: bool = False
    draining: bool = False
    answers: int = 0
    lost: asyncio.Event = field(default_factory=asyncio.Event)


class FakeFarm:
    """Implements scheduler.ports.Farm. Workers are called ``slot.incarnation``; one that ends is replaced.

    ``calls`` lists every (worker, attempt) that was sent, ``executions`` those that a worker began.
    """

    def __init__(self, slots: int = 1, *, device: Device = "cpu", budget_s: float = 10.0) -> None:
        self.events: asyncio.Queue[FarmEvent] = asyncio.Queue()
        self.workers: dict[str, FakeWorker] = {f"{slot}.0": FakeWorker(device) for slot in range(slots)}
        self.calls: list[tuple[str, AttemptId]] = []
        self.executions: list[AttemptId] = []
        self.killed: list[tuple[str, str]] = []
        self.prepared: list[tuple[str, str]] = []
        self.manifests: dict[AttemptId, AttemptReport] = {}
        self._reports: dict[AttemptId, AttemptReport] = {}
        self._budget_s = budget_s
        self._gone = asyncio.Event()

    # --- what the test does

    def worker_of(self, task_id: str) -> str:
        """The worker that runs the task. Raises LookupError."""
        for name, worker in self.workers.items():
            if worker.assignment is not None and worker.assignment.task_id == task_id:
                return name
        raise LookupError(task_id)

    def finish(self, task_id: str, outcome: OutcomeClass = OutcomeClass.SUCCEEDED, **fields: Any) -> AttemptReport:
        """End the attempt that runs; ``fields`` are the report's."""
        name = self.worker_of(task_id)
        worker = self.workers[name]
        assert worker.assignment is not None  # noqa: S101 - what worker_of found
        _, epoch = worker.assignment.attempt
        report = AttemptReport(task_id=task_id, epoch=epoch, worker=name, outcome=outcome, **fields)
        self.manifests[report.attempt] = self._reports[report.attempt] = report
        worker.assignment, worker.stalled_s = None, 0.0
        self.deliver(report)
        return report

    def deliver(self, report: AttemptReport) -> None:
        """Let a report arrive, again or late."""
        self.events.put_nowait(AttemptEnded(report))

    def lose(self, name: str, outcome: OutcomeClass = OutcomeClass.WORKER, message: str = "killed") -> None:
        """End a worker; another takes its slot."""
        worker = self.workers.pop(name)
        worker.lost.set()
        self.events.put_nowait(WorkerLost(name, outcome, message))
        slot, _, incarnation = name.partition(".")
        successor = f"{slot}.{int(incarnation) + 1}"
        self.workers[successor] = FakeWorker(worker.device)
        self.events.put_nowait(WorkerUp(successor, worker.device))

    def vanish(self) -> None:
        """Lose the whole farm."""
        self._gone.set()

    # --- the port

    async def attach(self, generation: int, may_act: Callable[[], bool]) -> None:
        self.events = asyncio.Queue()
        for name, worker in self.workers.items():
            self.events.put_nowait(WorkerUp(name, worker.device))

    async def run(self) -> None:
        await self._gone.wait()
        raise FarmLostError("the fake farm is gone")

    def start(self, worker: str, assignment: Assignment) -> None:
        self.calls.append((worker, assignment.attempt))
        found = self.workers.get(worker)
        if found is None:
            return
        if (report := self._reports.get(assignment.attempt)) is not None:
            self.deliver(report)
        elif found.assignment is None:
            found.assignment = assignment
            self.executions.append(assignment.attempt)

    async def status(self, worker: str) -> WorkerStatus:
        found = await self._reach(worker)
        found.answers += 1
        return WorkerStatus(
            attempt=None if found.assignment is None else found.assignment.attempt,
            phase=found.phase,
            fraction=found.fraction,
            since_progress_s=found.stalled_s,
            budget_s=self._budget_s,
            draining=found.draining,
        )

    async def cancel(self, worker: str, attempt: AttemptId) -> None:
        found = await self._reach(worker)
        if found.assignment is not None and found.assignment.attempt == attempt and not found.stubborn:
            self.finish(attempt[0], OutcomeClass.CANCELLED)

    def prepare(self, worker: str, model: str) -> None:
        self.prepared.append((worker, model))

    async def kill(self, worker: str, message: str) -> None:
        self.killed.append((worker, message))
        if worker in self.workers:
            self.lose(worker, message=message)

    async def manifest(self, attempt: AttemptId) -> AttemptReport | None:
        return self.manifests.get(attempt)

    async def close(self) -> None:
        return

    async def _reach(self, name: str) -> FakeWorker:
        worker = self.workers.get(name)
        if worker is not None and worker.silent:
            await worker.lost.wait()
        if worker is None or worker.lost.is_set():
            raise WorkerLostError(name)
        return worker
