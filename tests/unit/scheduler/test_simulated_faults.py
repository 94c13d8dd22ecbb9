"""Workers that die or hang in a simulation: nothing is lost, and what it costs is seen."""

import pytest

from scheduler.simulation.engine import Run, simulate
from scheduler.simulation.faults import HANG_FOUND_S, RESTART_S, FaultOptions, Faults
from scheduler.simulation.policies import POLICIES
from scheduler.simulation.synthetic import SyntheticOptions, synthesize
from tests.unit.scheduler.simulation_inputs import fleet, trace

SMALL = SyntheticOptions(gpus=16, models=12, tenants=5, tasks=1000, load=0.6)


def run(policy: str = "fair", **faults: float) -> Run:
    tasks, farm = synthesize(SMALL)
    return simulate(tasks, farm, POLICIES[policy], FaultOptions(**faults))  # type: ignore[arg-type]


@pytest.mark.parametrize("policy", list(POLICIES))
def test_every_task_ends_though_workers_die_and_hang(policy: str) -> None:
    calm, stormy = run(policy), run(policy, deaths_per_hour=20, hangs_per_hour=10)
    assert calm.lost == 0
    assert stormy.lost > 20
    assert min(stormy.flow_s) > 0
    assert sum(stormy.flow_s) > sum(calm.flow_s)


def test_a_lost_worker_comes_back_empty_and_its_task_starts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    strikes = iter((13.0, None, None))
    monkeypatch.setattr(Faults, "lost_after_s", lambda _faults, _duration_s: next(strikes))
    # 11 s of loading from disk, 2 s of work, death at 13; back at 18, 3 s from memory and 5 s of work.
    done = simulate(trace((0, 5)), fleet(), POLICIES["fair"])
    assert list(done.flow_s) == pytest.approx([13 + RESTART_S + 3 + 5])
    assert (done.lost, done.loads, done.cold_loads) == (1, 2, 1)


def test_a_hang_is_found_later_than_a_death() -> None:
    deaths = Faults(FaultOptions(deaths_per_hour=3600.0))
    hangs = Faults(FaultOptions(hangs_per_hour=3600.0))
    for _ in range(100):
        death_s, hang_s = deaths.lost_after_s(1000.0), hangs.lost_after_s(1000.0)
        assert death_s is not None and hang_s == pytest.approx(death_s + HANG_FOUND_S)
    assert Faults(FaultOptions()).lost_after_s(1e9) is None


def test_faults_come_as_often_as_asked_for() -> None:
    faults = Faults(FaultOptions(deaths_per_hour=1.0, hangs_per_hour=2.0))
    struck = sum(faults.lost_after_s(36.0) is not None for _ in range(20_000))
    assert struck == pytest.approx(20_000 * 0.03, rel=0.1)


def test_measurements_that_are_off_change_the_order_and_lose_nothing() -> None:
    exact, off = run(), run(estimate_error=1.0)
    assert off.lost == 0
    assert list(off.flow_s) != list(exact.flow_s)
    assert list(run(estimate_error=1.0).flow_s) == list(off.flow_s)
    assert list(run(estimate_error=1.0, fault_seed=1).flow_s) != list(off.flow_s)
