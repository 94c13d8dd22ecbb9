"""The project's own copy of the API's interfaces (interfaces.json), with what was decided beyond it (decided.json).

typescript.py tells the notation. An entry of decided.json says where (``POST /input/submit request.config``; list items
are passed through), and which fields it adds, or sets to another type or optionality.
"""

import copy
import json
import re
import types
import typing
from datetime import datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from control_plane.web.models import ResponseModel
from control_plane.web.routes import Endpoint
from tests.contract.typescript import Interface, Type

_HERE = Path(__file__).parent
ANYTHING = {"*": "any"}
_SCALARS: dict[Any, str] = {str: "string", datetime: "string", bool: "boolean", int: "number", float: "number"}


def name_of(endpoint: Endpoint) -> str:
    """An endpoint as the contract names it."""
    return f"{endpoint.method} " + re.sub(r"{(\w+)}", r":\1", endpoint.path)


@cache
def kept() -> dict[str, Any]:
    """The interfaces as the document has them."""
    return dict(json.loads((_HERE / "interfaces.json").read_text(encoding="utf-8")))


@cache
def decided() -> dict[str, Any]:
    return dict(json.loads((_HERE / "decided.json").read_text(encoding="utf-8")))


@cache
def agreed() -> dict[str, Any]:
    """The interfaces with the decisions applied, and the events that were added. Raises ValueError for a decision that
    changes nothing."""
    contract = copy.deepcopy(kept())
    contract["events"] |= decided()["added_events"]
    for decision in decided()["changes"]:
        for place in decision["at"] if isinstance(decision["at"], list) else [decision["at"]]:
            _apply(contract, place, decision)
    return contract


def _apply(contract: dict[str, Any], place: str, decision: dict[str, Any]) -> None:
    target = _find(contract, place)
    for name, found in decision.get("add", {}).items():
        if _spelled(target, name) is not None:
            raise ValueError(f"{place} has {name} already")
        target[name] = found
    for name, found in decision.get("set", {}).items():
        former = _spelled(target, name)
        if former is None or (former, target[former]) == (name, found):
            raise ValueError(f"{place}.{name}: nothing to change")
        del target[former]
        target[name] = found


def _find(contract: dict[str, Any], place: str) -> Interface:
    name, _, path = place.rpartition(" ")
    if name:
        first, *rest = path.split(".")
        target = contract["endpoints"][name].setdefault(first, {})
    else:
        target, rest = contract["events"], path.split("/")
        target, rest = target[rest[0]], rest[1:]
    for part in rest:
        target = target[_spelled(target, part)]
        if isinstance(target, list):
            target = target[0]
    return dict_of(target)


def dict_of(found: Type) -> Interface:
    if not isinstance(found, dict):
        raise ValueError(f"{found} has no fields")
    return found


def _spelled(target: Interface, name: str) -> str | None:
    """How the interface spells a field: with or without its question mark."""
    bare = name.removesuffix("?")
    return next((key for key in (bare, bare + "?") if key in target), None)


def options(found: Type) -> set[str] | None:
    """The strings that a type allows, if it names them."""
    if isinstance(found, str) and found.startswith("'"):
        return {option.strip(" '?") for option in found.split("|")}
    return None


def _sure_options(found: str) -> set[str]:
    """Those that must be declared: not ``'a'?``, which may be."""
    return {option.strip(" '") for option in found.split("|") if not option.strip().endswith("?")}


def wrong(wanted: Type, value: Any, where: str = "data") -> list[str]:
    """What in a value is not of the type."""
    if wanted == "any":
        return []
    allowed = options(wanted)
    if allowed is not None:
        return [] if value in allowed else [f"{where} is {value!r}, not one of {sorted(allowed)}"]
    if isinstance(wanted, str):
        wanted = agreed()["models"].get(wanted, wanted)
    if isinstance(wanted, list):
        if not isinstance(value, list):
            return [f"{where} is {value!r}, not a list"]
        return [found for index, item in enumerate(value) for found in wrong(wanted[0], item, f"{where}.{index}")]
    if isinstance(wanted, dict):
        return _wrong_object(wanted, value, where)
    of_type = {
        "string": isinstance(value, str),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
    }
    return [] if of_type[wanted] else [f"{where} is {value!r}, not a {wanted}"]


def _wrong_object(wanted: Interface, value: Any, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where} is {value!r}, not an object"]
    if "*" in wanted:
        return [found for key, item in value.items() for found in wrong(wanted["*"], item, f"{where}.{key}")]
    found = [f"{where}.{name} is not in the contract" for name in value if _spelled(wanted, name) is None]
    for name, part in wanted.items():
        bare = name.removesuffix("?")
        if bare in value:
            found += wrong(part, value[bare], f"{where}.{bare}")
        elif not name.endswith("?"):
            found.append(f"{where}.{bare} is missing")
    return found


def type_of(annotation: Any) -> Type:
    """A pydantic annotation in the notation."""
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return type_of(arguments[0])
    if origin in {typing.Union, types.UnionType}:
        (inner,) = [argument for argument in arguments if argument is not type(None)]
        return type_of(inner)
    if origin is Literal:
        return _quoted(arguments)
    if origin is list:
        return [type_of(arguments[0])]
    if origin is dict or annotation is dict:
        return {"*": type_of(arguments[1]) if arguments else "any"}
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _quoted([member.value for member in annotation])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return interface_of(annotation)
    return "any"


def _quoted(values: typing.Iterable[str]) -> str:
    return " | ".join(f"'{value}'" for value in values)


def interface_of(model: type[BaseModel]) -> Interface:
    """An answer leaves out what is None, and nothing else."""
    is_answer = issubclass(model, ResponseModel)
    return {
        name
        + (
            "?"
            if not field.is_required() and (not is_answer or field.get_default(call_default_factory=True) is None)
            else ""
        ): type_of(field.annotation)
        for name, field in model.model_fields.items()
    }


def differences(wanted: Type, found: Type, where: str, *, is_request: bool) -> list[str]:
    """Where a declared type is not the agreed one. An answer may promise more than is asked, such as one of some
    strings for a string or known fields for a record; a request may not ask for more."""
    if isinstance(wanted, str):
        wanted = agreed()["models"].get(wanted, wanted)
    if wanted == "any":
        return []
    if isinstance(wanted, list) and isinstance(found, list):
        return differences(wanted[0], found[0], where, is_request=is_request)
    if isinstance(wanted, dict) and isinstance(found, dict):
        if "*" in wanted:
            return [] if "*" in found or not is_request else [f"{where}: not any record"]
        result = [f"{where}.{name} is not in the contract" for name in found if _spelled(wanted, name) is None]
        for name, part in wanted.items():
            spelled = _spelled(found, name)
            if spelled is None:
                result.append(f"{where}.{name} is missing")
                continue
            if spelled != name:
                result.append(f"{where}.{name} is declared as {spelled}")
            result += differences(part, found[spelled], f"{where}.{name}", is_request=is_request)
        return result
    allowed, declared = options(wanted), options(found)
    if wanted == found:
        return []
    if allowed is not None and declared is not None and _sure_options(wanted) <= declared <= allowed:
        return []
    if wanted == "string" and declared is not None and not is_request:
        return []
    return [f"{where}: {found} instead of {wanted}"]
