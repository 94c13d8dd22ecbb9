"""The policy under anything that may happen, in any order: what it places always may run there, what it believes adds
up, and nothing that fits somewhere waits for ever."""

import math
from collections import Counter
from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from scheduler.backlog import Backlog, WaitingTask
from scheduler.policy import Policy
from scheduler.pool import Pool, Tuning
from scheduler.warmth import ModelProfile, Warmth, WorkerProfile

MODELS = {
    "small": ModelProfile("gpu", size_gb=10.0, peak_gb=12.0, hot_load_s=2.0, cold_load_s=11.0, batch=4),
    "big": ModelProfile("gpu", size_gb=30.0, peak_gb=40.0, hot_load_s=4.0, cold_load_s=31.0),
    "other": ModelProfile("gpu", size_gb=15.0, peak_gb=15.0, hot_load_s=2.5, cold_load_s=16.0),
    "text": ModelProfile("cpu", size_gb=2.0, peak_gb=2.0, hot_load_s=1.2, cold_load_s=3.0),
    "nothing": ModelProfile("cpu", batch=2),
}
TENANTS = "abc"
NODES = "xy"
NVENC = frozenset({"nvenc"})
SLACK_GB = 1e-6


class PolicyMachine(RuleBasedStateMachine):
    """Keeps beside the policy what every caller knows: what waits, who is free, and what runs where."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.limit: int | None = None
        self.profiles: dict[str, WorkerProfile] = {}
        self.free: set[str] = set()
        self.waiting: dict[str, WaitingTask] = {}
        self.running: dict[str, tuple[WaitingTask, str]] = {}
        self.made = 0

    @initialize(limit=st.sampled_from([None, 1, 2]))
    def begin(self, limit: int | None) -> None:
        self.limit = limit
        self.policy = Policy(MODELS, lambda: self.now_s, Tuning(tenant_limit=limit, longest_wait_s=60.0))

    def may_run(self, task: WaitingTask, profile: WorkerProfile) -> bool:
        """What is too large for all workers runs on the largest."""
        alike = [other.vram_gb for other in self.profiles.values() if other.device == task.device]
        asked_gb = min(task.peak_gb or MODELS[task.model].peak_gb, max(alike, default=math.inf))
        return task.device == profile.device and asked_gb <= profile.vram_gb and task.needs <= profile.capabilities

    # --- workers

    @rule(
        device=st.sampled_from(["cpu", "gpu"]),
        node=st.sampled_from(NODES),
        vram_gb=st.sampled_from([16.0, 48.0]),
        nvenc=st.booleans(),
    )
    def worker(self, device: str, node: str, vram_gb: float, nvenc: bool) -> None:
        if len(self.profiles) == 6:
            return
        self.made += 1
        profile = WorkerProfile(
            f"w{self.made}",
            "gpu" if device == "gpu" else "cpu",
            node,
            vram_gb if device == "gpu" else math.inf,
            ram_gb=50.0,
            capabilities=NVENC if nvenc else frozenset(),
        )
        self.profiles[profile.name] = profile
        self.policy.on_worker(profile)
        self.policy.on_free(profile.name)
        self.free.add(profile.name)

    @precondition(lambda self: self.profiles)
    @rule(data=st.data(), nvenc=st.booleans())
    def turns_out(self, data: st.DataObject, nvenc: bool) -> None:
        before = self.profiles[data.draw(st.sampled_from(sorted(self.profiles)))]
        vram_gb = 48.0 if before.device == "gpu" else math.inf
        after = replace(before, vram_gb=vram_gb, capabilities=NVENC if nvenc else frozenset())
        self.profiles[after.name] = after
        self.policy.on_worker(after)

    @precondition(lambda self: self.profiles)
    @rule(data=st.data(), tells_first=st.booleans())
    def lose(self, data: st.DataObject, tells_first: bool) -> None:
        worker = data.draw(st.sampled_from(sorted(self.profiles)))
        del self.profiles[worker]
        self.free.discard(worker)
        if tells_first:
            self.policy.on_lost(worker)
        for task_id in [task_id for task_id, (_, where) in self.running.items() if where == worker]:
            task, _ = self.running.pop(task_id)
            if data.draw(st.booleans()):
                self.policy.on_end(task_id, None)
            self.waiting[task_id] = task
            self.policy.on_arrival(task)
        self.policy.on_lost(worker)

    @precondition(lambda self: self.free)
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        worker = data.draw(st.sampled_from(sorted(self.free)))
        self.policy.on_gone(worker)
        self.free.remove(worker)

    @rule()
    def open_again(self) -> None:
        busy = {worker for _, worker in self.running.values()}
        for worker in self.profiles.keys() - busy - self.free:
            self.policy.on_free(worker)
            self.free.add(worker)

    @precondition(lambda self: self.profiles)
    @rule(data=st.data())
    def tells_its_models(self, data: st.DataObject) -> None:
        worker = data.draw(st.sampled_from(sorted(self.profiles)))
        names = data.draw(st.lists(st.sampled_from(sorted(MODELS)), unique=True))
        cut = data.draw(st.integers(0, len(names)))
        resident, total_gb = [], 0.0
        for name in names[:cut]:
            total_gb += MODELS[name].size_gb
            if MODELS[name].device != self.profiles[worker].device or total_gb <= self.profiles[worker].vram_gb:
                resident.append(name)
        self.policy.on_resident(worker, resident, names[cut:])

    # --- tasks

    @rule(
        model=st.sampled_from(sorted(MODELS)),
        tenant=st.sampled_from(TENANTS),
        units=st.sampled_from([0.1, 1.0, 20.0]),
        urgency=st.sampled_from([(0, math.inf), (0, math.inf), (5, math.inf), (0, 1.0), (0, 90.0)]),
        more_gb=st.sampled_from([0.0, 0.0, 5.0]),
        nvenc=st.sampled_from([False, False, False, True]),
        copies=st.sampled_from([1, 1, 5]),
        batch=st.sampled_from(["", "square", "square", "wide"]),
    )
    def arrive(
        self,
        model: str,
        tenant: str,
        units: float,
        urgency: tuple[int, float],
        more_gb: float,
        nvenc: bool,
        copies: int,
        batch: str,
    ) -> None:
        for _ in range(copies):
            self.made += 1
            task = WaitingTask(
                f"t{self.made}",
                self.made,
                tenant,
                "kind",
                model,
                MODELS[model].device,
                units,
                since_s=self.now_s,
                priority=urgency[0],
                deadline_s=self.now_s + urgency[1],
                peak_gb=MODELS[model].peak_gb + more_gb if more_gb else 0.0,
                needs=NVENC if nvenc else frozenset(),
                batch=batch,
            )
            self.waiting[task.id] = task
            self.policy.on_arrival(task)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.waiting)))
        del self.waiting[task_id]
        self.policy.on_withdrawn(task_id)

    @rule(pass_s=st.sampled_from([0.0, 0.3, 3.0, 100.0, 2000.0]))
    def place(self, pass_s: float) -> None:
        self.now_s += pass_s
        together: dict[str, list[WaitingTask]] = {}
        for placed in self.policy.place():
            task, profile = placed.task, self.profiles[placed.worker]
            assert self.waiting.pop(task.id) is task
            if others := together.setdefault(placed.worker, []):
                assert all((other.model, other.batch) == (task.model, task.batch) for other in others)
                assert task.batch and len(others) < MODELS[task.model].batch
            else:
                self.free.remove(placed.worker)
            others.append(task)
            assert self.may_run(task, profile)
            assert self.has_room(task)
            self.running[task.id] = (task, placed.worker)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), duration_s=st.sampled_from([None, 0.5, 12.0]), load_s=st.sampled_from([0.0, 5.0]))
    def end(self, data: st.DataObject, duration_s: float | None, load_s: float) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.running)))
        self.finish(task_id, duration_s, load_s, succeeded=data.draw(st.booleans()))

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def does_not_start(self, data: st.DataObject) -> None:
        """It waits again, and may be read from the database before the end of its attempt is told."""
        task_id = data.draw(st.sampled_from(sorted(self.running)))
        task, worker = self.running.pop(task_id)
        self.policy.on_arrival(task)
        self.waiting[task_id] = task
        self.leave(worker)

    def finish(self, task_id: str, duration_s: float | None, load_s: float, *, succeeded: bool) -> None:
        _, worker = self.running.pop(task_id)
        batch = 1 + sum(where == worker for _, where in self.running.values())
        self.leave(worker)
        self.policy.on_end(task_id, duration_s, load_s, succeeded=succeeded, batch=batch)

    def leave(self, worker: str) -> None:
        """It is free once the last of what it ran together has ended."""
        if all(where != worker for _, where in self.running.values()):
            self.policy.on_free(worker)
            self.free.add(worker)

    def has_room(self, task: WaitingTask) -> bool:
        alike = [
            running.id
            for running, _ in self.running.values()
            if (running.tenant_id, running.device) == (task.tenant_id, task.device)
        ]
        return self.limit is None or len(alike) < self.limit

    # --- what always holds

    @invariant()
    def it_knows_what_waits_and_who_is_free(self) -> None:
        if not hasattr(self, "policy"):
            return
        assert {task.id for task in self.policy.waiting} == self.waiting.keys()
        assert {worker for worker in self.profiles if self.policy.is_free(worker)} == self.free
        assert self.policy.next_at_s() > self.now_s - 1.0 or self.policy._arrived or self.policy._offered

    @invariant()
    def what_it_adds_up_is_right(self) -> None:
        if not hasattr(self, "policy"):
            return
        check_warmth(self.policy._warmth)
        for pool in self.policy._pools.values():
            check_pool(pool)
            check_backlog(pool.backlog)

    def teardown(self) -> None:
        if hasattr(self, "policy"):
            self.nothing_waits_for_ever()

    def nothing_waits_for_ever(self) -> None:
        self.open_again()
        for _ in range(40 * len(self.waiting) + 400):
            self.place(0.0)
            can_run = [t for t in self.waiting.values() if any(self.may_run(t, p) for p in self.profiles.values())]
            next_s = self.policy.next_at_s()
            if self.running:
                self.now_s += 1.0
                self.finish(next(iter(self.running)), 1.0, 0.0, succeeded=True)
            elif not can_run:
                return
            else:
                assert next_s < math.inf, f"{can_run} wait though workers are free, and nothing is to be asked again"
                self.now_s = max(self.now_s, next_s)
        raise AssertionError(f"{can_run} are never placed")


def check_warmth(warmth: Warmth) -> None:
    workers = warmth.workers.values()
    copies = Counter(model for worker in workers for model in worker.resident)
    for model in warmth._models.values():
        assert model.copies == copies[model]
        assert set(model.idle) == {worker for worker in workers if worker.idle and model in worker.resident}
        assert set(model.nodes) == {node for node in warmth._nodes.values() if model in node.models}
    for worker in workers:
        assert worker.taken_gb == pytest.approx(sum(m.profile.size_gb for m in worker.resident), abs=SLACK_GB)
        assert worker.taken_gb <= worker.profile.vram_gb + SLACK_GB or len(worker.resident) == 1
        assert worker in worker.node.workers
    for node in warmth._nodes.values():
        assert node.workers, "a node without workers is forgotten"
        assert node.taken_gb == pytest.approx(sum(m.profile.size_gb for m in node.models), abs=SLACK_GB)
        assert node.taken_gb <= node.ram_gb + SLACK_GB


def check_pool(pool: Pool) -> None:
    assert all(worker.idle for worker in pool.idle)
    assert all(demand.count for demand in pool.impatient)
    running = [tenant.running for tenant in pool._tenants.values()]
    assert min(running, default=0) >= 0


def check_backlog(backlog: Backlog) -> None:
    demands = [demand for by_model in backlog.by_model.values() for demand in by_model]
    entries = [entry for demand in demands for lane in demand.lanes.values() for entry in lane if entry.waits]
    assert backlog.count == len(entries) == sum(backlog.tenants.values())
    assert backlog.seconds == pytest.approx(sum(entry.estimate_s for entry in entries))
    oldest_s = min((entry.task.since_s for entry in entries), default=math.inf)
    assert backlog.oldest_s() == oldest_s
    for demand in demands:
        mine = [entry for entry in entries if entry.demand is demand]
        assert demand.count == len(mine) > 0
        assert demand.seconds == pytest.approx(sum(entry.estimate_s for entry in mine))
        for lane in demand.lanes.values():
            assert lane[0].waits
            assert [entry.task.seq for entry in lane] == sorted(entry.task.seq for entry in lane)
    assert all(entry.waits for _, _, entry in backlog.urgent)
    assert max(len(backlog._oldest), len(backlog._deadlines)) <= 2 * backlog.count + 65


def test_whatever_happens() -> None:
    run_state_machine_as_test(
        PolicyMachine, settings=settings(max_examples=120, stateful_step_count=50, deadline=None, derandomize=True)
    )
