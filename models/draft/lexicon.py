"""Finding the words of a lexicon in Chinese and English text. Loads nothing but the file it is asked for."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

SHARED_PATH = Path(__file__).with_name("lexicon.toml")

_ENGLISH_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True)
class Entry:
    """One meaning. ``fields`` holds whatever else its table in the file says."""

    id: str
    words: tuple[str, ...]
    fields: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)

    def text(self, name: str, language: str) -> str:
        """The field ``name`` in a language, such as ``look`` + ``_zh``; empty if the entry has none."""
        return str(self.fields.get(f"{name}_{language}", ""))


@dataclass(frozen=True)
class Hit:
    """``text[start:end]`` is ``word`` and means ``entry``."""

    start: int
    end: int
    word: str
    entry: Entry


class Vocabulary:
    """Entries searched in one pass, in time linear in the text: where two words overlap the longer one wins.

    English words match whole words in any case, with a plural or possessive ending; Chinese ones match anywhere.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self._han: dict[str, list[tuple[str, Entry]]] = {}
        self._english: dict[str, list[tuple[tuple[str, ...], Entry]]] = {}
        for entry in self.entries:
            for word in entry.words:
                if _HAN.match(word):
                    self._han.setdefault(word[0], []).append((word, entry))
                    continue
                parts = tuple(part.lower() for part in _ENGLISH_WORD.findall(word))
                if parts:
                    self._english.setdefault(parts[0], []).append((parts, entry))
        for han in self._han.values():
            han.sort(key=lambda pair: -len(pair[0]))
        for english in self._english.values():
            english.sort(key=lambda pair: -len(pair[0]))

    def find(self, text: str) -> list[Hit]:
        """Every word found, in text order."""
        hits = [*self._find_han(text), *self._find_english(text)]
        return sorted(hits, key=lambda hit: hit.start)

    def first(self, text: str) -> Entry | None:
        """What the first word found means."""
        hits = self.find(text)
        return hits[0].entry if hits else None

    def scores(self, text: str) -> dict[str, int]:
        """How often each entry is named, most often first; ties keep the file's order."""
        counts = {entry.id: 0 for entry in self.entries}
        for hit in self.find(text):
            counts[hit.entry.id] += 1
        return dict(sorted(((key, n) for key, n in counts.items() if n), key=lambda item: -item[1]))

    def _find_han(self, text: str) -> list[Hit]:
        hits = []
        position = 0
        while position < len(text):
            for word, entry in self._han.get(text[position], ()):
                if text.startswith(word, position):
                    hits.append(Hit(position, position + len(word), word, entry))
                    position += len(word)
                    break
            else:
                position += 1
        return hits

    def _find_english(self, text: str) -> list[Hit]:
        tokens = [(match.group().lower(), match.start(), match.end()) for match in _ENGLISH_WORD.finditer(text)]
        hits = []
        index = 0
        while index < len(tokens):
            found = self._english_at(tokens, index)
            if found is None:
                index += 1
                continue
            parts, entry = found
            start, end = tokens[index][1], tokens[index + len(parts) - 1][2]
            hits.append(Hit(start, end, text[start:end], entry))
            index += len(parts)
        return hits

    def _english_at(self, tokens: list[tuple[str, int, int]], index: int) -> tuple[tuple[str, ...], Entry] | None:
        first = tokens[index][0]
        for stem in _stems(first):
            for parts, entry in self._english.get(stem, ()):
                rest = tokens[index + 1 : index + len(parts)]
                if len(rest) != len(parts) - 1 or (rest and stem != first):
                    continue
                if all(part in _stems(token[0]) for part, token in zip(parts[1:], rest, strict=True)):
                    return parts, entry
        return None


def _stems(token: str) -> tuple[str, ...]:
    """The word and what it may be the plural of."""
    stems = [token]
    if token.endswith("s") and len(token) > 3:
        stems.append(token[:-1])
    if token.endswith("es") and len(token) > 4:
        stems.append(token[:-2])
    return tuple(stems)


@lru_cache(maxsize=8)
def load(path: Path) -> dict[str, Any]:
    """A lexicon file as it stands."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def entry(table: Mapping[str, Any], *, words: tuple[str, ...] = ("zh", "en")) -> Entry:
    """An entry of a file: its words under the given keys, everything else as fields."""
    found = tuple(word for key in words for word in table.get(key, ()))
    return Entry(str(table.get("id", found[0] if found else "")), found, table)


@lru_cache(maxsize=8)
def shared(section: str) -> Vocabulary:
    """``place``, ``time`` or ``weather``, the sections of the shared lexicon."""
    return Vocabulary(entry(table) for table in load(SHARED_PATH)[section])


@lru_cache(maxsize=1)
def indoor_hints() -> Vocabulary:
    """Things that stand under a roof, such as a fireplace."""
    return Vocabulary(entry(table, words=("hint_zh", "hint_en")) for table in load(SHARED_PATH)["place"])


@lru_cache(maxsize=1)
def time_hints() -> Vocabulary:
    """Words that only suggest a time of day, such as moonlight."""
    return Vocabulary(entry(table, words=("hint_zh", "hint_en")) for table in load(SHARED_PATH)["time"])
