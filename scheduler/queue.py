"""The durable queue as the control plane uses it: every function works inside the caller's transaction.

The other side, which starts attempts and commits their outcomes, is scheduler.ledger.
"""

from collections.abc import Sequence
from typing import Any

import redis.asyncio
import structlog
from redis.exceptions import RedisError
from sqlalchemy import ColumnElement, and_, case, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.registry import TASK_KINDS
from runtime.database import utc_now
from runtime.ids import new_id
from runtime.redis import WAKE_REACTIONS, WAKE_SCHEDULER
from scheduler.estimates import shape_of, units_of
from scheduler.tables import JobRow, TaskRow
from scheduler.task import (
    TERMINAL,
    FinishedTask,
    JobState,
    NewTask,
    OutcomeClass,
    QuarantinedTask,
    TaskState,
    TaskView,
)

MAX_REACTION_FAILURES = 3

log = structlog.get_logger(__name__)


async def create_job(session: AsyncSession, *, kind: str, project_id: str, tenant_id: str) -> str:
    job = JobRow(id=new_id("job"), kind=kind, project_id=project_id, tenant_id=tenant_id)
    session.add(job)
    await session.flush()
    return job.id


async def enqueue(session: AsyncSession, tasks: Sequence[NewTask]) -> list[str]:
    """Insert tasks, first in first out; ids in the order given. Call wake_scheduler after the commit.

    A task of a job that was cancelled meanwhile is inserted as cancelled, so that its reaction still settles
    what was reserved for it. Raises ValueError for an unknown task kind or job, or a spec of the wrong type.
    """
    for task in tasks:
        kind = TASK_KINDS.get(task.kind)
        if kind is None:
            raise ValueError(f"unknown task kind {task.kind!r}")
        if type(task.spec) is not kind.spec:
            raise ValueError(f"a task of kind {task.kind} takes {kind.spec.__name__}, not {type(task.spec).__name__}")
    # cancel_job excludes this lock, so it either sees these tasks or is seen by them.
    jobs = await session.execute(
        select(JobRow.id, JobRow.state)
        .where(JobRow.id.in_({task.job_id for task in tasks}))
        .order_by(JobRow.id)
        .with_for_update(read=True, key_share=True)
    )
    job_states = {row.id: row.state for row in jobs}
    for task in tasks:
        if task.job_id not in job_states:
            raise ValueError(f"unknown job {task.job_id!r}")
    if not tasks:
        return []
    rows = [_new_row(task, JobState(job_states[task.job_id])) for task in tasks]
    # executemany inserts in the order given, so `seq` is first in first out.
    await session.execute(insert(TaskRow), rows)
    return [row["id"] for row in rows]


def _new_row(task: NewTask, job_state: JobState) -> dict[str, Any]:
    cancelled = job_state is JobState.CANCELLED
    return {
        "id": new_id("tsk"),
        "job_id": task.job_id,
        "project_id": task.project_id,
        "tenant_id": task.tenant_id,
        "kind": task.kind,
        "model": task.model,
        "spec": task.spec.model_dump(mode="json"),
        "units": units_of(task.kind, task.spec),
        "shape": shape_of(task.kind, task.spec),
        "batch": TASK_KINDS[task.kind].batch(task.spec),
        "label": task.label,
        "reaction": task.reaction,
        "context": task.context,
        "priority": task.priority,
        "weight": task.weight,
        "deadline_at": task.deadline_at,
        "state": (TaskState.CANCELLED if cancelled else TaskState.QUEUED).value,
        "outcome": OutcomeClass.CANCELLED.value if cancelled else None,
        "finished_at": utc_now() if cancelled else None,
    }


async def cancel_job(session: AsyncSession, job_id: str) -> None:
    """Cancel what waits and ask what runs to stop; nothing of the job starts after this commits.

    Cancelling again, or a job whose tasks all ended, changes nothing. Call wake_scheduler and wake_reactions
    after the commit.
    """
    # Whoever enqueues into this job holds its row shared meanwhile, which only this lock excludes.
    await lock_job(session, job_id)
    await session.execute(update(JobRow).where(JobRow.id == job_id).values(state=JobState.CANCELLED.value))
    await _cancel(session, TaskRow.job_id == job_id)


