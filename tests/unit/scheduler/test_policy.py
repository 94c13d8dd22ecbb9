"""Fair warm pull: who is served next, on which worker, and when a load pays."""

from typing import Any

import pytest

from scheduler.backlog import WaitingTask
from scheduler.pool import Tuning
from tests.unit.scheduler.policy_farm import GPU, STRICT, Farm

# --- who is served


def strict_cpu(*tasks: tuple[str, dict[str, Any]], tuning: Tuning = STRICT) -> list[str]:
    """The order in which one worker runs tasks that need no load, of (tenant, fields)."""
    farm = Farm("c", tuning=tuning)
    units = {farm.arrive(tenant, "free", "cpu", **fields): fields.get("units", 1.0) for tenant, fields in tasks}
    order = list(farm.run())
    while farm.running:
        (task,) = farm.running
        order += farm.end(task, farm.now_s + units[task], units[task])
    return order


def test_first_in_first_out_inside_a_tenant() -> None:
    assert strict_cpu(("a", {}), ("a", {}), ("a", {})) == ["t1", "t2", "t3"]


def test_priority_comes_first() -> None:
    assert strict_cpu(("a", {}), ("a", {"priority": 5}), ("b", {"priority": 1})) == ["t2", "t3", "t1"]


def test_a_tenant_with_many_tasks_does_not_hold_up_another() -> None:
    tasks = [("a", {})] * 4 + [("b", {})] * 2
    assert strict_cpu(*tasks) == ["t1", "t5", "t2", "t6", "t3", "t4"]


def test_a_heavier_weight_gets_more() -> None:
    tasks = [("a", {"weight": 2.0})] * 4 + [("b", {})] * 3
    assert strict_cpu(*tasks) == ["t1", "t5", "t2", "t3", "t6", "t4", "t7"]


def test_a_newcomer_gets_no_advantage_for_having_been_away() -> None:
    farm = Farm("c", tuning=STRICT)
    for _ in range(6):
        farm.arrive("a", "free", "cpu")
    farm.run()
    for at_s in (1.0, 2.0, 3.0, 4.0):
        (task,) = farm.running
        farm.end(task, at_s, 1.0)
    farm.arrive("b", "free", "cpu")
    farm.arrive("b", "free", "cpu")
    farm.end("t5", 5.0, 1.0)
    assert list(farm.running) == ["t7"], "b is served once, being level with who was served least"
    farm.end("t7", 6.0, 1.0)
    assert list(farm.running) == ["t6"]


def test_a_tenant_may_be_ahead_a_little_for_a_warm_model() -> None:
    farm = Farm("g", tuning=Tuning(spread_s=25.0))
    first = farm.arrive("a", "m")
    farm.run()
    ahead, behind = farm.arrive("a", "m"), farm.arrive("b", "n")
    assert list(farm.end(first, 12.0, 12.0)) == [ahead], "a is 12 s ahead"
    again = farm.arrive("a", "m")
    assert list(farm.end(ahead, 40.0, 28.0)) == [behind], "a is 40 s ahead"
    assert list(farm.end(behind, 60.0, 1.0)) == [again]


def test_no_more_of_a_tenant_run_than_allowed() -> None:
    farm = Farm("c1", "c2", "c3", tuning=Tuning(tenant_limit=1))
    first, second = farm.arrive("a", "free", "cpu"), farm.arrive("a", "free", "cpu")
    other = farm.arrive("b", "free", "cpu")
    assert set(farm.run()) == {first, other}
    assert list(farm.end(other, 1.0, 1.0)) == []
    assert list(farm.end(first, 2.0, 2.0)) == [second]


def test_who_ran_before_a_restart_counts_towards_the_limit() -> None:
    farm = Farm("c1", tuning=Tuning(tenant_limit=1))
    farm.policy.on_running(WaitingTask("before", 0, "a", "k", "free", "cpu", 1.0))
    waiting = farm.arrive("a", "free", "cpu")
    assert farm.run() == {}
    farm.policy.on_end("before", 5.0)
    assert list(farm.run()) == [waiting]


# --- models


def test_an_idle_worker_that_has_the_model_is_taken_first() -> None:
    farm = Farm("g", "h")
    first = farm.arrive(model="m")
    worker = farm.run()[first]
    farm.end(first, 5.0, 5.0)
    assert farm.run(6.0) == {}
    again = farm.arrive(model="m")
    assert farm.run() == {again: worker}


def test_a_worker_pulls_what_it_has_before_what_came_earlier() -> None:
    farm = Farm("g")
    first = farm.arrive(model="m")
    farm.run()
    farm.arrive(model="n")
    warm = farm.arrive(model="m")
    assert list(farm.end(first, 5.0, 5.0)) == [warm]


