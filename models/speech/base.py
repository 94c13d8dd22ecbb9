"""What all speech models share: an utterance at a time, shaped and joined to a line at one loudness, with words."""

import math
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar, TypeVar

import numpy as np
import torch

from models import voice_effects as effects
from models.catalog import Voice
from models.interfaces import Report, Sound, Speech, UserInputError
from models.options import SpeakerOptions
from models.pretrained import OneModel
from models.prosody import EmotionSettings, emotions
from models.sound import SAMPLE_RATE, stretch_band_limited
from models.specs import Emotion, Language, SpeechSpec, Word
from models.speech.sampling import Step, seeded
from models.speech.timing import natural_s, spread
from models.spoken_text import check_speakable, cleaned, is_speakable, pause_after_s, sentences
from models.voice_effects import Mono
from models.weighted import BadOutputError

S = TypeVar("S", bound=SpeakerOptions)

_MARGIN_S = 0.05
_SILENCE = 1e-4


@dataclass(frozen=True)
class Line:
    """What is said at once. ``pace`` is a factor of the voice's own, the emotion's included."""

    text: str
    language: Language
    voice: Voice
    emotion: Emotion
    pace: float


class Speaker(OneModel[S]):
    """Implements ``models.interfaces.Speaker``: 48 kHz mono at -19 LUFS plus the emotion's level. A subclass says one
    utterance; ``sample_rate`` is of what it returns.

    ``keeps_pace``: the model has a control of pace; the sound of others is stretched. ``acts``: it has a control of
    emotion; others are shaped in pace, pitch, level, breath and colour as models/prosody.toml says. ``longest_s``: how
    many seconds the model says at once.
    """

    longest_s: ClassVar[float] = math.inf
    keeps_pace: ClassVar[bool] = False
    acts: ClassVar[bool] = False

    @property
    def sample_rate(self) -> int:
        raise NotImplementedError

    def _say(self, line: Line, step: Step) -> torch.Tensor:
        """The samples of one utterance, any shape with one channel; ``step`` is called at every token."""
        raise NotImplementedError

    def speak(self, spec: SpeechSpec, report: Report) -> Speech:
        """Raises UserInputError for an unknown voice, a text that has nothing to speak or is too long, and
        BadOutputError for a model that answers with no sound."""
        voice = self._voice(spec.voice)
        check_speakable(spec.text)
        emotion = emotions()[spec.emotion]
        pace = spec.speed if self.acts else spec.speed * emotion.rate
        parts = utterances(spec.text, self.options.max_chars, self.longest_s)
        report.note(
            voice=voice.id,
            language=spec.language,
            emotion=spec.emotion.value,
            speed=spec.speed,
            seed=spec.seed,
            utterances=len(parts),
        )
        takes = []
        for number, part in enumerate(parts):
            line = Line(cleaned(part).strip(), spec.language, voice, spec.emotion, pace)
            seed = (spec.seed + number) % 2**63
            takes.append(self._take(line, emotion, seed, _part_of(report, number, len(parts))))
        samples, words = _joined(parts, takes, spec.speed)
        effects.set_level(samples, emotion.level_db)
        report(1.0)
        return Speech(Sound(samples, SAMPLE_RATE), words)

    def _voice(self, voice_id: str) -> Voice:
        for voice in self.model.voice:
            if voice.id == voice_id:
                return voice
        raise UserInputError(f"there is no voice {voice_id!r}", field="voice_id")

    def _take(self, line: Line, emotion: EmotionSettings, seed: int, step: Step) -> Mono:
        step(0.0)
        with seeded(seed, self.device.torch):
            said = self._say(line, step)
        samples = said.detach().float().cpu().numpy().reshape(-1)
        if not np.isfinite(samples).all():
            raise BadOutputError(f"{self.model.id} computed samples that are not finite")
        if samples.size == 0 or float(np.abs(samples).max()) < _SILENCE:
            raise BadOutputError(f"{self.model.id} was silent")
        samples, _ = effects.trimmed(
            stretch_band_limited(samples, round(samples.size * SAMPLE_RATE / self.sample_rate))
        )
        if not self.keeps_pace and line.pace != 1.0:
            samples = effects.change_tempo(samples, line.pace)
        if not self.acts:
            samples = _shaped(samples, emotion, seed)
        step(1.0)
        return effects.faded(samples)


def utterances(text: str, longest: int, longest_s: float = math.inf) -> list[str]:
    """Parts that joined are the text: all of it at once, or sentence by sentence where it is longer, in characters or
    in seconds as they are usually spoken. Each has something to speak in it, if the text has."""
    parts: list[str] = []
    whole = [text] if len(text) <= longest else sentences(text, longest)
    for piece in chain.from_iterable(_within(part, longest_s) for part in whole):
        if parts and not (is_speakable(piece) and is_speakable(parts[-1])):
            parts[-1] += piece
        else:
            parts.append(piece)
    return parts


def _within(text: str, longest_s: float) -> list[str]:
    seconds = natural_s(text)
    if seconds <= longest_s or len(text) < 2:
        return [text]
    pieces = sentences(text, max(1, int(len(text) * longest_s / seconds)))
    return [within for piece in pieces for within in _within(piece, longest_s)]


def _part_of(report: Report, number: int, count: int) -> Step:
    return lambda fraction: report(0.98 * (number + fraction) / count)


def _shaped(samples: Mono, emotion: EmotionSettings, seed: int) -> Mono:
    """All of an emotion but its pace and its level."""
    if emotion.semitones:
        samples = effects.change_pitch(samples, emotion.semitones)
    samples = effects.with_breath(samples, emotion.breath, seed)
    if emotion.presence_db or emotion.air_db:
        samples = effects.coloured(samples, 0.0, emotion.presence_db, emotion.air_db)
    return samples


def _joined(parts: list[str], takes: list[Mono], speed: float) -> tuple[Mono, list[Word]]:
    """One sound of shape (1, n) with pauses between the utterances, and the words of all in order."""
    margin = np.zeros(round(_MARGIN_S * SAMPLE_RATE), dtype=np.float32)
    pieces: list[Mono] = [margin]
    words: list[Word] = []
    position = margin.size
    for number, (part, take) in enumerate(zip(parts, takes, strict=True)):
        words += spread(part, take, position / SAMPLE_RATE)
        last = number == len(parts) - 1
        pause = margin if last else np.zeros(round(pause_after_s(part) / speed * SAMPLE_RATE), dtype=np.float32)
        pieces += [take, pause]
        position += take.size + pause.size
    return np.concatenate(pieces)[np.newaxis], words
