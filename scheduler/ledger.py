"""What the loop writes: attempts, their progress and their outcomes. Each function works inside a fenced
transaction.

Lock order, so that no two processes wait for each other: the leader row, then at most one task row that is waited
for; where more are wanted, those that somebody holds are skipped.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, cast

from sqlalchemy import DateTime, Row, String, Table, any_, bindparam, insert, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.database import utc_now
from scheduler.backlog import WaitingTask
from scheduler.ports import Assignment, AttemptId, AttemptReport
from scheduler.retries import Verdict, judge
from scheduler.tables import AttemptRow, TaskRow
from scheduler.task import TaskState
from scheduler.warmth import ModelProfile

_ANY = ModelProfile()
_QUEUED = TaskRow.state == TaskState.QUEUED.value
_WAITING = (
    TaskRow.id,
    TaskRow.seq,
    TaskRow.tenant_id,
    TaskRow.kind,
    TaskRow.model,
    TaskRow.units,
    TaskRow.shape,
    TaskRow.batch,
    TaskRow.epoch,
    TaskRow.created_at,
    TaskRow.priority,
    TaskRow.weight,
    TaskRow.deadline_at,
)
_RUNNING = TaskRow.state == TaskState.RUNNING.value

_NOW = bindparam("now", type_=DateTime(timezone=True))
_MAY_START = or_(TaskRow.not_before.is_(None), TaskRow.not_before <= _NOW)

# The loop's own statements name tables instead of classes, since a session's care for objects would take half its
# time, and are put together once; a list is one parameter, so that the server has them prepared.
_TASKS = cast("Table", TaskRow.__table__)
_ATTEMPTS = cast("Table", AttemptRow.__table__)
_THESE = TaskRow.id == any_(bindparam("task_ids", type_=ARRAY(String)))
_LOCK_ONE = (
    select(TaskRow.id, TaskRow.epoch, TaskRow.cancel_requested_at, TaskRow.task_failures, TaskRow.farm_failures)
    .where(_THESE, _RUNNING)
    .with_for_update()
)
_LOCK_FREE = _LOCK_ONE.with_for_update(skip_locked=True)
_STARTABLE = (
    select(TaskRow.id)
    .where(_THESE, _QUEUED, _MAY_START)
    .order_by(TaskRow.seq)
    .with_for_update(skip_locked=True)
    .cte("startable")
)
_START = (
    update(_TASKS)
    .where(_TASKS.c.id == _STARTABLE.c.id)
    .values(
        state=TaskState.RUNNING.value,
        epoch=_TASKS.c.epoch + 1,
        started_at=_NOW,
        not_before=None,
        progress=0.0,
        phase=None,
    )
    .returning(
        *(
            _TASKS.c[name]
            for name in (
                *("id", "seq", "epoch", "kind", "model", "spec", "job_id", "project_id", "label", "reaction"),
                *("context", "created_at", "started_at", "cancel_requested_at"),
            )
        )
    )
)
_NEW_ATTEMPT = insert(_ATTEMPTS)
_THIS_ATTEMPT = (_ATTEMPTS.c.task_id == bindparam("of_task"), _ATTEMPTS.c.epoch == bindparam("of_epoch"))
_CHANGE_TASK = update(_TASKS).where(_TASKS.c.id == bindparam("of_task"))
_CHANGE_ATTEMPT = update(_ATTEMPTS).where(*_THIS_ATTEMPT)
_SETTLE_ATTEMPT = _CHANGE_ATTEMPT.where(_ATTEMPTS.c.outcome.is_(None))


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
        select(*_WAITING).where(_QUEUED, TaskRow.seq > after_seq, _MAY_START).order_by(TaskRow.seq), {"now": utc_now()}
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
    rows = await session.execute(_START, {"task_ids": list(workers), "now": now})
    tasks = sorted(rows, key=attrgetter("seq"))
    if not tasks:
        return []
    started = {"generation": generation, "started_at": now, "lease_expires_at": now + timedelta(seconds=lease_s)}
    await session.execute(
        _NEW_ATTEMPT,
        [{"task_id": task.id, "epoch": task.epoch, "worker": workers[task.id], **started} for task in tasks],
    )
    return [_running_attempt(task, workers[task.id]) for task in tasks]


async def commit_outcomes(
    session: AsyncSession, reports: Sequence[AttemptReport], *, max_attempts: int
) -> dict[AttemptId, Verdict | None]:
    """Settle attempts, each once: None for one that does not hold its task any more, and there nothing was changed.

    A single one's task is waited for. Of several, those whose task somebody holds or has changed are left out.
    """
    alone = len(reports) == 1
    rows = await session.execute(
        _LOCK_ONE if alone else _LOCK_FREE, {"task_ids": [report.task_id for report in reports]}
    )
    tasks = {(row.id, row.epoch): row for row in rows}
    now = utc_now()
    verdicts: dict[AttemptId, Verdict | None] = {}
    of_tasks: dict[TaskState, list[dict[str, Any]]] = {}
    of_attempts = []
    for report in reports:
        if (task := tasks.get(report.attempt)) is None:
            continue
        verdict = verdicts[report.attempt] = judge(
            report.outcome,
            permanent=report.permanent,
            cancel_requested=task.cancel_requested_at is not None,
            task_failures=task.task_failures,
            farm_failures=task.farm_failures,
            max_attempts=max_attempts,
        )
        of_tasks.setdefault(verdict.state, []).append(_settled_task(report, verdict, now))
        of_attempts.append(_settled_attempt(report, now))
    for changes in of_tasks.values():  # those of one state change the same columns
        await session.execute(_CHANGE_TASK, changes)
    if of_attempts:
        await session.execute(_SETTLE_ATTEMPT, of_attempts)
    return dict.fromkeys((report.attempt for report in reports), None) | verdicts if alone else verdicts


def _settled_task(report: AttemptReport, verdict: Verdict, now: datetime) -> dict[str, Any]:
    changes: dict[str, Any] = {
        "of_task": report.task_id,
        "state": verdict.state.value,
        "task_failures": verdict.task_failures,
        "farm_failures": verdict.farm_failures,
        "phase": None,
        "error_message": report.error_message,
        "error_field": report.error_field,
    }
    if verdict.state is TaskState.QUEUED:
        return changes | {"progress": 0.0, "not_before": now + timedelta(seconds=verdict.delay_s)}
    changes |= {"outcome": verdict.outcome.value, "finished_at": now}
    if verdict.state is TaskState.SUCCEEDED:
        changes |= {"progress": 1.0, "result": report.result, "duration_s": report.duration_s}
    return changes


def _settled_attempt(report: AttemptReport, now: datetime) -> dict[str, Any]:
    return {
        "of_task": report.task_id,
        "of_epoch": report.epoch,
        "outcome": report.outcome.value,
        "finished_at": now,
        "error_message": report.error_message,
        "timings": report.timings_s,
        "log_key": report.log_key,
        "peak_gb": report.peak_gb,
        "batch": report.batch,
    }


async def record_progress(session: AsyncSession, progress: Sequence[Progress], *, lease_s: float) -> None:
    """Store how far attempts are and extend their leases; rows that someone else holds are left for the next
    time."""
    rows = await session.execute(_LOCK_FREE, {"task_ids": [item.attempt[0] for item in progress]})
    held = {(row.id, row.epoch) for row in rows}
    current = [item for item in progress if item.attempt in held]
    if not current:
        return
    await session.execute(
        _CHANGE_TASK,
        [{"of_task": item.attempt[0], "progress": item.fraction, "phase": item.phase} for item in current],
    )
    expires_at = utc_now() + timedelta(seconds=lease_s)
    await session.execute(
        _CHANGE_ATTEMPT,
        [
            {"of_task": task_id, "of_epoch": epoch, "lease_expires_at": expires_at}
            for task_id, epoch in (item.attempt for item in current)
        ],
    )


def _waiting_task(row: TaskRow | Row[*tuple[Any, ...]], models: Mapping[str, ModelProfile]) -> WaitingTask:
    profile = models.get(row.model, _ANY)
    return WaitingTask(
        id=row.id,
        seq=row.seq,
        tenant_id=row.tenant_id,
        kind=row.kind,
        model=row.model,
        device=profile.device,
        units=row.units,
        shape=row.shape,
        since_s=row.created_at.timestamp(),
        priority=row.priority,
        weight=row.weight,
        deadline_s=math.inf if row.deadline_at is None else row.deadline_at.timestamp(),
        needs=profile.needs,
        # What has failed once is tried alone, so that it spoils nothing for others.
        batch=row.batch if not row.epoch and profile.batch > 1 else "",
    )


def _running_attempt(task: TaskRow | Row[*tuple[Any, ...]], worker: str) -> RunningAttempt:
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
