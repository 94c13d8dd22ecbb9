"""The simulated farm: flow times, loads and policies, against cases worked out by hand."""

from collections import deque

import pytest

from scheduler.backlog import Entry, WaitingTask
from scheduler.policy import Placement
from scheduler.pool import Pool
from scheduler.simulation.engine import simulate
from scheduler.simulation.errors import PolicyError
from scheduler.simulation.loading import Load, Memory
from scheduler.simulation.policies import POLICIES, FarmView, Fifo
from scheduler.warmth import Worker
from tests.unit.scheduler.simulation_inputs import fleet, trace

NO_LOADS = {"load_fixed_s": 0.0, "disk_gb_per_s": 1e12, "pcie_gb_per_s": 1e12}


def flows(policy: str, *tasks: tuple[float, float, str, str], gpus: int = 1, **columns: object) -> list[float]:
    """Flow times where loading costs nothing."""
    return list(simulate(trace(*tasks, **columns), fleet(gpus, **NO_LOADS), POLICIES[policy]).flow_s)


# --- flow times


@pytest.mark.parametrize("policy", list(POLICIES))
def test_one_worker_takes_one_task_at_a_time(policy: str) -> None:
    # 0-4, then 4-7, then idle until 10.
    assert flows(policy, (0, 4, "m0", "t0"), (1, 3, "m0", "t0"), (10, 2, "m0", "t0")) == pytest.approx([4, 6, 2])


@pytest.mark.parametrize("policy", list(POLICIES))
def test_every_gpu_is_a_worker(policy: str) -> None:
    tasks = [(0.0, 4.0, "m0", "t0"), (0.0, 6.0, "m0", "t0"), (1.0, 1.0, "m0", "t0")]
    assert flows(policy, *tasks, gpus=2) == pytest.approx([4, 6, 4])
    assert flows(policy, *tasks, gpus=3) == pytest.approx([4, 6, 1])


def test_fair_lets_the_tenant_go_first_that_was_served_less() -> None:
    tasks = [(0, 2, "m0", "big"), (0, 2, "m0", "big"), (0, 2, "m0", "big"), (1, 2, "m0", "small")]
    assert flows("fifo", *tasks) == pytest.approx([2, 4, 6, 7])
    # The tie at 2 s goes to who came first; from 4 s on the small one is behind.
    assert flows("fair", *tasks) == pytest.approx([2, 6, 8, 3])


def test_fair_gives_a_heavier_tenant_more() -> None:
    tasks = [(0, 1, "m0", "a")] * 3 + [(0, 1, "m0", "b")] * 3
    equal = flows("fair", *tasks)
    heavy = flows("fair", *tasks, weight=[1.0] * 3 + [3.0] * 3)
    assert sum(heavy[3:]) < sum(equal[3:])


def test_fair_puts_the_earliest_deadline_first() -> None:
    tasks = [(0, 5, "m0", "t0"), (1, 2, "m0", "t0"), (1, 2, "m0", "t0")]
    assert flows("fair", *tasks, deadline_s=[float("inf"), 20.0, 9.0]) == pytest.approx([5, 8, 6])


def _lanes(pool: Pool) -> list[deque[Entry]]:
    return [lane for demands in pool.backlog.by_model.values() for demand in demands for lane in demand.lanes.values()]


