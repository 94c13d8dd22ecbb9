"""The tasks that wait for one kind of slot, grouped by what they need, and inside that by tenant."""

import heapq
import math
from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass, field

from scheduler.ports import Device
from scheduler.warmth import Model, Worker

_SPARE_ITEMS = 64
_ALIKE = 0.97
"""Cards of one size differ by a little in what they say they have."""


@dataclass(frozen=True, slots=True)
class WaitingTask:
    """What the policy looks at. ``seq`` is the order of arrival, ``units`` the size of the work (see estimates),
    ``shape`` what else its duration depends on. Times are seconds on the policy's clock: ``since_s`` when it arrived,
    ``deadline_s`` when it ought to be done, infinite for none. ``peak_gb`` is the memory it takes on its worker, its
    model's weights and all, where that is known better than by its model, else 0; ``needs`` are the capabilities it
    asks for. Tasks of one demand with the same ``batch`` can be made together; one where it is empty is made alone."""

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
    batch: str = ""


@dataclass(slots=True, eq=False)
class Tenant:
    """Of one kind of slot. ``virtual_s`` are the seconds of service it got, over its weight."""

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
    serial: int = 0
    """Tells it from a former entry of the same task."""
    waits: bool = True


@dataclass(slots=True, eq=False)
class Demand:
    """Waiting tasks that any worker serves alike: of one model, one priority and the same needs."""

    model: Model
    priority: int
    peak_gb: float
    needs: frozenset[str]
    asked_gb: float = 0.0
    """What a worker has to have for it: the peak, or where no worker has so much, what the largest have. They keep a
    part of the model in host memory."""
    lanes: dict[Tenant, deque[Entry]] = field(default_factory=dict)
    """By the order of arrival. A lane's first entry always waits."""
    count: int = 0
    seconds: float = 0.0
    oldest_s: float = math.inf
    """When the task arrived that waits the longest."""
    look_at_s: float = math.inf
    """When to see whether a load for it pays; infinite where that is not planned."""

    def fits(self, worker: Worker) -> bool:
        profile = worker.profile
        return self.asked_gb <= profile.vram_gb and self.needs <= profile.capabilities


_Item = tuple[float, int, Entry]
"""When something comes up about an entry, its serial number, and the entry."""


class Backlog:
    """Adds up what waits and keeps it in order; decides nothing."""

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0
        self.tenants: dict[Tenant, int] = {}
        self.by_model: dict[Model, dict[Demand, None]] = {}
        self.urgent: list[_Item] = []
        """Deadlines in danger, the earliest first."""
        self._serial = 0
        self.largest_gb = math.inf
        self._demands: dict[tuple[str, int, float, frozenset[str]], Demand] = {}
        self._oldest: list[_Item] = []
        self._deadlines: list[_Item] = []

    def demand(self, task: WaitingTask, model: Model, peak_gb: float) -> Demand:
        """Where the task belongs."""
        key = (task.model, task.priority, peak_gb, task.needs)
        found = self._demands.get(key)
        if found is None:
            found = self._demands[key] = Demand(model, task.priority, peak_gb, task.needs)
            found.asked_gb = self._asked_gb(peak_gb)
        return found

    def set_largest(self, vram_gb: float) -> None:
        """What the largest worker has."""
        self.largest_gb = vram_gb
        for demand in self._demands.values():
            demand.asked_gb = self._asked_gb(demand.peak_gb)

    def _asked_gb(self, peak_gb: float) -> float:
        return peak_gb if peak_gb <= self.largest_gb else _ALIKE * self.largest_gb

    def add(self, entry: Entry) -> None:
        demand, tenant, since_s = entry.demand, entry.tenant, entry.task.since_s
        lane = demand.lanes.get(tenant)
        if lane is None:
            lane = demand.lanes[tenant] = deque()
            tenant.demands[demand] = None
        place = len(lane)
        while place and lane[place - 1].task.seq > entry.task.seq:  # a task that comes back keeps its turn
            place -= 1
        lane.insert(place, entry)
        if not demand.count:
            self.by_model.setdefault(demand.model, {})[demand] = None
        demand.oldest_s = min(demand.oldest_s, since_s)
        demand.count += 1
        demand.seconds += entry.estimate_s
        self.count += 1
        self.seconds += entry.estimate_s
        self.tenants[tenant] = self.tenants.get(tenant, 0) + 1
        self._serial += 1
        entry.serial = self._serial
        heapq.heappush(self._oldest, (since_s, entry.serial, entry))
        if entry.start_by_s != math.inf:
            heapq.heappush(self._deadlines, (entry.start_by_s, entry.serial, entry))

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
        if self.urgent:
            place = bisect_left(self.urgent, (entry.task.deadline_s, entry.serial))
            if place < len(self.urgent) and self.urgent[place][2] is entry:
                del self.urgent[place]
        self._oldest = self._pruned(self._oldest)
        self._deadlines = self._pruned(self._deadlines)

    def _pruned(self, heap: list[_Item]) -> list[_Item]:
        """Without what waits no more, once that is most of it."""
        if len(heap) <= 2 * self.count + _SPARE_ITEMS:
            return heap
        heap = [item for item in heap if item[2].waits]
        heapq.heapify(heap)
        return heap

    def oldest_s(self) -> float:
        """When the task arrived that waits the longest; infinite for none."""
        heap = self._oldest
        while heap and not heap[0][2].waits:
            heapq.heappop(heap)
        return heap[0][0] if heap else math.inf

    def next_deadline_s(self) -> float:
        """When the next deadline comes into danger."""
        heap = self._deadlines
        while heap and not heap[0][2].waits:
            heapq.heappop(heap)
        return heap[0][0] if heap else math.inf

    def note_danger(self, now_s: float) -> None:
        """Move those whose time to start has come to ``urgent``."""
        while self.next_deadline_s() <= now_s:
            _, serial, entry = heapq.heappop(self._deadlines)
            insort(self.urgent, (entry.task.deadline_s, serial, entry))
