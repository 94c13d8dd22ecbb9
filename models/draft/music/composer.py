"""The draft music model: composes by rules, plays the notes in NumPy, mixes them in a hall.

The piece is a loop from the first sample to the last: whatever rings on past the end is laid over the
beginning, so repeating it has no seam.
"""

import numpy as np

from models.catalog import Model
from models.draft.music import instruments
from models.draft.music.score import Note, Score, compose, generator
from models.draft.music.styles import Mood, Palette, choose_style
from models.interfaces import Report, Sound
from models.sound import SAMPLE_RATE, Samples, bell_db, convolve, decibels, equalise, loudness_lufs, shelf_db
from models.specs import MusicSpec

LOUDNESS_LUFS = -20.0
LONGEST_S = 120.0  # a longer film repeats the piece

# Level and place (-1 left to 1 right) of each part, and how much of it goes to the hall.
_PARTS = {
    "ground": (0.42, 0.0, 0.5),
    "figure": (0.42, -0.35, 0.35),
    "melody": (0.62, 0.22, 0.4),
    "bass": (0.6, 0.0, 0.05),
    "drum:kick": (0.7, 0.0, 0.04),
    "drum:snare": (0.75, 0.1, 0.2),
    "drum:hat": (0.9, 0.4, 0.1),
    "drum:shaker": (1.0, -0.4, 0.15),
    "drum:taiko": (0.8, -0.1, 0.3),
    "drum:tick": (0.9, 0.45, 0.35),
}


class DraftComposer:
    """Implements ``models.interfaces.Composer``: 48 kHz stereo at -20 LUFS that loops cleanly."""

    def __init__(self, model: Model) -> None:
        pass

    def load(self) -> None:
        pass

    def unload(self) -> None:
        pass

    def compose(self, spec: MusicSpec, report: Report) -> tuple[Sound, bool]:
        """A piece as long as asked for, or of two minutes where more is asked."""
        mood, palette = choose_style(spec)
        duration_s = min(spec.duration_s, LONGEST_S)
        # The length is no part of the seed: a film that grows by a second keeps its theme.
        seed = f"{spec.prompt}\x1e{spec.mood}\x1e{spec.genre}\x1e{spec.seed}"
        score = compose(mood, palette, duration_s, seed)
        report(0.1)
        n = round(duration_s * SAMPLE_RATE)
        dry, wet = _play(score, mood, palette, n, report)
        samples = dry + _wrapped(convolve(wet, _hall(mood)), n)
        samples = _mastered(samples, mood)
        report(1.0)
        return Sound(samples, SAMPLE_RATE), True


def _play(score: Score, mood: Mood, palette: Palette, n: int, report: Report) -> tuple[Samples, Samples]:
    """All notes as direct sound and as what goes to the hall, each of shape (2, n) and wrapped round."""
    longest = n + 8 * SAMPLE_RATE
    dry = np.zeros((2, longest), dtype=np.float32)
    wet = np.zeros((2, longest), dtype=np.float32)
    samples_per_beat = n / score.beats
    played: dict[tuple[str, int, float], np.ndarray] = {}
    for number, note in enumerate(score.notes):
        key = (note.part, note.pitch, note.beats)
        if key not in played:
            played[key] = _sounded(note, palette, mood, note.beats * samples_per_beat / SAMPLE_RATE)
        wave = played[key]
        level, place, hall = _PARTS[note.part]
        angle = np.pi / 4 * (1.0 + place)
        gains = np.array([[np.cos(angle)], [np.sin(angle)]]) * level * note.velocity
        start = round(note.start * samples_per_beat)
        if start + wave.size > longest:
            wave = wave[: longest - start]
        part = wave * gains.astype(np.float32)
        dry[:, start : start + wave.size] += part
        wet[:, start : start + wave.size] += part * np.float32(hall)
        if number % 64 == 0:
            report(0.1 + 0.6 * number / len(score.notes))
    return _wrapped(dry, n), _wrapped(wet, n)


def _sounded(note: Note, palette: Palette, mood: Mood, seconds: float) -> np.ndarray:
    match note.part:
        case "ground":
            return instruments.play(palette.ground, note.pitch, seconds, mood.brightness)
        case "figure":
            return instruments.play(palette.figure, note.pitch, seconds, mood.brightness)
        case "melody":
            return instruments.play(palette.melody, note.pitch, seconds, mood.brightness)
        case "bass" if palette.bass is not None:
            return instruments.play(palette.bass, note.pitch, seconds, mood.brightness)
    return instruments.strike(note.part.removeprefix("drum:"))  # type: ignore[arg-type]


def _wrapped(samples: Samples, n: int) -> Samples:
    """The first ``n`` samples with everything after them laid over the beginning, as often as it takes."""
    out = samples[:, :n].copy()
    for start in range(n, samples.shape[-1], n):
        rest = samples[:, start : start + n]
        out[:, : rest.shape[-1]] += rest
    return out


def _hall(mood: Mood) -> Samples:
    """The impulse response of a hall, longer and darker for quiet moods; left and right are independent."""
    decay_s = 0.35 + 0.35 * (1.0 - mood.drive)
    n = int(decay_s * 5 * SAMPLE_RATE)
    time = np.arange(n) / SAMPLE_RATE
    rng = generator("hall")
    noise = (rng.standard_normal((2, n)) * np.exp(-time / decay_s)).astype(np.float32)
    noise[:, : SAMPLE_RATE // 60] = 0.0  # the walls are some metres away
    dark = equalise(noise, lambda hz: shelf_db(hz, 200.0, 12.0) - 12.0 + shelf_db(hz, 3500.0, -18.0, 1.5))
    return (dark / np.sqrt((dark**2).sum(axis=1, keepdims=True)) * np.float32(1.1)).astype(np.float32)


def _mastered(samples: Samples, mood: Mood) -> Samples:
    """Timbre, loudness and a soft ceiling. All of it maps sample to sample round the loop, so the seam stays
    clean."""
    n = samples.shape[-1]
    around = np.concatenate([samples[:, -SAMPLE_RATE // 4 :], samples, samples[:, : SAMPLE_RATE // 4]], axis=1)
    air_db = 5.0 * (mood.brightness - 0.5)
    around = equalise(
        around,
        lambda hz: shelf_db(hz, 35.0, 24.0) - 24.0 + bell_db(hz, 300.0, -2.0, 1.5) + shelf_db(hz, 5000.0, air_db, 1.5),
    )
    lead_in = min(n, SAMPLE_RATE // 4)
    samples = around[:, lead_in : lead_in + n]
    measured = loudness_lufs(samples)
    if measured is not None:
        samples = samples * np.float32(decibels(LOUDNESS_LUFS - measured))
    knee = np.float32(0.5)
    over = np.maximum(np.abs(samples) - knee, 0.0)
    return (np.sign(samples) * (np.minimum(np.abs(samples), knee) + 0.3 * np.tanh(over / 0.3))).astype(np.float32)
