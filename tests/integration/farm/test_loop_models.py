"""What the loop tells the policy, and what it tells workers, about models and ends."""

from dataclasses import replace

import pytest
import structlog
from sqlalchemy import select, update
from structlog.testing import LogCapture

from runtime.database import Database, utc_now
from scheduler import loop
from scheduler.tables import AttemptRow, TaskRow
from scheduler.testing import FakeFarm
from scheduler.warmth import ModelProfile
from tests.integration.farm.conftest import eventually
from tests.integration.farm.tasks import enqueue
from tests.integration.farm.test_loop import CONFIG, scheduling, until, until_running
from tests.integration.farm.test_orders import drain, undrain


async def test_a_busy_worker_is_told_which_model_comes_next(database: Database) -> None:
    farm = FakeFarm(slots=1)
    _, (first,) = await enqueue(database, model="first")
    async with scheduling(database, farm):
        await until_running(farm, first)
        await enqueue(database, 2, model="second")
        await until(lambda: farm.prepared, "the worker is told")
        farm.finish(first)
        await until(lambda: len(farm.executions) == 2, "the next task begins")
    assert farm.prepared[0] == ("0.0", "second")


async def test_no_more_workers_are_told_of_a_model_than_tasks_wait_for_it(database: Database) -> None:
    farm = FakeFarm(slots=4)
    _, ids = await enqueue(database, 4, model="first")
    async with scheduling(database, farm):
        for task_id in ids:
            await until_running(farm, task_id)
        await enqueue(database, 2, model="second")
        await until(lambda: len(farm.prepared) >= 2, "workers are told")
        asked = farm.workers["0.0"].answers
        await until(lambda: farm.workers["0.0"].answers > asked + 5, "some rounds pass")
    assert len({worker for worker, model in farm.prepared if model == "second"}) == len(farm.prepared) == 2


async def test_an_end_that_changes_nothing_gives_its_tenant_room(database: Database) -> None:
    farm = FakeFarm(slots=2)
    _, (first, second) = await enqueue(database, 2)
    async with scheduling(database, farm, config=replace(CONFIG, tenant_limit=1)):
        await until_running(farm, first)
        async with database.transaction() as session:
            ended = {"state": "cancelled", "outcome": "cancelled", "finished_at": utc_now()}
            await session.execute(update(TaskRow).where(TaskRow.id == first).values(**ended))
        assert (second, 1) not in farm.executions
        farm.finish(first)
        await until_running(farm, second)


async def test_what_a_busy_worker_is_loading_counts_as_there(database: Database) -> None:
    slow = ModelProfile(size_gb=1.0, peak_gb=1.0, hot_load_s=60.0, cold_load_s=60.0)
    farm = FakeFarm(slots=2)
    async with scheduling(database, farm, models={"slow": slow}):
        _, (first,) = await enqueue(database, model="slow")
        busy = await until_running(farm, first)
        asked = farm.workers[busy].answers
        await until(lambda: farm.workers[busy].answers > asked + 1, "it answers that it has nothing yet")
        _, (second,) = await enqueue(database, model="slow")
        other = next(worker for worker in farm.workers if worker != busy)
        asked = farm.workers[other].answers
        await until(lambda: farm.workers[other].answers > asked + 5, "some rounds pass")
        assert (second, 1) not in farm.executions, "a second copy does not pay"
        farm.workers[busy].resident = ("slow",)
        farm.finish(first)
        assert await until_running(farm, second) == busy


async def test_a_task_waits_for_a_worker_that_was_found_able_to_do_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = LogCapture()
    monkeypatch.setattr(loop, "log", structlog.wrap_logger(structlog.PrintLogger(), processors=[said]))
    farm = FakeFarm(slots=2, device="gpu")
    models = {"m": ModelProfile(device="gpu", needs=frozenset({"nvenc"}))}
    why = "no worker can run the tasks of this model"
    async with scheduling(database, farm, models=models):
        _, (task_id,) = await enqueue(database)
        await until(lambda: any(line["event"] == why for line in said.entries), "it is said why nothing happens")
        asked = farm.workers["1.0"].answers
        await until(lambda: farm.workers["1.0"].answers > asked + 5, "some rounds pass")
        assert farm.executions == []
        farm.workers["1.0"].capabilities = ("nvenc",)
        assert await until_running(farm, task_id) == "1.0"
    assert [line["model"] for line in said.entries if line["event"] == why] == ["m"], "once"


async def test_a_model_goes_to_a_worker_whose_memory_it_fits(database: Database) -> None:
    farm = FakeFarm(slots=2, device="gpu")
    farm.workers["0.0"].vram_gb, farm.workers["1.0"].vram_gb = 16.0, 48.0
    large = ModelProfile(device="gpu", size_gb=30.0, peak_gb=30.0)
    async with scheduling(database, farm, models={"m": large, "small": replace(large, size_gb=8.0, peak_gb=8.0)}):
        await until(lambda: all(worker.answers for worker in farm.workers.values()), "both say what they have")
        _, (first, second) = await enqueue(database, 2)
        assert await until_running(farm, first) == "1.0"
        _, (little,) = await enqueue(database, model="small")
        assert await until_running(farm, little) == "0.0"
        farm.finish(little, peak_gb=20.4)
        farm.finish(first)
        assert await until_running(farm, second) == "1.0"
        await until_measured(database, little, 20.4)
        _, (again,) = await enqueue(database, model="small")
        asked = farm.workers["0.0"].answers
        await until(lambda: farm.workers["0.0"].answers > asked + 5, "some rounds pass")
        assert (again, 1) not in farm.executions, "it turned out to need more than the free worker has"
        farm.finish(second)
        assert await until_running(farm, again) == "1.0"


async def test_while_the_largest_worker_is_drained_another_does_what_it_can(database: Database) -> None:
    farm = FakeFarm(slots=2, device="gpu")
    farm.workers["0.0"].vram_gb, farm.workers["1.0"].vram_gb = 16.0, 48.0
    async with scheduling(database, farm, models={"m": ModelProfile(device="gpu", size_gb=30.0, peak_gb=30.0)}):
        await until(lambda: all(worker.answers for worker in farm.workers.values()), "both say what they have")
        await drain(database, farm.workers["1.0"].slot)
        _, (first,) = await enqueue(database)
        assert await until_running(farm, first) == "0.0", "it keeps a part of it in host memory"
        await undrain(database, farm.workers["1.0"].slot)
        _, (second,) = await enqueue(database)
        assert await until_running(farm, second) == "1.0"


async def until_measured(database: Database, task_id: str, peak_gb: float) -> None:
    async def measured() -> bool:
        async with database.transaction() as session:
            return await session.scalar(select(AttemptRow.peak_gb).where(AttemptRow.task_id == task_id)) == peak_gb

    await eventually(measured, "what was measured is kept")
