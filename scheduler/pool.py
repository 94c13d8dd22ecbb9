"""The workers of one kind of device with the tasks that wait for them, and who ought to run what."""

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from operator import attrgetter

from scheduler.backlog import Backlog, Demand, Entry, Tenant, WaitingTask
from scheduler.warmth import Model, Warmth, Worker

_CANDIDATES = 4
"""How many alike workers, or deadlines in danger, are looked at before one is taken."""
_SLACK_S = 1e-6
_LOOK_AGAIN_S = 0.1
_LOOK_WITHIN_S = 1.0
"""Prices, copies and queues change: what was planned by them is seen to again after this time at the latest."""

_virtual_s = attrgetter("virtual_s")

_Rank = tuple[float, ...]
_LAST: _Rank = (math.inf,)


@dataclass(frozen=True)
class Tuning:
    """``spread_s`` of the whole pool's time is how far a tenant may be ahead of the least served one for the sake of
    a warm model. A task comes before all that once it has waited ``longest_wait_s`` and ``drains`` times as long as
    the backlog takes, or ``longest_waits`` times the former in any case. ``margin_s`` is kept before a deadline.
    ``tenant_limit`` is how many tasks of a tenant run at a time in a pool. ``patience`` is how much a load's price
    grows with the tasks that wait per worker."""

    spread_s: float = 5.0
    longest_wait_s: float = 600.0
    drains: float = 3.0
    longest_waits: float = 6.0
    margin_s: float = 5.0
    tenant_limit: int | None = None
    patience: float = 2.0


