"""The draft speech model: espeak-ng in a process of its own, coloured into one voice per character."""

from dataclasses import dataclass

import numpy as np

from models import voice_effects as effects
from models.catalog import Model
from models.draft.speech.espeak import FASTEST_RATE, SLOWEST_RATE, Espeak, Spoken, Utterance
from models.draft.speech.text import Run, begins_word, runs_of
from models.draft.speech.voices import VoiceSettings, book, voice_settings
from models.interfaces import Report, Sound, Speech
from models.prosody import EmotionSettings, emotions
from models.sound import SAMPLE_RATE, Samples, stretch_band_limited
from models.specs import SpeechSpec, Word
from models.spoken_text import check_speakable, cleaned
from models.voice_effects import Mono

_MARGIN_S = 0.05
_RING_S = 0.12  # how long the room is heard after a run; it falls into the pause


@dataclass(frozen=True)
class _Take:
    """One spoken run: its samples with the room's tail, of which the first ``length`` are speech, and where
    in it the stretches of its text begin and its clauses end."""

    run: Run
    samples: Mono
    length: int
    starts: list[tuple[int, int]]  # (character, sample)
    clause_ends: list[int]


class DraftSpeaker:
    """Implements ``models.interfaces.Speaker``: 48 kHz mono at -19 LUFS, with the times of its words."""

    def __init__(self, model: Model) -> None:
        self._espeak = Espeak()

    def load(self) -> None:
        self._espeak.start()

    def unload(self) -> None:
        self._espeak.close()

    def speak(self, spec: SpeechSpec, report: Report) -> Speech:
        """Speak a text sentence by sentence.

        Raises UserInputError for an unknown voice, a text with nothing to speak and one that is too long, and
        EspeakError when espeak-ng fails.
        """
        voice = voice_settings(spec.voice)
        emotion = emotions()[spec.emotion]
        check_speakable(spec.text)
        runs = runs_of(spec.text, spec.language)
        rng = np.random.default_rng(spec.seed)
        takes = []
        for number, run in enumerate(runs):
            takes.append(self._take(run, spec, voice, emotion, rng))
            report(0.9 * (number + 1) / len(runs))
        samples, words = _joined(takes, spec.speed)
        effects.set_level(samples, emotion.level_db)
        report(1.0)
        return Speech(Sound(samples, SAMPLE_RATE), words)

    def _take(
        self,
        run: Run,
        spec: SpeechSpec,
        voice: VoiceSettings,
        emotion: EmotionSettings,
        rng: np.random.Generator,
    ) -> _Take:
        language = book().language[run.language]
        # No two sentences are said alike: the seed varies pitch and pace a little, as a second take would.
        pitch = voice.pitch + emotion.pitch + rng.uniform(-2.5, 2.5)
        pace = language.rate * voice.rate * emotion.rate * spec.speed * rng.uniform(0.98, 1.02)
        breath_seed = int(rng.integers(2**32))
        wanted_rate = pace / voice.tract  # playing it back for another vocal tract changes the pace too
        rate = round(min(max(wanted_rate, SLOWEST_RATE), FASTEST_RATE))
        spoken = self._espeak.synthesise(
            Utterance(
                text=cleaned(run.text),
                voice=f"{language.espeak}+{voice.variant}",
                rate=rate,
                pitch=round(min(max(pitch, 0), 100)),
                range=round(min(voice.range * emotion.range, 100)),
            )
        )
        if spoken.samples.size == 0:
            return _Take(run, spoken.samples, 0, [], [])
        samples, starts, clause_ends = _at_48_khz(spoken, voice.tract, wanted_rate / rate)
        acted = _acted(samples, voice, emotion, breath_seed)
        return _Take(run, acted, samples.size, starts, clause_ends)


def _at_48_khz(spoken: Spoken, tract: float, tempo: float) -> tuple[Mono, list[tuple[int, int]], list[int]]:
    """Resample (moving the resonances by ``tract``), make up the pace espeak-ng cannot reach, cut the silence
    around it; with the times of words and clause ends moved alike."""
    length = round(spoken.samples.size * SAMPLE_RATE / (spoken.sample_rate * tract))
    samples = stretch_band_limited(spoken.samples, length)
    if abs(tempo - 1.0) > 0.02:
        samples = effects.change_tempo(samples, tempo)
    scale = samples.size / spoken.samples.size
    samples, cut = effects.trimmed(samples)

    def moved(sample: int) -> int:
        return min(max(round(sample * scale) - cut, 0), samples.size)

    starts = [(character, moved(sample)) for character, sample in spoken.words]
    return samples, starts, [moved(sample) for sample in spoken.clause_ends]


def _acted(samples: Mono, voice: VoiceSettings, emotion: EmotionSettings, seed: int) -> Mono:
    """The run as this voice in this emotion sounds in a room; longer by the room's tail."""
    breath = 1.0 - (1.0 - voice.breath) * (1.0 - emotion.breath)
    samples = np.pad(effects.faded(samples), (0, round(_RING_S * SAMPLE_RATE)))
    samples = effects.softened(effects.with_breath(samples, breath, seed))
    samples = effects.coloured(
        samples, voice.warmth_db, voice.presence_db + emotion.presence_db, voice.air_db + emotion.air_db
    )
    return effects.faded(effects.levelled(effects.in_room(samples, voice.room)))


def _joined(takes: list[_Take], speed: float) -> tuple[Samples, list[Word]]:
    """One sound of shape (1, n) with pauses between the runs, and the words of all runs in order."""
    position = round(_MARGIN_S * SAMPLE_RATE)
    offsets = []
    words: list[Word] = []
    for take in takes:
        offsets.append(position)
        words += _words(take, position)
        position += take.length + round(take.run.pause_s / speed * SAMPLE_RATE)
    end = offsets[-1] + takes[-1].length + round(_MARGIN_S * SAMPLE_RATE)
    samples = np.zeros((1, end), dtype=np.float32)
    for take, offset in zip(takes, offsets, strict=True):
        heard = take.samples[: end - offset]
        samples[0, offset : offset + heard.size] += heard
    margin = round(_MARGIN_S * SAMPLE_RATE)
    samples[:, -margin:] *= np.linspace(1.0, 0.0, margin, dtype=np.float32)
    return samples, words


def _words(take: _Take, offset: int) -> list[Word]:
    """Stretches of the run's text that cover it whole, each with its time. What espeak-ng names no time for
    belongs to the stretch before it."""
    starts = [(0, 0)]
    for character, sample in take.starts:
        # Numbers are announced digit by digit, at positions inside them that jump back: keep what begins a word.
        moves_on = starts[-1][0] < character < len(take.run.text) and sample > starts[-1][1]
        if moves_on and begins_word(take.run.text, character):
            starts.append((character, sample))
    bounds = [*starts[1:], (len(take.run.text), take.length)]
    words = []
    for (character, start), (next_character, following) in zip(starts, bounds, strict=True):
        ends = [end for end in take.clause_ends if start < end <= following]
        words.append(
            Word(
                text=take.run.text[character:next_character],
                start_s=round((offset + start) / SAMPLE_RATE, 4),
                end_s=round((offset + (ends[0] if ends else following)) / SAMPLE_RATE, 4),
            )
        )
    return words
