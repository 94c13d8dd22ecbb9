"""A parser for Fountain screenplays (https://fountain.io/syntax), with Chinese headings, cues and transitions.

Linear in the text and free of heavy imports, because the control plane checks a screenplay with it while a request
waits. Every element knows its line.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from models.interfaces import UserInputError
from models.specs import Language


class Kind(StrEnum):
    HEADING = "heading"
    ACTION = "action"
    CUE = "cue"
    PARENTHETICAL = "parenthetical"
    DIALOGUE = "dialogue"
    LYRICS = "lyrics"
    TRANSITION = "transition"
    CENTERED = "centered"
    SECTION = "section"
    SYNOPSIS = "synopsis"
    PAGE_BREAK = "page_break"


@dataclass(frozen=True)
class Element:
    """One piece of a screenplay. ``line`` counts from 1; ``dual`` marks a cue spoken together with the one before;
    ``extension`` is what stands in brackets after a cue's name, such as V.O."""

    kind: Kind
    text: str
    line: int
    dual: bool = False
    extension: str = ""


@dataclass(frozen=True)
class Screenplay:
    """``title_page``: values by lower-case key."""

    title_page: dict[str, str] = field(default_factory=dict)
    elements: list[Element] = field(default_factory=list)


_HEADING = re.compile(
    r"^(?:(?:int|ext|est|int\.?/ext|ext\.?/int|i/e)(?:\.|\s)\s*\S|(?:内景|外景|内外景|内/外景|内\.|外\.|内、|外、)[\s.。:：、]*\S)",
    re.IGNORECASE,
)
_NUMBERED_ZH = re.compile(r"^(?:场景|第)\s*[一二三四五六七八九十百\d]+\s*(?:场|幕|[:：.、])\s*(?:[:：.、]\s*)?(?=\S)")
_SCENE_NUMBER = re.compile(r"\s*#[\w.\-]+#\s*$")
_TRANSITION = re.compile(
    r"^(?:[^a-z]*\bTO:|FADE (?:IN|OUT)[.:]?|FADE TO BLACK[.:]?|(?:淡入|淡出|切至|切到|叠化至?|溶至|黑场)[:：。.]?)$"
)
_TITLE_KEY = re.compile(
    r"^(title|credit|authors?|source|notes|draft date|date|contact|copyright|revision|language"
    r"|标题|片名|作者|编剧|日期|版本|来源)\s*[:：]\s*(.*)$",
    re.IGNORECASE,
)
_CUE = re.compile(r"^(?P<name>[^()（）]*?)\s*(?P<extension>(?:[(（][^()（）]*[)）]\s*)*)(?P<dual>\^)?$")
_ZH_CUE = re.compile(r"^[\u3400-\u9fff][\u3400-\u9fff·A-Za-z0-9 ]{0,11}$")
_PARENTHETICAL = re.compile(r"^[(（].*[)）]$")
_EMPHASIS = re.compile(r"(?<!\\)(\*{1,3}|_)(?=\S)([^*_\n]+?)(?<=[^\s\\])\1")
_ESCAPE = re.compile(r"\\([*_\\])")
_TITLE_KEYS_ZH = {"标题": "title", "片名": "title", "作者": "author", "编剧": "author"}


def parse(text: str, language: Language) -> Screenplay:
    """Parse a cleaned text. Raises UserInputError, which names the line, for a comment or note never closed and a cue
    without words."""
    lines = _without_comments(text, language).split("\n")
    title_page, start = _title_page(lines)
    return Screenplay(title_page, _Body(lines, language).read(start))


def _without_comments(text: str, language: Language) -> str:
    """The text without boneyards and notes, which keep their line ends so that lines keep their numbers."""
    kept: list[str] = []
    position = 0
    for opener, at in _openers(text):
        if at < position:
            continue
        closer, zh, en = _COMMENTS[opener]
        end = text.find(closer, at + len(opener))
        if end < 0 or (opener == "[[" and "\n\n" in text[at:end]):
            line = text.count("\n", 0, at) + 1
            raise UserInputError(
                f"line {line}: {en} is never closed (no {closer})",
                f"第 {line} 行：{zh}没有结束（缺少 {closer}）",
                language=language,
            )
        kept += [text[position:at], "\n" * text.count("\n", at, end)]
        position = end + len(closer)
    kept.append(text[position:])
    return "".join(kept)


_COMMENTS = {"/*": ("*/", "注释块 /* ", "the boneyard /*"), "[[": ("]]", "批注 [[ ", "the note [[")}


def _openers(text: str) -> list[tuple[str, int]]:
    return [(match.group(), match.start()) for match in re.finditer(r"/\*|\[\[", text)]


def _title_page(lines: list[str]) -> tuple[dict[str, str], int]:
    """Keys and values at the top, and where the body starts."""
    page: dict[str, str] = {}
    key = ""
    for number, line in enumerate(lines):
        match = _TITLE_KEY.match(line)
        if match:
            key = match.group(1).lower()
            key = _TITLE_KEYS_ZH.get(key, key)
            page[key] = _plain(match.group(2).strip())
        elif not line.strip():
            if page:
                return page, number
        elif page and line[:1] in " \t" and key:
            page[key] = f"{page[key]} {_plain(line.strip())}".strip()
        else:
            return page, number if page else 0
    return page, len(lines) if page else 0


def _plain(text: str) -> str:
    """Text without emphasis marks."""
    if "*" not in text and "_" not in text:
        return _ESCAPE.sub(r"\1", text) if "\\" in text else text
    previous = None
    while previous != text:
        previous, text = text, _EMPHASIS.sub(r"\2", text)
    return _ESCAPE.sub(r"\1", text)