class Pool:
    """``now_s`` is set by who asks."""

    def __init__(self, warmth: Warmth, tuning: Tuning) -> None:
        self.now_s = 0.0
        self.workers = 0
        self._sizes: Counter[float] = Counter()
        """How many workers have so much memory."""
        self.backlog = Backlog()
        self.idle: dict[Worker, None] = {}
        """Workers that nothing is worth running on, the longest idle first."""
        self._warmth = warmth
        self._tuning = tuning
        self._tenants: dict[str, Tenant] = {}
        self._virtual_s = 0.0
        """Of the least served tenant among those who wait, or of who was served last while nobody waited."""
        self.impatient: dict[Demand, None] = {}
        """Those for which a load may pay on some worker."""
        self._looks: list[tuple[float, int, Demand]] = []
        self._serial = 0

    # --- who is there

    def on_size(self, vram_gb: float, count: int) -> bool:
        """So many more workers have that much memory, or fewer. Returns whether that changes what fits where."""
        self._sizes[vram_gb] += count
        self._sizes += Counter()  # without those that nobody has
        largest_gb = max(self._sizes, default=math.inf)
        if largest_gb == self.backlog.largest_gb:
            return False
        self.backlog.set_largest(largest_gb)
        return True

    # --- what waits

    def tenant(self, task: WaitingTask) -> Tenant:
        """Of a task that arrives. Who had nothing waiting gets no advantage for the time it was away."""
        tenant = self._tenants.get(task.tenant_id)
        if tenant is None:
            tenant = self._tenants[task.tenant_id] = Tenant(task.tenant_id)
        if tenant.virtual_s < self._virtual_s and tenant not in self.backlog.tenants:
            tenant.virtual_s = self._virtual_s
        return tenant

    def add(self, task: WaitingTask, model: Model, estimate_s: float, peak_gb: float) -> Entry:
        entry = Entry(task, self.tenant(task), self.backlog.demand(task, model, peak_gb), estimate_s)
        entry.start_by_s = task.deadline_s - self._tuning.margin_s - estimate_s - model.cold_load_s
        self.backlog.add(entry)
        return entry

    def remove(self, entry: Entry) -> None:
        demand = entry.demand
        self.backlog.remove(entry)
        if demand in self.impatient:
            due_s = self._due_s(demand)
            if due_s > self.now_s:
                del self.impatient[demand]
                if demand.count:
                    self._look_at(demand, due_s)

    def demands(self) -> Iterator[Demand]:
        """Of what waits."""
        return chain.from_iterable(self.backlog.by_model.values())

    def has_room(self, tenant: Tenant) -> bool:
        limit = self._tuning.tenant_limit
        return limit is None or tenant.running < limit

    def set_idle(self, worker: Worker, idle: bool) -> None:
        if worker.idle is not idle:
            self._warmth.set_idle(worker, idle)
            if idle:
                self.idle[worker] = None
            else:
                del self.idle[worker]

    # --- what a free worker ought to run

    def choose(self, worker: Worker) -> Entry | None:
        """None where nothing waits, or nothing that is worth a load."""
        backlog = self.backlog
        if not backlog.count:
            return None
        if (entry := self._in_danger(worker) or self._overdue(worker)) is not None:
            return entry
        limit_s = self._limit_s(worker)
        best, least = None, _LAST
        for model in worker.resident:
            for demand in backlog.by_model.get(model, ()):
                if demand.fits(worker):
                    entry, beyond = self.first(demand, limit_s)
                    if entry is not None:
                        # The shortest first, and of those what the fewest others could run.
                        share = model.copies / demand.count
                        rank = (-demand.priority, beyond, 0.0, entry.estimate_s * share, entry.task.seq)
                        if rank < least:
                            best, least = entry, rank
        if self.impatient:
            return self._choose_load(worker, limit_s, best, least)
        return best

    def _choose_load(self, worker: Worker, limit_s: float, best: Entry | None, least: _Rank) -> Entry | None:
        """What pays to load a model for, where that comes before the ``best`` of what is warm."""
        now_s, node, price = self.now_s, worker.node, self.price()
        for demand in self.impatient:
            model = demand.model
            if model in worker.resident or (-demand.priority, 0.0, float(model.cold_load_s > 0)) > least:
                continue
            ready_s = model.nodes.get(node)
            load_s = model.cold_load_s if ready_s is None else max(model.hot_load_s, ready_s - now_s)
            patience_s = load_s * (price if model.copies else price - 1.0) - _SLACK_S
            if now_s - demand.oldest_s < patience_s or not demand.fits(worker):
                continue
            entry, beyond = self.first(demand, limit_s)
            if entry is None or now_s - entry.task.since_s < patience_s:
                continue
            share = (model.copies or 0.5) / demand.count
            cold = float(model.cold_load_s > 0)
            rank = (-demand.priority, beyond, cold, (entry.estimate_s + load_s) * share, entry.task.seq)
            if rank < least:
                best, least = entry, rank
        return best

    def first(self, demand: Demand, limit_s: float = math.inf) -> tuple[Entry | None, bool]:
        """The first task of the least served tenant that may run one more, and whether that tenant is served beyond
        the limit."""
        tenant_limit = self._tuning.tenant_limit
        least, least_s = None, math.inf
        for tenant in demand.lanes:
            if tenant.virtual_s < least_s and (tenant_limit is None or tenant.running < tenant_limit):
                least, least_s = tenant, tenant.virtual_s
        if least is None:
            return None, False
        return demand.lanes[least][0], least_s > limit_s

    def alike(self, first: Entry, most: int) -> list[Entry]:
        """What can be made together with a task that is taken already: those of the tenants in turn, the least served
        first."""
        queues: list[tuple[float, int, Tenant, Iterator[Entry]]] = []
        for tenant, lane in first.demand.lanes.items():
            mine: Iterator[Entry] = (
                entry
                for entry in lane
                if entry.waits and entry.task.batch == first.task.batch and entry.task.deadline_s == math.inf
            )
            queues.append((tenant.virtual_s, len(queues), tenant, mine))
        heapq.heapify(queues)
        found: list[Entry] = []
        taken: Counter[Tenant] = Counter()
        while queues and len(found) < most:
            virtual_s, number, tenant, mine = heapq.heappop(queues)
            limit = self._tuning.tenant_limit
            following = next(mine, None) if limit is None or tenant.running + taken[tenant] < limit else None
            if following is not None:
                found.append(following)
                taken[tenant] += 1
                after_s = virtual_s + following.estimate_s / following.task.weight
                heapq.heappush(queues, (after_s, number, tenant, mine))
        return found

    def _limit_s(self, worker: Worker) -> float:
        """Up to which virtual time a tenant is near the least served one, of those that the worker could serve."""
        tenants = self.backlog.tenants
        least = min(tenants, key=_virtual_s)
        if not self._could_serve(worker, least):
            for least in sorted(tenants, key=_virtual_s):
                if self._could_serve(worker, least):
                    break
            else:
                return math.inf
        self._virtual_s = max(self._virtual_s, least.virtual_s)
        return least.virtual_s + self._tuning.spread_s * self.workers

    def _could_serve(self, worker: Worker, tenant: Tenant) -> bool:
        return self.has_room(tenant) and any(demand.fits(worker) for demand in tenant.demands)

    def _in_danger(self, worker: Worker) -> Entry | None:
        """Of the earliest deadlines in danger one whose model the worker has, else the first."""
        mine = (
            entry for _, _, entry in self.backlog.urgent if entry.demand.fits(worker) and self.has_room(entry.tenant)
        )
        earliest = list(islice(mine, _CANDIDATES))
        return next((entry for entry in earliest if entry.demand.model in worker.resident), next(iter(earliest), None))

    def _overdue(self, worker: Worker) -> Entry | None:
        """Of what waited past the bound, and can run here, what waited the longest."""
        tuning = self._tuning
        if self.now_s - self.backlog.oldest_s() < tuning.longest_wait_s:
            return None
        most_s = tuning.longest_waits * tuning.longest_wait_s
        bound_s = max(tuning.longest_wait_s, min(tuning.drains * self.backlog.seconds / self.workers, most_s))
        first, found = (self.now_s - bound_s, math.inf), None
        for demands in self.backlog.by_model.values():
            for demand in demands:
                if demand.oldest_s <= first[0] and demand.fits(worker):
                    for tenant, lane in demand.lanes.items():
                        turn = (lane[0].task.since_s, lane[0].task.seq)
                        if turn < first and self.has_room(tenant):
                            first, found = turn, lane[0]
        return found

    # --- where a waiting task ought to run

    def idle_for(self, demand: Demand) -> Worker | None:
        """Of the idle workers one that has the model, else one whose node has it, else any; of those alike the one
        that loses least."""
        model = demand.model
        if model.idle:  # an empty one may still be long to go through
            for worker in reversed(model.idle):
                if demand.fits(worker):
                    return worker
        # What is rarer is gone through for what is common: idle workers, or nodes that have it.
        if len(self.idle) * self._warmth.count_nodes() < len(model.nodes) * self.workers:
            near: Iterable[Worker] = (worker for worker in self.idle if worker.node in model.nodes)
        else:
            near = (worker for node in model.nodes for worker in node.workers if worker.idle and worker in self.idle)
        return self._least_loss(near, demand) or self._least_loss(self.idle, demand)

    def _least_loss(self, workers: Iterable[Worker], demand: Demand) -> Worker | None:
        best, least, model, now_s, warmth = None, math.inf, demand.model, self.now_s, self._warmth
        for worker in islice(filter(demand.fits, workers), _CANDIDATES):
            loss = 0.0
            for victim in warmth.victims(worker, model, demand.peak_gb, now_s):
                loss += warmth.worth(victim, now_s)
            if loss < least:
                best, least = worker, loss
                if not loss:
                    break
        return best

    def pays(self, entry: Entry, worker: Worker) -> bool:
        """Whether an idle worker ought to load the model for the task, not wait for one that has it."""
        demand, model = entry.demand, entry.demand.model
        load_s = self._warmth.load_s(worker, model, self.now_s)
        if not load_s or entry.start_by_s <= self.now_s:
            return True
        price = self.price()
        if self.now_s - entry.task.since_s >= load_s * (price if model.copies else price - 1.0) - _SLACK_S:
            return True
        # Those who wait already keep all copies busy for longer.
        if demand.seconds > load_s * model.copies * price:
            return True
        self._look_at(demand, max(entry.task.since_s + load_s * price, self.now_s + _LOOK_AGAIN_S))
        return False

    # --- when a load pays

    def price(self) -> float:
        """What a second of a worker's time is worth in seconds of a task's waiting: as good as nothing where most
        are idle, and more the longer the queue."""
        count = self.backlog.count
        crowd = 1.0 + self._tuning.patience * count / self.workers if self.workers else 1.0
        return min(1.0, count / len(self.idle)) if self.idle else crowd

    def wait(self, demand: Demand) -> None:
        """Something waits that no worker is idle for."""
        if demand.count and demand not in self.impatient:
            due_s = self._due_s(demand)
            if due_s <= self.now_s + _SLACK_S:
                self.impatient[demand] = None
            else:
                self._look_at(demand, due_s)

    def come_due(self) -> list[Demand]:
        """Those for which a load may pay by now."""
        due = []
        while self._looks and self._looks[0][0] <= self.now_s:
            at_s, _, demand = heapq.heappop(self._looks)
            if at_s != demand.look_at_s:
                continue  # planned anew since
            demand.look_at_s = math.inf
            if not demand.count:
                continue
            due_s = self._due_s(demand)
            if due_s > self.now_s + _SLACK_S:
                self._look_at(demand, max(due_s, self.now_s + _LOOK_AGAIN_S))
            else:
                self.impatient[demand] = None
                due.append(demand)
        return due

    def next_at_s(self) -> float:
        """When to ask again though nothing happens; infinite for never."""
        if not self.idle or not self.backlog.count:
            return math.inf
        look_s = self._looks[0][0] if self._looks else math.inf
        return min(look_s, self.backlog.next_deadline_s())

    def _due_s(self, demand: Demand) -> float:
        """When a load pays at the earliest, on a worker whose node has the model in memory."""
        if not demand.model.copies:
            return demand.oldest_s
        return demand.oldest_s + demand.model.hot_load_s * self.price()

    def _look_at(self, demand: Demand, at_s: float) -> None:
        at_s = min(at_s, self.now_s + _LOOK_WITHIN_S)
        if at_s < demand.look_at_s:
            demand.look_at_s = at_s
            self._serial += 1
            heapq.heappush(self._looks, (at_s, self._serial, demand))

    # --- who is served

    def charge(self, tenant: Tenant, seconds: float) -> None:
        if not self.backlog.count and tenant.virtual_s > self._virtual_s:
            self._virtual_s = tenant.virtual_s
        tenant.virtual_s += seconds
