"""Text as it is spoken: whether it can be, where its sentences end, how long one waits after them."""

import re
import unicodedata

from models.interfaces import UserInputError

LONGEST_TEXT = 5_000  # characters, about twenty minutes

PAUSE_AFTER_S = {"paragraph": 0.55, "sentence": 0.4, "clause": 0.2, "run": 0.02}

_SENTENCE = re.compile(
    r"""
    .+?
    (?: [。！？!?；;…\n]+ | (?<!\bMr)(?<!\bMrs)(?<!\bMs)(?<!\bDr)(?<!\bSt)\.(?=[\s"'”’)」』]) | \Z )
    [\s"'”’)）」』】》。！？!?….]*
    """,
    re.DOTALL | re.VERBOSE,
)
_SOFT_BREAK = re.compile(r"[，、,:：—\s]")


def is_speakable(text: str) -> bool:
    """Whether there is a letter or a number in it; punctuation and emoji alone cannot be spoken."""
    return any(unicodedata.category(character)[0] in "LN" for character in text)


def check_speakable(text: str) -> None:
    """Raises UserInputError for a text with nothing to speak in it and for one that is too long."""
    if not is_speakable(text):
        raise UserInputError("there is nothing to speak in the text", field="text_content")
    if len(text) > LONGEST_TEXT:
        raise UserInputError(f"one line has at most {LONGEST_TEXT} characters", field="text_content")


def cleaned(text: str) -> str:
    """The text with everything that a synthesiser could take for a command replaced, one character for one.

    Control characters start embedded commands; emoji and other pictures are passed over in silence.
    """
    return "".join(" " if _is_unspoken(character) else character for character in text)


def _is_unspoken(character: str) -> bool:
    category = unicodedata.category(character)
    is_pictograph = category[0] == "S" and ord(character) >= 0x2300
    return is_pictograph or (category[0] == "C" and character != "\n")


def sentences(text: str, longest: int) -> list[str]:
    """Parts of at most ``longest`` characters (and the marks after them) that joined are the text; a longer sentence
    is cut at a comma or a space."""
    return [part for sentence in _SENTENCE.findall(text) for part in _split_long(sentence, longest)]


def _split_long(sentence: str, longest: int) -> list[str]:
    parts = []
    while len(sentence) > longest:
        breaks = [match.end() for match in _SOFT_BREAK.finditer(sentence, longest // 3, longest)]
        cut = breaks[-1] if breaks else longest
        parts.append(sentence[:cut])
        sentence = sentence[cut:]
    return [*parts, sentence]


def pause_after_s(piece: str) -> float:
    """The silence after a piece at speed 1.0, as its last mark asks for."""
    return PAUSE_AFTER_S[_ending(piece)]


def _ending(piece: str) -> str:
    if piece.endswith("\n"):
        return "paragraph"
    last = next((c for c in reversed(piece) if not c.isspace() and c not in "\"'”’)）」』】》"), "")
    if last in "。！？!?；;….":
        return "sentence"
    return "clause" if last in "，、,:：—-" else "run"
