"""From spoken lines to subtitle cues: what stands on screen, in which lines, from when to when.

A cue has at most two lines, ends where a reader expects it (a sentence, a clause, a word, in this order)
and is on screen while its words are spoken. Pure: the caller says how wide a text is.
"""

import logging
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from uniseg.linebreak import line_break_units

from models.specs import FilmSpeech, Word

if TYPE_CHECKING:
    import jieba

MAX_LINES = 2
MAX_CUE_S = 7.0
MIN_CUE_S = 1.0
_LINGER_S = 0.25  # a reader's eye leaves a little later than the ear
_COLUMNS_WIDE, _COLUMNS_NARROW = 36, 42  # of a line; a Chinese character takes two columns
_SENTENCE_ENDS = "。！？!?….;；"
_CLAUSE_ENDS = "，、,：:—–）)」』”"
_CLOSERS = "”’」』）)》】\"' "
_INFEASIBLE = float("inf")


@dataclass(frozen=True)
class Cue:
    """Text of one or two lines on screen from ``start_s`` to ``end_s`` of the film, cover included."""

    start_s: float
    end_s: float
    lines: tuple[str, ...]
    speaker: str | None = None


@dataclass(frozen=True)
class _Unit:
    """A stretch of text that is never broken, with the times its first sound starts and its last sound
    ends."""

    text: str
    width: float
    columns: int
    start_s: float | None
    end_s: float | None

    @property
    def bare(self) -> str:
        return self.text.rstrip()


def build_cues(
    speech: Iterable[FilmSpeech],
    *,
    offset_s: float,
    film_end_s: float,
    max_width: float,
    measure: Callable[[str], float],
    drawable: Callable[[str], str],
) -> list[Cue]:
    """The cues of all lines in time order, none overlapping. ``measure`` gives a text's width in the unit of
    ``max_width``; ``drawable`` leaves out characters that cannot be shown."""
    raw: list[Cue] = []
    for line in sorted(speech, key=lambda item: item.start_s):
        units = _units(line, max_width, measure, drawable)
        if units:
            raw += _cut(line, units, offset_s, max_width)
    return _settle(raw, film_end_s)


# --- time ---------------------------------------------------------------------------------------------------


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _is_spoken(character: str) -> bool:
    return character.isalnum()


def _character_times(line: FilmSpeech) -> list[tuple[float, float]]:
    """Start and end of each character of the line's text, in seconds from the line's start."""
    words = line.words or [Word(text=line.text, start_s=0.0, end_s=line.duration_s)]
    times: list[tuple[float, float]] = []
    for word in words:
        at = line.text.find(word.text, len(times))
        if at < 0 or not word.text:
            continue
        # What no word covers takes no time of its own.
        times += [(word.start_s, word.start_s)] * (at - len(times))
        weights = [_columns(character) if _is_spoken(character) else 0 for character in word.text]
        if not any(weights):
            weights = [1] * len(weights)
        rate = (word.end_s - word.start_s) / sum(weights)
        marks = [word.start_s + rate * done for done in accumulate(weights, initial=0)]
        times += list(pairwise(marks))
    last = times[-1][1] if times else line.duration_s
    times += [(last, last)] * (len(line.text) - len(times))
    return times


# --- units: where a line may break --------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _segmenter() -> "jieba.Tokenizer":
    # Its dictionary takes half a second to read: only a Chinese line that is too long for one line needs it.
    import jieba

    jieba.setLogLevel(logging.WARNING)
    return jieba.Tokenizer()


def break_points(text: str, needs_words: bool) -> list[int]:
    """Positions where the text may be broken, its end included: Unicode's line breaks (UAX #14), but not
    inside a Chinese word, and also before an opening quotation mark."""
    points = list(accumulate(len(unit) for unit in line_break_units(text)))
    extra = {
        at
        for at, (before, mark) in enumerate(pairwise(text), start=1)
        if mark in "“‘" and unicodedata.east_asian_width(before) in "WF"
    }
    points = sorted(({*points, *extra} - {at + 1 for at in extra}) | {len(text)})
    if not needs_words:
        return points
    ends = set(accumulate(len(word) for word in _segmenter().cut(text)))
    return [at for at in points if at == len(text) or at in ends or not (text[at - 1].isalnum() and text[at].isalnum())]


def _units(
    line: FilmSpeech,
    max_width: float,
    measure: Callable[[str], float],
    drawable: Callable[[str], str],
) -> list[_Unit]:
    """The line's text, cleaned, as unbreakable stretches that each fit into a line."""
    characters: list[str] = []
    times: list[tuple[float, float]] = []
    for character, time in zip(line.text, _character_times(line), strict=True):
        shown = " " if character.isspace() else drawable(character)
        if not shown or (shown == " " and (not characters or characters[-1] == " ")):
            continue
        characters += shown
        times += [time] * len(shown)
    text = "".join(characters).rstrip()
    if not text:
        return []
    wide = any(unicodedata.east_asian_width(character) in "WF" for character in text)
    limit = _COLUMNS_WIDE if wide else _COLUMNS_NARROW
    needs_words = wide and (_columns(text) > limit or measure(text) > max_width)

    units: list[_Unit] = []

    def add(start: int, end: int) -> None:
        part = text[start:end]
        bare = part.rstrip()
        if len(bare) > 1 and (_columns(bare) > limit or measure(bare) > max_width):
            middle = (start + end) // 2
            add(start, middle)
            add(middle, end)
            return
        spoken = [time for character, time in zip(part, times[start:end], strict=True) if _is_spoken(character)]
        units.append(
            _Unit(
                part,
                measure(part),
                _columns(part),
                spoken[0][0] if spoken else None,
                spoken[-1][1] if spoken else None,
            )
        )

    for start, end in pairwise([0, *break_points(text, needs_words)]):
        add(start, end)
    return units


