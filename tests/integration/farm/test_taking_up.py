"""Attempts that a scheduler left on one worker when it died: one had ended there, and the next one was begun."""

from runtime.database import Database
from scheduler import ledger
from scheduler.task import TaskState
from scheduler.testing import FakeFarm
from tests.integration.farm.tasks import enqueue, row
from tests.integration.farm.test_loop import scheduling, until_running, until_state


async def begin(database: Database, farm: FakeFarm, task_id: str) -> None:
    async with database.transaction() as session:
        (attempt,) = await ledger.start_attempts(session, [(task_id, "0.0")], generation=1, lease_s=10)
    farm.start("0.0", attempt.assignment)


async def left_behind(database: Database, farm: FakeFarm) -> tuple[str, str]:
    """A worker is free as soon as it says so, while the end of its attempt is yet to be written down. The task that
    ended came into the queue last."""
    _, (running, ended) = await enqueue(database, 2)
    await begin(database, farm, ended)
    farm.finish(ended, result={"while": "nobody looked"})
    await begin(database, farm, running)
    return running, ended


async def test_both_are_settled_and_neither_runs_again(database: Database) -> None:
    farm = FakeFarm(slots=1)
    running, ended = await left_behind(database, farm)
    async with scheduling(database, farm):
        await until_state(database, ended, TaskState.SUCCEEDED)
        assert (await row(database, running)).state == TaskState.RUNNING
        farm.finish(running)
        await until_state(database, running, TaskState.SUCCEEDED)
    assert farm.executions == [(ended, 1), (running, 1)]


async def test_a_worker_that_dies_meanwhile_costs_what_it_was_doing(database: Database) -> None:
    farm = FakeFarm(slots=1)
    running, ended = await left_behind(database, farm)
    farm._reports.clear()  # it is not heard from; what it left as its last act is there
    async with scheduling(database, farm):
        farm.lose("0.0")
        await until_state(database, ended, TaskState.SUCCEEDED)
        await until_running(farm, running, epoch=2)
    assert farm.executions == [(ended, 1), (running, 1), (running, 2)]
