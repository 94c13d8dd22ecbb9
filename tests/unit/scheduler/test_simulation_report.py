"""The figures of a simulation: the lower bound, fairness, deadlines; and traces made by a seed."""

import dataclasses
import random
import subprocess
import sys

import pytest

from scheduler.simulation.bound import lower_bound_s, srpt_mean_flow_s
from scheduler.simulation.engine import simulate
from scheduler.simulation.policies import POLICIES
from scheduler.simulation.report import NOTES, figures, jain
from scheduler.simulation.synthetic import SyntheticOptions, synthesize
from tests.unit.scheduler.simulation_inputs import fleet, trace

SMALL = SyntheticOptions(gpus=16, models=12, tenants=5, tasks=2000, load=0.8)


def test_srpt_lets_a_shorter_task_interrupt() -> None:
    # 10 s from 0 on, interrupted at 2 by 3 s: ends at 13 and 5.
    assert srpt_mean_flow_s([0, 2], [10, 3], 1) == pytest.approx((13 + 3) / 2)
    # What is left counts: at 8 only 2 s are left of the first, less than 3.
    assert srpt_mean_flow_s([0, 8], [10, 3], 1) == pytest.approx((10 + 5) / 2)


def test_srpt_takes_the_shortest_first_and_waits_for_arrivals() -> None:
    assert srpt_mean_flow_s([0, 0, 0], [3, 1, 2], 1) == pytest.approx((1 + 3 + 6) / 3)
    assert srpt_mean_flow_s([0, 100], [4, 4], 2) == pytest.approx(2)


def test_the_bound_is_the_larger_of_service_and_srpt() -> None:
    assert lower_bound_s([0, 0], [4, 4], 2) == pytest.approx(4)  # SRPT at double speed: (2 + 4) / 2
    assert lower_bound_s([0, 0, 0, 0], [4, 4, 4, 4], 2) == pytest.approx((2 + 4 + 6 + 8) / 4)


@pytest.mark.parametrize("policy", list(POLICIES))
def test_no_schedule_beats_the_bound(policy: str) -> None:
    random_numbers = random.Random(7)
    farm = fleet(3, load_fixed_s=0.0, disk_gb_per_s=1e12, pcie_gb_per_s=1e12)
    for _ in range(50):
        arrivals = sorted(random_numbers.uniform(0, 20) for _ in range(30))
        tasks = trace(*((arrival, random_numbers.expovariate(0.5)) for arrival in arrivals))
        flow_s = simulate(tasks, farm, POLICIES[policy]).flow_s
        assert sum(flow_s) / 30 >= lower_bound_s(tasks.arrival_s, tasks.service_s, 3) - 1e-9


def test_jain_is_one_for_equals_and_one_over_n_for_one_alone() -> None:
    assert jain([3.0, 3.0, 3.0]) == pytest.approx(1)
    assert jain([1.0, 3.0]) == pytest.approx(16 / 20)
    assert jain([1.0, 1e-9, 1e-9, 1e-9]) == pytest.approx(1 / 4)


def test_figures_of_a_small_run() -> None:
    # One worker, loads of 11 s: a 11-15, its second 15-17 (flow 16), b's 17-18 (flow 8).
    tasks = trace((0, 4), (1, 2), (10, 1, "m0", "b"), deadline_s=[15.0, 16.0, 100.0])
    farm = fleet()
    shown = figures(simulate(tasks, farm, POLICIES["fifo"]), tasks, farm, wall_s=0.5)
    assert list(shown) == list(NOTES)
    assert shown["tasks"] == 3
    assert shown["mean_flow_s"] == pytest.approx((15 + 16 + 8) / 3)
    assert shown["p50_s"] == pytest.approx(15)
    assert shown["load_fraction"] == pytest.approx(11 / 7)
    assert shown["slowdown_by_tenant"] == pytest.approx({"t0": (15 / 4 + 16 / 2) / 2, "b": 8.0})
    assert shown["deadline_misses"] == 1  # the first ends at its deadline, the second at 17
    assert shown["wall_s"] == 0.5


def test_memory_is_measured() -> None:
    code = (
        "from scheduler.simulation.report import peak_rss_mb as peak; before = peak();"
        "block = b'\\1' * 100_000_000; del block; print(before, peak())"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    before, after = map(float, printed.split())
    assert 10 < before < 400
    assert 90 < after - before < 110


def test_the_same_seed_makes_the_same_trace_and_the_same_run() -> None:
    (one, farm), (two, same_farm) = synthesize(SMALL), synthesize(SMALL)
    assert (one, farm) == (two, same_farm)
    for policy in POLICIES.values():
        first, second = simulate(one, farm, policy), simulate(two, farm, policy)
        assert (first.flow_s, first.loads, first.load_s) == (second.flow_s, second.loads, second.load_s)
    other, _ = synthesize(dataclasses.replace(SMALL, seed=1))
    assert other.arrival_s != one.arrival_s
    assert other.service_s != one.service_s
    assert other.model != one.model
    assert other.tenant != one.tenant


def test_a_synthetic_trace_has_the_chosen_load_and_sizes() -> None:
    tasks, farm = synthesize(SMALL)
    assert len(tasks) == 2000
    assert sum(tasks.service_s) / (16 * tasks.arrival_s[-1]) == pytest.approx(0.8)
    assert list(tasks.arrival_s) == sorted(tasks.arrival_s)
    assert farm.gpus == 16
    assert len(farm.models) == 12
    assert set(tasks.model) == set(farm.models)
    assert set(tasks.tenant) == {"t0", "t1", "t2", "t3", "t4"}


@pytest.mark.parametrize("models", [1, 2, 3, 4, 5, 60, 400])
def test_any_number_of_models(models: int) -> None:
    tasks, farm = synthesize(dataclasses.replace(SMALL, models=models))
    assert list(farm.models) == [f"m{number}" for number in range(models)]
    assert set(tasks.model) <= set(farm.models)


def test_tenant_skew() -> None:
    skewed, _ = synthesize(SMALL)
    level, _ = synthesize(dataclasses.replace(SMALL, tenant_skew=0.0))
    assert skewed.tenant.count("t0") > 2 * skewed.tenant.count("t4")
    assert level.tenant.count("t0") < 1.3 * level.tenant.count("t4")
    assert level.service_s == skewed.service_s