def test_a_model_that_no_worker_has_is_loaded_at_once_where_one_is_idle() -> None:
    farm = Farm("g", "h")
    assert len(farm.run()) == 0
    one, other = farm.arrive(model="m"), farm.arrive(model="n")
    assert set(farm.run()) == {one, other}


def test_a_second_copy_is_loaded_once_waiting_costs_more() -> None:
    farm = Farm(tuning=Tuning(patience=0.0))
    farm.add("g", "node1")
    farm.add("h", "node1")
    for _ in range(2):  # teaches that a task takes 1 s
        task = farm.arrive(model="m")
        farm.run()
        farm.end(task, farm.now_s + 20.0, 1.0)
    first = farm.arrive(model="m")
    farm.run(100.0)
    second = farm.arrive(model="m")
    # One waits and one worker is idle: a second of the worker is worth a second of waiting. The node has the model.
    assert farm.run(101.0) == {}
    assert farm.policy.next_at_s() == pytest.approx(102.0)
    assert list(farm.run(102.0)) == [second]
    assert farm.running[first] != farm.running[second]


def test_many_who_wait_are_worth_a_load_at_once() -> None:
    farm = Farm("g", "h")
    for _ in range(4):
        farm.arrive(model="m")
    assert set(farm.run().values()) == {"g", "h"}
    assert len(farm.policy.waiting) == 2


def test_a_node_that_has_the_model_in_memory_is_loaded_on_first() -> None:
    farm = Farm()
    farm.add("g", "node1")
    first = farm.arrive(model="m")
    farm.run()
    farm.end(first, 20.0, 20.0, load_s=10.0)
    farm.policy.on_gone("g")  # such as by an order to drain it
    farm.add("far", "node2")
    farm.add("near", "node1")
    farm.run()
    task = farm.arrive(model="m", deadline_s=0.0)
    assert farm.run(21.0) == {task: "near"}


def test_who_is_worth_least_makes_room() -> None:
    farm = Farm(worn=GPU)
    farm.add("g", vram_gb=50.0)
    for turn, model in enumerate(("m", "worn", "m")):
        task = farm.arrive(model=model, units=0.1 if model == "worn" else 1.0)
        farm.run(100.0 * turn)
        farm.end(task, 100.0 * turn + 50.0, 10.0)
    farm.arrive(model="n")
    (placed,) = farm.policy.place()
    assert placed.evict == ("worn",)


def test_a_task_goes_only_where_it_fits() -> None:
    farm = Farm()
    farm.add("small", vram_gb=24.0)
    farm.add("large", vram_gb=48.0)
    large, second = farm.arrive(model="m"), farm.arrive(model="m")
    assert farm.run() == {large: "large"}
    assert farm.end(large, 20.0) == {second: "large"}
    little = farm.arrive(model="m", peak_gb=24.0)
    assert farm.run(30.0) == {little: "small"}


def test_a_task_goes_only_where_it_finds_what_it_needs() -> None:
    farm = Farm("g")
    task = farm.arrive(model="free", needs=frozenset({"nvenc"}))
    assert farm.run() == {}
    farm.add("h", capabilities=frozenset({"nvenc"}))
    assert farm.run() == {task: "h"}


def test_a_worker_that_dropped_a_model_is_not_taken_to_have_it() -> None:
    farm = Farm("g", "h")
    first = farm.arrive(model="m")
    worker = farm.run()[first]
    farm.end(first, 5.0)
    farm.policy.on_resident(worker, [])
    other = ({"g", "h"} - {worker}).pop()
    farm.policy.on_resident(other, ["m"])
    assert farm.run(6.0) == {}
    task = farm.arrive(model="m")
    assert farm.run() == {task: other}


def test_looking_at_what_comes_next_takes_nothing_away() -> None:
    farm = Farm("g")
    running = farm.arrive(model="m")
    farm.run()
    assert farm.policy.next_load("g") is None
    warm = farm.arrive(model="m")
    farm.run()
    assert farm.policy.next_load("g") is None  # it has that one
    assert list(farm.end(running, 1.0)) == [warm]
    waiting = farm.arrive(model="other")
    farm.run()
    assert (farm.policy.next_load("g"), farm.policy.next_load("gone")) == ("other", None)
    assert list(farm.end(warm, 1.0)) == [waiting]


def test_a_load_is_learned_from() -> None:
    farm = Farm("g", "h", tuning=Tuning(patience=0.0))
    farm.add("far", "node2")
    task = farm.arrive(model="m")
    farm.run()
    farm.end(task, 60.0, 55.0, load_s=50.0)
    assert farm.policy._warmth.model("m").cold_load_s == pytest.approx(10.0 + 0.2 * 40.0)
    assert farm.policy._warmth.model("m").hot_load_s == 2.0
