"""Scales, chords and how voices move from one chord to the next. Pitches are MIDI numbers; a *step* counts
along the scale, with step 0 the tonic in its own octave."""

from dataclasses import dataclass
from itertools import product

_INTERVALS = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
}
_MAJOR_PENTATONIC = frozenset({0, 1, 2, 4, 5})
_MINOR_PENTATONIC = frozenset({0, 2, 3, 4, 6})


@dataclass(frozen=True)
class Scale:
    tonic: int  # MIDI pitch of step 0
    mode: str

    def pitch(self, step: int) -> int:
        octave, degree = divmod(step, 7)
        return self.tonic + 12 * octave + _INTERVALS[self.mode][degree]

    def nearest_step(self, pitch: int) -> int:
        low = 7 * ((pitch - self.tonic) // 12)
        return min(range(low, low + 8), key=lambda step: (abs(self.pitch(step) - pitch), step))

    @property
    def is_major(self) -> bool:
        return _INTERVALS[self.mode][2] == 4

    @property
    def pentatonic(self) -> frozenset[int]:
        """The degrees (0 to 6) of the scale's five-note subset without semitones."""
        return _MAJOR_PENTATONIC if self.is_major else _MINOR_PENTATONIC


def triad(degree: int) -> tuple[int, int, int]:
    """The steps of the chord on a degree counted from 1, from its root."""
    root = degree - 1
    return root, root + 2, root + 4


def voicings(scale: Scale, degree: int, low: int, high: int) -> list[tuple[int, ...]]:
    """Every way to play the chord with three voices in close position between two pitches, lowest first."""
    classes = [scale.pitch(step) % 12 for step in triad(degree)]
    found = []
    for pitches in product(*([p for p in range(low, high + 1) if p % 12 == c] for c in classes)):
        ordered = tuple(sorted(pitches))
        if ordered[-1] - ordered[0] <= 12:
            found.append(ordered)
    return sorted(set(found))


def lead_voices(scale: Scale, degrees: list[int], low: int = 52, high: int = 71) -> list[tuple[int, ...]]:
    """One voicing per chord such that the voices move as little as possible and not all in parallel."""
    chosen: list[tuple[int, ...]] = []
    middle = (low + high) / 2
    for degree in degrees:
        options = voicings(scale, degree, low, high)
        if not chosen:
            best = min(options, key=lambda v: abs(sum(v) / 3 - middle))
        else:
            before = chosen[-1]
            best = min(options, key=lambda v: (_movement(before, v) + 0.15 * abs(sum(v) / 3 - middle), v))
        chosen.append(best)
    return chosen


def _movement(before: tuple[int, ...], after: tuple[int, ...]) -> float:
    moves = [b - a for a, b in zip(before, after, strict=True)]
    is_parallel = moves[0] != 0 and len(set(moves)) == 1
    return sum(abs(move) for move in moves) + (4 if is_parallel else 0)
