"""Cutting a paragraph into what is told and what is spoken, and what is told into sentences. Loses no character."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from models.draft.script.text import HAN, has_words, speech_seconds

MAX_SENTENCE_S = 12.0
"""A longer sentence is cut at commas, else between words."""

_QUOTE_ENDS = {"“": "”", "「": "」", "『": "』", "«": "»", "„": "“", "‘": "’", '"': '"', "＂": "＂"}
_SPEECH_END = "。！？!?…—~～.,，"
_CLOSERS = "”」』’\"'»）)】]＂"
_TERMINATORS = "。！？!?…؟۔।｡"
_ABBREVIATIONS = frozenset(
    ["mr", "mrs", "ms", "dr", "prof", "st", "jr", "sr", "vs", "etc", "no", "capt", "col", "gen", "lt", "sgt", "rev"]
) | frozenset(["hon", "mt", "ft", "e.g", "i.e", "p.m", "a.m", "inc", "ltd", "co", "fig", "approx"])
_BEFORE_DOT = re.compile(r"[A-Za-z.]+$")
_COMMA = re.compile("[，、；：,;:—–،؛]+[" + re.escape(_CLOSERS) + r"]*\s*")
_GAP = re.compile(r"\s+")
_CHUNK_CHARACTERS = 30


@dataclass(frozen=True)
class Piece:
    """A stretch of a paragraph: spoken words without their quotation marks, or narration."""

    text: str
    spoken: bool


def split_quotes(paragraph: str) -> list[Piece]:
    """The paragraph as narration and speech in turn. Quoted words that nobody says, such as titles and terms, stay
    in the narration; a quotation never closed runs to the paragraph's end, a lone straight mark is no quotation."""
    pieces: list[Piece] = []
    told_from = 0
    for start, end in _quotations(paragraph):
        inner = paragraph[start + 1 : end].rstrip(_QUOTE_ENDS[paragraph[start]]).strip()
        if not _is_speech(inner, _visible_before(paragraph, start), _visible_after(paragraph, end)):
            continue
        told = paragraph[told_from:start].strip()
        if told:
            pieces.append(Piece(told, False))
        pieces.append(Piece(inner, True))
        told_from = end
    if paragraph[told_from:].strip():
        pieces.append(Piece(paragraph[told_from:].strip(), False))
    return pieces


def _quotations(text: str) -> Iterator[tuple[int, int]]:
    """Outermost quotations, from mark to past the closing mark."""
    unclosed: set[str] = set()  # marks with no closing one left, so that a text full of them is read once
    position = 0
    while position < len(text):
        mark = text[position]
        if mark not in _QUOTE_ENDS or mark in unclosed or (mark == "‘" and _joins_letters(text, position)):
            position += 1
            continue
        end = _closing(text, position + 1, _QUOTE_ENDS[mark])
        if end < 0 and mark in "“「『":
            yield position, len(text)
            return
        if end < 0:
            unclosed.add(mark)
            position += 1
            continue
        yield position, end + 1
        position = end + 1


def _closing(text: str, start: int, closer: str) -> int:
    end = text.find(closer, start)
    while closer == "’" and end >= 0 and _joins_letters(text, end):
        end = text.find(closer, end + 1)
    return end


def _joins_letters(text: str, index: int) -> bool:
    """Whether the mark at index stands inside a word, as an apostrophe does."""
    return 0 < index < len(text) - 1 and text[index - 1].isalpha() and text[index + 1].isalpha()


def _is_speech(inner: str, before: str, after: str) -> bool:
    """Whether quoted words are said. ``before`` and ``after`` are the nearest visible characters outside, or
    empty at the paragraph's ends."""
    if not has_words(inner):
        return False
    if inner[-1] in _SPEECH_END or (before and before in ":：,，"):
        return True
    opens = not before or before in _TERMINATORS + "." + _CLOSERS
    return opens and (not after or after in "，,")


def _visible_before(text: str, position: int) -> str:
    while position > 0 and text[position - 1].isspace():
        position -= 1
    return text[position - 1 : position]


