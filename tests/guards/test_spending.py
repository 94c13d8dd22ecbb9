"""Every endpoint whose handler can come to reserve quota says so, and no other."""

from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from control_plane.app import ENDPOINTS
from control_plane.exports.waiting import start_waiting
from control_plane.quota.service import enqueue_paid


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code and that of the functions in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _named(function: FunctionType) -> Iterator[Any]:
    """What a function can mean by the names in it: globals, and attributes of the modules and classes among them."""
    names = {name for code in _codes(function.__code__) for name in code.co_names}
    for name in names & function.__globals__.keys():
        value = function.__globals__[name]
        yield value
        if isinstance(value, ModuleType | type):
            yield from (vars(value)[attribute] for attribute in names & vars(value).keys())


def _functions(value: Any) -> Iterator[FunctionType]:
    """The functions in a value, such as a table of them."""
    if isinstance(value, FunctionType):
        yield value
    elif isinstance(value, classmethod | staticmethod):
        yield from _functions(value.__func__)
    elif isinstance(value, dict):
        for part in value.values():
            yield from _functions(part)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _functions(part)


def reached_from(function: FunctionType) -> set[FunctionType]:
    """All of the control plane's functions that can be called, called or not; none beyond ``start_waiting``, which
    refuses nothing."""
    found = {function, start_waiting}
    waiting = [function]
    while waiting:
        for value in _named(waiting.pop()):
            for called in _functions(value):
                if called not in found and called.__module__.startswith("control_plane."):
                    found.add(called)
                    waiting.append(called)
    return found


def test_whoever_can_spend_declares_it() -> None:
    spending = {f"{e.method} {e.path}" for e in ENDPOINTS if enqueue_paid in reached_from(e.handler)}  # type: ignore[arg-type]
    assert spending
    assert spending == {f"{e.method} {e.path}" for e in ENDPOINTS if e.spends}
