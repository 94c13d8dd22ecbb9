"""What a story is read from, and how a long one is read in parts."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from models.draft.script.source import Source
from models.draft.script.text import clean, has_words
from models.draft.script.writer import read_source, read_texts
from models.specs import Language, ScriptSpec, ScriptStep

_UNIT = re.compile(r".+?(?:[。！？!?…]+[”」』’\"'）)]*\s*|\.[”’\"')]*\s+|\n+|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Material:
    """``text`` is what the film tells, ``documents`` what else there is to know. ``source`` is the text as the parsers
    read it, where its words or its form are facts; None where the model may retell it."""

    text: str
    documents: list[str]
    language: Language
    source: Source | None


def read_material(spec: ScriptSpec) -> Material:
    """Raises UserInputError for a text nothing can be made of."""
    if spec.input_type == "text" and spec.input_mode == "general":
        # Another storyline is told from what the user gave, not from the one before.
        asked = spec if spec.step is not ScriptStep.STORYLINE else spec.model_copy(update={"storyline": None})
        texts = read_texts(asked)
        text, language, source = texts.content, texts.language, None
    else:
        source = read_source(spec)
        text, language = source.text, source.language
    documents = [document for document in map(clean, spec.documents) if has_words(document) and document not in text]
    if not has_words(text):  # the documents are the story
        text, documents = "\n\n".join(documents), []
    return Material(text, documents, language, source)


def split(text: str, size: Callable[[str], int], room: int, least: int = 1) -> list[str]:
    """The text in parts of at most ``room`` by ``size``, about equally long, at least ``least`` where it has as many
    sentences. Joined they are the text."""
    units: list[tuple[str, int]] = []
    for match in _UNIT.finditer(text):
        units += _hard_cut(match.group(), size, room)
    total = sum(length for _, length in units)
    count = max(least, -(-total // max(room, 1)))
    share = total / count
    parts: list[str] = []
    filled = done = 0
    for unit, length in units:
        ends_part = parts and done >= share * len(parts)
        if not parts or ends_part or filled + length > room:
            parts.append("")
            filled = 0
        parts[-1] += unit
        filled += length
        done += length
    return parts or [text]


def _hard_cut(unit: str, size: Callable[[str], int], room: int) -> list[tuple[str, int]]:
    """A sentence that is too long by itself is cut anywhere."""
    length = size(unit)
    if length <= room or len(unit) < 2:
        return [(unit, length)]
    middle = len(unit) // 2
    return [*_hard_cut(unit[:middle], size, room), *_hard_cut(unit[middle:], size, room)]
