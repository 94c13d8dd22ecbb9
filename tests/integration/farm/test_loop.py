"""The scheduler's loop on a real PostgreSQL, over a farm in memory whose workers misbehave on demand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from runtime.database import Database
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.redis import WAKE_REACTIONS, connect
from scheduler import queue, retries
from scheduler.leader import try_to_lead
from scheduler.loop import Scheduler
from scheduler.loop_config import LoopConfig
from scheduler.ports import Assignment, FarmLostError
from scheduler.tables import AttemptRow, TaskRow
from scheduler.task import OutcomeClass, TaskState
from scheduler.testing import FakeFarm
from scheduler.warmth import ModelProfile
from tests.integration.farm.conftest import eventually
from tests.integration.farm.tasks import enqueue, row

CONFIG = LoopConfig(
    lease_s=0.4,
    poll_interval_s=0.02,
    max_attempts=3,
    cancel_grace_s=0.3,
    slow_poll_s=0.1,
    progress_interval_s=0.05,
)


@asynccontextmanager
async def scheduling(
    database: Database,
    farm: FakeFarm,
    *,
    redis_url: str = "redis://127.0.0.1:1",
    config: LoopConfig = CONFIG,
    models: dict[str, ModelProfile] | None = None,
) -> AsyncIterator[asyncio.Task[None]]:
    """A scheduler at work; by default without a Redis, so that everything also works by polling."""
    client = connect(redis_url)
    leadership = await try_to_lead(database)
    assert leadership is not None
    scheduler = Scheduler(database, client, farm, leadership=leadership, models=models or {}, config=config)
    task = asyncio.create_task(scheduler.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await leadership.resign(database)
        await client.aclose()


async def until(condition: Callable[[], Any], what: str) -> None:
    async def ask() -> bool:
        return bool(condition())

    await eventually(ask, what)


async def until_running(farm: FakeFarm, task_id: str, epoch: int = 1) -> str:
    await until(lambda: (task_id, epoch) in farm.executions, f"attempt {epoch} begins")
    return farm.worker_of(task_id)


async def until_state(database: Database, task_id: str, state: TaskState) -> TaskRow:
    async def ask() -> TaskRow | None:
        task = await row(database, task_id)
        return task if task.state == state else None

    found = await eventually(ask, f"{task_id} is {state}")
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "_BACKOFF_BASE_S", 0.02)


async def test_tasks_run_one_by_one_on_a_worker_and_succeed(database: Database) -> None:
    farm = FakeFarm(slots=1)
    _, ids = await enqueue(database, 3)
    async with scheduling(database, farm):
        for task_id in ids:
            await until_running(farm, task_id)
            assert len(farm.executions) == ids.index(task_id) + 1
            farm.finish(task_id, result={"of": task_id}, duration_s=0.5)
        for task_id in ids:
            task = await until_state(database, task_id, TaskState.SUCCEEDED)
            assert (task.result, task.epoch, task.duration_s) == ({"of": task_id}, 1, 0.5)


async def test_duplicate_and_late_reports_change_nothing(database: Database) -> None:
    farm = FakeFarm(slots=1)
    _, (first,) = await enqueue(database)
    async with scheduling(database, farm):
        lost = await until_running(farm, first)
        farm.lose(lost)
        await until_running(farm, first, epoch=2)
        _, (second,) = await enqueue(database)
        report = farm.finish(first, result={"take": 2})
        farm.deliver(report.model_copy(update={"result": {"take": 3}}))
        farm.deliver(report.model_copy(update={"epoch": 1, "worker": lost, "result": {"take": 1}}))
        await until_running(farm, second)
        farm.deliver(report)
        farm.finish(second)
        await until_state(database, second, TaskState.SUCCEEDED)
    assert (await row(database, first)).result == {"take": 2}
    assert farm.executions == [(first, 1), (first, 2), (second, 1)]


async def test_a_lost_worker_costs_its_own_task_one_more_attempt_and_nothing_else(database: Database) -> None:
    farm = FakeFarm(slots=2)
    _, (hit, spared) = await enqueue(database, 2)
    async with scheduling(database, farm):
        await until_running(farm, spared)
        farm.lose(await until_running(farm, hit), message="kill -9")
        await until_running(farm, hit, epoch=2)
        farm.finish(hit)
        farm.finish(spared)
        task = await until_state(database, hit, TaskState.SUCCEEDED)
        await until_state(database, spared, TaskState.SUCCEEDED)
    assert (task.farm_failures, task.task_failures) == (1, 0)
    assert sorted(farm.executions) == sorted([(hit, 1), (hit, 2), (spared, 1)])
    async with database.transaction() as session:
        first = await session.get_one(AttemptRow, (hit, 1))
    assert (first.outcome, first.error_message) == (OutcomeClass.WORKER, "kill -9")


async def test_an_attempt_that_left_its_manifest_before_its_worker_died_is_not_run_again(
    database: Database,
) -> None:
    farm = FakeFarm(slots=1)
    _, (task_id,) = await enqueue(database)
    async with scheduling(database, farm):
        worker = await until_running(farm, task_id)
        report = farm.finish(task_id, result={"take": 1})
        farm.events.get_nowait()  # the report is lost on its way
        farm.lose(worker)
        task = await until_state(database, task_id, TaskState.SUCCEEDED)
    assert task.result == report.result
    assert farm.executions == [(task_id, 1)]


async def test_a_silent_worker_is_found_by_its_lease(database: Database) -> None:
    farm = FakeFarm(slots=1)
    _, (task_id,) = await enqueue(database)
    async with scheduling(database, farm):
        worker = await until_running(farm, task_id)
        farm.workers[worker].silent = True
        await until_running(farm, task_id, epoch=2)
    assert [name for name, _ in farm.killed] == [worker]
    assert "did not answer" in farm.killed[0][1]


async def test_a_worker_without_progress_is_found_by_its_phase_budget(database: Database) -> None:
    farm = FakeFarm(slots=1, budget_s=5)
    _, (task_id,) = await enqueue(database)
    async with scheduling(database, farm):
        worker = await until_running(farm, task_id)
        farm.workers[worker].stalled_s = 4.9
        farm.workers[worker].fraction = 0.5
        await until_progress(database, task_id, 0.5)
        assert farm.killed == []
        farm.workers[worker].stalled_s = 5.1
        await until_running(farm, task_id, epoch=2)
    assert "no progress for 5.1 s while in phase run" in farm.killed[0][1]


async def until_progress(database: Database, task_id: str, fraction: float) -> None:
    async def ask() -> bool:
        return (await row(database, task_id)).progress == fraction

    await eventually(ask, f"progress {fraction} is stored")


async def test_a_cancelled_task_stops_at_its_next_step_and_frees_its_worker(database: Database) -> None:
    farm = FakeFarm(slots=1)
    job_id, (running, waiting) = await enqueue(database, 2)
    _, (other,) = await enqueue(database)
    async with scheduling(database, farm):
        await until_running(farm, running)
        async with database.transaction() as session:
            await queue.cancel_job(session, job_id)
        await until_running(farm, other)
        assert (await until_state(database, running, TaskState.CANCELLED)).outcome == OutcomeClass.CANCELLED
    assert (await row(database, waiting)).epoch == 0
    assert farm.killed == []


async def test_a_worker_that_ignores_cancelling_is_killed_after_a_grace(database: Database) -> None:
    farm = FakeFarm(slots=1)
    job_id, (task_id,) = await enqueue(database)
    async with scheduling(database, farm):
        worker = await until_running(farm, task_id)
        farm.workers[worker].stubborn = True
        async with database.transaction() as session:
            await queue.cancel_job(session, job_id)
        await until_state(database, task_id, TaskState.CANCELLED)
    assert [name for name, _ in farm.killed] == [worker]
    assert farm.executions == [(task_id, 1)]


@pytest.mark.parametrize("phase", ["load", "compile", "decode"])
async def test_a_phase_without_steps_is_waited_for_before_the_grace_begins(database: Database, phase: str) -> None:
    farm = FakeFarm(slots=1)
    job_id, (task_id,) = await enqueue(database)
    async with scheduling(database, farm, config=replace(CONFIG, cancel_grace_s=0.1)):
        name = await until_running(farm, task_id)
        worker = farm.workers[name]
        worker.stubborn, worker.phase = True, phase
        answers = worker.answers
        await until(lambda: worker.answers > answers + 1, "the scheduler knows the phase")
        async with database.transaction() as session:
            await queue.cancel_job(session, job_id)
        await asyncio.sleep(0.5)
        assert farm.killed == []
        worker.phase = "run"
        await until_state(database, task_id, TaskState.CANCELLED)
    assert [killed for killed, _ in farm.killed] == [name]


async def test_a_poison_task_fails_after_its_attempts_and_says_why(database: Database) -> None:
    farm = FakeFarm(slots=1)
    _, (task_id,) = await enqueue(database)
    async with scheduling(database, farm):
        for epoch in (1, 2, 3):
            await until_running(farm, task_id, epoch)
            farm.finish(task_id, OutcomeClass.TASK, error_message=f"take {epoch} went wrong")
        task = await until_state(database, task_id, TaskState.FAILED)
    assert (task.outcome, task.error_message, task.task_failures) == ("task", "take 3 went wrong", 3)


async def test_a_users_mistake_fails_at_once_and_names_the_field(database: Database) -> None:
    farm = FakeFarm(slots=1)
    _, (task_id,) = await enqueue(database)
    async with scheduling(database, farm):
        await until_running(farm, task_id)
        farm.finish(task_id, OutcomeClass.USER, error_message="no such voice", error_field="voice")
        task = await until_state(database, task_id, TaskState.FAILED)
    assert (task.error_message, task.error_field) == ("no such voice", "voice")
    assert farm.executions == [(task_id, 1)]


async def test_a_result_that_the_database_refuses_fails_its_task_and_not_the_loop(database: Database) -> None:
    farm = FakeFarm(slots=2)
    _, (bad, good, later) = await enqueue(database, 3)
    async with scheduling(database, farm, config=replace(CONFIG, max_attempts=1)):
        for task_id in (bad, good):
            await until_running(farm, task_id)
        farm.finish(bad, result={"text": "a\x00b"})
        farm.finish(good)  # at the same moment, and settled with it
        await until_running(farm, later)
        farm.finish(later)
        await until_state(database, later, TaskState.SUCCEEDED)
        await until_state(database, good, TaskState.SUCCEEDED)
    task = await row(database, bad)
    assert (task.state, task.outcome) == (TaskState.FAILED, OutcomeClass.TASK)
    assert "cannot be stored" in (task.error_message or "")


async def test_a_new_scheduler_joins_what_runs_and_runs_nothing_again(database: Database) -> None:
    farm = FakeFarm(slots=3)
    _, (running, ended, waiting) = await enqueue(database, 3)
    farm.workers.popitem()
    async with scheduling(database, farm):
        await until_running(farm, running)
        await until_running(farm, ended)
    farm.finish(ended, result={"while": "nobody looked"})
    async with scheduling(database, farm):
        await until_state(database, ended, TaskState.SUCCEEDED)
        await until_running(farm, waiting)
        farm.finish(running)
        farm.finish(waiting)
        for task_id in (running, waiting):
            await until_state(database, task_id, TaskState.SUCCEEDED)
    assert sorted(farm.executions) == sorted([(running, 1), (ended, 1), (waiting, 1)])
    assert farm.calls.count((farm.calls[0][0], (running, 1))) == 2


async def test_a_new_scheduler_requeues_what_ran_on_workers_that_are_gone(database: Database) -> None:
    farm = FakeFarm(slots=1)
    _, (task_id,) = await enqueue(database)
    async with scheduling(database, farm):
        await until_running(farm, task_id)
    successor_farm = FakeFarm(slots=1)
    successor_farm.workers = {"0.7": successor_farm.workers["0.0"]}
    async with scheduling(database, successor_farm):
        await until_running(successor_farm, task_id, epoch=2)


async def test_an_attempt_that_the_database_does_not_know_is_stopped(database: Database) -> None:
    farm = FakeFarm(slots=1)
    _, (task_id,) = await enqueue(database)
    stray = Assignment("tsk_stray", 3, "speech", "m", {}, "job", "prj", "label", "r", {})
    farm.start("0.0", stray)
    async with scheduling(database, farm):
        await until_running(farm, task_id)
    assert farm.executions == [stray.attempt, (task_id, 1)]
    assert farm.manifests[stray.attempt].outcome is OutcomeClass.CANCELLED


async def test_finished_tasks_are_announced_and_new_ones_are_heard_of(database: Database, redis_url: str) -> None:
    farm = FakeFarm(slots=1)
    client = connect(redis_url)
    slow = replace(CONFIG, slow_poll_s=3600, progress_interval_s=3600)
    async with client.pubsub() as announcements, scheduling(database, farm, redis_url=redis_url, config=slow):
        await announcements.subscribe(WAKE_REACTIONS)

        async def listens() -> bool:
            return (await client.pubsub_numsub("reelfarm:wake:scheduler"))[0][1] == 1

        await eventually(listens, "the scheduler listens")
        _, (task_id,) = await enqueue(database)
        await queue.wake_scheduler(client)
        await until_running(farm, task_id)
        farm.finish(task_id)

        async def announced() -> bool:
            message = await announcements.get_message(ignore_subscribe_messages=True, timeout=1)
            return message is not None

        await eventually(announced, "the end is announced")
        await until_state(database, task_id, TaskState.SUCCEEDED)
    await client.aclose()


async def test_a_restart_of_the_database_loses_nothing(database: Database, postgres: EmbeddedPostgres) -> None:
    farm = FakeFarm(slots=2)
    _, (first, second, third) = await enqueue(database, 3)
    async with scheduling(database, farm) as scheduler:
        await until_running(farm, first)
        await until_running(farm, second)
        # On this thread: the server ends with the thread that started it.
        postgres.stop()
        farm.finish(first, result={"take": 1})
        farm.lose(farm.worker_of(second))
        await asyncio.sleep(0.3)
        postgres.start()
        await until_state(database, first, TaskState.SUCCEEDED)
        await until_running(farm, third)
        await until_running(farm, second, epoch=2)
        farm.finish(second)
        farm.finish(third)
        await until_state(database, second, TaskState.SUCCEEDED)
        await until_state(database, third, TaskState.SUCCEEDED)
        assert not scheduler.done()
    assert sorted(farm.executions) == sorted([(first, 1), (second, 1), (second, 2), (third, 1)])


async def test_the_end_of_the_farm_ends_the_loop(database: Database) -> None:
    farm = FakeFarm(slots=1)
    async with scheduling(database, farm) as scheduler:
        farm.vanish()
        with pytest.raises(ExceptionGroup) as caught:
            await scheduler
    assert caught.group_contains(FarmLostError)


async def test_no_task_is_lost_while_workers_die_all_the_time(database: Database) -> None:
    farm = FakeFarm(slots=4)
    _, ids = await enqueue(database, 40)
    done: set[str] = set()
    async with scheduling(database, farm):
        deaths = 0
        while len(done) < len(ids):
            for name, worker in list(farm.workers.items()):
                if worker.assignment is None:
                    continue
                task_id, epoch = worker.assignment.attempt
                if epoch == 1 and ids.index(task_id) % 3 == 0:
                    farm.lose(name)
                    deaths += 1
                else:
                    farm.deliver(farm.finish(task_id))
                    done.add(task_id)
            await asyncio.sleep(0)
        for task_id in ids:
            await until_state(database, task_id, TaskState.SUCCEEDED)
    assert len(farm.executions) == len(ids) + deaths
    async with database.transaction() as session:
        committed = (await session.scalars(select(AttemptRow).where(AttemptRow.outcome == "succeeded"))).all()
    assert sorted(attempt.task_id for attempt in committed) == sorted(ids)
