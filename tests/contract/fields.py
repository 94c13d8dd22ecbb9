"""Which test shows what a request field changes: `@shows("PUT /user/me", "username", "settings.theme")`.

The decorator claims fields for a test. test_fields.py compares the claims with what the endpoints declare, so that no
field can be stored and ignored without somebody noticing; and a test that claims a field fails (tests/conftest.py) if
it is skipped, or if nothing that was accepted while it ran had the field in it.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, get_args
from urllib.parse import parse_qsl, urlsplit

import pytest
from pydantic import BaseModel

import tests
from control_plane.app import ENDPOINTS

Fields = set[tuple[str, str]]
"""Endpoints, as `METHOD /path`, with dotted names of fields."""


def shows(endpoint: str, *fields: str) -> pytest.MarkDecorator:
    """The decorated test sets these fields of the endpoint (`METHOD /path` as declared; dotted names) and sees what
    each changed, in a later answer or in the decoded film."""
    return pytest.mark.shows(endpoint, *fields)


def claimed_by(marks: Iterable[pytest.Mark]) -> Fields:
    return {(mark.args[0], field) for mark in marks if mark.name == "shows" for field in mark.args[1:]}


def claimed() -> Fields:
    """By the functions that pytest takes for tests, in the files that it takes for tests."""
    found: Fields = set()
    for info in pkgutil.walk_packages(tests.__path__, "tests."):
        module = importlib.import_module(info.name)
        if info.name.rpartition(".")[2].startswith("test_"):
            for name, function in inspect.getmembers(module, inspect.isfunction):
                if name.startswith("test_"):
                    found |= claimed_by(getattr(function, "pytestmark", []))
    return found


def declared() -> set[tuple[str, str]]:
    """Every field that a client can set, by endpoint."""
    return {
        (f"{endpoint.method} {endpoint.path}", field)
        for endpoint in ENDPOINTS
        for model in (endpoint.body, endpoint.query)
        if model is not None
        for field in fields_of(model)
    }


def fields_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The dotted names of a model's leaves."""
    for name, field in model.model_fields.items():
        inner = list(_models_in(field.annotation))
        if not inner:
            yield prefix + name
        for part in inner:
            yield from fields_of(part, f"{prefix}{name}.")


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


class Sent:
    """What clients of this process sent and was accepted: while a test ran, or a fixture that several tests share."""

    def __init__(self) -> None:
        self._by_test: Fields = set()
        self._by_shared: Fields = set()
        self._now = self._by_test

    def begin_test(self) -> None:
        self._by_test.clear()

    @contextmanager
    def shared(self) -> Iterator[None]:
        before, self._now = self._now, self._by_shared
        yield
        self._now = before

    def missing(self, claims: Fields) -> Fields:
        return claims - self._by_test - self._by_shared

    def note(self, method: str, path: str, body: Any, query: Any = None) -> None:
        """A request that was accepted; ``path`` is that behind the prefix of the API."""
        url = urlsplit(path)
        names = {name for name, _ in parse_qsl(url.query, keep_blank_values=True)} | set(dict(query or {}))
        names |= set(_names(body))
        for endpoint, pattern in _patterns():
            if pattern.fullmatch(f"{method} {url.path}"):
                self._now.update((endpoint, name) for name in names)


SENT = Sent()


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    names = [f"{endpoint.method} {endpoint.path}" for endpoint in ENDPOINTS]
    return [(name, re.compile(re.sub(r"{\w+}", "[^/]+", name))) for name in names]


def _names(body: Any, prefix: str = "") -> Iterator[str]:
    """The dotted names in a body; those in a list's items are as if there were no list."""
    for item in body if isinstance(body, list) else [body]:
        for name, value in item.items() if isinstance(item, dict) else ():
            yield prefix + name
            yield from _names(value, f"{prefix}{name}.")
