"""From the words of a request to a musical style: a mood (harmony, tempo, dynamics) and a palette
(instruments).

The words and figures are in ``styles.toml``.
"""

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from models.specs import MusicSpec

_PATH = Path(__file__).with_name("styles.toml")

Instrument = Literal[
    "pad", "strings", "piano", "pluck", "zheng", "box", "bell", "flute", "synth", "lead", "bass", "synth_bass"
]
Drum = Literal["kick", "snare", "hat", "shaker", "taiko", "tick"]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Mood(_Entry):
    """``tempo`` is in beats a minute, ``meter`` in beats a bar. ``progressions`` are scale degrees from 1,
    one chord a bar. ``density`` is how many notes the melody has, ``drive`` how much rhythm there is beneath
    it, ``brightness`` how many overtones, ``contrast`` how far quiet and loud sections lie apart: all 0 to 1.
    ``centre`` is the MIDI pitch around which the melody moves."""

    words: list[str]
    mode: Literal["major", "lydian", "mixolydian", "dorian", "minor", "phrygian"]
    tempo: tuple[float, float]
    meter: Literal[3, 4] = 4
    progressions: list[list[int]] = Field(min_length=2)
    density: float = Field(ge=0, le=1)
    drive: float = Field(ge=0, le=1)
    brightness: float = Field(ge=0, le=1)
    contrast: float = Field(ge=0, le=1)
    centre: int
    palette: str


class Palette(_Entry):
    """``mood`` is the one that suits it where the request names none. ``drums`` maps a drum to the eighths of a bar
    (from 0) on which it sounds."""

    words: list[str]
    mood: str
    ground: Instrument
    figure: Instrument
    melody: Instrument
    bass: Instrument | None = None
    pattern: Literal["arpeggio", "rolling", "block", "pulse"]
    pentatonic: bool = False
    drums: dict[Drum, list[int]] = {}


class _Book(_Entry):
    mood: dict[str, Mood]
    palette: dict[str, Palette]


@lru_cache(maxsize=1)
def _book() -> _Book:
    return _Book.model_validate(tomllib.loads(_PATH.read_text(encoding="utf-8")))


def choose_style(spec: MusicSpec) -> tuple[Mood, Palette]:
    """The mood and palette whose words the request uses most; the explicit fields weigh more than the prompt.

    Without any known word it is the first mood with the palette that suits it.
    """
    book = _book()
    named_mood = _best({name: entry.words for name, entry in book.mood.items()}, spec)
    named_palette = _best({name: entry.words for name, entry in book.palette.items()}, spec)
    if named_mood is None:
        named_mood = book.palette[named_palette].mood if named_palette else next(iter(book.mood))
    mood = book.mood[named_mood]
    return mood, book.palette[named_palette or mood.palette]


def _best(words: dict[str, list[str]], spec: MusicSpec) -> str | None:
    weighted = ((spec.mood.lower(), 9), (spec.genre.lower(), 5), (spec.prompt.lower(), 2))
    scores = {
        name: sum(weight * sum(_mentions(text, word) for word in entry) for text, weight in weighted)
        for name, entry in words.items()
    }
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] > 0 else None


def _mentions(text: str, word: str) -> bool:
    """Chinese words count wherever they stand, English ones only as the beginning of a word."""
    if word.isascii():
        return re.search(rf"(?<![a-z]){re.escape(word)}", text) is not None
    return word in text
