"""The simulation itself: arrivals and ends in the order of time, and a policy that is asked after each."""

import heapq
import math
import time
from array import array
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scheduler.backlog import WaitingTask
from scheduler.policy import Placement
from scheduler.simulation.errors import PolicyError
from scheduler.simulation.faults import RESTART_S, FaultOptions, Faults
from scheduler.simulation.fleet import Fleet
from scheduler.simulation.loading import Memory
from scheduler.simulation.policies import FarmView, SchedulingPolicy
from scheduler.simulation.trace import Trace
from scheduler.warmth import WorkerProfile


@dataclass(frozen=True)
class Run:
    """``flow_s`` is the time from a task's arrival to its end, in the order of the trace. ``load_s`` adds up the
    seconds of all loads; ``policy_s`` is the processor's time spent inside the policy, ``lost`` the attempts that
    ended with their worker."""

    flow_s: Sequence[float]
    lost: int
    loads: int
    cold_loads: int
    load_s: float
    policy_s: float


class _End(NamedTuple):
    """Of an attempt, of whose ``duration_s`` its worker loaded for ``load_s``. ``lost``: its worker ended first."""

    at_s: float
    seq: int
    worker: str
    duration_s: float
    load_s: float
    lost: bool


def simulate(
    trace: Trace,
    fleet: Fleet,
    make_policy: Callable[[FarmView], SchedulingPolicy],
    faults: FaultOptions | None = None,
) -> Run:
    """Run the trace to its last end. Raises PolicyError for a policy that breaks its rules or leaves tasks
    waiting."""
    return _Simulation(trace, fleet, make_policy, Faults(faults or FaultOptions())).run()


