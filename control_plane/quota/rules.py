"""What a task costs and when a day ends. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from control_plane.timeline.rules import estimate_speech_s
from models.catalog import Catalog
from models.specs import EncodeSpec, ImageSpec, MusicSpec, SpeechSpec, VideoSpec
from scheduler.task import NewTask

DEFAULT_DAILY_LIMIT = 5000
MAX_DAILY_LIMIT = 1_000_000_000


@dataclass(frozen=True)
class QuotaState:
    daily_limit: int
    used: int
    reset_at: datetime

    @property
    def remaining(self) -> int:
        """Nothing, where the limit was lowered below what was used already."""
        return max(0, self.daily_limit - self.used)


def cost_of(catalog: Catalog, task: NewTask) -> int:
    """Quota units of one task by its catalog entry: seconds for sound and video, pixels for pictures. How long speech
    lasts is estimated from its text: it is paid before it is spoken."""
    model = catalog.get(task.model)
    if model is None:
        raise KeyError(f"no model {task.model!r} in the catalog")
    cost, spec = model.cost_of(task.kind), task.spec
    if isinstance(spec, ImageSpec):
        return cost.units(megapixels=spec.width * spec.height / 1e6)
    if isinstance(spec, VideoSpec | MusicSpec):
        return cost.units(seconds=spec.duration_s)
    if isinstance(spec, SpeechSpec):
        return cost.units(seconds=estimate_speech_s(spec.text, spec.speed))
    if isinstance(spec, EncodeSpec):
        return cost.units(seconds=max(clip.start_s + clip.duration_s for clip in spec.clips))
    return cost.units()


def day_at(moment: datetime, time_zone: str) -> date:
    return moment.astimezone(ZoneInfo(time_zone)).date()


def next_reset(moment: datetime, time_zone: str) -> datetime:
    """The next midnight in the owner's time zone, in UTC. Where clocks skip midnight, the moment at which they do."""
    tomorrow = day_at(moment, time_zone) + timedelta(days=1)
    return datetime.combine(tomorrow, time.min, ZoneInfo(time_zone)).astimezone(UTC)
