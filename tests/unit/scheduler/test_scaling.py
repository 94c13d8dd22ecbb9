"""What an autoscaling farm asks for, and which nodes it lets go."""

from collections import Counter

from scheduler.ports import Device, Place
from scheduler.roster import Sighting
from scheduler.scaling import Scaling
from scheduler.task import WorkerState

IDLE_S = 300.0
CPU, GPU, GANG = Place("cpu"), Place("gpu"), Place("gpu", 4)


class Farm:
    """Nodes of two CPU slots and a GPU slot, idle unless told."""

    def __init__(self, *nodes: str) -> None:
        self.scaling = Scaling(IDLE_S)
        self.nodes = list(nodes)
        self.states: dict[str, WorkerState] = {}
        self.waiting: list[Device | Place] = []
        self.now = 0.0

    def sightings(self) -> list[Sighting]:
        slots: list[tuple[str, Device]] = [(f"{node}-cpu0", "cpu") for node in self.nodes]
        slots += [(f"{node}-cpu1", "cpu") for node in self.nodes]
        slots += [(f"{node}-gpu0", "gpu") for node in self.nodes]
        return [
            Sighting(slot, slot, slot[: slot.index("-")], device, self.state(slot), None, (), 0.0)
            for slot, device in slots
        ]

    def state(self, slot: str) -> WorkerState:
        closed = slot[: slot.index("-")] in self.scaling.let_go
        return self.states.get(slot, WorkerState.DRAINED if closed else WorkerState.IDLE)

    def look(self, *, after_s: float = 5.0) -> set[str]:
        """The nodes to let go, as seen some seconds later."""
        self.now += after_s
        waiting = Counter(one if isinstance(one, Place) else Place(one) for one in self.waiting)
        self.scaling.look(waiting, self.sightings(), self.nodes, self.now)
        return set(self.scaling.let_go)


def test_a_slot_is_wanted_for_each_task_that_waits_or_runs() -> None:
    farm = Farm("a")
    farm.waiting = ["cpu", "gpu", "gpu"]
    farm.states = {"a-cpu0": WorkerState.BUSY, "a-cpu1": WorkerState.DRAINING}
    farm.look()
    assert farm.scaling.wanted == {CPU: 3, GPU: 2}


def test_nothing_is_wanted_where_there_is_no_task() -> None:
    farm = Farm("a")
    farm.waiting = ["cpu"]
    farm.look()
    farm.waiting = []
    farm.look()
    assert farm.scaling.wanted == {}


def test_what_drained_workers_keep_from_tasks_is_wanted_beside_it() -> None:
    farm = Farm("a")
    farm.waiting = ["cpu"]
    farm.states = {"a-cpu0": WorkerState.DRAINED, "a-gpu0": WorkerState.DRAINED}
    farm.look()
    assert farm.scaling.wanted == {CPU: 2}


def test_a_node_is_let_go_when_it_was_idle_long_enough() -> None:
    farm = Farm("a")
    farm.look()
    assert farm.look(after_s=IDLE_S - 10) == set()
    farm.states["a-gpu0"] = WorkerState.BUSY
    assert farm.look() == set()
    del farm.states["a-gpu0"]
    assert farm.look() == set()
    assert farm.look(after_s=IDLE_S - 10) == set()
    assert farm.look(after_s=10) == {"a"}


def test_what_tasks_want_stays_and_is_taken_back() -> None:
    farm = Farm("a", "b", "c")
    farm.states["a-cpu0"] = WorkerState.BUSY
    farm.look()
    assert farm.look(after_s=IDLE_S) == {"b", "c"}
    farm.waiting = ["cpu"]
    assert farm.look() == {"b", "c"}, "the other slot of a is enough"
    farm.waiting = ["cpu", "cpu"]
    assert len(farm.look()) == 1
    assert farm.scaling.wanted[CPU] == 3, "what is let go is not drained by anybody"
    farm.waiting = ["cpu"] * 9
    assert farm.look() == set()


def test_a_drained_node_is_let_go_and_comes_back_when_its_slots_are_needed() -> None:
    farm = Farm("a", "b")
    farm.states = {f"b-{slot}": WorkerState.DRAINED for slot in ("cpu0", "cpu1", "gpu0")}
    farm.states |= {"a-cpu0": WorkerState.BUSY, "a-cpu1": WorkerState.BUSY}
    farm.look()
    assert farm.look(after_s=IDLE_S) == {"b"}
    farm.waiting = ["cpu"]
    assert farm.look() == set()


def test_workers_are_ended_once_all_of_their_node_are_closed_and_have_nothing_to_do() -> None:
    farm = Farm("a")
    farm.look()
    before = farm.sightings()
    farm.look(after_s=IDLE_S)
    assert farm.scaling.left(before) == set()
    farm.states["a-cpu0"] = WorkerState.DRAINING
    assert farm.scaling.left(farm.sightings()) == set(), "a task started just before it was closed"
    del farm.states["a-cpu0"]
    assert farm.scaling.left(farm.sightings()) == {"a"}
    assert farm.scaling.left([]) == {"a"}, "and they stay away"


def test_a_node_that_the_cluster_has_taken_is_forgotten() -> None:
    farm = Farm("a", "b")
    farm.look()
    assert farm.look(after_s=IDLE_S) == {"a", "b"}
    farm.nodes = ["b"]
    assert farm.look() == {"b"}


def test_a_gang_is_wanted_for_a_task_that_needs_one_and_single_gpus_do_not_stand_in_for_it() -> None:
    farm = Farm("a", "b")
    farm.waiting = [GANG, "gpu"]
    farm.look()
    assert farm.scaling.wanted == {GPU: 1, GANG: 1}
    assert len(farm.look(after_s=IDLE_S)) == 1
    farm.waiting = [GANG] * 3
    assert farm.look(after_s=IDLE_S) == {"a", "b"}, "nodes without gangs do not help"
