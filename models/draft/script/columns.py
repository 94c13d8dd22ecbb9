"""The columns of a storyboard and its rows: named cells that know where they stand, for errors in both languages."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from models.interfaces import UserInputError
from models.specs import Language

# Every column, by the names people give it; the first Chinese and the first English one are the names errors propose.
COLUMNS: dict[str, tuple[str, ...]] = {
    column: tuple(names.split("|"))
    for column, names in {
        "number": "镜号|序号|编号|镜头号|镜头|shot|no|no.|number|id|#|shot number|shot_number",
        "shot_type": "景别|镜头类型|shot_type|shot type|type|size|framing|shot size",
        "scene": "场景|地点|场|scene|location|place|setting",
        "description": "画面|画面描述|画面内容|内容|描述|description|visual|picture|image|content|prompt",
        "narration": "旁白|解说|画外音|解说词|文案|narration|voiceover|voice-over|voice over|vo|narrator",
        "dialogue": "对白|台词|对话|dialogue|dialog|lines|line",
        "character": "角色|人物|characters|character|cast|speaker|who",
        "duration": "时长|时间|秒|秒数|时长(秒)|时长（秒）|duration|seconds|length|duration_s|duration (s)|time|sec",
        "camera": "运镜|镜头运动|摄影机|机位运动|camera|camera movement|camera_movement|movement|move",
        "transition": "转场|过渡|切换|transition",
        "action": "动作|表演|action",
        "emotion": "情绪|语气|情感|emotion|mood",
    }.items()
}
# What crews note beside a shot and no film shows: allowed, and left out.
NOTES = frozenset(
    ["备注", "说明", "注释", "作者", "日期", "版本", "notes", "note", "comments", "comment", "remarks", "remark"]
) | frozenset(["author", "date", "version"])
CONTENT_COLUMNS = frozenset(["description", "narration", "dialogue", "action"])
BY_HEADER = {header: column for column, headers in COLUMNS.items() for header in headers}
_TYPO_CUTOFF = 0.85
_MOST_COMPARED = 40  # names and letters of a name that are looked at for a typing error


class Where(NamedTuple):
    """A place in the input, in both languages."""

    zh: str
    en: str

    @classmethod
    def line(cls, number: int) -> "Where":
        return cls(f"第 {number} 行", f"line {number}")


@dataclass(frozen=True)
class Row:
    """One shot as written: cells by column, none empty. ``where`` names it in errors."""

    cells: dict[str, Any]
    where: Where
    headers: dict[str, str]

    def cell(self, column: str) -> str:
        """The cell as text; empty if there is none."""
        value = self.cells.get(column, "")
        return value.strip() if isinstance(value, str) else str(value)

    def error(self, column: str, language: Language, zh: str, en: str) -> UserInputError:
        """An error about a cell, which names its line and column."""
        header = self.headers.get(column, column)
        where = self.where
        return UserInputError(
            f"{where.en}, column {header!r}: {en}", f"{where.zh}“{header}”列：{zh}", language=language
        )


def columns_of(headers: list[str], where: Where, language: Language) -> list[str | None]:
    """The column each header names; None for notes. Raises UserInputError for one that is unknown or there twice, and
    where no column tells what is seen or heard."""
    columns = [BY_HEADER.get(_plain(header)) for header in headers]
    unknown = [h for h, c in zip(headers, columns, strict=True) if c is None and _plain(h) and _plain(h) not in NOTES]
    for header in unknown if len(headers) < _MOST_COMPARED else ():
        near = _near(_plain(header), BY_HEADER)
        if near:
            raise UserInputError(
                f"{where.en}: no column is called {header.strip()!r}; did you mean {near!r}?",
                f"{where.zh}：没有“{header.strip()}”这一列，是不是“{near}”？",
                language=language,
            )
    for index, header in enumerate(headers):
        if columns[index] is not None and columns[index] in columns[:index]:
            raise UserInputError(
                f"{where.en}: the column {header.strip()!r} is there twice",
                f"{where.zh}：“{header.strip()}”列重复",
                language=language,
            )
    if not CONTENT_COLUMNS & set(columns):
        raise UserInputError(
            f"{where.en} should be the header, with at least one of description, narration, dialogue or action",
            f"{where.zh}应是表头，至少要有“画面”“旁白”“对白”“动作”之一",
            language=language,
        )
    if unknown:
        raise _unknown(unknown[0].strip(), where, language)
    return columns


def _unknown(header: str, where: Where, language: Language) -> UserInputError:
    zh = "、".join(names[0] for names in COLUMNS.values())
    en = ", ".join(next(name for name in names if name.isascii()) for names in COLUMNS.values())
    return UserInputError(
        f"{where.en}: no column is called {header[:60]!r}; use {en}; {_listed('en')} are left out of the film",
        f"{where.zh}：没有“{header[:60]}”这一列；可用：{zh}；不进入影片的：{_listed('zh')}",
        language=language,
    )


def _listed(language: Language) -> str:
    names = sorted(name for name in NOTES if name.isascii() == (language == "en"))
    return "、".join(names) if language == "zh" else ", ".join(names)


def _plain(header: str) -> str:
    return re.sub(r"\s+", " ", header.strip().strip("*").strip()).lower()


def _near(name: str, known: Iterable[str]) -> str | None:
    if len(name) >= _MOST_COMPARED:
        return None
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=_TYPO_CUTOFF)), None)
