"""Strict parsing of what a client sends. Everything that is refused is refused by name, with code 1001 or 1004."""

import json
import math
import re
from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any, get_args, get_origin

from aiohttp import web
from multidict import MultiMapping
from pydantic import BaseModel, ValidationError

from control_plane.errors import InvalidParameter, NotFound
from control_plane.web.messages import explain
from control_plane.web.models import RequestModel

MAX_BODY_BYTES = 2 * 1024 * 1024
ID_PATTERN = "^[A-Za-z0-9_-]{1,64}$"
"""What an id in a path may look like; anything else names nothing."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_INT64 = range(-(2**63), 2**63)


class Nothing(RequestModel):
    """The body or query of an endpoint that takes none: empty."""


def check_path(ids: Mapping[str, str]) -> None:
    """Raises NotFound for an id that none of ours can be."""
    for name, value in ids.items():
        if _ID.fullmatch(value) is None:
            raise NotFound("不是合法的 id", "not an id", field=name)


async def read_body(request: web.Request) -> bytes:
    """The JSON of a body; ``{}`` where there is none. Raises InvalidParameter for another content type and where it
    is too long, with or without a Content-Length."""
    if not request.can_read_body:
        return b"{}"
    if request.content_type != "application/json" or (request.charset or "utf-8").lower() not in {"utf-8", "utf8"}:
        raise InvalidParameter(
            "请求体必须是 UTF-8 的 application/json", "the body must be application/json in UTF-8", field="Content-Type"
        )
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise _too_long()
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise _too_long() from error


def _too_long() -> InvalidParameter:
    return InvalidParameter("请求体过大", f"the body exceeds {MAX_BODY_BYTES} bytes", field="body")


def refuse_body(request: web.Request) -> None:
    """For a GET, whose body would be ignored. Raises InvalidParameter."""
    if request.can_read_body:
        raise InvalidParameter("GET 请求不可带请求体", "a GET takes no body", field="body")


def parse_body(model: type[RequestModel], raw: bytes) -> RequestModel:
    try:
        parsed = model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        raise explain(error) from error
    # After the model, which bounds the depth and knows that it is UTF-8.
    json.loads(raw, object_pairs_hook=_unique, parse_int=str, parse_float=str)
    refuse_unstorable(parsed)
    return parsed


def _unique(pairs: list[tuple[str, Any]]) -> None:
    seen = set()
    for key, _ in pairs:
        if key in seen:
            raise InvalidParameter("重复的字段", "given twice", field=key[:100])
        seen.add(key)


class QueryParser:
    """Parses a query string into a model: numbers and booleans in their JSON form, each name once unless the field is
    a list, no unknown name."""

    def __init__(self, model: type[RequestModel]) -> None:
        self._model = model
        self._fields = {name: _shape(field.annotation) for name, field in model.model_fields.items()}

    def parse(self, query: MultiMapping[str]) -> RequestModel:
        """Raises InvalidParameter."""
        values: dict[str, Any] = {}
        for name in query:
            is_list, convert = self._fields.get(name, (False, str))
            try:
                given = [convert(text) for text in query.getall(name)]
            except ValueError as error:
                zh, en = _WANTED[convert]
                raise InvalidParameter(f"必须是{zh}", f"must be {en}", field=name[:100]) from error
            if len(given) > 1 and not is_list:
                raise InvalidParameter("只可出现一次", "can be given only once", field=name[:100])
            values[name] = given if is_list else given[0]
        try:
            parsed = self._model.model_validate(values)
        except ValidationError as error:
            raise explain(error) from error
        refuse_unstorable(parsed)
        return parsed


def _shape(annotation: Any) -> tuple[bool, Callable[[str], Any]]:
    """Whether a field is a list, and how one of its values is read."""
    if get_origin(annotation) is list:
        return True, _shape(get_args(annotation)[0])[1]
    if annotation in _READERS:
        return False, _READERS[annotation]
    shapes = [_shape(part) for part in get_args(annotation) if isinstance(part, type) or get_origin(part) is not None]
    shapes = [shape for shape in shapes if shape != (False, _none)]
    return shapes[0] if shapes else (False, str)


def _int(text: str) -> int:
    if re.fullmatch("-?(0|[1-9][0-9]{0,4000})", text) is None:
        raise ValueError(text)
    return int(text)


def _float(text: str) -> float:
    if re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", text) is None:
        raise ValueError(text)
    return float(text)


def _bool(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError(text)
    return text == "true"


def _none(text: str) -> None:
    raise ValueError(text)


_WANTED: dict[Callable[[str], Any], tuple[str, str]] = {
    _int: ("整数", "an integer"),
    _float: ("数字", "a number"),
    _bool: (" true 或 false", "true or false"),
}
_READERS: dict[Any, Callable[[str], Any]] = {int: _int, float: _float, bool: _bool, str: str, NoneType: _none}


def refuse_unstorable(value: Any, path: str = "") -> None:
    """Refuse by name what PostgreSQL or JSON cannot hold: NUL and half characters in text, numbers that are not finite
    or beyond 64 bits. Raises InvalidParameter."""
    if isinstance(value, str):
        if "\0" in value:
            raise InvalidParameter("含有空字符", "contains a NUL character", field=path)
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise InvalidParameter("不是合法的 UTF-8", "is not valid UTF-8", field=path)
    elif isinstance(value, BaseModel):
        for name, item in value.__dict__.items():
            if item is not None and item is not True and item is not False:
                refuse_unstorable(item, f"{path}.{name}" if path else name)
    elif isinstance(value, dict):
        for key, item in value.items():
            refuse_unstorable(key, path)
            refuse_unstorable(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            refuse_unstorable(item, f"{path}.{index}")
    elif (isinstance(value, float) and not math.isfinite(value)) or (isinstance(value, int) and value not in _INT64):
        raise InvalidParameter("数值过大", "the number is too large", field=path)
