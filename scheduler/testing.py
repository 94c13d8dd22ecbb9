"""A farm in memory, for tests of whatever schedules: a worker does nothing until the test says so."""

import asyncio
from collections.abc import Callable, Mapping
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
    Node,
    Place,
    WorkerLost,
    WorkerLostError,
    WorkerStatus,
    WorkerUp,
)
from scheduler.task import OutcomeClass


@dataclass
class FakeWorker:
    """``lost`` is set at its end; a ``silent`` one answers nothing, a ``stubborn`` one ignores cancelling."""

    device: Device
    node: str
    slot: str
    assignments: dict[str, Assignment] = field(default_factory=dict)
    """What it runs, by task."""
    stalled_s: float = 0.0
    fraction: float = 0.0
    phase: str = "run"
    silent: bool = False
    stubborn: bool = False
    resident: tuple[str, ...] = ()
    parked: tuple[str, ...] = ()
    vram_gb: float | None = None
    capabilities: tuple[str, ...] = ()
    answers: int = 0
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def assignment(self) -> Assignment | None:
        """What it runs, or the first of what it runs together."""
        return next(iter(self.assignments.values()), None)


class FakeFarm:
    """Implements scheduler.ports.Farm. Workers are called ``number.incarnation``; one that ends is replaced. The node
    of each is ``node`` and its number modulo ``nodes``.

    ``calls`` lists every (worker, attempt) that was sent, ``executions`` those that a worker began.
    """

    def __init__(self, slots: int = 1, *, device: Device = "cpu", nodes: int = 1, budget_s: float = 10.0) -> None:
        self.events: asyncio.Queue[FarmEvent] = asyncio.Queue()
        self.workers: dict[str, FakeWorker] = {}
        for number in range(slots):
            node = f"node{number % nodes}"
            self.workers[f"{number}.0"] = FakeWorker(device, node, f"{node}-{device}{number}")
        self.calls: list[tuple[str, AttemptId]] = []
        self.executions: list[AttemptId] = []
        self.killed: list[tuple[str, str]] = []
        self.prepared: list[tuple[str, str]] = []
        self.demanded: list[dict[Place, int]] = []
        self.manifests: dict[AttemptId, AttemptReport] = {}
        self._reports: dict[AttemptId, AttemptReport] = {}
        self._vacant: dict[str, FakeWorker] = {}
        self._budget_s = budget_s
        self._gone = asyncio.Event()

    # --- what the test does

    def worker_of(self, task_id: str) -> str:
        """The worker that runs the task. Raises LookupError."""
        for name, worker in self.workers.items():
            if task_id in worker.assignments:
                return name
        raise LookupError(task_id)

    def finish(self, task_id: str, outcome: OutcomeClass = OutcomeClass.SUCCEEDED, **fields: Any) -> AttemptReport:
        """End the attempt that runs; ``fields`` are the report's."""
        name = self.worker_of(task_id)
        worker = self.workers[name]
        epoch = worker.assignments.pop(task_id).epoch
        report = AttemptReport(task_id=task_id, epoch=epoch, worker=name, outcome=outcome, **fields)
        self.manifests[report.attempt] = self._reports[report.attempt] = report
        worker.stalled_s = 0.0
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
        self._replace(name, worker)

    def add_worker(self, node: str, device: Device = "cpu") -> str:
        """Another slot on a node; returns its worker."""
        number = 1 + max(int(name.partition(".")[0]) for name in self.workers)
        self._come_up(f"{number}.0", FakeWorker(device, node, f"{node}-{device}{number}"))
        return f"{number}.0"

    def remove_node(self, node: str) -> None:
        """Lose a machine with its workers, for good."""
        for name in [name for name, worker in self.workers.items() if worker.node == node]:
            self.workers.pop(name).lost.set()
            self.events.put_nowait(WorkerLost(name, OutcomeClass.NODE, "its node is gone"))

    def vanish(self) -> None:
        """Lose the whole farm."""
        self._gone.set()

    # --- the port

    async def attach(self, generation: int, may_act: Callable[[], bool]) -> None:
        self.events = asyncio.Queue()
        for name in self.workers:
            self.events.put_nowait(self._up(name))

    async def run(self) -> None:
        await self._gone.wait()
        raise FarmLostError("the fake farm is gone")

    def nodes(self) -> list[Node]:
        ids = {worker.node for worker in (*self.workers.values(), *self._vacant.values())}
        return [Node(node, f"{node}.test") for node in sorted(ids)]

    async def demand(self, slots: Mapping[Place, int]) -> None:
        self.demanded.append(dict(slots))

    def vacate(self, nodes: frozenset[str]) -> None:
        for name, worker in list(self.workers.items()):
            if worker.node in nodes:
                del self.workers[name]
                worker.lost.set()
                self._vacant[name] = worker
                self.events.put_nowait(WorkerLost(name, OutcomeClass.WORKER, "its node is let go"))
        for name, worker in list(self._vacant.items()):
            if worker.node not in nodes:
                del self._vacant[name]
                self._replace(name, worker)

    def start(self, worker: str, *assignments: Assignment) -> None:
        self.calls += [(worker, assignment.attempt) for assignment in assignments]
        found = self.workers.get(worker)
        if found is None:
            return
        idle = not found.assignments
        for assignment in assignments:
            if (report := self._reports.get(assignment.attempt)) is not None:
                self.deliver(report)
            elif idle:
                found.assignments[assignment.task_id] = assignment
                self.executions.append(assignment.attempt)

    async def status(self, worker: str) -> WorkerStatus:
        found = await self._reach(worker)
        found.answers += 1
        return WorkerStatus(
            attempts=tuple(assignment.attempt for assignment in found.assignments.values()),
            phase=found.phase,
            fraction=found.fraction,
            since_progress_s=found.stalled_s,
            budget_s=self._budget_s,
            resident=found.resident,
            parked=found.parked,
            vram_gb=found.vram_gb,
            capabilities=found.capabilities,
        )

    async def cancel(self, worker: str, attempt: AttemptId) -> None:
        found = await self._reach(worker)
        running = found.assignments.get(attempt[0])
        if running is not None and running.attempt == attempt and not found.stubborn:
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

    def _replace(self, name: str, worker: FakeWorker) -> None:
        number, _, incarnation = name.partition(".")
        self._come_up(f"{number}.{int(incarnation) + 1}", FakeWorker(worker.device, worker.node, worker.slot))

    def _come_up(self, name: str, worker: FakeWorker) -> None:
        self.workers[name] = worker
        self.events.put_nowait(self._up(name))

    def _up(self, name: str) -> WorkerUp:
        worker = self.workers[name]
        return WorkerUp(name, worker.device, worker.node, worker.slot)

    async def _reach(self, name: str) -> FakeWorker:
        worker = self.workers.get(name)
        if worker is not None and worker.silent:
            await worker.lost.wait()
        if worker is None or worker.lost.is_set():
            raise WorkerLostError(name)
        return worker
