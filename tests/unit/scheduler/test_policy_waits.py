"""Nobody waits beyond a bound: deadlines, long waits, and the limit of a tenant."""

from scheduler.backlog import WaitingTask
from scheduler.pace import Measured
from scheduler.pool import Tuning
from tests.unit.scheduler.policy_farm import STRICT, Farm


def test_a_deadline_in_danger_comes_before_the_shortest_and_the_least_served() -> None:
    farm = Farm("c", tuning=STRICT)
    running = farm.arrive("a", "free", "cpu")
    farm.run()
    farm.arrive("b", "free", "cpu", kind="short", units=0.1)
    late = farm.arrive("a", "free", "cpu", deadline_s=100.0)
    # It takes 50 s, and 5 s are kept.
    assert list(farm.end(running, 46.0, 50.0)) == [late]


def test_a_deadline_that_is_far_changes_nothing() -> None:
    farm = Farm("c", tuning=STRICT)
    running = farm.arrive("a", "free", "cpu")
    farm.run()
    short = farm.arrive("b", "free", "cpu")
    farm.arrive("a", "free", "cpu", deadline_s=200.0)
    assert list(farm.end(running, 80.0, 50.0)) == [short]


def test_the_earliest_of_the_deadlines_in_danger_comes_first() -> None:
    farm = Farm("c")
    running = farm.arrive("a", "free", "cpu")
    farm.run()
    farm.arrive("a", "free", "cpu", deadline_s=40.0)
    soon = farm.arrive("a", "free", "cpu", deadline_s=30.0)
    assert list(farm.end(running, 29.0)) == [soon]


def test_a_deadline_in_danger_waits_for_no_warm_worker() -> None:
    farm = Farm("g", "h")
    farm.policy.on_measured({("k", "m", ""): Measured(1.0)})
    busy = farm.arrive(model="m")
    warm = farm.run()[busy]
    idle = ({"g", "h"} - {warm}).pop()
    urgent = farm.arrive(model="m", deadline_s=17.0)
    assert farm.run(0.5) == {}
    assert farm.policy.next_at_s() <= 1.0  # 17 s, less 5 of margin, 10 for the load and 1 for the task
    assert farm.run(1.0) == {urgent: idle}


def test_what_waited_too_long_comes_before_what_is_short() -> None:
    farm = Farm("c", tuning=Tuning(longest_wait_s=50.0, drains=0.0))
    running = farm.arrive("a", "free", "cpu")
    farm.run()
    old = farm.arrive("a", "free", "cpu", units=100.0)
    for _ in range(3):
        farm.arrive("b", "free", "cpu")
    assert old not in farm.end(running, 49.0, 1.0)
    (short,) = farm.running
    assert list(farm.end(short, 50.0, 1.0)) == [old]


def test_what_waited_too_long_but_runs_nowhere_holds_up_nothing() -> None:
    farm = Farm("c", tuning=Tuning(longest_wait_s=50.0, drains=0.0))
    running = farm.arrive("a", "free", "cpu")
    farm.run()
    farm.arrive("a", "free", "cpu", needs=frozenset({"absent"}))
    old = farm.arrive("a", "free", "cpu", units=100.0)
    farm.arrive("b", "free", "cpu")
    assert list(farm.end(running, 50.0, 1.0)) == [old]


def test_even_behind_an_endless_backlog_a_wait_is_bounded() -> None:
    farm = Farm("c", tuning=Tuning(longest_wait_s=50.0, longest_waits=6.0))
    running = farm.arrive("a", "free", "cpu")
    farm.run()
    old = farm.arrive("a", "free", "cpu", kind="long", units=100.0)
    for _ in range(1000):
        farm.arrive("b", "free", "cpu", priority=1)
    (short,) = farm.end(running, 299.0, 1.0)
    assert short != old
    assert list(farm.end(short, 300.0, 1.0)) == [old]


def test_deadlines_that_no_free_worker_serves_do_not_hide_one_that_it_could() -> None:
    farm = Farm("c", tuning=STRICT)
    running = farm.arrive("a", "free", "cpu")
    farm.run()
    for _ in range(10):
        farm.arrive("a", "free", "cpu", deadline_s=20.0, needs=frozenset({"absent"}))
    farm.arrive("b", "free", "cpu", units=0.1)
    late = farm.arrive("a", "free", "cpu", deadline_s=30.0)
    assert list(farm.end(running, 29.0, 5.0)) == [late]


def test_a_tenant_that_a_worker_cannot_serve_limits_nobody_there() -> None:
    farm = Farm("g", tuning=Tuning(spread_s=5.0))
    farm.policy.on_measured({("k", "m", ""): Measured(1.0), ("k", "n", ""): Measured(1.0)})
    farm.arrive("behind", "m", needs=frozenset({"absent"}))
    first = farm.arrive("b", "n")
    farm.run()
    second = farm.arrive("a", "m")
    farm.end(first, 200.0, 100.0)
    farm.arrive("a", "m")
    served_less = farm.arrive("b", "n", units=500.0)
    # Measured by who is behind, both would be beyond the limit, and the shorter one would come first.
    assert list(farm.end(second, 800.0, 300.0)) == [served_less]


def test_a_late_end_of_an_attempt_does_not_use_up_its_tenants_limit() -> None:
    farm = Farm("c1", "c2", tuning=Tuning(tenant_limit=1))
    task = farm.arrive("a", "free", "cpu")
    farm.run()
    # It is queued again, as the database says, before anybody told how its attempt ended.
    farm.policy.on_arrival(WaitingTask(task, 1, "a", "k", "free", "cpu", 1.0))
    assert list(farm.run(1.0)) == [task]
    other = farm.arrive("a", "free", "cpu")
    farm.policy.on_free("c1")
    farm.policy.on_free("c2")
    assert farm.run() == {}
    farm.policy.on_end(task, 1.0)
    assert list(farm.run()) == [other]
