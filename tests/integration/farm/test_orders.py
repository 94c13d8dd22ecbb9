"""What an operator orders is done, whoever leads, and what the scheduler sees of it is written down."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from runtime.database import Database, utc_now
from scheduler import orders, queue
from scheduler.farm_tables import DrainRow, NodeRow, RestartRow, WorkerRow
from scheduler.task import OutcomeClass, TaskState, WorkerState
from scheduler.testing import FakeFarm
from tests.integration.farm.conftest import eventually
from tests.integration.farm.tasks import enqueue, row
from tests.integration.farm.test_loop import CONFIG, scheduling, until, until_running, until_state


async def drain(database: Database, target: str) -> None:
    async with database.transaction() as session:
        await orders.drain(session, target, reason="", ordered_by="test")


async def undrain(database: Database, target: str) -> None:
    async with database.transaction() as session:
        await orders.undrain(session, target)


async def restart(database: Database, farm: FakeFarm, worker: str, *, at_once: bool = False) -> None:
    found = await until_seen(database, farm.workers[worker].slot, lambda seen: seen.worker == worker)
    async with database.transaction() as session:
        await orders.restart(session, {found.worker: found.slot}, at_once=at_once, reason="it leaks", ordered_by="test")


async def until_seen(database: Database, slot: str, wanted: Callable[[WorkerRow], bool]) -> WorkerRow:
    async def ask() -> WorkerRow | None:
        async with database.transaction() as session:
            found = await session.get(WorkerRow, slot)
        return found if found is not None and wanted(found) else None

    found = await eventually(ask, f"{slot} is seen so")
    assert found is not None
    return found


def is_in(state: WorkerState) -> Callable[[WorkerRow], bool]:
    return lambda seen: seen.state == state


async def test_a_drained_worker_ends_what_it_has_and_gets_no_more_until_it_is_taken_back(database: Database) -> None:
    farm = FakeFarm(slots=2)
    _, (first, second, third, fourth) = await enqueue(database, 4)
    async with scheduling(database, farm):
        drained = await until_running(farm, first)
        other = await until_running(farm, second)
        slot = farm.workers[drained].slot
        await drain(database, slot)
        seen = await until_seen(database, slot, is_in(WorkerState.DRAINING))
        assert seen.task_id == first
        farm.finish(first)
        await until_state(database, first, TaskState.SUCCEEDED)
        await until_seen(database, slot, is_in(WorkerState.DRAINED))
        farm.finish(second)
        assert await until_running(farm, third) == other
        assert (await row(database, fourth)).epoch == 0
        await undrain(database, slot)
        assert await until_running(farm, fourth) == drained
        await until_seen(database, slot, is_in(WorkerState.BUSY))
    assert farm.killed == []


async def test_a_drain_holds_for_the_process_that_follows_on_the_slot(database: Database) -> None:
    farm = FakeFarm(slots=1)
    slot = farm.workers["0.0"].slot
    await drain(database, slot)
    _, (task_id,) = await enqueue(database)
    async with scheduling(database, farm):
        await until_seen(database, slot, is_in(WorkerState.DRAINED))
        farm.lose("0.0")
        await until_seen(database, slot, lambda seen: (seen.worker, seen.state) == ("0.1", WorkerState.DRAINED))
    assert (await row(database, task_id)).epoch == 0


async def test_a_drained_node_gives_none_of_its_workers_a_task_nor_those_that_come_later(database: Database) -> None:
    farm = FakeFarm(slots=4, nodes=2)
    await drain(database, "node0")
    async with scheduling(database, farm):
        for slot in ("node0-cpu0", "node0-cpu2"):
            await until_seen(database, slot, is_in(WorkerState.DRAINED))
        later = farm.add_worker("node0")
        await until_seen(database, farm.workers[later].slot, is_in(WorkerState.DRAINED))
        _, ids = await enqueue(database, 4)
        ran_on = set()
        for task_id in ids:
            ran_on.add(farm.workers[await until_running(farm, task_id)].node)
            farm.finish(task_id)
        assert ran_on == {"node1"}


async def test_orders_outlive_the_scheduler(database: Database) -> None:
    farm = FakeFarm(slots=1)
    slot = farm.workers["0.0"].slot
    async with scheduling(database, farm):
        await until_seen(database, slot, is_in(WorkerState.IDLE))
    await drain(database, slot)
    _, (task_id,) = await enqueue(database)
    async with scheduling(database, farm):
        await until_seen(database, slot, is_in(WorkerState.DRAINED))
    assert (await row(database, task_id)).epoch == 0
    assert farm.executions == []


async def test_a_restart_waits_for_what_runs_and_for_nothing_else(database: Database) -> None:
    farm = FakeFarm(slots=1)
    _, (first, second) = await enqueue(database, 2)
    async with scheduling(database, farm):
        worker = await until_running(farm, first)
        slot = farm.workers[worker].slot
        await restart(database, farm, worker)
        await until_seen(database, slot, is_in(WorkerState.DRAINING))
        assert farm.killed == []
        farm.finish(first)
        successor = await until_running(farm, second)
        farm.finish(second)
        await until_state(database, second, TaskState.SUCCEEDED)

        async def done() -> bool:
            async with database.transaction() as session:
                return (await session.get_one(RestartRow, worker)).done_at is not None

        await eventually(done, "the restart is told to be done")
    assert (worker, successor) == ("0.0", "0.1")
    assert farm.killed == [("0.0", "restarted: it leaks")]
    assert farm.executions == [(first, 1), (second, 1)]


async def test_a_restart_at_once_runs_the_task_again_elsewhere_as_a_worker_loss(database: Database) -> None:
    farm = FakeFarm(slots=1)
    _, (task_id,) = await enqueue(database)
    async with scheduling(database, farm):
        worker = await until_running(farm, task_id)
        await restart(database, farm, worker, at_once=True)
        assert await until_running(farm, task_id, epoch=2) == "0.1"
        farm.finish(task_id)
        task = await until_state(database, task_id, TaskState.SUCCEEDED)
    assert (task.task_failures, task.farm_failures) == (0, 1)
    assert farm.killed == [("0.0", "restarted: it leaks")]


async def test_what_is_seen_names_the_task_the_models_and_when_it_answered(database: Database) -> None:
    farm = FakeFarm(slots=1, nodes=1)
    farm.workers["0.0"].resident = ("draft-painter", "draft-voice")
    _, (task_id,) = await enqueue(database)
    async with scheduling(database, farm, config=replace(CONFIG, lease_s=60)):
        await until_running(farm, task_id)
        seen = await until_seen(database, "node0-cpu0", lambda found: bool(found.task_id and found.resident))
        assert (seen.worker, seen.node_id, seen.device, seen.task_id) == ("0.0", "node0", "cpu", task_id)
        assert seen.resident == ["draft-painter", "draft-voice"]
        farm.workers["0.0"].silent = True
        silent_since = utc_now()
        seen = await until_seen(database, "node0-cpu0", lambda _: utc_now() - silent_since > timedelta(seconds=0.5))
        assert abs(seen.seen_at - silent_since) < timedelta(seconds=0.4)
    async with database.transaction() as session:
        (node,) = await session.scalars(select(NodeRow))
    assert (node.id, node.address, node.lost) == ("node0", "node0.test", False)


async def test_what_is_gone_is_lost_and_forgotten_with_its_orders_after_a_while(database: Database) -> None:
    farm = FakeFarm(slots=2, nodes=2)
    await drain(database, "node1-cpu1")
    await drain(database, "node1")
    await drain(database, "node0-cpu0")
    async with scheduling(database, farm):
        await until_seen(database, "node1-cpu1", is_in(WorkerState.DRAINED))
        farm.remove_node("node1")
        await until_seen(database, "node1-cpu1", is_in(WorkerState.LOST))
        async with database.transaction() as session:
            assert (await session.get_one(NodeRow, "node1")).lost
            await session.execute(update(NodeRow).values(seen_at=utc_now() - timedelta(hours=2)))

        async def left() -> bool:
            async with database.transaction() as session:
                nodes = set(await session.scalars(select(NodeRow.id)))
                slots = set(await session.scalars(select(WorkerRow.slot)))
                drained = set(await session.scalars(select(DrainRow.target)))
            return (nodes, slots, drained) == ({"node0"}, {"node0-cpu0"}, {"node0-cpu0"})

        await eventually(left, "only what is there is remembered")


async def test_workers_are_counted_by_their_state(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[tuple[str, str], int]] = []
    monkeypatch.setattr("monitoring.metrics.show_workers", lambda counts: shown.append(dict(counts)))
    farm = FakeFarm(slots=3)
    await drain(database, farm.workers["2.0"].slot)
    _, (task_id,) = await enqueue(database)
    async with scheduling(database, farm):
        await until_running(farm, task_id)
        expected = {("cpu", "busy"): 1, ("cpu", "idle"): 1, ("cpu", "drained"): 1}
        await until(lambda: shown[-1:] == [expected], "they are counted so")
        farm.finish(task_id, OutcomeClass.SUCCEEDED)


async def play(database: Database, farm: FakeFarm, fail: Callable[[str, int], None], *, tasks: int) -> list[str]:
    """Run tasks until they are over: whatever starts on the first slot fails, and everything succeeds elsewhere."""
    _, ids = await enqueue(database, tasks)
    failures = 0
    while None in [(await row(database, task_id)).finished_at for task_id in ids]:
        for name, worker in list(farm.workers.items()):
            if worker.assignment is not None and name.startswith("0."):
                failures += 1
                fail(worker.assignment.task_id, failures)
            elif worker.assignment is not None:
                farm.finish(worker.assignment.task_id)
        await asyncio.sleep(0.01)
    return ids


async def orders_about(database: Database, slot: str) -> tuple[DrainRow | None, list[RestartRow]]:
    async with database.transaction() as session:
        restarts = await session.scalars(select(RestartRow).where(RestartRow.slot == slot))
        return await session.get(DrainRow, slot), list(restarts)


async def test_a_worker_whose_tasks_succeed_elsewhere_is_drained_and_restarted(database: Database) -> None:
    farm = FakeFarm(slots=2)
    slot = farm.workers["0.0"].slot

    def fail(task_id: str, number: int) -> None:
        farm.finish(task_id, OutcomeClass.TASK, error_message=f"mishap {number}")

    async with scheduling(database, farm, config=replace(CONFIG, max_attempts=100)):
        ids = await play(database, farm, fail, tasks=40)
        seen = await until_seen(database, slot, lambda it: (it.worker, it.state) == ("0.1", WorkerState.DRAINED))
        drain, restarts = await orders_about(database, slot)
    assert {(await row(database, task_id)).state for task_id in ids} == {TaskState.SUCCEEDED}
    assert (seen.failures, (seen.last_failure or "")[:6]) == (3, "mishap")
    assert drain is not None
    assert drain.until is not None
    assert (drain.ordered_by, [it.worker for it in restarts]) == ("the scheduler", ["0.0"])
    assert (
        drain.reason == restarts[0].reason == f"failed 3 different tasks in a row, the last with: {seen.last_failure}"
    )
    assert farm.killed == [("0.0", f"restarted: {drain.reason}")]


async def test_a_slot_whose_workers_die_of_different_tasks_sits_out_for_a_while(database: Database) -> None:
    farm = FakeFarm(slots=2)
    slot = farm.workers["0.0"].slot

    def fail(task_id: str, number: int) -> None:
        farm.lose(farm.worker_of(task_id), message=f"death {number}")

    async with scheduling(database, farm):
        await play(database, farm, fail, tasks=40)
        await until_seen(database, slot, is_in(WorkerState.DRAINED))
        drain, restarts = await orders_about(database, slot)
        assert drain is not None
        assert "death" in drain.reason
        assert [it.reason for it in restarts] == [drain.reason]
        async with database.transaction() as session:
            await session.execute(update(DrainRow).values(until=utc_now()))
        back = await until_seen(database, slot, is_in(WorkerState.IDLE))
        assert back.failures >= 3
        _, ids = await enqueue(database, 2)
        for task_id in ids:
            await until_running(farm, task_id)
            farm.finish(task_id)
        back = await until_seen(database, slot, lambda it: it.failures == 0)
        assert back.last_failure is None
        assert (await orders_about(database, slot))[0] is None, "what is over is forgotten"
    assert farm.killed == [], "the processes that failed were gone already"


async def test_what_an_operator_ends_is_nobodys_failure(database: Database) -> None:
    farm = FakeFarm(slots=1)
    slot = farm.workers["0.0"].slot
    async with scheduling(database, farm):
        for _ in range(3):
            _, (task_id,) = await enqueue(database)
            worker = await until_running(farm, task_id)
            await restart(database, farm, worker, at_once=True)
            await until_running(farm, task_id, epoch=2)
            farm.workers[farm.worker_of(task_id)].stubborn = True
            async with database.transaction() as session:
                await queue.cancel_tasks(session, [task_id])
            await until_state(database, task_id, TaskState.CANCELLED)
        assert (await until_seen(database, slot, is_in(WorkerState.IDLE))).failures == 0
    assert len(farm.killed) == 6


async def test_a_pause_gives_way_to_an_operators_drain(database: Database) -> None:
    async with database.transaction() as session:
        await orders.drain(session, "node0-cpu0", reason="new fans", ordered_by="test")
        await orders.pause(session, "node0-cpu0", reason="it fails", pause_s=1)
        await orders.pause(session, "node0-cpu1", reason="it fails", pause_s=1)
        await orders.pause(session, "node0-cpu1", reason="it goes on failing", pause_s=1000)
        await orders.pause(session, "node0-cpu2", reason="it failed", pause_s=-1)
        assert (await orders.load(session)).drained == {"node0-cpu0", "node0-cpu1"}
        kept, longer = [await session.get_one(DrainRow, f"node0-cpu{number}") for number in range(2)]
    assert (kept.reason, kept.until) == ("new fans", None)
    assert (longer.reason, longer.until is not None) == ("it goes on failing", True)