class _Simulation:
    """Also the FarmView of its policy."""

    def __init__(
        self, trace: Trace, fleet: Fleet, make_policy: Callable[[FarmView], SchedulingPolicy], faults: Faults
    ) -> None:
        self.fleet = fleet
        self._trace = trace
        self._faults = faults
        self._memory = Memory(fleet)
        self._now_s = 0.0
        nodes = (divmod(gpu, fleet.gpus_per_node) for gpu in range(fleet.gpus))
        self._gpus = {f"node{node}-gpu{slot}": gpu for gpu, (node, slot) in enumerate(nodes)}
        self._idle = set(self._gpus)
        self._arrived = 0
        self._started = bytearray(len(trace))
        self._ends: list[_End] = []
        self._returns: list[tuple[float, str]] = []  # when a lost worker is back
        self._flow_s = array("d", bytes(8 * len(trace)))
        self._loads = self._cold_loads = self._lost = 0
        self._load_s = self._policy_s = 0.0
        self._policy = make_policy(self)

    def now_s(self) -> float:
        return self._now_s

    def resident(self, worker: str) -> Collection[str]:
        return self._memory.resident(self._gpus[worker])

    def run(self) -> Run:
        wall_s, cpu_s = time.perf_counter(), time.thread_time()
        self._bring_up(self._gpus)
        while (now_s := self._next_s()) < math.inf:
            self._now_s = now_s
            self._step()
        if waiting := self._started.count(0):
            raise PolicyError(f"{waiting} tasks were never placed, though workers are free")
        wall_s, cpu_s = time.perf_counter() - wall_s, time.thread_time() - cpu_s
        # Asking for the processor's time at every step would cost as much as the step: other programs are taken to
        # hold up the policy as they do the rest.
        policy_s = self._policy_s * min(1.0, cpu_s / wall_s)
        return Run(self._flow_s, self._lost, self._loads, self._cold_loads, self._load_s, policy_s)

    def _bring_up(self, workers: Iterable[str]) -> None:
        for worker in workers:
            node, fleet = worker.partition("-")[0], self.fleet
            self._policy.on_worker(WorkerProfile(worker, "gpu", node, fleet.vram_gb, fleet.host_ram_gb))
            self._policy.on_free(worker)

    def _next_s(self) -> float:
        started = time.perf_counter()
        next_s = self._policy.next_at_s()
        self._policy_s += time.perf_counter() - started
        if self._ends:
            next_s = min(next_s, self._ends[0].at_s)
        if self._returns:
            next_s = min(next_s, self._returns[0][0])
        if self._arrived < len(self._trace):
            next_s = min(next_s, self._trace.arrival_s[self._arrived])
        return max(next_s, self._now_s)

    def _step(self) -> None:
        """All that happens at this time; the policy is told in the order of production's loop, then asked once."""
        returned = self._take_returns()
        ended = self._take_ends()
        arrived = self._take_arrivals()
        arrived += [self._waiting_task(end.seq) for end in ended if end.lost]
        policy = self._policy
        started = time.perf_counter()
        if returned:
            self._bring_up(returned)
        for _, seq, worker, duration_s, load_s, lost in ended:
            if lost:
                policy.on_lost(worker)
                policy.on_end(f"t{seq}", None)
            else:
                policy.on_free(worker)
                policy.on_end(f"t{seq}", duration_s, load_s)
        for task in arrived:
            policy.on_arrival(task)
        placements = policy.place()
        self._policy_s += time.perf_counter() - started
        for placement in placements:
            self._start(placement)

    def _take_ends(self) -> list[_End]:
        ended = []
        while self._ends and self._ends[0].at_s <= self._now_s:
            end = heapq.heappop(self._ends)
            if end.lost:
                self._lost += 1
                self._started[end.seq] = 0
                self._memory.clear(self._gpus[end.worker])
                heapq.heappush(self._returns, (self._now_s + RESTART_S, end.worker))
            else:
                self._idle.add(end.worker)
                self._flow_s[end.seq] = self._now_s - self._trace.arrival_s[end.seq]
            ended.append(end)
        return ended

    def _take_returns(self) -> list[str]:
        returned = []
        while self._returns and self._returns[0][0] <= self._now_s:
            _, worker = heapq.heappop(self._returns)
            self._idle.add(worker)
            returned.append(worker)
        return returned

    def _take_arrivals(self) -> list[WaitingTask]:
        first, trace = self._arrived, self._trace
        while self._arrived < len(trace) and trace.arrival_s[self._arrived] <= self._now_s:
            self._arrived += 1
        return [self._waiting_task(seq) for seq in range(first, self._arrived)]

    def _waiting_task(self, seq: int) -> WaitingTask:
        trace = self._trace
        return WaitingTask(
            id=f"t{seq}",
            seq=seq,
            tenant_id=trace.tenant[seq],
            # A trace tells kinds and sizes apart by its shapes alone.
            kind="",
            model=trace.model[seq],
            device="gpu",
            units=1.0,
            shape=trace.shape[seq],
            since_s=trace.arrival_s[seq],
            weight=trace.weight[seq],
            deadline_s=trace.deadline_s[seq],
        )

    def _start(self, placement: Placement) -> None:
        task, worker = placement.task, placement.worker
        seq = task.seq
        if worker not in self._idle:
            raise PolicyError(f"task {task.id} was placed on {worker}, which is not free")
        if seq >= self._arrived or self._started[seq]:
            raise PolicyError(f"task {task.id} was placed, which does not wait")
        self._idle.remove(worker)
        self._started[seq] = 1
        duration_s = self._trace.service_s[seq]
        load_s = 0.0
        load = self._memory.use(self._gpus[worker], self._trace.model[seq], self._now_s, placement.evict)
        if load is not None:
            self._loads += 1
            self._cold_loads += load.cold
            load_s = load.seconds
            self._load_s += load_s
            duration_s += load_s
        lost_after_s = self._faults.lost_after_s(duration_s)
        at_s = self._now_s + (duration_s if lost_after_s is None else lost_after_s)
        measured_s = load_s + self._faults.measured_s(duration_s - load_s)
        heapq.heappush(self._ends, _End(at_s, seq, worker, measured_s, load_s, lost_after_s is not None))
