"""What the loop writes: attempts, their progress and their outcomes. Each function works inside a fenced
transaction.

Lock order, so that no two processes wait for each other: the leader row, then at most one task row that is waited
for; where more are wanted, those that somebody holds are skipped.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import load_only

from runtime.database import utc_now
from scheduler.backlog import WaitingTask
from scheduler.ports import Assignment, AttemptId, AttemptReport
from scheduler.retries import Verdict, judge
from scheduler.tables import AttemptRow, TaskRow
from scheduler.task import TaskState
from scheduler.warmth import ModelProfile

_QUEUED = TaskRow.state == TaskState.QUEUED.value
_WAITING = (
    TaskRow.id,
    TaskRow.seq,
    TaskRow.tenant_id,
    TaskRow.kind,
    TaskRow.model,
    TaskRow.units,
    TaskRow.shape,
    TaskRow.created_at,
    TaskRow.priority,
    TaskRow.weight,
    TaskRow.deadline_at,
)
_RUNNING = TaskRow.state == TaskState.RUNNING.value


@dataclass(frozen=True)
class RunningAttempt:
    """An attempt that holds its task, with the worker that was given it."""

    assignment: Assignment
    worker: str
    cancel_requested: bool
    since_created_s: float
    """From the commit of the task to the start of this attempt."""


@dataclass(frozen=True)
class Progress:
    attempt: AttemptId
    phase: str | None
    fraction: float


async def load_waiting(
    session: AsyncSession, models: Mapping[str, ModelProfile], *, after_seq: int
) -> list[WaitingTask]:
    """Tasks that may start now, in order of arrival."""
    rows = await session.execute(
        select(*_WAITING).where(_QUEUED, TaskRow.seq > after_seq, _may_start(utc_now())).order_by(TaskRow.seq)
    )
    return [_waiting_task(row, models) for row in rows]


async def load_running(
    session: AsyncSession, models: Mapping[str, ModelProfile]
) -> list[tuple[RunningAttempt, WaitingTask]]:
    """Attempts that hold their task, each with what the policy would have looked at."""
    rows = await session.execute(
        select(TaskRow, AttemptRow.worker)
        .join(AttemptRow, (AttemptRow.task_id == TaskRow.id) & (AttemptRow.epoch == TaskRow.epoch))
        .where(_RUNNING)
        .order_by(TaskRow.seq)
    )
    return [(_running_attempt(task, worker), _waiting_task(task, models)) for task, worker in rows]


async def load_cancelled(session: AsyncSession) -> list[AttemptId]:
    """Running attempts that are asked to stop."""
    rows = await session.execute(
        select(TaskRow.id, TaskRow.epoch)
        .where(_RUNNING, TaskRow.cancel_requested_at.is_not(None))
        .order_by(TaskRow.seq)
    )
    return [(task_id, epoch) for task_id, epoch in rows]


async def start_attempts(
    session: AsyncSession, placements: Sequence[tuple[str, str]], *, generation: int, lease_s: float
) -> list[RunningAttempt]:
    """Begin the next attempt of each (task id, worker) whose task still waits.

    Those that another transaction holds are left out, not waited for. No task of a cancelled job waits:
    scheduler.queue sees to that.
    """
    workers = dict(placements)
    now = utc_now()
    tasks = (
        await session.scalars(
            select(TaskRow)
            .where(TaskRow.id.in_(workers), _QUEUED, _may_start(now))
            .order_by(TaskRow.seq)
            .with_for_update(skip_locked=True)
        )
    ).all()
    if not tasks:
        return []
    for task in tasks:
        task.state = TaskState.RUNNING.value
        task.epoch += 1
        task.started_at = now
        task.not_before = None
        task.progress = 0.0
        task.phase = None
    await session.flush()
    await session.execute(
        insert(AttemptRow),
        [
            {
                "task_id": task.id,
                "epoch": task.epoch,
                "worker": workers[task.id],
                "generation": generation,
                "started_at": now,
                "lease_expires_at": now + timedelta(seconds=lease_s),
            }
            for task in tasks
        ],
    )
    return [_running_attempt(task, workers[task.id]) for task in tasks]


async def commit_outcome(session: AsyncSession, report: AttemptReport, *, max_attempts: int) -> Verdict | None:
    """Settle an attempt, once: None when it does not hold its task any more, and then nothing was changed."""
    task_id, epoch = report.attempt
    task = (
        await session.scalars(
            select(TaskRow).where(TaskRow.id == task_id, TaskRow.epoch == epoch, _RUNNING).with_for_update()
        )
    ).one_or_none()
    if task is None:
        return None
    verdict = judge(
        report.outcome,
        permanent=report.permanent,
        cancel_requested=task.cancel_requested_at is not None,
        task_failures=task.task_failures,
        farm_failures=task.farm_failures,
        max_attempts=max_attempts,
    )
    now = utc_now()
    task.state = verdict.state.value
    task.task_failures = verdict.task_failures
    task.farm_failures = verdict.farm_failures
    task.phase = None
    task.error_message = report.error_message
    task.error_field = report.error_field
    if verdict.state is TaskState.QUEUED:
        task.progress = 0.0
        task.not_before = now + timedelta(seconds=verdict.delay_s)
    else:
        task.outcome = verdict.outcome.value
        task.finished_at = now
    if verdict.state is TaskState.SUCCEEDED:
        task.progress = 1.0
        task.result = report.result
        task.duration_s = report.duration_s
    await session.flush()
    await session.execute(
        update(AttemptRow)
        .where(AttemptRow.task_id == task_id, AttemptRow.epoch == epoch, AttemptRow.outcome.is_(None))
        .values(
            outcome=report.outcome.value,
            finished_at=now,
            error_message=report.error_message,
            timings=report.timings_s,
            log_key=report.log_key,
        )
    )
    return verdict


async def record_progress(session: AsyncSession, progress: Sequence[Progress], *, lease_s: float) -> None:
    """Store how far attempts are and extend their leases; rows that someone else holds are left for the next
    time."""
    by_task = {item.attempt[0]: item for item in progress}
    tasks = await session.scalars(
        select(TaskRow)
        .options(load_only(TaskRow.epoch, TaskRow.progress, TaskRow.phase))
        .where(TaskRow.id.in_(by_task), _RUNNING)
        .order_by(TaskRow.id)
        .with_for_update(skip_locked=True)
    )
    current = []
    for task in tasks:
        item = by_task[task.id]
        if task.epoch == item.attempt[1]:
            task.progress = item.fraction
            task.phase = item.phase
            current.append(item.attempt)
    await session.flush()
    await session.execute(
        update(AttemptRow)
        .where(tuple_(AttemptRow.task_id, AttemptRow.epoch).in_(current))
        .values(lease_expires_at=utc_now() + timedelta(seconds=lease_s))
    )


def _may_start(now: datetime) -> ColumnElement[bool]:
    return or_(TaskRow.not_before.is_(None), TaskRow.not_before <= now)


def _waiting_task(row: TaskRow | Row[*tuple[Any, ...]], models: Mapping[str, ModelProfile]) -> WaitingTask:
    profile = models.get(row.model)
    return WaitingTask(
        id=row.id,
        seq=row.seq,
        tenant_id=row.tenant_id,
        kind=row.kind,
        model=row.model,
        device="cpu" if profile is None else profile.device,
        units=row.units,
        shape=row.shape,
        since_s=row.created_at.timestamp(),
        priority=row.priority,
        weight=row.weight,
        deadline_s=math.inf if row.deadline_at is None else row.deadline_at.timestamp(),
    )


def _running_attempt(task: TaskRow, worker: str) -> RunningAttempt:
    started_at = task.started_at or task.created_at
    return RunningAttempt(
        assignment=Assignment(
            task_id=task.id,
            epoch=task.epoch,
            kind=task.kind,
            model=task.model,
            spec=task.spec,
            job_id=task.job_id,
            project_id=task.project_id,
            label=task.label,
            reaction=task.reaction,
            context=task.context,
        ),
        worker=worker,
        cancel_requested=task.cancel_requested_at is not None,
        since_created_s=(started_at - task.created_at).total_seconds(),
    )
