"""Cutting a text into the utterances that are spoken one by one: sentences, and in them runs of one script.

The parts joined give the text again, character for character, so times found in an utterance are times of the
text.
"""

import unicodedata
from dataclasses import dataclass

from models.specs import Language
from models.spoken_text import is_speakable, pause_after_s, sentences

_LONGEST = 220  # characters in an utterance; a longer sentence is cut at a comma or a space

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


@dataclass(frozen=True)
class Run:
    """A stretch of text to speak with one espeak language; ``pause_s`` is the silence after it at speed
    1.0."""

    text: str
    language: str
    pause_s: float


def runs_of(text: str, language: Language) -> list[Run]:
    """Cut the text into runs, in order. Their texts joined are the text; each has something to speak in it,
    if the text has."""
    pieces: list[tuple[str, str]] = []
    for sentence in sentences(text, _LONGEST):
        pieces += _by_script(sentence, language)
    runs: list[tuple[str, str]] = []
    for piece, spoken_as in pieces:
        if runs and (not is_speakable(piece) or not is_speakable(runs[-1][0])):
            previous, previous_language = runs.pop()
            runs.append((previous + piece, previous_language if is_speakable(previous) else spoken_as))
        else:
            runs.append((piece, spoken_as))
    return [Run(piece, spoken_as, pause_after_s(piece)) for piece, spoken_as in runs]


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
