"""Which waiting task runs on which free worker: fair warm pull. Pure and incremental, with an injected clock and no
randomness; production and simulation share it.

When a worker frees, it serves a deadline in danger; else a task that waited past a bound; else the highest priority,
and inside it, among tenants whose weighted virtual time is near the least, a task whose model the worker has; else one
for whose model a load pays. A load pays once the task has waited as long as the load takes, times a price that grows
with the queue. Until then a worker that has nothing warm to do stays idle, and whoever arrives for a model that is
warm there gets it at once.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from scheduler.backlog import Demand, Entry, Tenant, WaitingTask
from scheduler.pace import Measured, Pace
from scheduler.pool import Pool, Tuning
from scheduler.pools import Pools
from scheduler.ports import Place
from scheduler.warmth import Load, Model, ModelProfile, Warmth, Worker, WorkerProfile


class Placement(NamedTuple):
    """``evict`` names the models that are worth least on that worker, where room is needed. Several on one worker are
    to be made together."""

    task: WaitingTask
    worker: str
    evict: tuple[str, ...] = ()


@dataclass(slots=True)
class _Running:
    task: WaitingTask
    tenant: Tenant
    model: Model
    pace: Pace
    estimate_s: float
    load: Load | None
    batch: int = 1
    leads: bool = True


def _turn(demand: Demand) -> tuple[float, float]:
    return (-demand.priority, demand.oldest_s)


class Policy:
    """Feed it what happens, then ask for ``place``. ``models`` are profiles by model id; one that is not there costs
    nothing to load. ``clock`` gives the seconds on which the tasks' times are."""

    def __init__(
        self, models: dict[str, ModelProfile], clock: Callable[[], float], tuning: Tuning | None = None
    ) -> None:
        self._clock = clock
        tuning = tuning or Tuning()
        self._limited = tuning.tenant_limit is not None
        self._warmth = Warmth(models)
        self._pools = Pools(self._warmth, tuning, clock)
        self._freed: dict[Worker, None] = {}
        self._arrived: dict[str, WaitingTask] = {}
        self._offered: dict[Demand, Pool] = {}
        """What idle workers are to be asked for."""
        self._entries: dict[str, Entry] = {}
        self._running: dict[str, _Running] = {}
        self._paces: dict[tuple[str, str, str], Pace] = {}
        self._peaks: dict[tuple[str, str], float] = {}
        """Gigabytes by model and shape, where they were measured."""
        self._placements: list[Placement] = []
        self._pool_of: dict[Worker, Pool] = {}
        self._pulling: dict[Worker, None] = {}
        """Workers that are asked one after the other what they take, of which so many were."""
        self._pulled = 0

    # --- workers

    def on_worker(self, profile: WorkerProfile) -> None:
        """A worker exists, or turned out to be other than it was believed. Telling it twice is harmless."""
        found, pool = self._warmth.workers.get(profile.name), self._pools[profile.place]
        if found is None:
            self._pool_of[self._warmth.add(profile)] = pool
            pool.workers += 1
        elif found.profile == profile:
            return
        else:
            self._on_size(pool, found.profile.vram_gb, -1)
            found.profile = profile
            self._look_anew(pool, found)
        self._on_size(pool, profile.vram_gb, 1)

    def on_lost(self, worker: str) -> None:
        """A worker exists no more."""
        self.on_gone(worker)
        if (found := self._warmth.workers.get(worker)) is not None:
            self._warmth.remove(found)
            pool = self._pool_of.pop(found)
            pool.workers -= 1
            self._on_size(pool, found.profile.vram_gb, -1)

    def on_resident(self, worker: str, models: Collection[str], parked: Collection[str] = ()) -> None:
        """The models that the worker says it has, the least recently used first, and those in its node's memory."""
        found = self._warmth.workers.get(worker)
        if found is None:
            return
        self._warmth.on_parked(found.node, parked)
        if self._warmth.on_resident(found, models):
            self._look_anew(self._pool_of[found], found)

    def on_free(self, worker: str) -> None:
        """A worker has nothing to do. Raises KeyError for one that does not exist."""
        found = self._warmth.workers[worker]
        if not found.idle:
            self._freed[found] = None

    def on_gone(self, worker: str) -> None:
        """A worker that was free is not any more."""
        if (found := self._warmth.workers.get(worker)) is not None:
            self._freed.pop(found, None)
            self._pool_of[found].set_idle(found, False)

    def is_free(self, worker: str) -> bool:
        found = self._warmth.workers.get(worker)
        return found is not None and (found.idle or found in self._freed)

    def _look_anew(self, pool: Pool, worker: Worker) -> None:
        """An idle worker may be worth something now that it was not when it found nothing to do."""
        if worker.idle:
            pool.set_idle(worker, False)
            self._freed[worker] = None

    def _on_size(self, pool: Pool, vram_gb: float, count: int) -> None:
        if pool.on_size(vram_gb, count):
            self._offered |= dict.fromkeys(pool.demands(), pool)

    # --- tasks

    @property
    def waiting(self) -> list[WaitingTask]:
        return [entry.task for entry in self._entries.values()] + list(self._arrived.values())

    def wanted(self) -> Counter[Place]:
        """The slots that would run all tasks that wait at once."""
        return Counter(self._pools.place(task) for task in self.waiting)

    def on_arrival(self, task: WaitingTask) -> None:
        """A task became ready to run. Telling it twice is harmless. One that was placed did not start, or ended in
        a way that nobody saw."""
        if task.id not in self._entries:
            if task.id in self._running:
                self.on_end(task.id, None)
            self._arrived[task.id] = task

    def on_withdrawn(self, task_id: str) -> None:
        """A waiting task is not to run any more."""
        self._arrived.pop(task_id, None)
        if (entry := self._entries.pop(task_id, None)) is not None:
            self._pools.of(entry.task).remove(entry)

    def on_measured(self, measured: Mapping[tuple[str, str, str], Measured]) -> None:
        """What was measured before, by kind, model and shape."""
        for (kind, model, shape), found in measured.items():
            self._paces.setdefault((kind, model, shape), Pace()).learn(found.s_per_unit)
            if found.peak_gb is not None:
                self._learn_peak(model, shape, found.peak_gb)

    def on_running(self, task: WaitingTask) -> None:
        """A task runs that was not placed here, but by whoever led before."""
        if task.id not in self._running:
            tenant = self._pools.of(task).tenant(task)
            tenant.running += 1
            self._running[task.id] = _Running(task, tenant, self._warmth.model(task.model), self._pace(task), 0.0, None)

    def on_end(
        self,
        task_id: str,
        duration_s: float | None,
        load_s: float = 0.0,
        *,
        succeeded: bool = True,
        peak_gb: float | None = None,
        batch: int = 1,
    ) -> None:
        """A task that was placed ended its attempt, or was never begun. ``duration_s`` is what it kept its worker
        for, ``load_s`` the part of it in which its model was loaded. A tenant is not charged for what has no duration:
        what did not start, or ended with its worker. Only what ``succeeded`` tells how long such tasks take.
        ``peak_gb`` is what it was seen to need of its worker's memory. Of a ``batch`` of several, the durations are its
        share."""
        running = self._running.pop(task_id, None)
        if running is None:
            return
        task, tenant = running.task, running.tenant
        tenant.running -= 1
        if self._limited:
            self._offered |= dict.fromkeys(tenant.demands, self._pools.of(task))
        if peak_gb is not None:
            self._learn_peak(task.model, task.shape, peak_gb)
        service_s = 0.0 if duration_s is None or duration_s <= load_s else duration_s - load_s
        tenant.virtual_s += (service_s - running.estimate_s) / task.weight
        if duration_s is None and not succeeded and running.batch > 1 and running.leads:
            running.pace.lose(running.batch)
        if duration_s is not None and succeeded:
            running.pace.learn(service_s / task.units, batch)
        if load_s and running.load is not None:
            self._warmth.on_loaded(running.model, running.load, load_s * batch)

    # --- what is to be done

    def place(self) -> list[Placement]:
        """Tasks with their workers; they wait and are free no more."""
        self._placements = []
        now_s, pools = self._clock(), self._pools.values()
        for pool in pools:
            pool.now_s = now_s
        if self._arrived:
            self._admit()
        for pool in pools:
            if pool.backlog.count:
                self._look_around(pool)
        if self._freed:
            self._pulling, self._freed = self._freed, {}
            self._pulled = 0
            for worker in self._pulling:
                self._pulled += 1
                self._pull(worker)
            self._pulling = {}
        if self._offered:
            offered, self._offered = self._offered, {}
            for demand in sorted(offered, key=_turn) if len(offered) > 1 else offered:
                self._offer(demand, offered[demand])
        return self._placements

    def next_at_s(self) -> float:
        """When to ask again though nothing happens; infinite for never."""
        at_s = math.inf
        for pool in self._pools.values():
            if pool.idle and pool.backlog.count:
                at_s = min(at_s, pool.next_at_s())
        return at_s

    def stranded(self) -> set[str]:
        """Models whose tasks wait though no worker of their kind of device, of which there are some, can run them."""
        workers = self._warmth.workers.values()
        demands = ((demand, pool) for pool in self._pools.values() if pool.workers for demand in pool.demands())
        return {
            demand.model.name
            for demand, pool in demands
            if not any(self._pool_of[worker] is pool and demand.fits(worker) for worker in workers)
        }

    def count_waiting(self, model: str) -> int:
        found = self._warmth.model(model)
        return sum(demand.count for pool in self._pools.values() for demand in pool.backlog.by_model.get(found, ()))

    def next_load(self, worker: str) -> str | None:
        """The model that the worker would have to load if it were free now."""
        found = self._warmth.workers.get(worker)
        if found is None:
            return None
        pool = self._pool_of[found]
        pool.now_s = self._clock()
        entry = pool.choose(found)
        return None if entry is None or entry.demand.model in found.resident else entry.task.model

    def _admit(self) -> None:
        arrived, self._arrived = self._arrived, {}
        if len(arrived) == 1 and not self._freed and self._place_at_once(*arrived.values()):
            return
        for task in arrived.values():
            pool = self._pools.of(task)
            model, estimate_s = self._warmth.model(task.model), task.units * self._pace(task).s_per_unit
            entry = self._entries[task.id] = pool.add(task, model, estimate_s, self._peak_gb(task, model))
            self._offered[entry.demand] = pool
        for demand, pool in self._offered.items():
            pool.wait(demand)

    def _place_at_once(self, task: WaitingTask) -> bool:
        """The common case: an idle worker has the model. Nobody waits for it there, or it would not be idle."""
        model = self._warmth.model(task.model)
        if not model.idle or self._limited or task.needs:
            return False
        peak_gb, pool = self._peak_gb(task, model), self._pools.of(task)
        # Not next(reversed()), which steps over the places of all that were taken from the end before.
        worker, _ = model.idle.popitem()
        if peak_gb > worker.profile.vram_gb:
            model.idle[worker] = None
            return False
        self._run(pool, task, pool.tenant(task), model, peak_gb, worker)
        return True

    def _look_around(self, pool: Pool) -> None:
        """What only time has changed."""
        for demand in pool.come_due():
            self._offered[demand] = pool
        pool.backlog.note_danger(pool.now_s)
        for _, _, entry in list(pool.backlog.urgent) if pool.idle else ():
            if pool.has_room(entry.tenant) and (worker := pool.idle_for(entry.demand)) is not None:
                self._give(pool, entry, worker)

    def _pull(self, worker: Worker) -> None:
        pool = self._pool_of[worker]
        if pool.backlog.count:
            if (entry := pool.choose(worker)) is not None:
                self._give(pool, entry, worker)
                return
            # One more is idle, which makes a load cheaper. Those that are to be looked at anyway are, within a second.
            for demand in pool.impatient:
                if demand.look_at_s == math.inf:
                    self._offered[demand] = pool
        pool.set_idle(worker, True)

    def _offer(self, demand: Demand, pool: Pool) -> None:
        while pool.idle and demand.count:
            entry, _ = pool.first(demand)
            worker = None if entry is None else pool.idle_for(demand)
            if entry is None or worker is None or not pool.pays(entry, worker):
                break
            self._give(pool, entry, worker)
        pool.wait(demand)

    def _give(self, pool: Pool, entry: Entry, worker: Worker) -> None:
        del self._entries[entry.task.id]
        pool.remove(entry)
        self._run(pool, entry.task, entry.tenant, entry.demand.model, entry.demand.peak_gb, worker)
        if entry.task.batch and entry.task.deadline_s == math.inf:  # a batch takes longer than one of it alone
            self._fill_up(pool, entry, worker)

    def _fill_up(self, pool: Pool, first: Entry, worker: Worker) -> None:
        """Give the worker more of the same, of what no other free worker is there for, while that saves time."""
        model, pace = first.demand.model, self._pace(first.task)
        to_come = islice(self._pulling, self._pulled, None)
        hands = sum(first.demand.fits(idle) for idle in pool.idle)
        hands += sum(self._pool_of[other] is pool for other in to_come)
        spare = first.demand.count - hands
        most = min(model.profile.batch, 1 + spare)
        if most < 2 or pace.paying(most) < 2:
            return
        others = pool.alike(first, most - 1)
        batch = pace.paying(1 + len(others))
        leading, share_s = self._running[first.task.id], first.task.units * pace.of(batch)
        pool.charge(first.tenant, (share_s - leading.estimate_s) / first.task.weight)
        leading.estimate_s, leading.batch = share_s, batch
        for entry in others[: batch - 1]:
            del self._entries[entry.task.id]
            pool.remove(entry)
            estimate_s = entry.task.units * pace.of(batch)
            pool.charge(entry.tenant, estimate_s / entry.task.weight)
            entry.tenant.running += 1
            running = _Running(entry.task, entry.tenant, model, pace, estimate_s, None, batch, leads=False)
            self._running[entry.task.id] = running
            self._placements.append(Placement(entry.task, worker.profile.name))

    def _run(self, pool: Pool, task: WaitingTask, tenant: Tenant, model: Model, peak_gb: float, worker: Worker) -> None:
        pace = self._pace(task)
        estimate_s = task.units * pace.s_per_unit
        pool.set_idle(worker, False)
        pool.charge(tenant, estimate_s / task.weight)
        tenant.running += 1
        load = None if model in worker.resident else self._warmth.load_of(worker, model)
        self._running[task.id] = _Running(task, tenant, model, pace, estimate_s, load)
        dropped = self._warmth.use(worker, model, peak_gb, estimate_s, pool.now_s)
        evict = tuple([victim.name for victim in dropped]) if dropped else ()
        self._placements.append(Placement(task, worker.profile.name, evict))

    def _peak_gb(self, task: WaitingTask, model: Model) -> float:
        """The memory that it takes on its worker."""
        known = task.peak_gb
        if not known and self._peaks:
            known = self._peaks.get((task.model, task.shape), 0.0)
        return known or model.profile.peak_gb

    def _learn_peak(self, model: str, shape: str, peak_gb: float) -> None:
        """In tenths of gigabytes, so that a little more or less makes no new kind of demand."""
        self._peaks[model, shape] = max(self._peaks.get((model, shape), 0.0), math.ceil(peak_gb * 10) / 10)

    def _pace(self, task: WaitingTask) -> Pace:
        key = (task.kind, task.model, task.shape)
        if (found := self._paces.get(key)) is None:
            found = self._paces[key] = Pace()
        return found
