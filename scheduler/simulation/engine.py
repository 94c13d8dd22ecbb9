"""The simulation itself: arrivals and ends in the order of time, and a policy that is asked after each."""

import heapq
import math
import time
from array import array
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from scheduler.policy import WaitingTask
from scheduler.simulation.errors import PolicyError
from scheduler.simulation.fleet import Fleet
from scheduler.simulation.loading import Memory
from scheduler.simulation.policies import FarmView, SchedulingPolicy
from scheduler.simulation.trace import Trace


@dataclass(frozen=True)
class Run:
    """``flow_s`` is the time from a task's arrival to its end, in the order of the trace. ``load_s`` adds up the
    seconds of all loads; ``policy_s`` is the processor's time spent inside the policy."""

    flow_s: Sequence[float]
    loads: int
    cold_loads: int
    load_s: float
    policy_s: float


def simulate(trace: Trace, fleet: Fleet, make_policy: Callable[[FarmView], SchedulingPolicy]) -> Run:
    """Run the trace to its last end. Raises PolicyError for a policy that breaks its rules or leaves tasks
    waiting."""
    return _Simulation(trace, fleet, make_policy).run()


class _Simulation:
    """Also the FarmView of its policy."""

    def __init__(self, trace: Trace, fleet: Fleet, make_policy: Callable[[FarmView], SchedulingPolicy]) -> None:
        self.fleet = fleet
        self._trace = trace
        self._memory = Memory(fleet)
        self._now_s = 0.0
        nodes = (divmod(gpu, fleet.gpus_per_node) for gpu in range(fleet.gpus))
        self._gpus = {f"node{node}-gpu{slot}": gpu for gpu, (node, slot) in enumerate(nodes)}
        self._idle = set(self._gpus)
        self._arrived = 0
        self._started = bytearray(len(trace))
        self._ends: list[tuple[float, int, str, str, float]] = []  # (when, seq, task id, worker, duration)
        self._flow_s = array("d", bytes(8 * len(trace)))
        self._loads = self._cold_loads = 0
        self._load_s = self._policy_s = 0.0
        self._policy = make_policy(self)

    def now_s(self) -> float:
        return self._now_s

    def resident(self, worker: str) -> Collection[str]:
        return self._memory.resident(self._gpus[worker])

    def run(self) -> Run:
        wall_s, cpu_s = time.perf_counter(), time.thread_time()
        for worker in self._gpus:
            self._policy.on_free(worker, "gpu")
        while (now_s := self._next_s()) < math.inf:
            self._now_s = now_s
            self._step()
        if waiting := self._started.count(0):
            raise PolicyError(f"{waiting} tasks were never placed, though workers are free")
        wall_s, cpu_s = time.perf_counter() - wall_s, time.thread_time() - cpu_s
        # Asking for the processor's time at every step would cost as much as the step: other programs are taken to
        # hold up the policy as they do the rest.
        policy_s = self._policy_s * min(1.0, cpu_s / wall_s)
        return Run(self._flow_s, self._loads, self._cold_loads, self._load_s, policy_s)

    def _next_s(self) -> float:
        end_s = self._ends[0][0] if self._ends else math.inf
        return min(end_s, self._trace.arrival_s[self._arrived]) if self._arrived < len(self._trace) else end_s

    def _step(self) -> None:
        """All that happens at this time; the policy is told in the order of production's loop, then asked once."""
        ended = self._take_ends()
        arrived = self._take_arrivals()
        policy = self._policy
        started = time.perf_counter()
        for _, _, task_id, worker, duration_s in ended:
            policy.on_free(worker, "gpu")
            policy.on_end(task_id, duration_s)
        for task in arrived:
            policy.on_arrival(task)
        placements = policy.place()
        self._policy_s += time.perf_counter() - started
        for task, worker in placements:
            self._start(task, worker)

    def _take_ends(self) -> list[tuple[float, int, str, str, float]]:
        ended = []
        while self._ends and self._ends[0][0] <= self._now_s:
            end = heapq.heappop(self._ends)
            _, seq, _, worker, _ = end
            self._idle.add(worker)
            self._flow_s[seq] = self._now_s - self._trace.arrival_s[seq]
            ended.append(end)
        return ended

    def _take_arrivals(self) -> list[WaitingTask]:
        first, trace = self._arrived, self._trace
        while self._arrived < len(trace) and trace.arrival_s[self._arrived] <= self._now_s:
            self._arrived += 1
        return [self._waiting_task(seq) for seq in range(first, self._arrived)]

    def _waiting_task(self, seq: int) -> WaitingTask:
        trace = self._trace
        deadline_s = trace.deadline_s[seq]
        return WaitingTask(
            id=f"t{seq}",
            seq=seq,
            tenant_id=trace.tenant[seq],
            # Measurements are learned by kind and model; a trace tells kinds and sizes apart by its shapes alone.
            kind=trace.shape[seq],
            model=trace.model[seq],
            device="gpu",
            units=1.0,
            weight=trace.weight[seq],
            deadline_at=None if deadline_s == math.inf else datetime.fromtimestamp(deadline_s, UTC),
        )

    def _start(self, task: WaitingTask, worker: str) -> None:
        seq = task.seq
        if worker not in self._idle:
            raise PolicyError(f"task {task.id} was placed on {worker}, which is not free")
        if seq >= self._arrived or self._started[seq]:
            raise PolicyError(f"task {task.id} was placed, which does not wait")
        self._idle.remove(worker)
        self._started[seq] = 1
        duration_s = self._trace.service_s[seq]
        load = self._memory.use(self._gpus[worker], self._trace.model[seq], self._now_s)
        if load is not None:
            self._loads += 1
            self._cold_loads += load.cold
            self._load_s += load.seconds
            duration_s += load.seconds
        heapq.heappush(self._ends, (self._now_s + duration_s, seq, task.id, worker, duration_s))