async def lock_job(session: AsyncSession, job_id: str) -> None:
    """Keep reactions to a job's tasks, and whoever enqueues into it, waiting until the transaction ends. To be called
    before the project is locked."""
    await session.execute(select(JobRow.id).where(JobRow.id == job_id).with_for_update())


async def cancel_tasks_of_job(session: AsyncSession, job_id: str, context: dict[str, Any]) -> None:
    """Like cancel_job, for those tasks of a job whose context has these values."""
    await lock_job(session, job_id)
    await _cancel(session, TaskRow.job_id == job_id, TaskRow.context.contains(context))


async def unfinished_jobs(session: AsyncSession, project_id: str) -> list[str]:
    """Jobs of a project that have tasks which still could start or run; in the order in which to lock them."""
    rows = await session.scalars(
        select(JobRow.id)
        .where(
            JobRow.project_id == project_id,
            select(TaskRow.id)
            .where(
                TaskRow.job_id == JobRow.id,
                TaskRow.state.in_([TaskState.QUEUED.value, TaskState.RUNNING.value]),
                TaskRow.cancel_requested_at.is_(None),
            )
            .exists(),
        )
        .order_by(JobRow.id)
    )
    return list(rows)


async def cancel_tasks(session: AsyncSession, task_ids: Sequence[str]) -> None:
    """Cancel these tasks, whatever else their jobs do. May wait for a reaction that applies one of them, so nothing
    that reactions lock may be held. Call wake_scheduler and wake_reactions after the commit."""
    await _cancel(session, TaskRow.id.in_(task_ids))


async def cancel_tasks_about(session: AsyncSession, project_id: str, key: str, values: Sequence[str]) -> None:
    """Like cancel_tasks: those of a project whose context names one of ``values`` under ``key``."""
    await _cancel(session, TaskRow.project_id == project_id, TaskRow.context[key].astext.in_(values))


async def _cancel(session: AsyncSession, *which: ColumnElement[bool]) -> None:
    queued = TaskRow.state == TaskState.QUEUED.value
    running = TaskRow.state == TaskState.RUNNING.value
    now = utc_now()
    # One statement for both states: a task that the scheduler requeues in between is not missed. Spelled with OR,
    # the states have indexes of their own.
    await session.execute(
        update(TaskRow)
        .where(*which, or_(queued, running), TaskRow.cancel_requested_at.is_(None))
        .values(
            cancel_requested_at=now,
            state=case((queued, TaskState.CANCELLED.value), else_=TaskRow.state),
            outcome=case((queued, OutcomeClass.CANCELLED.value), else_=TaskRow.outcome),
            finished_at=case((queued, now), else_=TaskRow.finished_at),
        )
        .execution_options(synchronize_session=False)
    )


async def claim_finished(session: AsyncSession) -> FinishedTask | None:
    """A finished task whose result was not applied yet, locked until the transaction ends; None if none.

    Its job row is locked too, so of two tasks that finish together exactly one sees itself as the last.
    """
    row = (
        await session.execute(
            select(TaskRow)
            .where(
                TaskRow.finished_at.is_not(None),
                TaskRow.applied_at.is_(None),
                TaskRow.quarantined_at.is_(None),
            )
            .order_by(TaskRow.reaction_failures, TaskRow.finished_at, TaskRow.seq)
            .limit(1)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        )
    ).scalar_one_or_none()
    if row is None or row.outcome is None:
        return None
    await session.execute(select(JobRow.id).where(JobRow.id == row.job_id).with_for_update(key_share=True))
    return FinishedTask(
        id=row.id,
        kind=row.kind,
        job_id=row.job_id,
        project_id=row.project_id,
        state=TaskState(row.state),
        reaction=row.reaction,
        context=row.context,
        spec=row.spec,
        result=row.result,
        outcome=OutcomeClass(row.outcome),
        error_message=row.error_message,
        error_field=row.error_field,
        reaction_failures=row.reaction_failures,
    )


async def mark_applied(session: AsyncSession, task_id: str) -> None:
    """The result is applied; to be called in the transaction that applied it."""
    await session.execute(
        update(TaskRow)
        .where(TaskRow.id == task_id, TaskRow.state.in_(sorted(TERMINAL)), TaskRow.applied_at.is_(None))
        .values(applied_at=utc_now())
    )