class _Body:
    def __init__(self, lines: list[str], language: Language) -> None:
        self.lines = lines
        self.language: Language = language
        self.elements: list[Element] = []

    def read(self, start: int) -> list[Element]:
        number = start
        while number < len(self.lines):
            number = self._element(number)
        return self.elements

    def _element(self, number: int) -> int:
        """Read the element that starts on a line (counted from 0); returns the line after it."""
        raw = self.lines[number]
        line = raw.strip()
        if not line:
            return number + 1
        if re.fullmatch("={3,}", line):
            self._add(Kind.PAGE_BREAK, "", number)
        elif line.startswith("#"):
            self._add(Kind.SECTION, line.lstrip("#").strip(), number)
        elif line.startswith("="):
            self._add(Kind.SYNOPSIS, line.lstrip("=").strip(), number)
        elif line.startswith("~"):
            self._add(Kind.LYRICS, line[1:].strip(), number)
        elif line.startswith(">"):
            centered = line.endswith("<")
            self._add(Kind.CENTERED if centered else Kind.TRANSITION, line.strip("><").strip(), number)
        elif line.startswith("!"):
            return self._action(number, line[1:])
        elif self._is_heading(number, line):
            self._add(Kind.HEADING, self._heading(line), number)
        elif self._is_transition(number, line):
            self._add(Kind.TRANSITION, line.rstrip(":：.。"), number)
        elif self._is_cue(number, line):
            return self._dialogue(number, line)
        else:
            return self._action(number, raw.rstrip())
        return number + 1

    def _add(self, kind: Kind, text: str, number: int, *, dual: bool = False, extension: str = "") -> None:
        self.elements.append(Element(kind, _plain(text), number + 1, dual, extension))

    def _blank(self, number: int) -> bool:
        return number < 0 or number >= len(self.lines) or not self.lines[number].strip()

    def _is_heading(self, number: int, line: str) -> bool:
        if line.startswith("."):
            return len(line) > 1 and line[1] not in ". "
        if not self._blank(number - 1) and not (self.elements and self.elements[-1].kind == Kind.SECTION):
            return False
        return _HEADING.match(_NUMBERED_ZH.sub("", line)) is not None

    def _heading(self, line: str) -> str:
        line = line[1:] if line.startswith(".") else line
        return _NUMBERED_ZH.sub("", _SCENE_NUMBER.sub("", line)).strip()

    def _is_transition(self, number: int, line: str) -> bool:
        return self._blank(number - 1) and self._blank(number + 1) and _TRANSITION.match(line) is not None

    def _is_cue(self, number: int, line: str) -> bool:
        if line.startswith("@"):
            return len(line) > 1
        if not self._blank(number - 1) or self._blank(number + 1):
            return False
        match = _CUE.match(line)
        if match is None or not match.group("name"):
            return False
        name = match.group("name")
        if _ZH_CUE.match(name):
            following = self.lines[number + 1].strip()
            # A short line of Chinese before more action looks like a name; a name is no sentence and has no verb mark.
            return len(name) <= 6 and not following.startswith((".", "#", "=", "@")) and not name.endswith(("了", "着"))
        return name.upper() == name and name.lower() != name

    def _dialogue(self, number: int, line: str) -> int:
        match = _CUE.match(line.lstrip("@"))
        name, extension, dual = line.lstrip("@"), "", False
        if match:
            name, extension, dual = (
                match.group("name"),
                match.group("extension").strip(" ()（）"),
                bool(match.group("dual")),
            )
        name = name.strip()
        self._add(Kind.CUE, name, number, dual=dual, extension=extension)
        spoken = 0
        position = number + 1
        while position < len(self.lines):
            text = self.lines[position]
            # Two spaces keep a speech going over an empty line.
            if not text.strip() and len(text) < 2:
                break
            stripped = text.strip()
            if _PARENTHETICAL.match(stripped):
                self._add(Kind.PARENTHETICAL, stripped[1:-1].strip(), position)
            elif stripped.startswith("~"):
                self._add(Kind.LYRICS, stripped[1:].strip(), position)
                spoken += 1
            elif stripped:
                self._add(Kind.DIALOGUE, stripped, position)
                spoken += 1
            position += 1
        if not spoken:
            raise UserInputError(
                f"line {number + 1}: the cue {name!r} has no dialogue after it",
                f"第 {number + 1} 行：角色“{name}”后面没有台词",
                language=self.language,
            )
        return position

    def _action(self, number: int, first: str) -> int:
        """A paragraph of action: lines up to an empty one or one that says it is something else."""
        texts = [first]
        position = number + 1
        while position < len(self.lines) and self.lines[position].strip():
            line = self.lines[position].strip()
            if line[0] in ".!@>~#=" and not line.startswith(".."):
                break
            texts.append(self.lines[position].rstrip())
            position += 1
        self._add(Kind.ACTION, "\n".join(text.strip() for text in texts), number)
        return position


def require_scenes(screenplay: Screenplay, language: Language) -> None:
    """Raises UserInputError for a text that has neither a scene heading nor dialogue, which is no screenplay."""
    if any(element.kind in {Kind.HEADING, Kind.CUE} for element in screenplay.elements):
        return
    line = screenplay.elements[0].line if screenplay.elements else 1
    raise UserInputError(
        f"no scene heading (such as INT. ROOM - NIGHT) and no dialogue from line {line} on: not a screenplay",
        f"从第 {line} 行起没有找到场景标题（如“内景 房间 - 夜”）或角色台词，这不像剧本",
        language=language,
    )
