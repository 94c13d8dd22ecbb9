"""What an emotion does to a voice that has no control over it of its own. The figures are in ``prosody.toml``."""

import tomllib
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from models.specs import Emotion

_PATH = Path(__file__).with_name("prosody.toml")
_SEMITONES_PER_STEP = 0.12
"""Half of what a step of ``pitch`` is in espeak-ng, whose 100 steps are two octaves: a recorded voice is moved together
with its resonances, and sounds like another person sooner."""


class EmotionSettings(BaseModel):
    """Offsets for ``pitch``, 0 to 100, and the gains; factors for ``range`` (of the melody) and ``rate``. ``breath`` is
    the share of whispered sound."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pitch: int = 0
    range: float = 1.0
    rate: float = 1.0
    level_db: float = 0.0
    presence_db: float = 0.0
    air_db: float = 0.0
    breath: float = Field(default=0.0, ge=0, le=1)

    @property
    def semitones(self) -> float:
        return self.pitch * _SEMITONES_PER_STEP


@lru_cache(maxsize=1)
def emotions() -> dict[Emotion, EmotionSettings]:
    table = tomllib.loads(_PATH.read_text(encoding="utf-8"))
    return TypeAdapter(dict[Emotion, EmotionSettings]).validate_python(table["emotion"])
