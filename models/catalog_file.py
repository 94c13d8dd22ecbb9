"""The catalog as a TOML file: read once per process, wrong entries named with the line they are on."""

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from models.catalog import Catalog, CatalogError, Model
from models.sources import Usage

DEFAULT_PATH = Path(__file__).with_name("catalog.toml")

_SHIPS = "reelfarm:"
_HEADER = re.compile(r"^\s*\[\[\s*model\s*\]\]")


@lru_cache(maxsize=4)
def load_catalog(path: Path = DEFAULT_PATH, usage: Usage | None = None) -> Catalog:
    """The catalog, read once per process: see ``read_catalog``."""
    return read_catalog(path, usage)


def read_catalog(path: Path, usage: Usage | None = None) -> Catalog:
    """Read a catalog file and those it includes. With a ``usage``, models whose license forbids it are refused.

    ``include = ["other.toml"]``, relative to the file, adds the entries of another file behind its own, once, however
    often it is named; ``reelfarm:other.toml`` is one that ships. Of two defaults for a task the first counts. A
    relative ``weights.path`` counts from its file.
    Raises CatalogError: ``FILE:LINE: model ID: FIELD: what is wrong``.
    """
    places: dict[str, _Place] = {}
    models = _read(path.resolve(), places, set())
    try:
        return Catalog(models, usage)
    except CatalogError as error:
        raise _located(error, places) from error


def located(path: Path, error: CatalogError) -> CatalogError:
    """The same error with the file and the line that it is about in front."""
    places: dict[str, _Place] = {}
    _read(path.resolve(), places, set())
    return _located(error, places)


def _located(error: CatalogError, places: "dict[str, _Place]") -> CatalogError:
    place = places.get(error.model_id or "")
    if place is None:
        return error
    return CatalogError(place.say(error.field, error.message), model_id=error.model_id, field=error.field)


class _Place:
    """Where an entry is: its file, the line of its header, and its lines."""

    def __init__(self, path: Path, model_id: str, header: int, lines: list[str]) -> None:
        self.path, self._id, self._header, self._lines = path, model_id, header, lines

    def line(self, field: str) -> int:
        """The line of a dotted field, or of what it is a part of; else that of the header."""
        names = field.split(".")
        for length in range(len(names), 0, -1):
            dotted = re.escape(".".join(names[:length]))
            inner = re.escape(names[length - 1])
            table = re.compile(rf"^\s*\[+\s*model\.{dotted}\s*\]+|^\s*{dotted}\s*[.=]|^\s*{inner}\s*=")
            for number, text in enumerate(self._lines):
                if table.match(text):
                    return self._header + number
        return self._header

    def say(self, field: str, message: str) -> str:
        said = f"{field}: {message}" if field and not message.startswith(f"{field}:") else message
        return f"{self.path}:{self.line(field)}: model {self._id}: {said}"


def _read(path: Path, places: dict[str, _Place], already: set[Path]) -> list[Model]:
    already.add(path)
    try:
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogError(f"{path}: {error}") from error
    if unknown := raw.keys() - {"model", "include"}:
        raise CatalogError(f"{path}: {', '.join(sorted(unknown))}: only include and [[model]] are known here")
    models = []
    for entry, place in zip(raw.get("model", []), _places(path, text, raw.get("model", [])), strict=True):
        model = _validated(entry, place)
        if model.id in places:
            raise CatalogError(place.say("id", "another entry has this id"), model_id=model.id, field="id")
        places[model.id] = place
        models.append(model)
    for other in raw.get("include", []):
        folder = DEFAULT_PATH.parent if other.startswith(_SHIPS) else path.parent
        included = (folder / other.removeprefix(_SHIPS)).resolve()
        if included not in already:
            models += _read(included, places, already)
    return models


def _places(path: Path, text: str, entries: list[dict[str, Any]]) -> list[_Place]:
    lines = text.splitlines()
    headers = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    if len(headers) != len(entries):  # written as an inline array: every entry is at the file's first line
        return [_Place(path, entry.get("id", "?"), 1, []) for entry in entries]
    ends = [*headers, len(lines)][1:]
    return [
        _Place(path, entry.get("id", f"number {number}"), header + 1, lines[header:end])
        for number, (entry, header, end) in enumerate(zip(entries, headers, ends, strict=True), start=1)
    ]


def _validated(entry: dict[str, Any], place: _Place) -> Model:
    try:
        model = Model.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"] if str(part).isidentifier())
        message = first["msg"].removeprefix("Value error, ")
        if not field and (named := re.match(r"[\w.]+(?=: )", message)):
            field = named[0]
        raise CatalogError(place.say(field, message), model_id=entry.get("id"), field=field) from error
    weights = model.weights
    if weights is not None and weights.path is not None and not weights.path.is_absolute():
        absolute = weights.model_copy(update={"path": place.path.parent / weights.path})
        return Model.model_validate({**entry, "weights": absolute.model_dump()})
    return model
