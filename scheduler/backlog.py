"""The tasks that wait for one kind of device, grouped by what they need, and inside that by tenant."""

import heapq
import math
from bisect import insort
from collections import deque
from dataclasses import dataclass, field

from scheduler.ports import Device
from scheduler.warmth import Model, Worker


@dataclass(frozen=True, slots=True)
class WaitingTask:
    """What the policy looks at. ``seq`` is the order of arrival, ``units`` the size of the work (see estimates),
    ``shape`` what else its duration depends on. Times are seconds on the policy's clock: ``since_s`` when it arrived,
    ``deadline_s`` when it ought to be done, infinite for none. ``peak_gb`` is the memory it takes on its worker where
    that is known better than by its model, else 0; ``needs`` are the capabilities it asks for."""

    id: str
    seq: int
    tenant_id: str
    kind: str
    model: str
    device: Device
    units: float
    shape: str = ""
    since_s: float = 0.0
    priority: int = 0
    weight: float = 1.0
    deadline_s: float = math.inf
    peak_gb: float = 0.0
    needs: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class Tenant:
    """Of one kind of device. ``virtual_s`` are the seconds of service it got, over its weight."""

    id: str
    virtual_s: float = 0.0
    running: int = 0
    demands: dict["Demand", None] = field(default_factory=dict)
    """Where it has tasks waiting."""


@dataclass(slots=True, eq=False)
class Entry:
    """A task in a backlog. ``start_by_s`` is when it has to start to be done by its deadline."""

    task: WaitingTask
    tenant: Tenant
    demand: "Demand"
    estimate_s: float
    start_by_s: float = math.inf
    waits: bool = True


@dataclass(slots=True, eq=False)
class Demand:
    """Waiting tasks that any worker serves alike: of one model, one priority and the same needs."""

    model: Model
    priority: int
    peak_gb: float
    needs: frozenset[str]
    lanes: dict[Tenant, deque[Entry]] = field(default_factory=dict)
    """First in, first out. A lane's first entry always waits."""
    count: int = 0
    seconds: float = 0.0
    oldest_s: float = math.inf
    """When the task arrived that waits the longest."""
    look_at_s: float = math.inf
    """When to see whether a load for it pays; infinite where that is not planned."""

    def fits(self, worker: Worker) -> bool:
        profile = worker.profile
        return self.peak_gb <= profile.vram_gb and self.needs <= profile.capabilities


class Backlog:
    """Adds up what waits and keeps it in order; decides nothing."""

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0
        self.tenants: dict[Tenant, int] = {}
        self.by_model: dict[Model, dict[Demand, None]] = {}
        self.urgent: list[tuple[float, int, Entry]] = []
        """Deadlines in danger, the earliest first; also of entries that wait no more."""
        self._serial = 0
        self._demands: dict[tuple[str, int, float, frozenset[str]], Demand] = {}
        self._oldest: list[tuple[float, int, Entry]] = []
        self._deadlines: list[tuple[float, int, Entry]] = []

    def demand(self, task: WaitingTask, model: Model) -> Demand:
        """Where the task belongs."""
        key = (task.model, task.priority, task.peak_gb, task.needs)
        found = self._demands.get(key)
        if found is None:
            peak_gb = task.peak_gb or model.profile.peak_gb
            found = self._demands[key] = Demand(model, task.priority, peak_gb, task.needs)
        return found

    def add(self, entry: Entry) -> None:
        demand, tenant, since_s = entry.demand, entry.tenant, entry.task.since_s
        lane = demand.lanes.get(tenant)
        if lane is None:
            lane = demand.lanes[tenant] = deque()
            tenant.demands[demand] = None
        lane.append(entry)
        if not demand.count:
            self.by_model.setdefault(demand.model, {})[demand] = None
        demand.oldest_s = min(demand.oldest_s, since_s)
        demand.count += 1
        demand.seconds += entry.estimate_s
        self.count += 1
        self.seconds += entry.estimate_s
        self.tenants[tenant] = self.tenants.get(tenant, 0) + 1
        self._serial += 1  # a task that comes back meets its former entry
        heapq.heappush(self._oldest, (since_s, self._serial, entry))
        if entry.start_by_s != math.inf:
            heapq.heappush(self._deadlines, (entry.start_by_s, self._serial, entry))

    def remove(self, entry: Entry) -> None:
        demand, tenant = entry.demand, entry.tenant
        entry.waits = False
        lane = demand.lanes[tenant]
        while lane and not lane[0].waits:
            lane.popleft()
        if not lane:
            del demand.lanes[tenant]
            del tenant.demands[demand]
        demand.count -= 1
        self.count -= 1
        if demand.count:
            demand.seconds -= entry.estimate_s
            if entry.task.since_s <= demand.oldest_s:
                demand.oldest_s = min([lane[0].task.since_s for lane in demand.lanes.values()])
        else:
            demand.seconds, demand.oldest_s = 0.0, math.inf
            demands = self.by_model[demand.model]
            del demands[demand]
            if not demands:
                del self.by_model[demand.model]
        # Sums of differences drift: an empty backlog has none.
        self.seconds = self.seconds - entry.estimate_s if self.count else 0.0
        left = self.tenants[tenant] - 1
        if left:
            self.tenants[tenant] = left
        else:
            del self.tenants[tenant]

    def oldest(self) -> Entry | None:
        """What waits the longest."""
        heap = self._oldest
        while heap and not heap[0][2].waits:
            heapq.heappop(heap)
        return heap[0][2] if heap else None

    def next_deadline_s(self) -> float:
        """When the next deadline comes into danger."""
        heap = self._deadlines
        while heap and not heap[0][2].waits:
            heapq.heappop(heap)
        return heap[0][0] if heap else math.inf

    def note_danger(self, now_s: float) -> None:
        """Move those whose time to start has come to ``urgent``, and forget there what waits no more."""
        while self.next_deadline_s() <= now_s:
            _, serial, entry = heapq.heappop(self._deadlines)
            insort(self.urgent, (entry.task.deadline_s, serial, entry))
        if self.urgent and not self.urgent[0][2].waits:
            self.urgent = [item for item in self.urgent if item[2].waits]
