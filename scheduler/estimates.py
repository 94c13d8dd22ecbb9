"""How long a task will take, from what was measured; nothing is guessed before there is a measurement."""

from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import specs
from scheduler.tables import TaskRow
from scheduler.task import TaskState

RECENT_TASKS = 50


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


async def estimate_s(session: AsyncSession, kind: str, model: str, units: float) -> float | None:
    """Seconds a task of ``units`` will run: the median over recent successes; None before the first."""
    recent = (
        select((TaskRow.duration_s / TaskRow.units).label("seconds_per_unit"))
        .where(
            TaskRow.kind == kind,
            TaskRow.model == model,
            TaskRow.state == TaskState.SUCCEEDED.value,
            TaskRow.duration_s.is_not(None),
        )
        .order_by(TaskRow.finished_at.desc())
        .limit(RECENT_TASKS)
        .subquery()
    )
    seconds_per_unit = await session.scalar(select(func.percentile_cont(0.5).within_group(recent.c.seconds_per_unit)))
    return None if seconds_per_unit is None else float(seconds_per_unit) * units
