"""Refuses texts that contain a word of a list, however it is spaced or disguised by look-alike code points.

A list is a text file: a word or phrase a line, `#` starts a comment. Han words are found anywhere; words of other
scripts only as whole words, so that "ass" is not found in "class".
"""

import unicodedata
from pathlib import Path

from control_plane.moderation.hook import Refusal
from runtime.settings import Settings

REFUSAL = Refusal("内容含有不允许的词语", "contains a word that is not allowed")


class WordList:
    """The moderator `control_plane.moderation.words:WordList`."""

    def __init__(self, settings: Settings) -> None:
        """Raises ValueError without a readable list."""
        path = settings.moderation_words
        if path is None:
            raise ValueError("REELFARM_MODERATION_WORDS: names no file of words")
        try:
            lines = path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"REELFARM_MODERATION_WORDS: {error}") from error
        words = {_squeezed(line.partition("#")[0])[0] for line in lines}
        self._words = sorted(word for word in words if word)
        if not self._words:
            raise ValueError(f"REELFARM_MODERATION_WORDS: {path} holds no words")

    def check_prompt(self, text: str) -> Refusal | None:
        squeezed, whole, places = _squeezed(text)
        return REFUSAL if any(_holds(word, squeezed, whole, places) for word in self._words) else None

    def check_output(self, media_type: str, path: Path) -> Refusal | None:
        """Subtitles are words; what a picture shows, a list of words cannot tell."""
        if not media_type.startswith("text/") and media_type != "application/x-subrip":
            return None
        return self.check_prompt(path.read_text("utf-8", errors="replace"))


def _squeezed(text: str) -> tuple[str, str, list[int]]:
    """Only the letters and digits of a text; the text they were taken from; and where in it each was.

    Compatibility forms (full width, ligatures), case, accents, spaces, punctuation and invisible characters are gone.
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    whole = "".join(char for char in plain if unicodedata.category(char) not in {"Mn", "Me", "Cf"})
    places = [index for index, char in enumerate(whole) if char.isalnum()]
    return "".join(whole[index] for index in places), whole, places


def _holds(word: str, squeezed: str, whole: str, places: list[int]) -> bool:
    start = squeezed.find(word)
    while start >= 0:
        first, last = places[start], places[start + len(word) - 1]
        if not (_joins(whole, first - 1, word[0]) or _joins(whole, last + 1, word[-1])):
            return True
        start = squeezed.find(word, start + 1)
    return False


def _joins(whole: str, index: int, edge: str) -> bool:
    """Whether the character there goes on the word that ends with ``edge``; Han characters stand for themselves."""
    return 0 <= index < len(whole) and whole[index].isalnum() and not _is_han(edge) and not _is_han(whole[index])


def _is_han(char: str) -> bool:
    return "\u3400" <= char <= "\u9fff" or "\uf900" <= char <= "\ufaff" or "\U00020000" <= char <= "\U0003ffff"
