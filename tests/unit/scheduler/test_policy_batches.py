"""Tasks that are made together: which, how many, and whose."""

from typing import Any

from scheduler.pace import Measured
from scheduler.pool import Tuning
from scheduler.ports import Place
from scheduler.warmth import ModelProfile
from tests.unit.scheduler.policy_farm import Farm

PAINTER = ModelProfile(device="gpu", batch=4)
SINGLE_S = 10.0


def farm(*workers: str, **fields: Any) -> Farm:
    """One whose pictures were seen to take ten seconds."""
    made = Farm(*workers, p=PAINTER, **fields)
    made.policy.on_measured({("k", "p", ""): Measured(SINGLE_S)})
    return made


def arrive(made: Farm, count: int, tenant: str = "a", **fields: Any) -> list[str]:
    return [made.arrive(tenant, "p", **({"batch": "square"} | fields)) for _ in range(count)]


def end_all(made: Farm, now_s: float, each_s: float) -> dict[str, str]:
    """Everything that runs ends, each having taken its share; what starts then."""
    made.now_s, running = now_s, list(made.running)
    for task in running:
        made.policy.on_end(task, each_s, batch=len(running))
    for worker in {made.running.pop(task) for task in running}:
        made.policy.on_free(worker)
    return made.run()


def test_as_many_are_made_together_as_were_seen_to_pay() -> None:
    made = farm("g")
    arrive(made, 20)
    assert len(made.run()) == 2, "nobody knows yet whether two pay"
    assert len(end_all(made, 12.0, 6.0)) == 4, "two took six seconds each, so four are tried"
    assert len(end_all(made, 34.0, 5.5)) == 4, "less each, and no more are allowed"
    assert len(end_all(made, 60.0, 9.0)) == 2, "by now four take hardly less than two"


def test_two_that_take_as_long_as_one_after_the_other_are_not_made_together_again() -> None:
    made = farm("g")
    arrive(made, 10)
    assert len(made.run()) == 2
    assert len(end_all(made, 20.0, SINGLE_S)) == 1
    assert len(end_all(made, 30.0, SINGLE_S)) == 1


def test_before_one_was_measured_one_is_made() -> None:
    made = Farm("g", p=PAINTER)
    arrive(made, 10)
    assert len(made.run()) == 1


def test_only_what_is_alike_is_made_together() -> None:
    made = farm("g")
    first = arrive(made, 1)
    arrive(made, 1, batch="wide")
    arrive(made, 1, batch="")
    arrive(made, 1, priority=1, batch="")
    second = arrive(made, 1)
    started = [list(made.run()), *(list(end_all(made, now_s, SINGLE_S)) for now_s in (10.0, 20.0, 30.0))]
    assert [first[0], second[0]] in started
    assert sorted(map(len, started)) == [1, 1, 1, 2]


def test_free_workers_come_before_batches() -> None:
    made = farm("g", "h")
    arrive(made, 2)
    assert sorted(made.run().values()) == ["g", "h"]
    made = farm("g", "h")
    made.run()  # both are idle
    arrive(made, 3)
    assert sorted(made.run().values()) in (["g", "g", "h"], ["g", "h", "h"])


def test_tenants_share_a_batch_and_its_time() -> None:
    made = farm("g")
    for _ in range(2):
        arrive(made, 4, "a")
        arrive(made, 4, "b")
    started = made.run()
    assert {made.policy._running[task].task.tenant_id for task in started} == {"a", "b"}


def test_a_tenants_limit_holds_inside_a_batch() -> None:
    made = farm("g", tuning=Tuning(tenant_limit=2))
    arrive(made, 2)
    made.run()
    end_all(made, 12.0, 6.0)
    mine, (other,) = arrive(made, 5, "a"), arrive(made, 1, "b")
    started = set(made.run())
    assert other in started, "four would be tried"
    assert len(started.intersection(mine)) < 3


def test_who_was_in_a_batch_is_charged_their_share() -> None:
    made = farm("g")
    arrive(made, 2, "a")
    arrive(made, 2, "b")
    pool = made.policy._pools[Place("gpu")]
    made.run()
    end_all(made, 12.0, 6.0)
    assert {tenant.id: tenant.virtual_s for tenant in pool._tenants.values()} == {"a": 12.0, "b": 12.0}


def test_batches_that_are_lost_with_their_workers_are_given_up() -> None:
    made = farm("g")
    arrive(made, 20)
    sizes = [len(made.run())]
    for _ in range(3):
        for task in list(made.running):
            made.policy.on_end(task, None, succeeded=False)
        made.running.clear()
        made.policy.on_lost("g")
        made.add("g")
        sizes.append(len(made.run()))
    assert sizes == [2, 2, 1, 1], "once may be chance"


def test_what_has_a_deadline_is_made_alone() -> None:
    made = farm("g", "h")
    made.run()
    arrive(made, 5, deadline_s=made.now_s + 12.0)
    assert len(made.run()) == 2
    made = farm("g")
    relaxed = arrive(made, 1)
    arrive(made, 1, deadline_s=made.now_s + 1000.0)
    assert list(made.run()) == relaxed
    relaxed = arrive(made, 3)
    assert len(end_all(made, 10.0, SINGLE_S)) == 1, "the one with the deadline"
    assert set(end_all(made, 20.0, SINGLE_S)) == set(relaxed[:2])


def test_idle_workers_that_cannot_help_keep_nobody_from_a_batch() -> None:
    made = farm()
    made.add("small", vram_gb=16.0)
    made.add("large", vram_gb=48.0)
    made.run()
    arrive(made, 2, peak_gb=30.0)
    assert list(made.run().values()) == ["large", "large"]


def test_a_load_that_several_shared_was_as_long_as_it_was() -> None:
    made = Farm("g", p=ModelProfile(device="gpu", size_gb=1.0, hot_load_s=2.0, cold_load_s=10.0, batch=2))
    made.policy.on_measured({("k", "p", ""): Measured(SINGLE_S)})
    tasks = arrive(made, 2)
    assert list(made.run(100.0)) == tasks
    for task in tasks:
        made.policy.on_end(task, 11.0, 5.0, batch=2)
    assert made.policy._warmth.model("p").cold_load_s == 10.0
