"""The policies that can be simulated: production's own, and simple ones to hold it against."""

import math
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Collection
from typing import Protocol

from scheduler.backlog import WaitingTask
from scheduler.policy import Placement, Policy
from scheduler.simulation.fleet import Fleet
from scheduler.warmth import ModelProfile, WorkerProfile


class SchedulingPolicy(Protocol):
    """What drives a farm; scheduler.policy.Policy says what each call means."""

    def on_worker(self, profile: WorkerProfile) -> None: ...

    def on_lost(self, worker: str) -> None: ...

    def on_free(self, worker: str) -> None: ...

    def on_arrival(self, task: WaitingTask) -> None: ...

    def on_end(self, task_id: str, duration_s: float | None, load_s: float = 0.0) -> None: ...

    def place(self) -> list[Placement]: ...

    def next_at_s(self) -> float: ...


class FarmView(Protocol):
    """What a policy may look at beside its calls: never how long a task will take."""

    @property
    def fleet(self) -> Fleet: ...

    def now_s(self) -> float:
        """The simulated clock, on which tasks arrive."""
        ...

    def resident(self, worker: str) -> Collection[str]:
        """The models in the worker's VRAM, the least recently used first."""
        ...


class _Baseline:
    """Leaves out what the simple ones have no use for."""

    def on_worker(self, profile: WorkerProfile) -> None:
        return

    def on_lost(self, worker: str) -> None:
        return

    def on_end(self, task_id: str, duration_s: float | None, load_s: float = 0.0) -> None:
        return

    def next_at_s(self) -> float:
        return math.inf


class Fifo(_Baseline):
    """The oldest task to the worker that has been free the longest."""

    def __init__(self) -> None:
        self._waiting: deque[WaitingTask] = deque()
        self._free: deque[str] = deque()

    def on_arrival(self, task: WaitingTask) -> None:
        self._waiting.append(task)

    def on_free(self, worker: str) -> None:
        self._free.append(worker)

    def place(self) -> list[Placement]:
        count = min(len(self._waiting), len(self._free))
        return [Placement(self._waiting.popleft(), self._free.popleft()) for _ in range(count)]


class FifoWarm(_Baseline):
    """The oldest task, to a free worker that has its model if there is one."""

    def __init__(self, view: FarmView) -> None:
        self._view = view
        self._waiting: deque[WaitingTask] = deque()
        self._free: OrderedDict[str, None] = OrderedDict()
        self._warm: defaultdict[str, OrderedDict[str, None]] = defaultdict(OrderedDict)

    def on_arrival(self, task: WaitingTask) -> None:
        self._waiting.append(task)

    def on_free(self, worker: str) -> None:
        self._free[worker] = None
        for model in self._view.resident(worker):
            self._warm[model][worker] = None

    def place(self) -> list[Placement]:
        placements = []
        while self._waiting and self._free:
            task = self._waiting.popleft()
            worker = next(iter(self._warm[task.model] or self._free))
            del self._free[worker]
            for model in self._view.resident(worker):
                del self._warm[model][worker]
            placements.append(Placement(task, worker))
        return placements


class RoundRobin(_Baseline):
    """The tenants in turn, each its oldest task, to the worker that has been free the longest."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[WaitingTask]] = OrderedDict()  # whose turn is next comes first
        self._free: deque[str] = deque()

    def on_arrival(self, task: WaitingTask) -> None:
        self._waiting.setdefault(task.tenant_id, deque()).append(task)

    def on_free(self, worker: str) -> None:
        self._free.append(worker)

    def place(self) -> list[Placement]:
        placements = []
        while self._waiting and self._free:
            tenant, tasks = next(iter(self._waiting.items()))
            placements.append(Placement(tasks.popleft(), self._free.popleft()))
            if tasks:
                self._waiting.move_to_end(tenant)
            else:
                del self._waiting[tenant]
        return placements


class ShortestFirst(_Baseline):
    """The task that is expected to take the least, by the mean of what was measured for its model and shape, to the
    worker that has been free the longest."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], deque[WaitingTask]] = {}
        self._free: deque[str] = deque()
        self._running: dict[str, tuple[str, str]] = {}
        self._measured: defaultdict[tuple[str, str], tuple[float, int]] = defaultdict(lambda: (0.0, 0))

    def on_arrival(self, task: WaitingTask) -> None:
        self._waiting.setdefault((task.model, task.shape), deque()).append(task)

    def on_free(self, worker: str) -> None:
        self._free.append(worker)

    def on_end(self, task_id: str, duration_s: float | None, load_s: float = 0.0) -> None:
        kind = self._running.pop(task_id)
        if duration_s is not None:
            total_s, count = self._measured[kind]
            self._measured[kind] = (total_s + duration_s - load_s, count + 1)

    def place(self) -> list[Placement]:
        placements = []
        while self._waiting and self._free:
            kind = min(self._waiting, key=lambda kind: (self._expected_s(kind), self._waiting[kind][0].seq))
            task = self._waiting[kind].popleft()
            if not self._waiting[kind]:
                del self._waiting[kind]
            self._running[task.id] = kind
            placements.append(Placement(task, self._free.popleft()))
        return placements

    def _expected_s(self, kind: tuple[str, str]) -> float:
        """What was never measured is tried first."""
        total_s, count = self._measured[kind]
        return total_s / count if count else 0.0


def _fair(view: FarmView) -> SchedulingPolicy:
    fleet = view.fleet
    models = {
        name: ModelProfile(
            size_gb=model.size_gb,
            peak_gb=model.peak_gb,
            hot_load_s=fleet.load_fixed_s + model.size_gb / fleet.pcie_gb_per_s,
            cold_load_s=fleet.load_fixed_s + model.size_gb / fleet.disk_gb_per_s,
        )
        for name, model in fleet.models.items()
    }
    return Policy(models, view.now_s)


POLICIES: dict[str, Callable[[FarmView], SchedulingPolicy]] = {
    "fair": _fair,
    "fifo": lambda _view: Fifo(),
    "fifo-warm": FifoWarm,
    "round-robin": lambda _view: RoundRobin(),
    "shortest-first": lambda _view: ShortestFirst(),
}
