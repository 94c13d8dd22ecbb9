"""Composing: from a style, a length and a seed to notes. Times are in beats, counted in a loop of
``Score.beats``."""

import hashlib
from dataclasses import dataclass, field

import numpy as np

from models.draft.music.styles import Mood, Palette
from models.draft.music.theory import Scale, lead_voices, triad

# Rhythms of one bar as (onset, length) in beats, from sparse to busy; the last of each row ends a phrase.
_RHYTHMS = {
    4: (
        ((0, 4),),
        ((0, 2), (2, 2)),
        ((0, 3), (3, 1)),
        ((0, 1.5), (1.5, 0.5), (2, 2)),
        ((0, 1), (1, 1), (2, 2)),
        ((0.5, 0.5), (1, 1), (2, 1), (3, 1)),
        ((0, 0.5), (0.5, 0.5), (1, 1), (2, 0.5), (2.5, 1.5)),
        ((0, 1), (1, 0.5), (1.5, 0.5), (2, 1), (3, 0.5), (3.5, 0.5)),
    ),
    3: (
        ((0, 3),),
        ((0, 2), (2, 1)),
        ((0, 1), (1, 2)),
        ((0, 1), (1, 1), (2, 1)),
        ((0, 1.5), (1.5, 0.5), (2, 1)),
        ((0, 0.5), (0.5, 0.5), (1, 1), (2, 1)),
        ((0, 1), (1, 0.5), (1.5, 0.5), (2, 0.5), (2.5, 0.5)),
    ),
}
_PHRASE_BARS = 4
_ARCHES = {"A": (0, 2, 3, 0), "B": (4, 2, 3, 1)}  # steps above the centre towards which each bar of a phrase leans


@dataclass(frozen=True)
class Note:
    """``part`` is a role of the palette (ground, figure, melody, bass) or ``drum:`` and a drum's name."""

    part: str
    pitch: int
    start: float
    beats: float
    velocity: float


@dataclass(frozen=True)
class Section:
    """Some bars of the form. Sections with the same letter share their theme; ``intensity`` is 0 to 1."""

    letter: str
    bars: int
    intensity: float


@dataclass
class Score:
    beats_per_minute: float
    meter: int
    bars: int
    notes: list[Note] = field(default_factory=list)

    @property
    def beats(self) -> int:
        return self.meter * self.bars