async def record_reaction_failure(session: AsyncSession, task_id: str, message: str) -> bool:
    """Count a failed application. True when the task is quarantined by it and will not be offered again."""
    quarantined_at = await session.scalar(
        update(TaskRow)
        .where(TaskRow.id == task_id, TaskRow.applied_at.is_(None))
        .values(
            reaction_failures=TaskRow.reaction_failures + 1,
            reaction_error=message,
            quarantined_at=case(
                (TaskRow.reaction_failures + 1 >= MAX_REACTION_FAILURES, utc_now()),
                else_=TaskRow.quarantined_at,
            ),
        )
        .returning(TaskRow.quarantined_at)
    )
    return quarantined_at is not None


async def list_tasks(session: AsyncSession, job_id: str) -> list[TaskView]:
    """The tasks of a job in the order they were enqueued."""
    rows = await session.scalars(
        select(TaskRow)
        .where(TaskRow.job_id == job_id)
        .order_by(TaskRow.seq)
        # The session may hold rows from before another process changed them.
        .execution_options(populate_existing=True)
    )
    return [_view(row) for row in rows]


async def find_task(session: AsyncSession, task_id: str) -> TaskView | None:
    """One task as it is now; None if there is none."""
    row = await session.get(TaskRow, task_id, populate_existing=True)
    return _view(row) if row is not None else None


async def find_tasks(session: AsyncSession, task_ids: Sequence[str]) -> dict[str, TaskView]:
    """These tasks as they are now, by id; without those that do not exist."""
    rows = await session.scalars(
        select(TaskRow).where(TaskRow.id.in_(task_ids)).execution_options(populate_existing=True)
    )
    return {row.id: _view(row) for row in rows}


async def count_tasks(session: AsyncSession) -> dict[TaskState, int]:
    """How many tasks wait and how many run."""
    unfinished = [TaskState.QUEUED.value, TaskState.RUNNING.value]
    rows = await session.execute(
        select(TaskRow.state, func.count()).where(TaskRow.state.in_(unfinished)).group_by(TaskRow.state)
    )
    return {TaskState(state): count for state, count in rows}


async def list_quarantined(session: AsyncSession, *, limit: int) -> list[QuarantinedTask]:
    """Tasks that failed by their own making, and those whose result could not be applied; the last ones first."""
    poison = and_(TaskRow.state == TaskState.FAILED.value, TaskRow.outcome == OutcomeClass.TASK.value)
    rows = await session.scalars(
        select(TaskRow)
        .where(or_(poison, TaskRow.quarantined_at.is_not(None)), TaskRow.finished_at.is_not(None))
        .order_by(TaskRow.finished_at.desc())
        .limit(limit)
    )
    return [
        QuarantinedTask(
            id=row.id,
            kind=row.kind,
            label=row.label,
            model=row.model,
            project_id=row.project_id,
            attempts=row.epoch,
            reason=(row.error_message if row.quarantined_at is None else row.reaction_error) or "",
            finished_at=row.finished_at,
        )
        for row in rows
        if row.finished_at is not None
    ]


def _view(row: TaskRow) -> TaskView:
    return TaskView(
        id=row.id,
        kind=row.kind,
        label=row.label,
        state=TaskState(row.state),
        progress=row.progress,
        reaction=row.reaction,
        context=row.context,
        error_message=row.error_message,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


async def wake_scheduler(client: redis.asyncio.Redis) -> None:
    """Tell the scheduler that tasks were committed. Without Redis its slow poll finds them."""
    await _publish(client, WAKE_SCHEDULER)


async def wake_reactions(client: redis.asyncio.Redis) -> None:
    """Tell the api processes that tasks finished. Without Redis their slow poll finds them."""
    await _publish(client, WAKE_REACTIONS)


async def _publish(client: redis.asyncio.Redis, channel: str) -> None:
    try:
        await client.publish(channel, "{}")
    except (RedisError, OSError) as error:
        log.info("wake-up not published, the poll will notice", channel=channel, error=str(error))