def _visible_after(text: str, position: int) -> str:
    while position < len(text) and text[position].isspace():
        position += 1
    return text[position : position + 1]


def split_sentences(text: str, words: Callable[[str], list[str]] = list) -> list[str]:
    """Sentences of at most MAX_SENTENCE_S seconds of speech. Joined, they are the text without the white space
    between them. ``words`` cuts text that is written without spaces into words; it is asked only where a clause is
    too long."""
    sentences = []
    start = 0
    for end in _sentence_ends(text):
        sentences.append(text[start:end])
        start = end
    sentences.append(text[start:])
    parts = [part for sentence in sentences for part in _break_long(sentence.strip(), words)]
    return _join_wordless(parts)


def _sentence_ends(text: str) -> Iterator[int]:
    position = 0
    length = len(text)
    while position < length:
        character = text[position]
        if character in _TERMINATORS or (character == "." and _dot_ends(text, position)):
            position += 1
            while position < length and (text[position] in _TERMINATORS or text[position] in _CLOSERS + "."):
                position += 1
            yield position
        elif character == "\n":
            position += 1
            yield position
        else:
            position += 1


def _dot_ends(text: str, position: int) -> bool:
    """Whether the full stop ends a sentence, rather than an abbreviation, an initial or a number."""
    following = text[position + 1 : position + 2]
    if following == ".":
        return False
    if following and not following.isspace() and following not in _CLOSERS:
        return re.match(f"[{HAN}]", following) is not None
    match = _BEFORE_DOT.search(text[max(0, position - 12) : position])
    word = match.group().lower() if match else ""
    if word in _ABBREVIATIONS or (len(word) == 1 and word != "i" and following):
        return False
    after = text[position + 1 : position + 40].lstrip(_CLOSERS + " \t\n")[:1]
    return not after.islower()


def _break_long(sentence: str, words: Callable[[str], list[str]]) -> list[str]:
    if not sentence:
        return []
    seconds = speech_seconds(sentence)
    if seconds <= MAX_SENTENCE_S:
        return [sentence]
    clauses = []
    start = 0
    for match in _COMMA.finditer(sentence):
        clauses.append(sentence[start : match.end()])
        start = match.end()
    clauses.append(sentence[start:])
    atoms = [atom for clause in clauses for atom in _atoms(clause, words)]
    # Even parts sound better than full ones with a scrap at the end.
    target = seconds / -(-seconds // MAX_SENTENCE_S)
    parts: list[str] = []
    current: list[str] = []
    length = 0.0
    for atom in atoms:
        atom_s = speech_seconds(atom)
        if current and (length + atom_s > MAX_SENTENCE_S or length + atom_s / 2 > target):
            parts.append("".join(current).strip())
            current, length = [], 0.0
        current.append(atom)
        length += atom_s
    parts.append("".join(current).strip())
    return [part for part in parts if part]


def _atoms(clause: str, words: Callable[[str], list[str]]) -> list[str]:
    """A clause in parts that may be parted from each other, none longer than a sentence may be."""
    if speech_seconds(clause) <= MAX_SENTENCE_S:
        return [clause]
    spaced = []
    start = 0
    for match in _GAP.finditer(clause):
        spaced.append(clause[start : match.end()])
        start = match.end()
    spaced.append(clause[start:])
    atoms = []
    for part in spaced:
        if len(part) <= _CHUNK_CHARACTERS:
            atoms.append(part)
            continue
        for word in words(part):
            atoms += [word[i : i + _CHUNK_CHARACTERS] for i in range(0, len(word), _CHUNK_CHARACTERS)]
    return atoms


def _join_wordless(parts: list[str]) -> list[str]:
    """Marks that stand alone belong to the sentence before them (or after, at the start)."""
    joined: list[str] = []
    for part in parts:
        if joined and (not has_words(part) or not has_words(joined[-1])):
            joined[-1] = joined[-1] + ("" if not part[:1].isalnum() else " ") + part
        else:
            joined.append(part)
    return joined
