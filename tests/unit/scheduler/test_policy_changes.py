"""Workers, tasks and models come and go, and the policy keeps up."""

import math

from scheduler.backlog import WaitingTask
from scheduler.pace import Measured
from scheduler.pool import Tuning
from scheduler.ports import Place
from scheduler.warmth import ModelProfile
from tests.unit.scheduler.policy_farm import STRICT, Farm


def test_devices_do_not_mix() -> None:
    farm = Farm("c")
    farm.arrive(model="m", device="gpu")
    task = farm.arrive(model="free", device="cpu")
    assert farm.run() == {task: "c"}
    farm.add("g")
    assert list(farm.run().values()) == ["g"]


def test_a_withdrawn_task_is_not_placed_and_may_come_again() -> None:
    policy = (farm := Farm("c")).policy
    task = WaitingTask("t", 1, "a", "k", "free", "cpu", 1.0)
    policy.on_arrival(task)
    policy.on_withdrawn("t")
    assert farm.run() == {}
    policy.on_gone("c")
    policy.on_arrival(task)
    assert farm.run() == {}
    policy.on_withdrawn("t")
    policy.on_free("c")
    assert farm.run() == {}
    policy.on_arrival(task)
    policy.on_arrival(task)
    assert farm.run() == {"t": "c"}
    policy.on_free("c")
    assert farm.run() == {}


def test_a_worker_that_went_away_is_given_nothing() -> None:
    farm = Farm("c", "d")
    farm.policy.on_gone("c")
    farm.policy.on_lost("d")
    assert not farm.policy.is_free("c") and not farm.policy.is_free("d")
    farm.arrive(model="free", device="cpu")
    assert farm.run() == {}
    farm.policy.on_free("c")
    assert farm.policy.is_free("c")
    assert list(farm.run().values()) == ["c"]


def test_a_placement_that_came_to_nothing_is_not_charged() -> None:
    farm = Farm("c", tuning=STRICT)
    task = farm.arrive("a", "free", "cpu")
    farm.run()
    farm.policy.on_end(task, None)
    farm.running.clear()
    other = farm.arrive("b", "free", "cpu")
    again = farm.arrive("a", "free", "cpu")
    farm.policy.on_free("c")
    assert list(farm.run()) == [other]
    assert list(farm.end(other, 1.0, 1.0)) == [again]


def test_what_was_measured_before_counts() -> None:
    farm = Farm("c")
    farm.policy.on_measured({("long", "free", ""): Measured(50.0), ("short", "free", ""): Measured(2.0)})
    first = farm.arrive(model="free", device="cpu")
    farm.run()
    farm.arrive(model="free", device="cpu", kind="long")
    short = farm.arrive(model="free", device="cpu", kind="short", priority=0, peak_gb=1.0)
    assert list(farm.end(first, 1.0)) == [short]


def test_nothing_is_to_be_asked_again_where_nothing_waits() -> None:
    farm = Farm("g")
    assert farm.policy.next_at_s() == math.inf
    farm.arrive(model="m")
    farm.run()
    assert farm.policy.next_at_s() == math.inf


def test_only_what_succeeded_tells_how_long_a_task_takes() -> None:
    farm = Farm("c")
    farm.policy.on_measured({("k", "free", ""): Measured(10.0)})
    failed = farm.arrive(model="free", device="cpu")
    farm.run()
    farm.policy.on_end(failed, 0.1, succeeded=False)
    farm.policy.on_free("c")
    waiting = farm.arrive(model="free", device="cpu", deadline_s=20.0)
    farm.policy.on_gone("c")
    farm.run(1.0)
    assert farm.policy._entries[waiting].start_by_s == 20.0 - 5.0 - 10.0


def test_an_attempt_that_failed_is_charged_and_one_without_a_duration_is_not() -> None:
    farm = Farm("c", tuning=STRICT)
    for tenant, duration_s in (("a", 7.0), ("b", None)):
        task = farm.arrive(tenant, "free", "cpu")
        farm.run()
        farm.policy.on_end(task, duration_s, succeeded=False)
        farm.policy.on_free("c")
        del farm.running[task]
    running = farm.arrive("c", "free", "cpu")
    farm.run()
    _, other = farm.arrive("a", "free", "cpu"), farm.arrive("b", "free", "cpu")
    assert list(farm.end(running, 20.0, 20.0)) == [other]


def test_an_idle_worker_that_tells_of_a_model_is_given_what_waits_for_it() -> None:
    farm = Farm("g", tuning=Tuning(patience=0.0))
    farm.add("h", "far")
    busy = farm.arrive(model="m")
    warm = farm.run()[busy]
    waiting = farm.arrive(model="m")
    assert farm.run(0.1) == {}, "a load does not pay yet"
    (idle,) = {"g", "h"} - {warm}
    farm.policy.on_resident(idle, ["m"])
    assert farm.run(0.2) == {waiting: idle}


