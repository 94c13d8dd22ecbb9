"""How large an autoscaling farm should be: what its tasks want, and which nodes nothing needs. Pure.

A node with workers on it is never idle to a cluster's autoscaler. So one that is to go is closed to tasks first, as by
a drain, and then left by its workers. It is taken back as soon as tasks want more slots than the others have.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from scheduler.ports import Device
from scheduler.roster import Sighting
from scheduler.task import WorkerState

_DEVICES: tuple[Device, ...] = ("cpu", "gpu")
_MOST_SLOTS = 10_000
"""What is wanted at most of a device: an autoscaler packs slot by slot into nodes, which takes it a while."""
_AT_WORK = frozenset({WorkerState.BUSY, WorkerState.DRAINING})


class Scaling:
    """Feed it what waits and what is seen, regularly.

    ``wanted`` is how many slots of each device there should be in all: one for each task, and those that drained
    workers keep from tasks; zero where there is no task. ``let_go`` are the ids of the nodes that nothing needs, with
    the slots they had. ``idle_node_s``: how long a node must have had nothing to do.
    """

    def __init__(self, idle_node_s: float) -> None:
        self.wanted: dict[Device, int] = dict.fromkeys(_DEVICES, 0)
        self.let_go: dict[str, Counter[Device]] = {}
        self._idle_node_s = idle_node_s
        self._idle_since: dict[str, float] = {}

    def look(
        self, waiting: Iterable[Device], sightings: Sequence[Sighting], nodes: Collection[str], now: float
    ) -> None:
        """``waiting`` are the devices of the tasks that wait, ``nodes`` the ids of all nodes that are there."""
        tasks = Counter(waiting) + Counter(seen.device for seen in sightings if seen.state in _AT_WORK)
        self.let_go = {node: had for node, had in self.let_go.items() if node in nodes}
        kept = [seen for seen in sightings if seen.node not in self.let_go]
        drained = Counter(seen.device for seen in kept if seen.state is WorkerState.DRAINED)
        for device in _DEVICES:
            self.wanted[device] = min(tasks[device] + drained[device], _MOST_SLOTS) if tasks[device] else 0
        spare = Counter(seen.device for seen in kept)
        spare.subtract(tasks + drained)
        self._take_back(spare)
        self._let_go(kept, spare, now)

    def left(self, sightings: Sequence[Sighting]) -> frozenset[str]:
        """Of the nodes to let go, those whose workers are all closed and have nothing to do: they may be ended."""
        open_still = {seen.node for seen in sightings if seen.state not in {WorkerState.DRAINED, WorkerState.DYING}}
        return frozenset(self.let_go) - open_still

    def _take_back(self, spare: Counter[Device]) -> None:
        for node, had in list(self.let_go.items()):
            if any(spare[device] < 0 for device in had):
                del self.let_go[node]
                spare.update(had)

    def _let_go(self, kept: Sequence[Sighting], spare: Counter[Device], now: float) -> None:
        at_work = {seen.node for seen in kept if seen.state in _AT_WORK}
        slots: dict[str, Counter[Device]] = {}
        open_slots: dict[str, Counter[Device]] = {}
        for seen in kept:
            if seen.node not in at_work:
                slots.setdefault(seen.node, Counter())[seen.device] += 1
                open_slots.setdefault(seen.node, Counter())[seen.device] += seen.state is not WorkerState.DRAINED
        self._idle_since = {node: self._idle_since.get(node, now) for node in slots}
        for node, since in self._idle_since.items():
            enough = all(spare[device] >= count for device, count in open_slots[node].items())
            if now - since >= self._idle_node_s and enough:
                self.let_go[node] = slots[node]
                spare.subtract(open_slots[node])
