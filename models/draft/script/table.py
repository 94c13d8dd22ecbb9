"""Storyboard tables: CSV, JSON or a markdown table, as rows of named cells that know where they stand.

Free of heavy imports and linear in the text, because the control plane checks a storyboard with it while a request
waits.
"""

import csv
import difflib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from models.draft.script.text import in_language
from models.interfaces import UserInputError
from models.specs import Language

MAX_SHOTS = 1000

# Every column, by the names people give it.
COLUMNS: dict[str, tuple[str, ...]] = {
    column: tuple(names.split("|"))
    for column, names in {
        "number": "镜号|序号|编号|镜头号|镜头|shot|no|no.|number|id|#|shot number|shot_number",
        "shot_type": "景别|镜头类型|shot type|shot_type|type|size|framing|shot size",
        "scene": "场景|地点|场|scene|location|place|setting",
        "description": "画面|画面描述|画面内容|内容|描述|description|visual|picture|image|content|prompt",
        "narration": "旁白|解说|画外音|解说词|文案|narration|voiceover|voice-over|voice over|vo|narrator",
        "dialogue": "对白|台词|对话|dialogue|dialog|lines|line",
        "character": "角色|人物|character|characters|cast|speaker|who",
        "duration": "时长|时间|秒|秒数|时长(秒)|时长（秒）|duration|seconds|length|duration_s|duration (s)|time|sec",
        "camera": "运镜|镜头运动|摄影机|机位运动|camera|camera movement|camera_movement|movement|move",
        "transition": "转场|过渡|切换|transition",
        "action": "动作|表演|action",
        "emotion": "情绪|语气|情感|emotion|mood",
    }.items()
}
CONTENT_COLUMNS = frozenset(["description", "narration", "dialogue", "action"])
_BY_HEADER = {header: column for column, headers in COLUMNS.items() for header in headers}
_DELIMITERS = ",;\t，|"
_RULE_CELL = re.compile(r":?-{1,}:?")
_TYPO_CUTOFF = 0.85


@dataclass(frozen=True)
class Row:
    """One shot as written: cells by column, none empty. ``where`` names it in errors."""

    cells: dict[str, Any]
    where: str
    headers: dict[str, str]

    def cell(self, column: str) -> str:
        """The cell as text; empty if there is none."""
        value = self.cells.get(column, "")
        return value.strip() if isinstance(value, str) else str(value)

    def error(self, column: str, language: Language, zh: str, en: str) -> UserInputError:
        """An error about a cell, which names its line and column."""
        header = self.headers.get(column, column)
        return UserInputError(
            in_language(language, f"{self.where}“{header}”列：{zh}", f"{self.where}, column {header!r}: {en}")
        )


def parse(text: str, language: Language) -> list[Row]:
    """The shots of a storyboard. Raises UserInputError naming the line that cannot be read."""
    start = text.lstrip()
    if start.startswith(("{", "[")):
        rows = _read_json(text, language)
    elif _is_markdown(text):
        rows = list(islice(_read_markdown(text, language), MAX_SHOTS + 1))
    else:
        rows = list(islice(_read_csv(text, language), MAX_SHOTS + 1))
    if not rows:
        raise UserInputError(in_language(language, "分镜表里没有镜头", "the storyboard has no shots"))
    if len(rows) > MAX_SHOTS:
        where = rows[MAX_SHOTS].where
        raise UserInputError(
            in_language(
                language,
                f"{where}：分镜表最多 {MAX_SHOTS} 个镜头",
                f"{where}: a storyboard has at most {MAX_SHOTS} shots",
            )
        )
    for row in rows:
        if not any(row.cell(column) for column in (*CONTENT_COLUMNS, "scene")):
            raise UserInputError(
                in_language(
                    language,
                    f"{row.where}没有画面、旁白、对白或动作",
                    f"{row.where} has no description, narration, dialogue or action",
                )
            )
    return rows


def _line(number: int, language: Language) -> str:
    return in_language(language, f"第 {number} 行", f"line {number}")


def _columns(headers: list[str], where: str, language: Language) -> list[str | None]:
    """The column each header names; None for one that says something else, such as notes. Raises UserInputError for
    a misspelt one and where no column tells what is seen or heard."""
    columns: list[str | None] = []
    for header in headers:
        name = re.sub(r"\s+", " ", header.strip().strip("*").strip()).lower()
        column = _BY_HEADER.get(name)
        if column is None and name:
            near = (
                difflib.get_close_matches(name, _BY_HEADER, n=1, cutoff=_TYPO_CUTOFF)
                if len(name) < 40 and len(headers) < 40
                else []
            )
            if near:
                raise UserInputError(
                    in_language(
                        language,
                        f"{where}：没有“{header.strip()}”这一列，是不是“{near[0]}”？",
                        f"{where}: no column is called {header.strip()!r}; did you mean {near[0]!r}?",
                    )
                )
        if column is not None and column in columns:
            raise UserInputError(
                in_language(
                    language,
                    f"{where}：“{header.strip()}”列重复",
                    f"{where}: the column {header.strip()!r} is there twice",
                )
            )
        columns.append(column)
    if not CONTENT_COLUMNS & set(columns):
        raise UserInputError(
            in_language(
                language,
                f"{where}应是表头，至少要有“画面”“旁白”“对白”“动作”之一",
                f"{where} should be the header, with at least one of description, narration, dialogue or action",
            )
        )
    return columns


