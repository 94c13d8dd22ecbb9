"""Storyboard tables: CSV, JSON or a markdown table, as rows of named cells.

Free of heavy imports and linear in the text, because the control plane checks a storyboard with it while a request
waits.
"""

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice

from models.draft.script.columns import BY_HEADER, CONTENT_COLUMNS, Row, Where, columns_of
from models.draft.script.table_json import Table, is_json, read_json
from models.draft.script.text import has_words
from models.interfaces import UserInputError
from models.specs import Language

MAX_SHOTS = 1000

_DELIMITERS = ",;\t，|"
_RULE_CELL = re.compile(r":?-{1,}:?")


def parse(text: str, language: Language) -> Table:
    """A storyboard's shots and what is said of all of them. Raises UserInputError naming what cannot be read and its
    line."""
    if is_json(text):
        table = read_json(text, language)
    elif _is_markdown(text):
        table = Table(list(islice(_read_markdown(text, language), MAX_SHOTS + 1)))
    else:
        table = Table(list(islice(_read_csv(text, language), MAX_SHOTS + 1)))
    rows = table.rows
    if not rows:
        raise UserInputError("the storyboard has no shots", "分镜表里没有镜头", language=language)
    if len(rows) > MAX_SHOTS:
        where = rows[MAX_SHOTS].where
        raise UserInputError(
            f"{where.en}: a storyboard has at most {MAX_SHOTS} shots",
            f"{where.zh}：分镜表最多 {MAX_SHOTS} 个镜头",
            language=language,
        )
    for row in rows:
        if not any(has_words(row.cell(column)) for column in (*CONTENT_COLUMNS, "scene")):
            raise UserInputError(
                f"{row.where.en} has no description, narration, dialogue or action",
                f"{row.where.zh}没有画面、旁白、对白或动作",
                language=language,
            )
    return table


def _row(cells: list[str], headers: list[str], columns: list[str | None], where: Where) -> Row:
    named = {column: cell.strip() for column, cell in zip(columns, cells, strict=False) if column and cell.strip()}
    shown = {column: header.strip() for column, header in zip(columns, headers, strict=True) if column}
    return Row(named, where, shown)


def _read_csv(text: str, language: Language) -> Iterator[Row]:
    headers: list[str] = []
    columns: list[str | None] = []
    for number, cells in _records(text, language):
        if not any(cell.strip() for cell in cells):
            continue
        where = Where.line(number)
        if not headers:
            headers, columns = cells, columns_of(cells, where, language)
            continue
        if len(cells) != len(headers):
            raise UserInputError(
                f"{where.en} has {len(cells)} columns, the header has {len(headers)}",
                f"{where.zh}有 {len(cells)} 列，表头有 {len(headers)} 列",
                language=language,
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
            where = Where.line(number)
            raise UserInputError(
                f"{where.en}: a quotation mark is not closed or stands alone, or a cell is too long",
                f"{where.zh}：引号没有配对或单元格过长",
                language=language,
            ) from error
        yield number, cells


def _delimiter(header: str) -> str:
    """The mark that cuts the header into the most names we know."""

    def known(mark: str) -> int:
        return sum(1 for cell in header.split(mark) if cell.strip().strip('"').lower() in BY_HEADER)

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
        where = Where.line(number)
        cells = _cells(line)
        if not headers:
            headers, columns = cells, columns_of(cells, where, language)
            continue
        if all(_RULE_CELL.fullmatch(cell) for cell in cells):
            continue
        if "|" not in line or len(cells) > len(headers):
            raise UserInputError(
                f"{where.en} is not a row of the table, or has more columns than the header",
                f"{where.zh}不是表格的一行，或比表头多了列",
                language=language,
            )
        yield _row(cells, headers, columns, where)
