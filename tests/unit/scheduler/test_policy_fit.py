"""Which workers a task fits: by the memory it takes, measured or said, and by what it needs them to be able to do."""

import math

from scheduler.pace import Measured
from scheduler.ports import Place
from scheduler.warmth import ModelProfile, WorkerProfile
from tests.unit.scheduler.policy_farm import Farm

NVENC = frozenset({"nvenc"})


def test_what_was_measured_counts_more_than_what_the_catalog_says() -> None:
    farm = Farm()
    farm.policy.on_measured({("k", "m", "4k"): Measured(1.0, 39.2)})
    farm.add("small", vram_gb=36.0)
    farm.add("large", vram_gb=80.0)
    assert farm.run() == {}
    wide, narrow = farm.arrive(shape="4k"), farm.arrive(shape="1k")
    assert farm.run(100.0) == {wide: "large", narrow: "small"}


def test_a_peak_that_was_seen_once_is_kept() -> None:
    farm = Farm()
    farm.add("small", vram_gb=36.0)
    farm.run()
    task = farm.arrive(shape="4k")
    assert farm.run() == {task: "small"}
    farm.policy.on_end(task, 1.0, peak_gb=40.5)
    farm.policy.on_end(task, 1.0, peak_gb=20.0)  # told twice, the second time too late
    farm.add("large", vram_gb=80.0)
    farm.policy.on_free("small")
    farm.run()
    again = farm.arrive(shape="4k")
    assert farm.run() | farm.run(100.0) == {again: "large"}  # though the small one has the model


def test_what_fits_no_worker_goes_to_the_largest_which_keeps_a_part_in_host_memory() -> None:
    farm = Farm(huge=ModelProfile(device="gpu", size_gb=60.0, peak_gb=70.0))
    farm.add("small", vram_gb=16.0)
    farm.add("large", vram_gb=24.0)
    first, second = farm.arrive(model="huge"), farm.arrive(model="huge")
    assert farm.run() == {first: "large"}
    farm.policy.on_lost("large")
    assert farm.run() == {second: "small"}  # by now that is the largest


def test_a_worker_that_can_hold_it_comes_and_others_are_not_asked_any_more() -> None:
    farm = Farm(huge=ModelProfile(device="gpu", size_gb=60.0, peak_gb=70.0, hot_load_s=1.0, cold_load_s=1.0))
    farm.add("small", vram_gb=16.0)
    farm.run()
    farm.policy.on_worker(WorkerProfile("large", "gpu", "node", vram_gb=80.0))
    task = farm.arrive(model="huge")
    assert farm.run(100.0) == {}  # the small one is free, and not asked
    farm.policy.on_free("large")
    assert farm.run() == {task: "large"}


def test_a_model_with_needs_waits_for_a_worker_that_was_found_able() -> None:
    farm = Farm("g")
    farm.run()
    task = farm.arrive(needs=NVENC)
    assert farm.run(1000.0) == {}
    farm.policy.on_worker(WorkerProfile("g", "gpu", "node", capabilities=NVENC))  # its probe has ended
    assert farm.run() == {task: "g"}


def test_who_has_the_most_memory_is_known_also_after_losses() -> None:
    farm = Farm()
    pool = farm.policy._pools[Place("gpu")]
    for name, vram_gb in (("a", 16.0), ("b", 48.0), ("d", 48.0)):
        farm.add(name, vram_gb=vram_gb)
    seen = [pool.backlog.largest_gb]
    for name in ("b", "d", "a"):
        farm.policy.on_lost(name)
        seen.append(pool.backlog.largest_gb)
    assert seen == [48.0, 48.0, 16.0, math.inf]


def test_cards_of_one_size_are_alike_though_they_say_a_little_less_or_more() -> None:
    farm = Farm(large=ModelProfile(device="gpu", size_gb=20.0, peak_gb=26.0))
    farm.add("this", vram_gb=24.469)
    farm.add("that", vram_gb=24.481)
    farm.run()
    for _ in range(2):
        farm.arrive(model="large")
    assert sorted((farm.run() | farm.run(100.0)).values()) == ["that", "this"]


def test_what_fits_by_a_hair_fits() -> None:
    farm = Farm()
    farm.add("small", vram_gb=24.469)
    farm.add("large", vram_gb=48.0)
    farm.policy.on_measured({("k", "m", "s"): Measured(1.0, 24.1)})
    farm.run()
    for _ in range(2):
        farm.arrive(shape="s")
    assert sorted((farm.run() | farm.run(100.0)).values()) == ["large", "small"]
