"""How long a task will take, from what was measured; nothing is guessed before there is a measurement."""

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Float, Select, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import specs
from pipelines.registry import TASK_KINDS
from scheduler.pace import Measured
from scheduler.tables import AttemptRow, TaskRow
from scheduler.task import TaskState

RECENT_TASKS = 50
ONCE_PER_MODEL = ("load", "compile")
"""Phases of an attempt whose length tells nothing about the next one's."""

_PER_UNIT = (TaskRow.duration_s / TaskRow.units).label("seconds_per_unit")
_MEASURED = (TaskRow.state == TaskState.SUCCEEDED.value, TaskRow.duration_s.is_not(None))


def units_of(kind: str, spec: BaseModel) -> float:
    """The size of a task: seconds of video or music, megapixels of a picture, hundreds of characters of text,
    megapixel-seconds of a film. At least a small positive number; 1.0 for a spec without a size."""
    match spec:
        case specs.ScriptSpec():
            size = (len(spec.content) + sum(len(document) for document in spec.documents)) / 100
        case specs.ImageSpec():
            size = spec.width * spec.height / 1e6
        case specs.VideoSpec():
            size = spec.duration_s * spec.width * spec.height / 1e6
        case specs.SpeechSpec():
            size = len(spec.text) / 100
        case specs.MusicSpec():
            size = spec.duration_s
        case specs.EncodeSpec():
            end_s = max(clip.start_s + clip.duration_s for clip in spec.clips)
            size = end_s * spec.width * spec.height / 1e6
        case _:
            size = 1.0
    return max(size, 0.01)


def shape_of(kind: str, spec: BaseModel) -> str:
    """What the duration of a task depends on beside its size; empty for a spec that its kind does not know."""
    known = TASK_KINDS.get(kind)
    return known.shape(spec) if known is not None and isinstance(spec, known.spec) else ""


async def estimate_s(session: AsyncSession, kind: str, model: str, spec: BaseModel) -> float | None:
    """Seconds such a task will run: the median over recent successes of its shape, else of all its model's; None
    before the first."""
    return await measured_s(session, kind, model, shape_of(kind, spec), units_of(kind, spec))


async def measured_s(session: AsyncSession, kind: str, model: str, shape: str, units: float) -> float | None:
    """Like estimate_s, of a task whose shape and size are known."""
    alike = _median(TaskRow.kind == kind, TaskRow.model == model, TaskRow.shape == shape)
    seconds_per_unit = await session.scalar(alike)
    if seconds_per_unit is None:
        seconds_per_unit = await session.scalar(_median(TaskRow.kind == kind, TaskRow.model == model))
    return None if seconds_per_unit is None else float(seconds_per_unit) * units


async def measured(session: AsyncSession) -> dict[tuple[str, str, str], Measured]:
    """By kind, model and shape, over recent successes: the median of seconds per unit, without what a model takes
    once, and the most memory."""
    once_s = sum((_timing_s(phase) for phase in ONCE_PER_MODEL), start=literal(0.0))
    per_unit = (func.greatest(TaskRow.duration_s - once_s, 0.0) / TaskRow.units).label("seconds_per_unit")
    rank = func.row_number().over(
        partition_by=(TaskRow.kind, TaskRow.model, TaskRow.shape), order_by=TaskRow.finished_at.desc()
    )
    recent = (
        select(TaskRow.kind, TaskRow.model, TaskRow.shape, AttemptRow.peak_gb, per_unit, rank.label("rank"))
        .join(AttemptRow, (AttemptRow.task_id == TaskRow.id) & (AttemptRow.epoch == TaskRow.epoch))
        # The share of one in a batch says less than its time alone, which is measured again soon.
        .where(*_MEASURED, func.coalesce(AttemptRow.batch, 1) == 1)
        .subquery()
    )
    median = func.percentile_cont(0.5).within_group(recent.c.seconds_per_unit)
    rows = await session.execute(
        select(recent.c.kind, recent.c.model, recent.c.shape, median, func.max(recent.c.peak_gb))
        .where(recent.c.rank <= RECENT_TASKS)
        .group_by(recent.c.kind, recent.c.model, recent.c.shape)
    )
    return {(kind, model, shape): Measured(float(seconds), peak_gb) for kind, model, shape, seconds, peak_gb in rows}


def _timing_s(phase: str) -> ColumnElement[float]:
    return func.coalesce(AttemptRow.timings[phase].astext.cast(Float), 0.0)


def _median(*conditions: ColumnElement[bool]) -> Select[float | None]:
    recent = (
        select(_PER_UNIT)
        .where(*_MEASURED, *conditions)
        .order_by(TaskRow.finished_at.desc())
        .limit(RECENT_TASKS)
        .subquery()
    )
    return select(func.percentile_cont(0.5).within_group(recent.c.seconds_per_unit))