def test_fair_is_the_policy_of_production(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [(0, 5, "m0", "t0"), (1, 1, "m0", "t0"), (2, 3, "m0", "t0")]
    assert flows("fair", *tasks) == pytest.approx([5, 5, 7])

    def newest_first(pool: Pool, worker: Worker) -> Entry | None:
        waiting = (entry for lane in _lanes(pool) for entry in lane if entry.waits)
        return max(waiting, key=lambda entry: entry.task.seq, default=None)

    monkeypatch.setattr(Pool, "choose", newest_first)
    assert flows("fair", *tasks) == pytest.approx([5, 8, 6])
    assert flows("fifo", *tasks) == pytest.approx([5, 5, 7])


def test_round_robin_serves_the_tenants_in_turn() -> None:
    tasks = [(0, 1, "m0", "big")] * 3 + [(0, 1, "m0", "small")] * 2
    assert flows("round-robin", *tasks) == pytest.approx([1, 3, 5, 2, 4])


def test_shortest_first_goes_by_what_was_measured() -> None:
    # Both shapes are tried once; from 6 s on it is known which is shorter.
    tasks = [(0.0, 5.0), (0.0, 1.0), (0.0, 5.0), (0.0, 1.0)]
    shapes = ["long", "short", "long", "short"]
    assert flows("shortest-first", *((*task, "m0", "t0") for task in tasks), shape=shapes) == pytest.approx(
        [5, 6, 12, 7]
    )


# --- loads


def test_a_load_comes_before_the_service_and_a_loaded_model_is_free() -> None:
    # 20 GB: 1 + 20/2 = 11 s from the disk, then nothing.
    run = simulate(trace((0, 5), (20, 5)), fleet(), POLICIES["fifo"])
    assert list(run.flow_s) == pytest.approx([16, 5])
    assert (run.loads, run.cold_loads, run.load_s) == (1, 1, pytest.approx(11))


def test_the_second_gpu_of_a_node_loads_from_ram_and_another_node_from_the_disk() -> None:
    memory = Memory(fleet(3))  # two GPUs to a node
    assert memory.use(0, "m0", 0.0) == Load(11.0, cold=True)
    assert memory.use(1, "m0", 50.0) == Load(3.0, cold=False)
    assert memory.use(2, "m0", 50.0) == Load(11.0, cold=True)


def test_a_model_that_is_still_being_read_is_waited_for() -> None:
    memory = Memory(fleet(2))
    memory.use(0, "m0", 0.0)
    assert memory.use(1, "m0", 4.0) == Load(7.0, cold=False)


def test_the_least_recently_used_model_leaves_vram() -> None:
    memory = Memory(fleet(sizes_gb={"a": 10.0, "b": 10.0, "c": 35.0}))
    for model in ("a", "b", "a", "c"):
        memory.use(0, model, 0.0)
    assert list(memory.resident(0)) == ["a", "c"]


def test_a_running_model_takes_its_peak_and_an_idle_one_its_size() -> None:
    models = {"a": {"size_gb": 20.0, "peak_gb": 30.0}, "b": {"size_gb": 20.0, "peak_gb": 31.0}}
    memory = Memory(fleet(models=models))
    memory.use(0, "b", 0.0)
    memory.use(0, "a", 0.0)
    assert list(memory.resident(0)) == ["b", "a"]  # 20 + 30 of 50
    memory.use(0, "b", 0.0)
    assert list(memory.resident(0)) == ["b"]  # 20 + 31 would be too much, though b was there


def test_the_least_recently_used_model_leaves_host_ram() -> None:
    memory = Memory(fleet(vram_gb=40.0, host_ram_gb=60.0, sizes_gb={"a": 30.0, "b": 30.0, "c": 30.0}))
    loads = [memory.use(0, model, 100.0 * turn) for turn, model in enumerate(("a", "b", "a", "c", "a", "b"))]
    assert [load.cold for load in loads if load] == [True, True, False, True, False, True]


def test_a_model_larger_than_host_ram_is_read_from_the_disk_every_time() -> None:
    memory = Memory(fleet(vram_gb=40.0, host_ram_gb=35.0, sizes_gb={"a": 30.0, "b": 40.0}))
    loads = [memory.use(0, model, 100.0 * turn) for turn, model in enumerate(("b", "a", "b", "a"))]
    assert [load.cold for load in loads if load] == [True, True, True, False]


def test_fifo_warm_takes_the_free_worker_that_has_the_model() -> None:
    farm = fleet(2, sizes_gb={"a": 20.0, "b": 20.0})
    # Each loads its own; b's worker has been free the longest when a comes again.
    tasks = trace((0, 9, "a"), (0, 1, "b"), (50, 1, "a"))
    cold = simulate(tasks, farm, POLICIES["fifo"])
    assert (cold.loads, cold.cold_loads) == (3, 2)  # the third from the node's RAM
    warm = simulate(tasks, farm, POLICIES["fifo-warm"])
    assert warm.loads == 2
    assert list(warm.flow_s) == pytest.approx([20, 12, 1])


# --- policies that break the rules


class _Twice(Fifo):
    def place(self) -> list[Placement]:
        return super().place() * 2


class _Again(Fifo):
    """Places its first task whenever a worker is free."""

    first: WaitingTask | None = None

    def on_arrival(self, task: WaitingTask) -> None:
        self.first = self.first or task

    def place(self) -> list[Placement]:
        return [Placement(self.first, self._free.popleft())] if self.first and self._free else []


class _Never(Fifo):
    def place(self) -> list[Placement]:
        return []


@pytest.mark.parametrize(
    ("policy", "message"), [(_Twice, "not free"), (_Again, "does not wait"), (_Never, "2 tasks were never placed")]
)
def test_a_policy_that_breaks_the_rules_is_told(policy: type[Fifo], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        simulate(trace((0, 1), (0, 1)), fleet(), lambda _view: policy())


def test_a_policy_sees_the_clock_and_what_is_loaded() -> None:
    seen = []

    class Watching(Fifo):
        def __init__(self, view: FarmView) -> None:
            super().__init__()
            self._view = view

        def on_free(self, worker: str) -> None:
            seen.append((self._view.now_s(), list(self._view.resident(worker))))
            super().on_free(worker)

    simulate(trace((3, 5)), fleet(), Watching)
    assert seen == [(0.0, []), (pytest.approx(19.0), ["m0"])]