def _row(cells: list[str], headers: list[str], columns: list[str | None], where: str) -> Row:
    named = {column: cell.strip() for column, cell in zip(columns, cells, strict=False) if column and cell.strip()}
    shown = {column: header.strip() for column, header in zip(columns, headers, strict=True) if column}
    return Row(named, where, shown)


def _read_csv(text: str, language: Language) -> Iterator[Row]:
    headers: list[str] = []
    columns: list[str | None] = []
    for number, cells in _records(text, language):
        if not any(cell.strip() for cell in cells):
            continue
        where = _line(number, language)
        if not headers:
            headers, columns = cells, _columns(cells, where, language)
            continue
        if len(cells) != len(headers):
            raise UserInputError(
                in_language(
                    language,
                    f"{where}有 {len(cells)} 列，表头有 {len(headers)} 列",
                    f"{where} has {len(cells)} columns, the header has {len(headers)}",
                )
            )
        yield _row(cells, headers, columns, where)


def _records(text: str, language: Language) -> Iterator[tuple[int, list[str]]]:
    """(line it starts on, cells) of every record."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(first), strict=True, skipinitialspace=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            reason = in_language(language, "引号没有配对或单元格过长", "a quotation mark is not closed or stands alone")
            raise UserInputError(
                in_language(language, f"{_line(number, language)}：{reason}", f"{_line(number, language)}: {reason}")
            ) from error
        yield number, cells


def _delimiter(header: str) -> str:
    """The mark that cuts the header into the most names we know."""

    def known(mark: str) -> int:
        return sum(1 for cell in header.split(mark) if cell.strip().strip('"').lower() in _BY_HEADER)

    return max(_DELIMITERS, key=lambda mark: (known(mark), header.count(mark)))


def _is_markdown(text: str) -> bool:
    lines = [line.strip() for line in text.split("\n") if line.strip()][:3]
    return len(lines) >= 2 and "|" in lines[0] and all(_RULE_CELL.fullmatch(cell.strip()) for cell in _cells(lines[1]))


def _cells(line: str) -> list[str]:
    """The cells of a markdown row; ``\\|`` is a bar inside a cell."""
    inner = line.strip().removeprefix("|")
    if inner.endswith("|") and not inner.endswith("\\|"):
        inner = inner[:-1]
    return [re.sub(r"<br\s*/?>", "\n", cell.replace("\\|", "|")).strip() for cell in re.split(r"(?<!\\)\|", inner)]


def _read_markdown(text: str, language: Language) -> Iterator[Row]:
    headers: list[str] = []
    columns: list[str | None] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = _line(number, language)
        cells = _cells(line)
        if not headers:
            headers, columns = cells, _columns(cells, where, language)
            continue
        if all(_RULE_CELL.fullmatch(cell) for cell in cells):
            continue
        if "|" not in line or len(cells) > len(headers):
            raise UserInputError(
                in_language(
                    language,
                    f"{where}不是表格的一行，或比表头多了列",
                    f"{where} is not a row of the table, or has more columns than the header",
                )
            )
        yield _row(cells, headers, columns, where)


def _read_json(text: str, language: Language) -> list[Row]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserInputError(
            in_language(
                language,
                f"第 {error.lineno} 行第 {error.colno} 列：不是有效的 JSON",
                f"line {error.lineno}, column {error.colno}: not valid JSON ({error.msg})",
            )
        ) from error
    except (RecursionError, ValueError) as error:
        raise UserInputError(
            in_language(language, "JSON 嵌套过深或数字过长", "the JSON is nested too deeply or has too long a number")
        ) from error
    shots = data.get("shots") if isinstance(data, dict) else data
    if not isinstance(shots, list):
        raise UserInputError(
            in_language(
                language,
                '第 1 行：应是镜头列表或 {"shots": [...]}',
                'line 1: expected a list of shots or {"shots": [...]}',
            )
        )
    rows = []
    for index, shot in enumerate(shots, start=1):
        where = in_language(language, f"第 {index} 个镜头", f"shot {index}")
        if not isinstance(shot, dict):
            raise UserInputError(in_language(language, f"{where}应是一个对象", f"{where} should be an object"))
        headers = [key for key, value in shot.items() if not _is_empty(value)]
        columns = _columns(headers, where, language)
        cells = {column: shot[header] for column, header in zip(columns, headers, strict=True) if column}
        row = Row(cells, where, {column: header for column, header in zip(columns, headers, strict=True) if column})
        _check_types(row, language)
        rows.append(row)
    return rows


def _is_empty(value: object) -> bool:
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def _check_types(row: Row, language: Language) -> None:
    for column, value in row.cells.items():
        if column in {"dialogue", "character"} and isinstance(value, list):
            if all(isinstance(item, str | dict) for item in value):
                continue
        elif (
            isinstance(value, str)
            or (column in {"duration", "number"} and type(value) in {int, float})
            or (column == "dialogue" and isinstance(value, dict))
        ):
            continue
        raise row.error(column, language, "类型不对", "a value of this type makes no sense here")
