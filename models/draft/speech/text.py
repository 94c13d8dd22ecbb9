"""Cutting a text into the utterances that are spoken one by one: sentences, and in them runs of one script.

The parts joined give the text again, character for character, so times found in an utterance are times of the
text.
"""

import re
import unicodedata
from dataclasses import dataclass

from models.specs import Language

_LONGEST = 220  # characters in an utterance; a longer sentence is cut at a comma or a space

_SENTENCE = re.compile(
    r"""
    .+?
    (?: [。！？!?；;…\n]+ | (?<!\bMr)(?<!\bMrs)(?<!\bMs)(?<!\bDr)(?<!\bSt)\.(?=[\s"'”’)」』]) | \Z )
    [\s"'”’)）」』】》。！？!?….]*
    """,
    re.DOTALL | re.VERBOSE,
)
_SOFT_BREAK = re.compile(r"[，、,:：—\s]")

_VOICE_OF_SCRIPT = {
    "CJK": "zh",
    "LATIN": "en",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "CYRILLIC": "ru",
    "GREEK": "el",
    "ARABIC": "ar",
    "HEBREW": "he",
    "DEVANAGARI": "hi",
    "THAI": "th",
}

PAUSE_AFTER_S = {"paragraph": 0.55, "sentence": 0.4, "clause": 0.2, "run": 0.02}


@dataclass(frozen=True)
class Run:
    """A stretch of text to speak with one espeak language; ``pause_s`` is the silence after it at speed
    1.0."""

    text: str
    language: str
    pause_s: float


def is_speakable(text: str) -> bool:
    """Whether there is a letter or a number in it; punctuation and emoji alone cannot be spoken."""
    return any(unicodedata.category(character)[0] in "LN" for character in text)


def cleaned(text: str) -> str:
    """The text with everything that espeak-ng could take for a command replaced, one character for one.

    Control characters start embedded commands; emoji and other pictures are passed over in silence.
    """
    return "".join(" " if _is_unspoken(character) else character for character in text)


def _is_unspoken(character: str) -> bool:
    category = unicodedata.category(character)
    is_pictograph = category[0] == "S" and ord(character) >= 0x2300
    return is_pictograph or (category[0] == "C" and character != "\n")


def runs_of(text: str, language: Language) -> list[Run]:
    """Cut the text into runs, in order. Their texts joined are the text; each has something to speak in it,
    if the text has."""
    pieces: list[tuple[str, str]] = []
    for sentence in _sentences(text):
        for piece in _split_long(sentence):
            pieces += _by_script(piece, language)
    runs: list[tuple[str, str]] = []
    for piece, spoken_as in pieces:
        if runs and (not is_speakable(piece) or not is_speakable(runs[-1][0])):
            previous, previous_language = runs.pop()
            runs.append((previous + piece, previous_language if is_speakable(previous) else spoken_as))
        else:
            runs.append((piece, spoken_as))
    return [Run(piece, spoken_as, PAUSE_AFTER_S[_ending(piece)]) for piece, spoken_as in runs]


def begins_word(text: str, index: int) -> bool:
    """Whether a stretch may begin at ``text[index]``: anywhere but inside a number or a word of an
    alphabet."""
    before, here = text[index - 1], text[index]
    if here in ".,:'’-":
        return False
    if before in ".," and here.isdigit():
        return not text[index - 2 : index - 1].isdigit()
    return not (_is_joined(before) and _is_joined(here))


def _is_joined(character: str) -> bool:
    return character.isalnum() and _language_of(character) != "zh"


def _sentences(text: str) -> list[str]:
    return _SENTENCE.findall(text)


def _split_long(sentence: str) -> list[str]:
    parts = []
    while len(sentence) > _LONGEST:
        breaks = [match.end() for match in _SOFT_BREAK.finditer(sentence, _LONGEST // 3, _LONGEST)]
        cut = breaks[-1] if breaks else _LONGEST
        parts.append(sentence[:cut])
        sentence = sentence[cut:]
    return [*parts, sentence]


def _by_script(sentence: str, language: Language) -> list[tuple[str, str]]:
    """Runs of one language each. What belongs to no script (digits, signs, spaces) stays with the run before
    it."""
    runs: list[tuple[str, str]] = []
    start, current = 0, ""
    for index, character in enumerate(sentence):
        script = _language_of(character)
        if script is None or script == current:
            continue
        if current:
            runs.append((sentence[start:index], current))
            start = index
        current = script
    runs.append((sentence[start:], current or language))
    return runs


def _language_of(character: str) -> str | None:
    if unicodedata.category(character)[0] != "L":
        return None
    return _VOICE_OF_SCRIPT.get(unicodedata.name(character, "").split(" ", 1)[0])


def _ending(piece: str) -> str:
    if piece.endswith("\n"):
        return "paragraph"
    last = next((c for c in reversed(piece) if not c.isspace() and c not in "\"'”’)）」』】》"), "")
    if last in "。！？!?；;….":
        return "sentence"
    return "clause" if last in "，、,:：—-" else "run"
