"""Tasks that are made together, as the loop starts, cancels and loses them."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest

from models.specs import ArtStyle, ImageSpec
from runtime.database import Database
from scheduler import queue
from scheduler.task import OutcomeClass, TaskState
from scheduler.testing import FakeFarm
from scheduler.warmth import ModelProfile
from tests.integration.farm.tasks import enqueue, row
from tests.integration.farm.test_loop import scheduling, until, until_running, until_state

SPEC = ImageSpec(prompt="p", width=64, height=64, style=ArtStyle(style_name="ink"))
MODELS = {"m": ModelProfile(batch=4)}


async def pictures(database: Database, count: int = 1) -> list[str]:
    return (await enqueue(database, count, kind="text_to_image", spec=SPEC))[1]


@pytest.fixture
async def farm(database: Database) -> AsyncIterator[FakeFarm]:
    """One worker, which was seen to take ten seconds for a picture and six for each of two."""
    made = FakeFarm(slots=1)
    async with scheduling(database, made, models=MODELS):
        ids = await together(database, made, 2)
        for task_id in ids:
            made.finish(task_id, duration_s=6.0, batch=2)
            await until_state(database, task_id, TaskState.SUCCEEDED)
        yield made


async def together(database: Database, farm: FakeFarm, count: int) -> list[str]:
    """Pictures that one worker makes together, after another that was under way."""
    (before,) = await pictures(database)
    await until_running(farm, before)
    ids = await pictures(database, count)
    farm.finish(before, duration_s=10.0)
    for task_id in ids:
        await until_running(farm, task_id)
    return ids


async def test_a_batch_is_handed_over_whole_and_its_worker_is_free_after_the_last(
    database: Database, farm: FakeFarm
) -> None:
    ids = await together(database, farm, 4)
    assert farm.workers["0.0"].assignments.keys() == set(ids)
    (following,) = await pictures(database)
    for task_id in ids:
        assert (following, 1) not in farm.executions
        farm.finish(task_id, duration_s=5.0, batch=4, result={"of": task_id})
    await until_running(farm, following)
    for task_id in ids:
        done = await until_state(database, task_id, TaskState.SUCCEEDED)
        assert (done.result, done.duration_s) == ({"of": task_id}, 5.0)


async def test_one_of_a_batch_that_is_cancelled_costs_no_other_anything(database: Database, farm: FakeFarm) -> None:
    unwanted, wanted = await together(database, farm, 2)
    worker = farm.workers["0.0"]
    worker.stubborn = True
    async with database.transaction() as session:
        await queue.cancel_tasks(session, [unwanted])
    asked = worker.answers
    await until(lambda: worker.answers > asked + 30, "more than the grace passes")
    assert farm.killed == []
    farm.finish(wanted)
    await until_state(database, wanted, TaskState.SUCCEEDED)
    await until(lambda: farm.killed, "what is left was asked to stop, and does not")
    await until_state(database, unwanted, TaskState.CANCELLED)


async def test_what_was_lost_with_its_batch_is_made_alone(database: Database, farm: FakeFarm) -> None:
    ids = await together(database, farm, 4)
    farm.lose("0.0", OutcomeClass.WORKER, "out of memory")
    for number in range(4):
        await until(lambda: farm.workers["0.1"].assignments, "it goes on")
        (again,) = farm.workers["0.1"].assignments
        assert farm.executions.count((again, 2)) == 1, number
        farm.finish(again)
        await until_state(database, again, TaskState.SUCCEEDED)
    assert [(await row(database, task_id)).farm_failures for task_id in ids] == [1] * 4
    assert farm.killed == [], "four tasks were lost, but that is one failure of the slot"


async def test_a_successor_joins_a_batch_where_it_runs(database: Database) -> None:
    made = FakeFarm(slots=1)
    async with scheduling(database, made, models=MODELS):
        ids = await together(database, made, 2)
    async with scheduling(database, made, models=MODELS):
        await until(lambda: len(made.calls) == 5, "both are sent again")
        assert made.calls[-2:] == [("0.0", (task_id, 1)) for task_id in ids]
        for task_id in ids:
            made.finish(task_id)
            await until_state(database, task_id, TaskState.SUCCEEDED)
    assert max(Counter(made.executions).values()) == 1
