"""Speech and music."""

from pydantic import Field

from models.specs.base import Language, Result, Seed, Spec, StoredArtifact
from models.specs.choices import Emotion


class SpeechSpec(Spec):
    """One spoken line. ``voice`` is a voice id of the model's catalog entry; ``speed`` 1.0 is the voice's own."""

    text: str
    language: Language
    voice: str
    speed: float = Field(default=1.0, ge=0.5, le=2.0)
    emotion: Emotion = Emotion.NEUTRAL
    seed: Seed = 0


class Word(Spec):
    """A stretch of the spoken text with its time from the start of the audio; stretches cover the text in order."""

    text: str
    start_s: float
    end_s: float


class SpeechResult(Result):
    audio: StoredArtifact
    duration_s: float
    words: list[Word]


class MusicSpec(Spec):
    """Music of about ``duration_s`` seconds. ``mood`` and ``genre`` are hints beside the free prompt."""

    prompt: str = ""
    mood: str = ""
    genre: str = ""
    duration_s: float = Field(gt=0, le=3600)
    seed: Seed = 0


class MusicResult(Result):
    audio: StoredArtifact
    duration_s: float
    loops_cleanly: bool
