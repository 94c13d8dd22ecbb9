"""How large an autoscaling farm should be: what its tasks want, and which nodes nothing needs. Pure.

A node with workers on it is never idle to a cluster's autoscaler. So one that is to go is closed to tasks first, as by
a drain, and then left by its workers. It is taken back as soon as tasks want more slots than the others have.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from scheduler.ports import Place
from scheduler.roster import Sighting
from scheduler.task import WorkerState

_MOST_SLOTS = 10_000
"""What is wanted at most of a kind: an autoscaler packs slot by slot into nodes, which takes it a while."""
_AT_WORK = frozenset({WorkerState.BUSY, WorkerState.DRAINING})


class Scaling:
    """Feed it what waits and what is seen, regularly.

    ``wanted`` is how many slots of each kind there should be in all: one for each task, and those that drained
    workers keep from tasks; a kind is left out where there is no task. ``let_go`` are the ids of the nodes that nothing
    needs, with the slots they had. ``idle_node_s``: how long a node must have had nothing to do.
    """

    def __init__(self, idle_node_s: float) -> None:
        self.wanted: dict[Place, int] = {}
        self.let_go: dict[str, Counter[Place]] = {}
        self._idle_node_s = idle_node_s
        self._idle_since: dict[str, float] = {}

    def look(
        self, waiting: Mapping[Place, int], sightings: Sequence[Sighting], nodes: Collection[str], now: float
    ) -> None:
        """``waiting`` are the slots that the waiting tasks want, ``nodes`` the ids of all nodes that are there."""
        tasks = Counter(waiting) + Counter(seen.place for seen in sightings if seen.state in _AT_WORK)
        self.let_go = {node: had for node, had in self.let_go.items() if node in nodes}
        kept = [seen for seen in sightings if seen.node not in self.let_go]
        drained = Counter(seen.place for seen in kept if seen.state is WorkerState.DRAINED)
        self.wanted = {place: min(count + drained[place], _MOST_SLOTS) for place, count in sorted(tasks.items())}
        spare = Counter(seen.place for seen in kept)
        spare.subtract(tasks + drained)
        self._take_back(spare)
        self._let_go(kept, spare, now)

    def left(self, sightings: Sequence[Sighting]) -> frozenset[str]:
        """Of the nodes to let go, those whose workers are all closed and have nothing to do: they may be ended."""
        open_still = {seen.node for seen in sightings if seen.state not in {WorkerState.DRAINED, WorkerState.DYING}}
        return frozenset(self.let_go) - open_still

    def _take_back(self, spare: Counter[Place]) -> None:
        for node, had in list(self.let_go.items()):
            if any(spare[place] < 0 for place in had):
                del self.let_go[node]
                spare.update(had)

    def _let_go(self, kept: Sequence[Sighting], spare: Counter[Place], now: float) -> None:
        at_work = {seen.node for seen in kept if seen.state in _AT_WORK}
        slots: dict[str, Counter[Place]] = {}
        open_slots: dict[str, Counter[Place]] = {}
        for seen in kept:
            if seen.node not in at_work:
                slots.setdefault(seen.node, Counter())[seen.place] += 1
                open_slots.setdefault(seen.node, Counter())[seen.place] += seen.state is not WorkerState.DRAINED
        self._idle_since = {node: self._idle_since.get(node, now) for node in slots}
        for node, since in self._idle_since.items():
            enough = all(spare[place] >= count for place, count in open_slots[node].items())
            if now - since >= self._idle_node_s and enough:
                self.let_go[node] = slots[node]
                spare.subtract(open_slots[node])
