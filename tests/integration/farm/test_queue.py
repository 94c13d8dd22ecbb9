"""The durable queue on a real PostgreSQL: what it refuses, and what several processes see of it at once."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError

from models.specs import ArtStyle, ImageSpec, MusicSpec
from monitoring.metrics import queue_metrics
from runtime.database import Database, utc_now
from scheduler import ledger, queue
from scheduler.estimates import estimate_s, measured
from scheduler.leader import LostLeadershipError, try_to_lead
from scheduler.tables import TRANSITION_TRIGGER, TaskRow
from scheduler.task import TERMINAL, TRANSITIONS, FinishedTask, OutcomeClass, TaskState
from tests.integration.farm.tasks import commit, enqueue, finish, new_task, report, row, start

# --- what is enqueued


async def test_tasks_are_listed_in_the_order_they_were_enqueued(database: Database) -> None:
    job_id, ids = await enqueue(database, 50)
    async with database.transaction() as session:
        assert [task.id for task in await queue.list_tasks(session, job_id)] == ids


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "juggling"}, "unknown task kind"),
        ({"spec": MusicSpec(duration_s=1)}, "takes SpeechSpec"),
        ({"job_id": "job_none"}, "unknown job"),
    ],
)
async def test_what_no_worker_could_run_is_refused(database: Database, fields: dict[str, Any], message: str) -> None:
    async with database.transaction() as session:
        job_id = await queue.create_job(session, kind="test", project_id="p", tenant_id="t")
        with pytest.raises(ValueError, match=message):
            await queue.enqueue(session, [new_task(**{"job_id": job_id, **fields})])


# --- the state machine


async def bring_to(database: Database, task_id: str, state: TaskState) -> None:
    if state is TaskState.QUEUED:
        return
    if state is TaskState.CANCELLED:
        async with database.transaction() as session:
            await queue.cancel_job(session, (await session.get_one(TaskRow, task_id)).job_id)
        return
    await start(database, task_id)
    ends = {TaskState.SUCCEEDED: OutcomeClass.SUCCEEDED, TaskState.FAILED: OutcomeClass.USER}
    if state in ends:
        await commit(database, report(task_id, outcome=ends[state]))


@pytest.mark.parametrize("new", list(TaskState))
@pytest.mark.parametrize("old", list(TaskState))
async def test_the_database_takes_legal_transitions_only(database: Database, old: TaskState, new: TaskState) -> None:
    _, (task_id,) = await enqueue(database)
    await bring_to(database, task_id, old)
    assert (await row(database, task_id)).state == old
    terminal = new in TERMINAL
    change = update(TaskRow).values(
        state=new.value,
        epoch=TaskRow.epoch + int(old is TaskState.QUEUED and new is TaskState.RUNNING),
        outcome="task" if terminal else None,
        finished_at=utc_now() if terminal else None,
    )
    if old is new or (old, new) in TRANSITIONS:
        async with database.transaction() as session:
            await session.execute(change)
    else:
        with pytest.raises(DBAPIError, match="may not go from"):
            async with database.transaction() as session:
                await session.execute(change)
    assert (await row(database, task_id)).state == (new if (old, new) in TRANSITIONS else old)


@pytest.mark.parametrize("epoch", [0, 2])
async def test_an_attempt_cannot_start_without_counting(database: Database, epoch: int) -> None:
    await enqueue(database)
    with pytest.raises(DBAPIError, match="an attempt that did not start"):
        async with database.transaction() as session:
            await session.execute(update(TaskRow).values(state="running", epoch=epoch))


async def test_a_task_cannot_be_created_running(database: Database) -> None:
    job_id, (task_id,) = await enqueue(database)
    template = {
        column.name: getattr(await row(database, task_id), column.name)
        for column in TaskRow.__table__.columns
        if column.name not in {"id", "seq", "state"}
    }
    with pytest.raises(DBAPIError, match="may not be created"):
        async with database.transaction() as session:
            await session.execute(insert(TaskRow).values(**template, id="tsk_x", state="running"))
    assert job_id


async def test_the_migrated_trigger_is_made_from_the_transitions(database: Database) -> None:
    async with database.transaction() as session:
        body = await session.scalar(text("SELECT prosrc FROM pg_proc WHERE proname = 'check_task_transition'"))
    assert body in TRANSITION_TRIGGER[0]


# --- starting and cancelling


async def test_a_task_in_its_pause_does_not_start(database: Database) -> None:
    _, (task_id,) = await enqueue(database)
    await start(database, task_id)
    assert await commit(database, report(task_id, outcome=OutcomeClass.TASK)) is TaskState.QUEUED
    assert await start(database, task_id) == []
    async with database.transaction() as session:
        assert await ledger.load_waiting(session, {}, after_seq=0) == []


# --- cancelling


async def test_nothing_of_a_cancelled_job_starts(database: Database) -> None:
    job_id, (first, second) = await enqueue(database, 2)
    await start(database, first)
    async with database.transaction() as session:
        await queue.cancel_job(session, job_id)
    assert await start(database, second) == []
    assert (await row(database, second)).state == TaskState.CANCELLED
    async with database.transaction() as session:
        assert await ledger.load_cancelled(session) == [(first, 1)]
    # A lost worker would send the running task back to the queue.
    assert await commit(database, report(first, outcome=OutcomeClass.WORKER)) is TaskState.CANCELLED


async def test_a_task_enqueued_into_a_cancelled_job_ends_cancelled_and_is_still_settled(
    database: Database,
) -> None:
    job_id, _ = await enqueue(database, 0)
    async with database.transaction() as session:
        await queue.cancel_job(session, job_id)
    async with database.transaction() as session:
        (task_id,) = await queue.enqueue(session, [new_task(job_id)])
    async with database.transaction() as session:
        finished = await queue.claim_finished(session)
    assert finished is not None
    assert (finished.id, finished.state) == (task_id, TaskState.CANCELLED)


async def test_cancelling_and_starting_at_once_leave_nothing_running_unasked(database: Database) -> None:
    async def cancel(job_id: str) -> None:
        async with database.transaction() as session:
            await queue.cancel_job(session, job_id)

    for _ in range(15):
        job_id, ids = await enqueue(database, 4)
        await asyncio.gather(*(start(database, task_id) for task_id in ids), cancel(job_id))
        for task_id in ids:
            task = await row(database, task_id)
            assert task.state == TaskState.CANCELLED or task.cancel_requested_at is not None


async def test_cancelling_and_enqueueing_at_once_leave_nothing_queued(database: Database) -> None:
    async def cancel(job_id: str) -> None:
        async with database.transaction() as session:
            await queue.cancel_job(session, job_id)

    async def add(job_id: str) -> None:
        async with database.transaction() as session:
            await queue.enqueue(session, [new_task(job_id)])

    for _ in range(20):
        job_id, _ = await enqueue(database, 1)
        await asyncio.gather(*(add(job_id) for _ in range(4)), cancel(job_id), *(add(job_id) for _ in range(4)))
        async with database.transaction() as session:
            assert {task.state for task in await queue.list_tasks(session, job_id)} == {TaskState.CANCELLED}


# --- reactions


async def test_sessions_at_once_claim_each_finished_task_once(database: Database) -> None:
    ids = [(await enqueue(database))[1][0] for _ in range(12)]
    await finish(database, *ids)
    claimed: list[str] = []

    async def work() -> None:
        while True:
            async with database.transaction() as session:
                task = await queue.claim_finished(session)
                if task is None:
                    return
                claimed.append(task.id)
                await asyncio.sleep(0.005)
                await queue.mark_applied(session, task.id)

    # The first None may only mean that others hold what is left, so everyone goes twice.
    await asyncio.gather(*(work() for _ in range(6)))
    await work()
    assert sorted(claimed) == sorted(ids)


async def test_a_claim_that_rolls_back_is_offered_again(database: Database) -> None:
    _, (task_id,) = await enqueue(database)
    await finish(database, task_id)
    with pytest.raises(RuntimeError, match="out of luck"):
        async with database.transaction() as session:
            claimed = await queue.claim_finished(session)
            await queue.mark_applied(session, task_id)
            raise RuntimeError("out of luck")
    async with database.transaction() as session:
        assert await queue.claim_finished(session) == claimed


async def test_of_the_last_two_tasks_of_a_job_exactly_one_sees_itself_as_the_last(database: Database) -> None:
    for _ in range(5):
        job_id, ids = await enqueue(database, 2)
        await finish(database, *ids)
        last = 0
        both = asyncio.Barrier(2)

        async def work(job_id: str = job_id, both: asyncio.Barrier = both) -> None:
            nonlocal last
            await both.wait()
            async with database.transaction() as session:
                task: FinishedTask | None = await queue.claim_finished(session)
                assert task is not None
                await queue.mark_applied(session, task.id)
                remaining = select(TaskRow.id).where(TaskRow.job_id == job_id, TaskRow.applied_at.is_(None))
                last += not (await session.scalars(remaining)).all()

        await asyncio.gather(work(), work())
        assert last == 1


async def test_a_reaction_that_fails_three_times_is_quarantined_and_blocks_nothing(
    database: Database,
) -> None:
    _, (bad, good) = await enqueue(database, 2)
    await finish(database, bad, good)
    offered = []
    for _ in range(4):
        async with database.transaction() as session:
            task = await queue.claim_finished(session)
        assert task is not None
        offered.append(task.id)
        async with database.transaction() as session:
            if task.id == good:
                await queue.mark_applied(session, good)
            else:
                quarantined = await queue.record_reaction_failure(session, bad, "no such clip")
                assert quarantined is (offered.count(bad) == 3)
    assert offered.count(good) == 1
    async with database.transaction() as session:
        assert await queue.claim_finished(session) is None
    assert (await row(database, bad)).reaction_error == "no such clip"


# --- leading


async def test_one_process_leads_at_a_time(database: Database) -> None:
    candidates = await asyncio.gather(*(try_to_lead(database) for _ in range(5)))
    leaders = [leadership for leadership in candidates if leadership is not None]
    assert len(leaders) == 1
    assert await try_to_lead(database) is None
    await leaders[0].resign(database)
    successor = await try_to_lead(database)
    assert successor is not None
    assert successor.generation == leaders[0].generation + 1


async def test_a_replaced_leader_can_neither_write_nor_renew(database: Database) -> None:
    first = await try_to_lead(database)
    assert first is not None
    await first.resign(database)
    second = await try_to_lead(database)
    assert second is not None
    with pytest.raises(LostLeadershipError):
        async with database.transaction() as session:
            await first.fence(session)
    with pytest.raises(LostLeadershipError):
        await first.renew(database)
    await first.resign(database)
    await second.renew(database)


async def test_a_leader_that_was_stopped_knows_that_it_may_be_replaced(database: Database) -> None:
    now = 50.0
    leadership = await try_to_lead(database, ttl_s=3, clock=lambda: now)
    assert leadership is not None
    now += 2.9
    assert leadership.may_act()
    now += 0.1
    assert not leadership.may_act()
    await leadership.renew(database)
    assert leadership.may_act()


# --- measuring


def picture(width: int) -> ImageSpec:
    return ImageSpec(prompt="p", width=width, height=100, style=ArtStyle(style_name="ink"))


async def test_estimates_come_from_what_was_measured(database: Database) -> None:
    async with database.transaction() as session:
        assert await estimate_s(session, "text_to_image", "m", picture(100)) is None
    small, large = picture(100), picture(1000)
    _, ids = await enqueue(database, 3, kind="text_to_image", spec=small)
    for task_id, duration_s in zip(ids, (1.0, 2.0, 60.0), strict=True):
        await finish(database, task_id, duration_s=duration_s)
    async with database.transaction() as session:
        assert await estimate_s(session, "text_to_image", "m", small) == pytest.approx(2.0)
        # Of its shape nothing was measured: by its size.
        assert await estimate_s(session, "text_to_image", "m", large) == pytest.approx(20.0)
        assert await estimate_s(session, "text_to_image", "other", small) is None
    _, (first,) = await enqueue(database, kind="text_to_image", spec=large)
    timings_s = {"load": 3.0, "compile": 1.0, "run": 3.0}
    await finish(database, first, duration_s=7.0, timings_s=timings_s, peak_gb=12.5)
    _, (shared,) = await enqueue(database, kind="text_to_image", spec=large)
    await finish(database, shared, duration_s=1.0, batch=4)  # a share, which is no measure of one alone
    async with database.transaction() as session:
        assert await estimate_s(session, "text_to_image", "m", large) == pytest.approx(4.0)
        assert await estimate_s(session, "text_to_image", "m", small) == pytest.approx(2.0)
        assert await measured(session) == {
            ("text_to_image", "m", "100x100"): (pytest.approx(2.0 / 0.01), None),
            ("text_to_image", "m", "1000x100"): (pytest.approx(3.0 / 0.1), 12.5),  # a load is not part of the work
        }


async def test_queue_metrics_come_from_the_rows(database: Database) -> None:
    _, (running, failed, _waiting) = await enqueue(database, 3)
    await start(database, running, failed)
    await commit(database, report(failed, outcome=OutcomeClass.USER))
    async with database.transaction() as session:
        shown = (await queue_metrics(session)).decode()
    assert 'reelfarm_tasks_open{kind="speech",state="queued"} 1.0' in shown
    assert 'reelfarm_tasks_open{kind="speech",state="running"} 1.0' in shown
    assert 'reelfarm_tasks_finished_total{kind="speech",outcome="user"} 1.0' in shown
