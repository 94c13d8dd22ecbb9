"""Which waiting task runs on which free worker. Pure and incremental.

Order: higher priority first; inside it the earliest deadline; then the tenant that was served least for its
weight; inside a tenant first in, first out. Production and simulation share this file.
"""

import heapq
import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from scheduler.ports import Device

_SMOOTHING = 0.2
_UNMEASURED_S_PER_UNIT = 1.0


@dataclass(frozen=True)
class WaitingTask:
    """What the policy looks at. ``seq`` is the order of arrival, ``units`` the size of the work (see
    estimates)."""

    id: str
    seq: int
    tenant_id: str
    kind: str
    model: str
    device: Device
    units: float
    priority: int = 0
    weight: float = 1.0
    deadline_at: datetime | None = None


class Policy:
    """Feed it what happens, then ask for ``place``."""

    def __init__(self) -> None:
        self._waiting: dict[str, WaitingTask] = {}
        # device -> priority -> tenant -> heap of (deadline, seq, task id); entries of withdrawn tasks are
        # skipped.
        self._queues: dict[Device, dict[int, dict[str, list[tuple[float, int, str]]]]] = defaultdict(
            lambda: defaultdict(lambda: defaultdict(list))
        )
        self._free: dict[Device, dict[str, None]] = {"cpu": {}, "gpu": {}}
        self._served_s: dict[str, float] = {}
        self._charged_s: dict[str, tuple[WaitingTask, float]] = {}
        self._s_per_unit: dict[tuple[str, str], float] = {}

    @property
    def waiting(self) -> list[WaitingTask]:
        return list(self._waiting.values())

    def on_arrival(self, task: WaitingTask) -> None:
        """A task became ready to run. Telling it twice is harmless."""
        if task.id in self._waiting:
            return
        self._waiting[task.id] = task
        if task.tenant_id not in self._served_s:
            # A newcomer starts level with the least served, not with an advantage for all the time it was
            # away.
            self._served_s[task.tenant_id] = min(self._served_s.values(), default=0.0)
        deadline = task.deadline_at.timestamp() if task.deadline_at else math.inf
        heap = self._queues[task.device][task.priority][task.tenant_id]
        heapq.heappush(heap, (deadline, task.seq, task.id))

    def on_withdrawn(self, task_id: str) -> None:
        """A waiting task is not to run any more."""
        self._waiting.pop(task_id, None)

    def on_free(self, worker: str, device: Device) -> None:
        self._free[device][worker] = None

    def is_free(self, worker: str) -> bool:
        return any(worker in workers for workers in self._free.values())

    def on_gone(self, worker: str) -> None:
        """A worker that was free is not any more."""
        for workers in self._free.values():
            workers.pop(worker, None)

    def on_end(self, task_id: str, duration_s: float | None) -> None:
        """A task that was placed ended its attempt; ``duration_s`` is None where it was not measured."""
        charged = self._charged_s.pop(task_id, None)
        if charged is None or duration_s is None:
            return
        task, estimate_s = charged
        self._served_s[task.tenant_id] += (duration_s - estimate_s) / task.weight
        key = (task.kind, task.model)
        measured = duration_s / task.units
        before = self._s_per_unit.get(key, measured)
        self._s_per_unit[key] = before + _SMOOTHING * (measured - before)

    def on_not_started(self, task_id: str) -> None:
        """A placement came to nothing, such as for a task cancelled meanwhile: its tenant was not served."""
        charged = self._charged_s.pop(task_id, None)
        if charged is not None:
            task, estimate_s = charged
            self._served_s[task.tenant_id] -= estimate_s / task.weight

    def place(self) -> list[tuple[WaitingTask, str]]:
        """Tasks with their workers, for as long as there are both; these tasks wait and workers are free no
        more."""
        placements = []
        for device, workers in self._free.items():
            while workers and (task := self._pop(device)) is not None:
                worker = next(iter(workers))
                del workers[worker]
                self._charge(task)
                placements.append((task, worker))
        return placements

    def next_model(self, device: Device) -> str | None:
        """The model of the task that is to be placed next on a device of that kind."""
        heap = self._first(device)
        return None if heap is None else self._waiting[heap[0][2]].model

    def _pop(self, device: Device) -> WaitingTask | None:
        heap = self._first(device)
        return None if heap is None else self._waiting.pop(heapq.heappop(heap)[2])

    def _first(self, device: Device) -> list[tuple[float, int, str]] | None:
        """The queue whose first task is next."""
        classes = self._queues[device]
        for priority in sorted(classes, reverse=True):
            tenants = classes[priority]
            for tenant_id in list(tenants):
                heap = tenants[tenant_id]
                while heap and heap[0][2] not in self._waiting:
                    heapq.heappop(heap)
                if not heap:
                    del tenants[tenant_id]
            if not tenants:
                del classes[priority]
                continue
            tenant_id = min(tenants, key=lambda name: (tenants[name][0][0], self._served_s[name], tenants[name][0][1]))
            return tenants[tenant_id]
        return None

    def _charge(self, task: WaitingTask) -> None:
        estimate_s = task.units * self._s_per_unit.get((task.kind, task.model), _UNMEASURED_S_PER_UNIT)
        self._charged_s[task.id] = (task, estimate_s)
        self._served_s[task.tenant_id] += estimate_s / task.weight
