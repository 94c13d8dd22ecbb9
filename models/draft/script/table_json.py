"""A storyboard as JSON: a list of shots, or an object with the shots and what is said of the whole film."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from models.draft.script.columns import NOTES, Row, Where, columns_of
from models.draft.script.text import one_line, without_controls
from models.interfaces import UserInputError
from models.specs import Language

_KEYS = {
    "shots": ("shots", "storyboard", "镜头", "分镜"),
    "title": ("title", "标题", "片名"),
    "style": ("style", "art_style", "风格", "画风"),
    "characters": ("characters", "character", "cast", "角色", "人物"),
}
_BY_KEY = {name: key for key, names in _KEYS.items() for name in names}
_CHARACTER_KEYS = {
    "name": ("name", "姓名", "名字", "角色"),
    "about": ("description", "appearance", "personality", "描述", "外貌", "性格"),
}
_BY_CHARACTER_KEY = {name: key for key, names in _CHARACTER_KEYS.items() for name in names}
_MAX_DEPTH = 32
# A string, which may hold brackets and need not end; a bracket.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)


@dataclass(frozen=True)
class Table:
    """A storyboard as read. ``characters``: what is said of each name beside the shots."""

    rows: list[Row]
    title: str = ""
    style: str = ""
    characters: dict[str, str] = field(default_factory=dict)


def is_json(text: str) -> bool:
    return text.lstrip().startswith(("{", "["))


def read_json(text: str, language: Language) -> Table:
    """Raises UserInputError naming the line, the shot or the key that cannot be used."""
    _require_shallow(text, language)
    data = _cleaned(_loaded(text, language))
    if isinstance(data, list):
        return Table(_rows(data, language))
    where = Where("分镜表", "the storyboard")
    shots = next((value for name, value in data.items() if _BY_KEY.get(_plain(name)) == "shots"), None)
    if not isinstance(shots, list):
        raise UserInputError(
            'line 1: expected a list of shots or {"shots": [...]}',
            '第 1 行：应是镜头列表或 {"shots": [...]}',
            language=language,
        )
    _refuse_unknown(data, _BY_KEY, where, language)
    keys = _known_keys(data, _BY_KEY, where, language)
    for key in ("title", "style"):
        if not isinstance(keys.get(key, ""), str):
            raise UserInputError(f"{key!r} should be a text", f"“{key}”应是文字", language=language)
    return Table(
        _rows(shots, language),
        title=one_line(keys.get("title", "")),
        style=one_line(keys.get("style", "")),
        characters=_characters(keys.get("characters", []), language),
    )


def _loaded(text: str, language: Language) -> Any:
    try:
        return json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        raise UserInputError(
            f"line {error.lineno}, column {error.colno}: not valid JSON ({error.msg})",
            f"第 {error.lineno} 行第 {error.colno} 列：不是有效的 JSON",
            language=language,
        ) from error
    except ValueError as error:
        raise UserInputError("the JSON has too long a number", "JSON 里的数字过长", language=language) from error


def _require_shallow(text: str, language: Language) -> None:
    """Raises UserInputError naming the line where brackets stand too deep in each other for any storyboard; the
    parser would run out of stack."""
    depth = 0
    for match in _TOKEN.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match.group(), 0)
        if depth > _MAX_DEPTH:
            line = text.count("\n", 0, match.start()) + 1
            raise UserInputError(
                f"line {line}: the JSON is nested too deeply", f"第 {line} 行：JSON 嵌套过深", language=language
            )


def _cleaned(value: Any) -> Any:
    """JSON can spell characters that no film shows."""
    if isinstance(value, str):
        return without_controls(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    return {_cleaned(key): _cleaned(item) for key, item in value.items()} if isinstance(value, dict) else value


def _known_keys(data: dict[str, Any], names: dict[str, str], where: Where, language: Language) -> dict[str, Any]:
    """Values by what their key means; empty ones are left out."""
    known: dict[str, Any] = {}
    for name, value in data.items():
        key = names.get(_plain(name))
        if key is None or _is_empty(value):
            continue
        if key in known and key != "about":
            raise UserInputError(
                f"{where.en}: the key {name!r} says again what another one says",
                f"{where.zh}：“{name}”与另一个键重复",
                language=language,
            )
        known[key] = f"{known[key]}, {value}" if key in known else value
    return known


def _refuse_unknown(data: dict[str, Any], names: dict[str, str], where: Where, language: Language) -> None:
    for name in data:
        if _plain(name) not in names and _plain(name) not in NOTES:
            accepted = list(names)
            en = ", ".join(key for key in accepted if key.isascii())
            zh = "、".join(accepted)
            raise UserInputError(
                f"{where.en}: no key is called {name[:60]!r}; use {en}",
                f"{where.zh}：没有“{name[:60]}”这个键；可用：{zh}",
                language=language,
            )


def _characters(listed: Any, language: Language) -> dict[str, str]:
    """What is said of every character listed, by name."""
    characters: dict[str, str] = {}
    for number, item in enumerate(listed if isinstance(listed, list) else [listed], start=1):
        where = Where(f"第 {number} 个角色", f"character {number}")
        fields = {"name": item} if isinstance(item, str) else item
        if isinstance(fields, dict):
            _refuse_unknown(fields, _BY_CHARACTER_KEY, where, language)
            fields = _known_keys(fields, _BY_CHARACTER_KEY, where, language)
        name = one_line(fields["name"]) if isinstance(fields, dict) and isinstance(fields.get("name"), str) else ""
        if not name or not isinstance(fields.get("about", ""), str):
            raise UserInputError(
                f"{where.en} should be a name, or an object with name and description",
                f"{where.zh}应是名字，或含 name 和 description 的对象",
                language=language,
            )
        characters[name] = one_line(fields.get("about", ""))
    return characters


def _rows(shots: list[Any], language: Language) -> list[Row]:
    rows = []
    for index, shot in enumerate(shots, start=1):
        where = Where(f"第 {index} 个镜头", f"shot {index}")
        if not isinstance(shot, dict):
            raise UserInputError(f"{where.en} should be an object", f"{where.zh}应是一个对象", language=language)
        headers = [key for key, value in shot.items() if not _is_empty(value)]
        columns = columns_of(headers, where, language)
        cells = {column: shot[header] for column, header in zip(columns, headers, strict=True) if column}
        row = Row(cells, where, {column: header for column, header in zip(columns, headers, strict=True) if column})
        _check_types(row, language)
        rows.append(row)
    return rows


def _plain(key: str) -> str:
    return key.strip().lower()


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
