"""How attempts start and are settled, alone and many in one transaction, on a real PostgreSQL."""

import asyncio

from sqlalchemy import select

from runtime.database import Database
from scheduler import ledger, queue
from scheduler.ports import AttemptReport
from scheduler.tables import AttemptRow, TaskRow
from scheduler.task import OutcomeClass, TaskState
from tests.integration.farm.tasks import commit, enqueue, report, row, start


async def test_a_second_report_of_the_same_attempt_changes_nothing(database: Database) -> None:
    _, (task_id,) = await enqueue(database)
    await start(database, task_id)
    assert await commit(database, report(task_id, result={"take": 1})) is TaskState.SUCCEEDED
    assert await commit(database, report(task_id, result={"take": 2})) is None
    assert await commit(database, report(task_id, outcome=OutcomeClass.TASK)) is None
    assert (await row(database, task_id)).result == {"take": 1}


async def test_a_late_report_of_an_earlier_attempt_changes_nothing(database: Database) -> None:
    _, (task_id,) = await enqueue(database)
    await start(database, task_id)
    assert await commit(database, report(task_id, outcome=OutcomeClass.WORKER)) is TaskState.QUEUED
    await start(database, task_id)
    assert await commit(database, report(task_id, epoch=1, result={"take": 1})) is None
    assert (await row(database, task_id)).state == TaskState.RUNNING
    assert await commit(database, report(task_id, epoch=2, result={"take": 2})) is TaskState.SUCCEEDED
    assert (await row(database, task_id)).result == {"take": 2}


async def test_many_reports_at_once_commit_once(database: Database) -> None:
    _, (task_id,) = await enqueue(database)
    await start(database, task_id)
    states = await asyncio.gather(*(commit(database, report(task_id, result={"take": take})) for take in range(8)))
    assert sorted(states, key=str) == [None] * 7 + [TaskState.SUCCEEDED]


async def test_many_schedulers_at_once_start_a_task_once(database: Database) -> None:
    _, ids = await enqueue(database, 5)
    started = await asyncio.gather(*(start(database, *ids) for _ in range(6)))
    assert sorted(attempt.assignment.task_id for attempts in started for attempt in attempts) == sorted(ids)
    assert [(await row(database, task_id)).epoch for task_id in ids] == [1] * 5


async def commit_all(database: Database, *reports: AttemptReport) -> dict[str, TaskState | None]:
    async with database.transaction() as session:
        verdicts = await ledger.commit_outcomes(session, reports, max_attempts=3)
    return {task_id: verdict and verdict.state for (task_id, _), verdict in verdicts.items()}


async def test_attempts_that_end_together_are_settled_each_in_its_own_way(database: Database) -> None:
    _, (good, poor, lost, unwanted) = await enqueue(database, 4)
    await start(database, good, poor, lost, unwanted)
    async with database.transaction() as session:
        await queue.cancel_tasks(session, [unwanted])
    states = await commit_all(
        database,
        report(good, result={"take": 1}, duration_s=2.0, timings_s={"run": 2.0}, log_key="logs/good"),
        report(poor, outcome=OutcomeClass.USER, error_message="no such voice", error_field="voice"),
        report(lost, outcome=OutcomeClass.WORKER, error_message="gone"),
        report(unwanted),
    )
    assert states == {
        good: TaskState.SUCCEEDED,
        poor: TaskState.FAILED,
        lost: TaskState.QUEUED,
        unwanted: TaskState.CANCELLED,
    }
    rows = {task_id: await row(database, task_id) for task_id in states}
    assert {task_id: found.state for task_id, found in rows.items()} == states
    assert (rows[good].result, rows[good].duration_s, rows[good].progress) == ({"take": 1}, 2.0, 1.0)
    assert (rows[poor].error_message, rows[poor].error_field, rows[poor].task_failures) == (
        "no such voice",
        "voice",
        1,
    )
    assert (rows[lost].farm_failures, rows[lost].not_before is None, rows[lost].finished_at) == (1, False, None)
    assert rows[unwanted].result is None
    async with database.transaction() as session:
        attempts = {found.task_id: found for found in await session.scalars(select(AttemptRow))}
    assert {task_id: found.outcome for task_id, found in attempts.items()} == {
        good: "succeeded",
        poor: "user",
        lost: "worker",
        unwanted: "succeeded",
    }
    assert (attempts[good].timings, attempts[good].log_key) == ({"run": 2.0}, "logs/good")


async def test_among_many_a_held_task_and_a_late_report_are_left_out_and_hold_up_nobody(database: Database) -> None:
    _, (free, held, late) = await enqueue(database, 3)
    await start(database, free, held, late)
    assert await commit(database, report(late)) is TaskState.SUCCEEDED
    async with database.transaction() as other:
        await other.execute(select(TaskRow).where(TaskRow.id == held).with_for_update())
        async with asyncio.timeout(10):
            assert await commit_all(database, report(free), report(held), report(late)) == {free: TaskState.SUCCEEDED}
    assert await commit_all(database, report(held)) == {held: TaskState.SUCCEEDED}
    assert await commit_all(database, report(late)) == {late: None}


async def test_progress_of_those_that_run_is_noted_and_their_leases_grow(database: Database) -> None:
    _, (running, ended) = await enqueue(database, 2)
    await start(database, running, ended)
    await commit(database, report(ended))
    progress = [ledger.Progress((task_id, 1), "run", 0.5) for task_id in (running, ended)]
    async with database.transaction() as session:
        await ledger.record_progress(session, [*progress, ledger.Progress((running, 2), "x", 0.9)], lease_s=1000.0)
    found = await row(database, running)
    assert (found.progress, found.phase) == (0.5, "run")
    assert ((await row(database, ended)).progress, (await row(database, ended)).phase) == (1.0, None)
    async with database.transaction() as session:
        expires = {a.task_id: a.lease_expires_at - a.started_at for a in await session.scalars(select(AttemptRow))}
    assert expires[running].total_seconds() > 900 > expires[ended].total_seconds()