def generator(*names: object) -> np.random.Generator:
    """A random generator that depends on the names alone, in any process."""
    digest = hashlib.sha256("\x1f".join(str(name) for name in names).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def compose(mood: Mood, palette: Palette, duration_s: float, seed: str) -> Score:
    """A piece that lasts exactly ``duration_s``: the tempo is bent until whole bars fill it."""
    rng = generator(seed, "plan")
    tempo = rng.uniform(*mood.tempo)
    bar_s = 60.0 * mood.meter / tempo
    bars = max(1, round(duration_s / bar_s))
    score = Score(60.0 * mood.meter * bars / duration_s, mood.meter, bars)
    scale = Scale(int(rng.integers(55, 62)), mood.mode)
    chords, levels, letters = _plan(mood, bars, seed)
    voices = lead_voices(scale, chords)
    writer = _Writer(score, mood, palette, scale, seed)
    for bar, (chord, level, letter) in enumerate(zip(chords, levels, letters, strict=True)):
        writer.ground(bar, voices, level)
        writer.figure(bar, voices[bar], level, letter)
        writer.bass(bar, chord, level)
        writer.drums(bar, level, letter)
    writer.melody(chords, levels, letters)
    return score


def form(bars: int) -> list[Section]:
    """Intro, A, A, B, A …, outro in phrases of four bars; a short piece is one phrase."""
    if bars < 2 * _PHRASE_BARS:
        return [Section("A", bars, 0.6)]
    intro, outro = (2, 2) if bars < 24 else (4, 4)
    body = bars - intro - outro
    phrases = -(-body // _PHRASE_BARS)
    sections = [Section("I", intro, 0.45)]
    for number in range(phrases):
        letter = "AABA"[number % 4] if phrases > 2 else "AB"[number % 2]
        intensity = 0.5 + 0.5 * np.sin(np.pi * (number + 0.7) / (phrases + 0.4))
        sections.append(Section(letter, min(_PHRASE_BARS, body - number * _PHRASE_BARS), float(intensity)))
    return [*sections, Section("O", outro, 0.4)]


def _plan(mood: Mood, bars: int, seed: str) -> tuple[list[int], list[float], list[str]]:
    """For each bar: chord, loudness, letter of its section."""
    order = generator(seed, "progressions").permutation(len(mood.progressions))
    progression = {
        letter: mood.progressions[order[index % len(order)]]
        for letter, index in (("A", 0), ("B", 1), ("I", 0), ("O", 0))
    }
    chords: list[int] = []
    levels: list[float] = []
    letters: list[str] = []
    for section in form(bars):
        level = 1.0 - mood.contrast * (1.0 - section.intensity)
        for bar in range(section.bars):
            chords.append(progression[section.letter][bar % len(progression[section.letter])])
            levels.append(level)
            letters.append(section.letter)
    chords[0] = chords[-1] = 1
    if bars > 2:
        chords[-2] = next((c for c in reversed(mood.progressions[order[0]]) if c != 1), 5)
    return chords, levels, letters


class _Writer:
    """Writes one bar of each part into the score."""

    def __init__(self, score: Score, mood: Mood, palette: Palette, scale: Scale, seed: str) -> None:
        self._score, self._mood, self._palette, self._scale, self._seed = score, mood, palette, scale, seed
        self._human = generator(seed, "human")

    def _add(self, part: str, pitch: int, start: float, beats: float, velocity: float) -> None:
        touch = 1.0 + self._human.uniform(-0.08, 0.08)
        late = 0.0 if part == "ground" else self._human.uniform(0.0, 0.012)
        self._score.notes.append(Note(part, pitch, start + late, beats, velocity * touch))

    def ground(self, bar: int, voices: list[tuple[int, ...]], level: float) -> None:
        """Held chords. A voice that stays is held on, not struck again."""
        meter = self._score.meter
        for pitch in voices[bar]:
            if bar > 0 and pitch in voices[bar - 1]:
                continue
            held = 1
            while bar + held < len(voices) and pitch in voices[bar + held] and held < _PHRASE_BARS:
                held += 1
            self._add("ground", pitch, bar * meter, held * meter, 0.6 * level)

    def figure(self, bar: int, chord: tuple[int, ...], level: float, letter: str) -> None:
        """The accompaniment's pattern, thinned out where the section is quiet."""
        meter, start = self._score.meter, bar * self._score.meter
        low, middle, high = chord
        top = low + 12
        half = 0.5 if self._mood.drive + 0.4 * level > 0.55 else 1.0
        velocity = (0.35 + 0.35 * level) * (0.8 if letter == "O" else 1.0)
        count = int(meter / half)
        if self._palette.pattern == "block":
            for beat in range(meter):
                for pitch in (low,) if beat == 0 else (middle, high):
                    self._add("figure", pitch, start + beat, 1.0, velocity * (1.0 if beat == 0 else 0.6))
            return
        cycle = {
            "arpeggio": (low, middle, high, top, high, middle),
            "rolling": (low, high, middle, high),
            "pulse": (low, high, top, high),
        }[self._palette.pattern]
        length = half if self._palette.pattern == "pulse" else 2 * half
        for index in range(count):
            accent = 1.0 if index * half == 0 else 0.8 if (index * half).is_integer() else 0.65
            self._add("figure", cycle[index % len(cycle)], start + index * half, length, velocity * accent)

    def bass(self, bar: int, chord: int, level: float) -> None:
        if self._palette.bass is None:
            return
        meter, start = self._score.meter, bar * self._score.meter
        root = self._scale.pitch(triad(chord)[0])
        root = 36 + (root - 36) % 12
        fifth = self._scale.pitch(triad(chord)[2])
        fifth = root + (fifth - root) % 12
        drive = self._mood.drive * level
        if drive > 0.55:
            for index in range(2 * meter):
                self._add("bass", root + (12 if index == 2 * meter - 1 else 0), start + index / 2, 0.5, 0.75 * level)
        elif drive > 0.2 and meter == 4:
            self._add("bass", root, start, 2, 0.75 * level)
            self._add("bass", fifth if fifth <= 48 else fifth - 12, start + 2, 2, 0.6 * level)
        else:
            self._add("bass", root, start, meter, 0.7 * level)

    def drums(self, bar: int, level: float, letter: str) -> None:
        strength = self._mood.drive * level
        if strength < 0.08 or letter == "I":
            return
        for drum, eighths in self._palette.drums.items():
            for eighth in eighths:
                if eighth < 2 * self._score.meter:
                    accent = 1.0 if eighth % 4 == 0 else 0.75
                    start = bar * self._score.meter + eighth / 2
                    self._add(f"drum:{drum}", 0, start, 0.5, accent * (0.25 + 0.6 * strength))

    def melody(self, chords: list[int], levels: list[float], letters: list[str]) -> None:
        """Phrases of four bars: a motif, its answer, the motif again, a cadence. Sections of one letter sing
        the same tune; the intro has none and the outro only its last notes."""
        bar = 0
        while bar < len(chords):
            length = next((n for n in range(_PHRASE_BARS) if letters[bar : bar + n + 1] != [letters[bar]] * (n + 1)), 4)
            if letters[bar] not in "IO":
                self._phrase(bar, chords[bar : bar + length], levels[bar], letters[bar])
            elif letters[bar] == "O":
                tonic = self._scale.nearest_step(self._mood.centre)
                self._sing(tonic - tonic % 7 + 4, bar * self._score.meter, self._score.meter, 0.45 * levels[bar])
            bar += length

    def _phrase(self, bar: int, chords: list[int], level: float, letter: str) -> None:
        rng = generator(self._seed, "melody", letter)
        motif, answer = self._rhythm(rng), self._rhythm(rng)
        centre, arch = self._scale.nearest_step(self._mood.centre), _ARCHES[letter]
        step = centre + int(rng.integers(-2, 3))
        for index, chord in enumerate(chords):
            is_cadence = index == len(chords) - 1
            rhythm = _RHYTHMS[self._score.meter][1] if is_cadence else (motif, answer)[index % 2]
            for onset, beats in rhythm:
                step = self._next_step(rng, step, centre + arch[index], chord, is_strong=onset in (0, 2))
                velocity = (0.55 + 0.35 * level) * (1.0 if onset == 0 else 0.85)
                self._sing(step, (bar + index) * self._score.meter + onset, beats, velocity)

    def _rhythm(self, rng: np.random.Generator) -> tuple[tuple[float, float], ...]:
        rhythms = _RHYTHMS[self._score.meter]
        place = self._mood.density * (len(rhythms) - 1) + rng.normal(0.0, 0.9)
        return rhythms[int(np.clip(round(place), 0, len(rhythms) - 1))]

    def _next_step(self, rng: np.random.Generator, step: int, centre: int, chord: int, *, is_strong: bool) -> int:
        """A step or a small leap that drifts back to the centre; chord tones where the beat is strong."""
        chord_degrees = {tone % 7 for tone in triad(chord)}
        best, best_cost = step, float("inf")
        for candidate in range(step - 4, step + 5):
            degree = candidate % 7
            if self._palette.pentatonic and degree not in self._scale.pentatonic:
                continue
            leap = abs(candidate - step)
            cost = 1.4 * abs(leap - 1) + 0.12 * (candidate - centre) ** 2 + rng.uniform(0.0, 2.2)
            if degree not in chord_degrees:
                cost += 4.0 if is_strong else 0.4
            if abs(candidate - centre) > 5:
                cost += 6.0
            if cost < best_cost:
                best, best_cost = candidate, cost
        return best

    def _sing(self, step: int, start: float, beats: float, velocity: float) -> None:
        self._add("melody", self._scale.pitch(step), start, beats, velocity)