def test_a_load_that_pays_sooner_than_was_planned_is_soon_seen_to() -> None:
    slow = ModelProfile(device="gpu", size_gb=20.0, peak_gb=30.0, hot_load_s=1000.0, cold_load_s=1000.0)
    farm = Farm("g", "h", slow=slow, tuning=Tuning(patience=0.0))
    busy = farm.arrive(model="slow")
    warm = farm.run()[busy]
    waiting = farm.arrive(model="slow", units=0.01)
    assert farm.run(1.0) == {}, "it waits for the worker that has the model"
    farm.policy.on_lost(warm)
    assert farm.policy.next_at_s() <= 2.0
    assert list(farm.run(2.0)) == [waiting], "no worker has it any more, so there is nothing to wait for"


def test_a_model_of_another_device_is_not_resident() -> None:
    farm = Farm("g", "c")
    farm.policy.on_resident("c", ["m"])
    farm.arrive(model="m")
    farm.run()
    assert farm.policy._warmth.model("m").copies == 1


def test_what_a_worker_parked_is_hot_on_its_node() -> None:
    farm = Farm()
    farm.add("far", "node2")
    farm.add("near", "node1")
    farm.policy.on_resident("near", [], ["m"])
    farm.run()
    task = farm.arrive(model="m", deadline_s=0.0)
    assert farm.run() == {task: "near"}


def test_hot_and_cold_loads_of_the_same_length_are_learned_apart() -> None:
    same = ModelProfile(device="gpu", size_gb=1.0, peak_gb=1.0, hot_load_s=10.0, cold_load_s=10.0)
    farm = Farm("g", same=same)
    farm.policy.on_resident("g", [], ["same"])
    task = farm.arrive(model="same")
    farm.run()
    farm.end(task, 20.0, 20.0, load_s=20.0)
    model = farm.policy._warmth.model("same")
    assert (model.cold_load_s, model.hot_load_s) == (10.0, 12.0)


def test_a_task_that_comes_back_keeps_its_turn() -> None:
    farm = Farm("c")
    running = farm.arrive(model="free", device="cpu")
    farm.run()
    later = [farm.arrive(model="free", device="cpu") for _ in range(3)]
    farm.run()
    farm.policy.on_arrival(WaitingTask(running, 1, "a", "k", "free", "cpu", 1.0))
    farm.policy.on_free("c")
    assert list(farm.run()) == [running]
    assert list(farm.end(running, 1.0)) == later[:1]


def test_room_is_made_for_what_a_task_takes_and_not_just_its_model() -> None:
    farm = Farm()
    farm.add("g", vram_gb=48.0)
    first = farm.arrive(model="n")
    farm.run()
    farm.end(first, 20.0, 20.0)
    farm.arrive(model="m", peak_gb=28.0)
    (fits,) = farm.policy.place()
    assert fits.evict == ()
    farm.policy.on_end(fits.task.id, 1.0)
    farm.policy.on_free("g")
    farm.arrive(model="m", peak_gb=29.0)
    (placed,) = farm.policy.place()
    assert placed.evict == ("n",)


def test_who_was_served_while_nobody_waited_is_not_behind_a_newcomer() -> None:
    farm = Farm("c", tuning=STRICT)
    needs = frozenset({"x264"})
    farm.add("c2", capabilities=needs)
    farm.run()
    for at_s in (100.0, 200.0):
        task = farm.arrive("a", "free", "cpu", needs=needs)
        farm.run()
        farm.end(task, at_s, 100.0)
    farm.policy.on_gone("c")
    first = farm.arrive("a", "free", "cpu", needs=needs)
    farm.run()
    new = [farm.arrive("b", "free", "cpu") for _ in range(3)]
    again = farm.arrive("a", "free", "cpu")
    farm.end(first, 201.0, 1.0)
    order = list(farm.running)
    for at_s in (250.0, 350.0):
        order += farm.end(order[-1], at_s, 70.0)
    assert order == [new[0], again, new[1]]


def test_how_many_wait_for_a_model() -> None:
    farm = Farm()
    farm.arrive(model="m")
    farm.arrive(model="m", priority=3)
    farm.arrive(model="n")
    farm.run()
    assert [farm.policy.count_waiting(model) for model in ("m", "n", "free")] == [2, 1, 0]


def test_what_came_and_went_is_not_kept() -> None:
    farm = Farm()
    farm.arrive(model="m", deadline_s=1e6)
    for _ in range(500):
        farm.policy.on_withdrawn(farm.arrive(model="m", deadline_s=1e6))
        farm.run()
    for _ in range(500):
        task = farm.arrive(model="m", deadline_s=1e6)
        farm.run()
        farm.policy.on_withdrawn(task)
    backlog = farm.policy._pools[Place("gpu")].backlog
    assert len(backlog._oldest) < 100
    assert len(backlog._deadlines) < 100
