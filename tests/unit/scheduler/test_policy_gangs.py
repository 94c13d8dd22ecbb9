"""Gangs of GPUs and what runs on them: neither they nor single GPUs do the other's work."""

from dataclasses import replace

import pytest

from scheduler.ports import Place
from scheduler.warmth import ModelProfile
from tests.unit.scheduler.policy_farm import GPU, Farm

BIG = replace(GPU, gpus=2)
BIG_AND_LIGHT = ModelProfile(device="gpu", gpus=2)


@pytest.mark.parametrize("fields", [{}, {"deadline_s": 0.0}, {"priority": 9}, {"peak_gb": 1.0}])
def test_a_task_for_a_gang_waits_for_one(fields: dict[str, float]) -> None:
    farm = Farm("g1", "g2", big=BIG)
    task = farm.arrive(model="big", **fields)
    for now_s in (0.0, 10.0, 10_000.0):
        assert farm.run(now_s) == {}
    assert farm.policy.wanted() == {Place("gpu", 2): 1}
    farm.add("g4", gpus=4)
    assert farm.run() == {}, "of another size"
    farm.add("g5", gpus=2)
    assert farm.run() == {task: "g5"}


def test_a_gang_takes_no_single_gpu_task_however_long_that_waits() -> None:
    farm = Farm(big=BIG)
    farm.add("gang", gpus=2)
    task = farm.arrive()
    for now_s in (0.0, 10.0, 10_000.0):
        assert farm.run(now_s) == {}
    farm.add("g1")
    assert farm.run() == {task: "g1"}


def test_what_waits_for_gangs_changes_nothing_for_others() -> None:
    farm = Farm("g1", big=BIG)
    for _ in range(100):
        farm.arrive(model="big", priority=9)
    task = farm.arrive()
    assert farm.run() == {task: "g1"}
    later = farm.arrive()
    assert farm.end(task, 5.0, 5.0) == {later: "g1"}


def test_a_gang_serves_task_after_task_and_its_model_is_warm_there() -> None:
    farm = Farm("g1", big=BIG)
    farm.add("gang", gpus=2)
    first, second = farm.arrive(model="big"), farm.arrive(model="big")
    assert farm.run() == {first: "gang"}
    assert farm.policy.next_load("gang") is None
    assert farm.end(first, 20.0, 20.0, 10.0) == {second: "gang"}


def test_a_model_that_costs_nothing_to_load_stays_with_gangs_too() -> None:
    farm = Farm("g1", light=BIG_AND_LIGHT)
    task = farm.arrive(model="light")
    assert farm.run() == {}
    farm.add("gang", gpus=2)
    assert farm.run() == {task: "gang"}


def test_what_a_worker_says_it_has_and_could_not_run_is_not_believed() -> None:
    farm = Farm("g1", big=BIG)
    farm.policy.on_resident("g1", ["big"], [])
    farm.run()
    farm.arrive(model="big")
    assert farm.run() == {}


def test_withdrawn_and_ended_tasks_leave_the_gangs_queue() -> None:
    farm = Farm(big=BIG)
    farm.add("gang", gpus=2)
    running, gone, last = (farm.arrive(model="big") for _ in range(3))
    assert farm.run() == {running: "gang"}
    farm.policy.on_withdrawn(gone)
    assert farm.policy.wanted() == {Place("gpu", 2): 1}
    farm.policy.on_lost("gang")
    assert farm.run() == {}
    farm.add("next", gpus=2)
    farm.policy.on_end(running, None)
    assert farm.run(2.0) == {last: "next"}
