"""What arrives: tasks with their tenant, model and true length."""

import csv
import gzip
import math
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TextIO

from scheduler.simulation.errors import InputError
from scheduler.simulation.fleet import Fleet

COLUMNS = ("arrival_s", "tenant", "weight", "model", "shape", "service_s", "deadline_s")
_LATEST_S = 1e10  # what a datetime can still hold


@dataclass(frozen=True)
class Trace:
    """Columns of equal length, by arrival. ``arrival_s`` and ``deadline_s`` (infinite for none) are times on one
    clock, ``service_s`` is how long the task keeps a GPU that has its model loaded."""

    arrival_s: Sequence[float]
    tenant: Sequence[str]
    weight: Sequence[float]
    model: Sequence[str]
    shape: Sequence[str]
    service_s: Sequence[float]
    deadline_s: Sequence[float]

    def __len__(self) -> int:
        return len(self.arrival_s)


def read_trace(path: Path, fleet: Fleet) -> Trace:
    """Read a ``.csv`` or ``.csv.gz``; rows may be in any order.

    Raises InputError with the line and the field, also for a model that the fleet does not have.
    """
    try:
        with _open(path) as file:
            trace = _parse(path, file, fleet)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(path, None, None, f"cannot be read: {error}") from error
    if any(later < earlier for earlier, later in pairwise(trace.arrival_s)):
        return _sorted(trace)
    return trace


def _open(path: Path) -> TextIO:
    if path.name.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _rows(path: Path, file: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Rows with their line numbers, without empty ones."""
    reader = csv.reader(file, strict=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(path, reader.line_num, None, f"is not CSV: {error}") from error
        if row:
            yield reader.line_num, row


def _parse(path: Path, file: Iterable[str], fleet: Fleet) -> Trace:
    rows = _rows(path, file)
    line, header = next(rows, (1, []))
    places = _places(path, line, header)
    names: dict[str, str] = {}  # one string object for each name, not one for each row

    def tenant(text: str) -> str:
        if not text:
            raise ValueError("is empty")
        return names.setdefault(text, text)

    def model(text: str) -> str:
        if text not in fleet.models:
            raise ValueError(f"{text!r} is not in the fleet")
        return names.setdefault(text, text)

    def shape(text: str) -> str:
        return names.setdefault(text, text)

    text_of: dict[str, Callable[[str], str]] = {"tenant": tenant, "model": model, "shape": shape}
    texts: dict[str, list[str]] = {field: [] for field in text_of}
    numbers = {field: array("d") for field in _NUMBER_OF}
    for line, row in rows:
        if len(row) != len(header):
            raise InputError(path, line, None, f"has {len(row)} fields where the header has {len(header)}")
        for field, place in places.items():
            value = row[place].strip()
            try:
                if field in numbers:
                    numbers[field].append(_NUMBER_OF[field](value))
                else:
                    texts[field].append(text_of[field](value))
            except ValueError as error:
                raise InputError(path, line, field, str(error)) from error
    if not numbers["arrival_s"]:
        raise InputError(path, None, None, "has no tasks")
    return Trace(
        arrival_s=numbers["arrival_s"],
        tenant=texts["tenant"],
        weight=numbers["weight"],
        model=texts["model"],
        shape=texts["shape"],
        service_s=numbers["service_s"],
        deadline_s=numbers["deadline_s"],
    )


def _places(path: Path, line: int, header: list[str]) -> dict[str, int]:
    names = [name.strip() for name in header]
    for name in COLUMNS:
        if name not in names:
            raise InputError(path, line, name, "this column is missing")
    for place, name in enumerate(names):
        if name not in COLUMNS:
            raise InputError(path, line, name, "no such column")
        if name in names[:place]:
            raise InputError(path, line, name, "this column is there twice")
    return {name: place for place, name in enumerate(names)}


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None
    if not math.isfinite(number) or number > _LATEST_S:
        raise ValueError(f"{text} is not a number up to {_LATEST_S:g}")
    return number


def _not_negative(text: str) -> float:
    if (number := _number(text)) < 0:
        raise ValueError(f"{text} is negative")
    return number


def _positive(text: str) -> float:
    if (number := _number(text)) <= 0:
        raise ValueError(f"{text} is not positive")
    return number


def _deadline(text: str) -> float:
    return _not_negative(text) if text else math.inf


_NUMBER_OF: dict[str, Callable[[str], float]] = {
    "arrival_s": _not_negative,
    "weight": _positive,
    "service_s": _positive,
    "deadline_s": _deadline,
}


def _sorted(trace: Trace) -> Trace:
    order = sorted(range(len(trace)), key=trace.arrival_s.__getitem__)
    return Trace(**{field: [getattr(trace, field)[row] for row in order] for field in COLUMNS})
