"""How long each shot lasts: as long as its words, or together as long as the user asked."""

import math
from collections.abc import Callable

from models.draft.script.sentences import split_sentences
from models.draft.script.shots import Draft, join
from models.draft.script.text import SPEECH_TAIL_S, speech_seconds

MIN_SHOT_S = 1.5
NATURAL_MIN_S = 2.5
MAX_SHOT_S = 9.0
"""A shot stretched past this is split: a longer look at one picture is dull."""

_TENTHS = 10


def natural_s(draft: Draft) -> float:
    """How long a shot lasts by itself: what the author set, else as long as its words take to say, or what it shows
    to tell; at least NATURAL_MIN_S."""
    if draft.duration_s is not None:
        return max(draft.duration_s, 1 / _TENTHS)
    return max(NATURAL_MIN_S, draft.speech_s, draft.seen_s)


def plan_smart(drafts: list[Draft], pace: float = 1.0) -> None:
    """Give every shot its natural length, rounded up to tenths. ``pace`` above 1 lets silence grow, below 1 shrinks
    it; words keep their time."""
    for draft in drafts:
        seconds = natural_s(draft)
        if draft.duration_s is None:
            seconds = max(seconds * pace, draft.speech_s, MIN_SHOT_S)
        draft.duration_s = math.ceil(seconds * _TENTHS - 1e-6) / _TENTHS


def plan_target(
    drafts: list[Draft], target_s: float, *, keep_words: bool, cutaway: Callable[[Draft, int], Draft]
) -> list[Draft]:
    """The shots of a film of ``target_s`` seconds, durations set, each at least MIN_SHOT_S.

    Too much: the shots that matter least go, or with ``keep_words`` shots are joined. Too little: long shots get a
    ``cutaway`` after them. Then all are scaled to the length asked for."""
    target_s = max(target_s, MIN_SHOT_S)
    shots = list(drafts)
    if keep_words:
        _merge_until(shots, int(target_s / MIN_SHOT_S + 1e-9))
    else:
        _drop_until(shots, target_s)
    shots = _fill(shots, target_s, cutaway)
    units = _scaled([natural_s(shot) for shot in shots], target_s)
    for shot, tenths in zip(shots, units, strict=True):
        shot.duration_s = tenths / _TENTHS
    return shots


def _merge_until(shots: list[Draft], count: int) -> None:
    """Join neighbours into at most ``count`` shots of about equal length."""
    if len(shots) <= max(count, 1):
        return
    lengths = [natural_s(shot) for shot in shots]
    share = sum(lengths) / max(count, 1)
    merged: list[Draft] = []
    group = -1
    elapsed = 0.0
    for shot, length in zip(shots, lengths, strict=True):
        number = int((elapsed + length / 2) / share)
        elapsed += length
        if merged and number == group:
            join(merged[-1], shot)
        else:
            merged.append(shot)
            group = number
    shots[:] = merged


def _drop_until(shots: list[Draft], target_s: float) -> None:
    total = sum(natural_s(shot) for shot in shots)
    order = sorted(range(len(shots)), key=lambda i: (shots[i].worth, -natural_s(shots[i]), i))
    kept = set(range(len(shots)))
    for index in order:
        if len(kept) == 1 or (total <= target_s and len(kept) * MIN_SHOT_S <= target_s):
            break
        kept.discard(index)
        total -= natural_s(shots[index])
    shots[:] = [shot for index, shot in enumerate(shots) if index in kept]
    if len(shots) == 1 and natural_s(shots[0]) > target_s:
        _shorten_words(shots[0], target_s)


def _shorten_words(shot: Draft, target_s: float) -> None:
    """Keep the sentences of one shot that fit the film, at least the first."""
    room = target_s - SPEECH_TAIL_S
    sentences = split_sentences(shot.narration)
    kept: list[str] = []
    for sentence in sentences:
        if kept and speech_seconds("".join(kept)) + speech_seconds(sentence) > room:
            break
        kept.append(sentence)
    joint = " " if " " in shot.narration else ""
    shot.narration = joint.join(kept)
    while shot.lines and shot.speech_s > target_s and (shot.narration or len(shot.lines) > 1):
        shot.lines.pop()


def _fill(shots: list[Draft], target_s: float, cutaway: Callable[[Draft, int], Draft]) -> list[Draft]:
    """Give shots their share of the film, and put cutaways after those that would be stretched past MAX_SHOT_S: a
    shot keeps the time its words need, its cutaways share what is left of its time."""
    stretch = target_s / sum(natural_s(shot) for shot in shots)
    filled: list[Draft] = []
    for shot in shots:
        length_s = natural_s(shot) * stretch
        views = max(0, math.ceil(length_s / MAX_SHOT_S - 1e-9) - 1)
        own_s = max(length_s / (views + 1), min(shot.speech_s, length_s))
        views = min(views, int((length_s - own_s) / MIN_SHOT_S))
        shot.duration_s = own_s if views else length_s
        filled.append(shot)
        for _ in range(views):
            view = cutaway(shot, len(filled))
            view.duration_s = (length_s - own_s) / views
            filled.append(view)
    return filled


def _scaled(lengths: list[float], target_s: float) -> list[int]:
    """Whole tenths of a second in proportion to the lengths, none under MIN_SHOT_S, together the target."""
    total = max(round(target_s * _TENTHS), 1)
    floor = min(round(MIN_SHOT_S * _TENTHS), total // len(lengths))
    free = list(range(len(lengths)))
    units = [floor] * len(lengths)
    while free:
        rest = total - sum(units[i] for i in range(len(lengths)) if i not in free)
        weight = sum(lengths[i] for i in free)
        low = [i for i in free if lengths[i] * rest / weight < floor]
        if not low:
            break
        free = [i for i in free if i not in low]
    if free:
        fixed = set(range(len(lengths))) - set(free)
        rest = total - sum(units[i] for i in fixed)
        weight = sum(lengths[i] for i in free)
        exact = {i: lengths[i] * rest / weight for i in free}
        for i in free:
            units[i] = int(exact[i])
        leftover = rest - sum(units[i] for i in free)
        for i in sorted(free, key=lambda i: (units[i] - exact[i], i))[:leftover]:
            units[i] += 1
    else:
        units[0] += total - sum(units)
    return units


_SLOWER = ("慢", "舒缓", "slower", "slow", "longer", "calmer")
_FASTER = ("快", "紧凑", "faster", "quicker", "shorter", "tighter", "snappier")


def pace_of(wish: str) -> float:
    """How much a wish for more or less haste stretches what is not spoken."""
    lower = wish.lower()
    if any(word in lower for word in _SLOWER):
        return 1.4
    return 0.75 if any(word in lower for word in _FASTER) else 1.0
