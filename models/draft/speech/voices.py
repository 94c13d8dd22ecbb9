"""Which espeak-ng voice, settings and colouring belong to a voice id. The figures are in ``voices.toml``."""

import tomllib
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from models.interfaces import UserInputError

_PATH = Path(__file__).with_name("voices.toml")


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VoiceSettings(_Settings):
    """``variant`` is one of espeak-ng's; ``pitch`` and ``range`` are its parameters, 0 to 100. ``tract``
    moves all resonances as a shorter (above 1) or longer vocal tract does, and the pitch with them.
    ``warmth_db``, ``presence_db`` and ``air_db`` are gains below 250 Hz, around 3 kHz and above 6 kHz;
    ``breath`` is the share of whispered sound, ``room`` that of reflections."""

    variant: str
    pitch: int = Field(ge=0, le=100)
    range: int = Field(ge=0, le=100)
    rate: float = Field(default=1.0, gt=0)
    tract: float = Field(default=1.0, gt=0)
    warmth_db: float = 0.0
    presence_db: float = 0.0
    air_db: float = 0.0
    breath: float = Field(default=0.0, ge=0, le=1)
    room: float = Field(default=0.0, ge=0, le=1)


class LanguageSettings(_Settings):
    """``rate`` makes a Chinese voice speak about 4.2 characters and an English one 2.6 words a second."""

    espeak: str
    rate: float


class Book(_Settings):
    language: dict[str, LanguageSettings]
    voice: dict[str, VoiceSettings]


@lru_cache(maxsize=1)
def book() -> Book:
    return Book.model_validate(tomllib.loads(_PATH.read_text(encoding="utf-8")))


def voice_settings(voice_id: str) -> VoiceSettings:
    """Raises UserInputError for a voice that this model does not have."""
    settings = book().voice.get(voice_id)
    if settings is None:
        raise UserInputError(f"there is no voice {voice_id!r}", field="voice_id")
    return settings
