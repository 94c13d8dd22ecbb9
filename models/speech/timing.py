"""When the words of an utterance are spoken, told from the text and the sound alone: for models that do not say."""

import unicodedata

import numpy as np

from models.sound import SAMPLE_RATE, decibels
from models.specs import Word
from models.voice_effects import Mono

_SYLLABLE = 3.0  # a Chinese character or a digit takes about as long as three letters
_UNITS_PER_S = 13.0  # 4.3 Chinese characters, or 2.6 English words of five letters
_FRAME = SAMPLE_RATE // 100
_QUIET_DB = -35.0  # below the utterance's peak, over a frame


def split_words(text: str) -> list[str]:
    """Stretches of the text that joined are the text: each Chinese character and each word of an alphabet, with the
    marks and spaces after it (and before the first)."""
    starts = [0]
    begun = False
    for index, character in enumerate(text):
        if not _is_spoken(character):
            continue
        if begun and not _goes_on(text, index):
            starts.append(index)
        begun = True
    return [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True) if end > start]


def _goes_on(text: str, index: int) -> bool:
    """Whether the character at ``index`` belongs to the word before it, as in ``don't``, ``e-mail`` and ``3.14``."""
    before = text[index - 1]
    if before in "'’-.,:" and index >= 2:
        inside_number = text[index].isdigit() and text[index - 2].isdigit()
        if before in ".,:":
            return inside_number
        before = text[index - 2]
    return _is_spoken(before) and not is_cjk(before) and not is_cjk(text[index])


def is_cjk(character: str) -> bool:
    return unicodedata.name(character, "").startswith("CJK")


def _is_spoken(character: str) -> bool:
    return unicodedata.category(character)[0] in "LN"


def _units(text: str) -> float:
    return sum(_SYLLABLE if is_cjk(c) or c.isdigit() else 1.0 for c in text if _is_spoken(c))


def natural_s(text: str) -> float:
    """About how long it takes to say the text."""
    return _units(text) / _UNITS_PER_S


def longest_s(text: str) -> float:
    """After this a model that says it must have missed its end, and is stopped."""
    return 2.5 * natural_s(text) + 1.0


def spread(text: str, samples: Mono, offset_s: float = 0.0) -> list[Word]:
    """The words of an utterance over its voiced stretches, each as long as its share of what is spoken; ``offset_s``
    is when the sound begins."""
    words = split_words(text)
    units = np.array([_units(word) for word in words])
    if not units.any():
        units = np.ones(len(words))
    ends = np.cumsum(units) / units.sum()
    starts = np.concatenate([[0.0], ends[:-1]])
    voiced = _voiced(samples)
    seconds = np.arange(voiced.size + 1) * _FRAME / SAMPLE_RATE
    seconds[-1] = samples.size / SAMPLE_RATE
    # A start is the last moment at which so much was voiced, an end the first: a pause lies between two words.
    total = np.concatenate([[0.0], np.cumsum(voiced)]) / voiced.sum()
    return [
        Word(text=word, start_s=round(offset_s + begin, 4), end_s=round(offset_s + max(begin, end), 4))
        for word, begin, end in zip(
            words, _moments(starts, total, seconds, "right"), _moments(ends, total, seconds, "left"), strict=True
        )
    ]


def _voiced(samples: Mono) -> Mono:
    """1 for each 10 ms that are heard, else 0; all 1 where nothing is."""
    frames = np.pad(samples, (0, -samples.size % _FRAME)).reshape(-1, _FRAME)
    level = np.sqrt((frames**2).mean(axis=1))
    heard = (level > level.max() * decibels(_QUIET_DB)).astype(np.float32)
    return heard if heard.any() else np.ones_like(heard)


def _moments(shares: np.ndarray, total: np.ndarray, seconds: np.ndarray, side: str) -> list[float]:
    """When each share of the voiced time has passed. ``total`` never falls and stands still in pauses; ``side`` says
    whether the moment is before (left) or after (right) such a pause."""
    moments = []
    for share in shares:
        if side == "left":
            index = int(np.searchsorted(total, share - 1e-9, side="left"))
            index = min(max(index, 1), total.size - 1)
        else:
            index = int(np.searchsorted(total, share + 1e-9, side="right"))
            index = min(max(index, 1), total.size - 1)
        rise = total[index] - total[index - 1]
        part = (share - total[index - 1]) / rise if rise > 0 else 0.0
        moments.append(float(seconds[index - 1] + np.clip(part, 0.0, 1.0) * (seconds[index] - seconds[index - 1])))
    return moments
