"""The policies that can be simulated: production's own, and simple ones to hold it against."""

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Collection
from typing import Protocol

from scheduler.policy import Policy, WaitingTask
from scheduler.ports import Device
from scheduler.simulation.fleet import Fleet


class SchedulingPolicy(Protocol):
    """What drives a farm; scheduler.policy.Policy says what each call means."""

    def on_arrival(self, task: WaitingTask) -> None: ...

    def on_free(self, worker: str, device: Device) -> None: ...

    def on_end(self, task_id: str, duration_s: float | None) -> None: ...

    def place(self) -> list[tuple[WaitingTask, str]]: ...


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


class Fifo:
    """The oldest task to the worker that has been free the longest."""

    def __init__(self) -> None:
        self._waiting: deque[WaitingTask] = deque()
        self._free: deque[str] = deque()

    def on_arrival(self, task: WaitingTask) -> None:
        self._waiting.append(task)

    def on_free(self, worker: str, device: Device) -> None:
        self._free.append(worker)

    def on_end(self, task_id: str, duration_s: float | None) -> None:
        return

    def place(self) -> list[tuple[WaitingTask, str]]:
        count = min(len(self._waiting), len(self._free))
        return [(self._waiting.popleft(), self._free.popleft()) for _ in range(count)]


class FifoWarm:
    """The oldest task, to a free worker that has its model if there is one."""

    def __init__(self, view: FarmView) -> None:
        self._view = view
        self._waiting: deque[WaitingTask] = deque()
        self._free: OrderedDict[str, None] = OrderedDict()
        self._warm: defaultdict[str, OrderedDict[str, None]] = defaultdict(OrderedDict)

    def on_arrival(self, task: WaitingTask) -> None:
        self._waiting.append(task)

    def on_free(self, worker: str, device: Device) -> None:
        self._free[worker] = None
        for model in self._view.resident(worker):
            self._warm[model][worker] = None

    def on_end(self, task_id: str, duration_s: float | None) -> None:
        return

    def place(self) -> list[tuple[WaitingTask, str]]:
        placements = []
        while self._waiting and self._free:
            task = self._waiting.popleft()
            worker = next(iter(self._warm[task.model] or self._free))
            del self._free[worker]
            for model in self._view.resident(worker):
                del self._warm[model][worker]
            placements.append((task, worker))
        return placements


def _fair(view: FarmView) -> SchedulingPolicy:
    return Policy()


def _fifo(view: FarmView) -> SchedulingPolicy:
    return Fifo()


POLICIES: dict[str, Callable[[FarmView], SchedulingPolicy]] = {"fair": _fair, "fifo": _fifo, "fifo-warm": FifoWarm}