# --- cues: the cheapest way to cut a line -------------------------------------------------------------------


def _end_cost(text: str) -> float:
    """How much a reader minds a break after this text."""
    core = text.rstrip(_CLOSERS)
    if core and core[-1] in _SENTENCE_ENDS:
        return 0.0
    bare = text.rstrip()
    if (core and core[-1] in _CLAUSE_ENDS) or bare[-1:] in _CLAUSE_ENDS:
        return 1.5
    return 7.0


def _cut(line: FilmSpeech, units: list[_Unit], offset_s: float, max_width: float) -> list[Cue]:
    """Dynamic programme over break positions; the cost of a cue says how well it reads."""
    limit = (
        _COLUMNS_WIDE
        if any(unicodedata.east_asian_width(c) in "WF" for unit in units for c in unit.text)
        else _COLUMNS_NARROW
    )
    begin = line.start_s + offset_s
    starts, ends = _unit_times(units, line.duration_s)
    widths = [0.0, *accumulate(unit.width for unit in units)]
    columns = [0, *accumulate(unit.columns for unit in units)]
    breaks = [_end_cost(unit.text) for unit in units]
    last = len(units)

    def fits(first: int, end: int) -> bool:
        # Advances add up but for kerning, so a hair of tolerance keeps a unit that fitted alone from
        # failing here.
        return columns[end] - columns[first] <= limit + 1 and widths[end] - widths[first] <= max_width * 1.001

    def second_line(first: int, end: int) -> tuple[float, int] | None:
        """The best place for the line break of a cue, None when two lines cannot hold it."""
        best: tuple[float, int] | None = None
        for middle in range(first + 1, end):
            if fits(first, middle) and fits(middle, end):
                upper, lower = columns[middle] - columns[first], columns[end] - columns[middle]
                # The lower line may be longer: the eye then travels less from the picture to the text.
                cost = breaks[middle - 1] + 6.0 * abs(lower - upper * 1.05) / limit
                if best is None or cost < best[0]:
                    best = (cost, middle)
        return best

    costs = [0.0] + [_INFEASIBLE] * last
    origin: list[tuple[int, int | None]] = [(0, None)] * (last + 1)
    for first in range(last):
        for end in range(first + 1, last + 1):
            if columns[end] - columns[first] > MAX_LINES * (limit + 1):
                break
            length_s = ends[end - 1] - starts[first]
            if length_s > MAX_CUE_S and end > first + 1:
                break
            cost = 4.0 + (breaks[end - 1] if end < last else 0.0)
            cost += sum(2.5 for at in range(first, end - 1) if breaks[at] == 0.0)
            cost += 4.0 * max(0.0, MIN_CUE_S - length_s)
            middle: int | None = None
            if not fits(first, end):
                found = second_line(first, end)
                if found is None:
                    continue
                cost += 2.0 + found[0]
                middle = found[1]
            else:
                # A cue of a word or two flashes by: of two ways to cut, the more even one reads better.
                cost += 3.0 * (1 - (columns[end] - columns[first]) / limit) ** 2
            if costs[first] + cost < costs[end]:
                costs[end], origin[end] = costs[first] + cost, (first, middle)
    cues = []
    end = last
    while end:
        first, middle = origin[end]
        cuts = [first, middle, end] if middle else [first, end]
        lines = tuple("".join(unit.text for unit in units[a:b]).strip() for a, b in pairwise(cuts))
        cues.append(Cue(begin + starts[first], begin + ends[end - 1], lines, line.speaker))
        end = first
    return cues[::-1]


def _unit_times(units: list[_Unit], duration_s: float) -> tuple[list[float], list[float]]:
    """Start and end of each unit. One without sound (a dash, an ellipsis) starts with the sound after it
    and ends with the sound before it; a line without any sound stands for its whole length."""
    sounding = [unit for unit in units if unit.end_s is not None]
    if not sounding:
        return [0.0] * len(units), [duration_s] * len(units)
    starts, ends = [], []
    following = sounding[-1].end_s or 0.0
    for unit in reversed(units):
        following = following if unit.start_s is None else unit.start_s
        starts.append(following)
    previous = 0.0
    for unit in units:
        previous = previous if unit.end_s is None else unit.end_s
        ends.append(previous)
    return starts[::-1], ends


def _settle(cues: list[Cue], film_end_s: float) -> list[Cue]:
    """Let each cue linger and last long enough to be read, without running into the next one or past the
    end."""
    cues = sorted(cues, key=lambda cue: cue.start_s)
    settled: list[Cue] = []
    starts = [cue.start_s for cue in cues]
    for at, cue in enumerate(cues):
        start = max(cue.start_s, settled[-1].end_s) if settled else max(0.0, cue.start_s)
        after = bisect_right(starts, start, lo=at + 1)
        next_start = starts[after] if after < len(starts) else film_end_s
        wish = max(cue.end_s + _LINGER_S, start + MIN_CUE_S)
        end = min(wish, next_start, film_end_s)
        if at + 1 < len(cues) and end - start < MIN_CUE_S / 2:
            # Two people speak at once: both lines are shown one after the other rather than one of them for
            # nothing.
            end = min(max(end, start + MIN_CUE_S / 2), film_end_s)
        if end - start > 0.04:
            settled.append(Cue(round(start, 3), round(end, 3), cue.lines, cue.speaker))
    return settled
