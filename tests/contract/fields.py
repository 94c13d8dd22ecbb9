"""Which test shows what a request field changes: `@shows("PUT /user/me", "username", "settings.theme")`.

The decorator claims fields for a test; test_fields.py compares the claims with what the endpoints declare, so that no
field can be stored and ignored without somebody noticing.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar, get_args

from pydantic import BaseModel

from control_plane.app import ENDPOINTS

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

SHOWN: set[tuple[str, str]] = set()


def shows(endpoint: str, *fields: str) -> Callable[[FunctionT], FunctionT]:
    """The decorated test sets these fields of the endpoint (`METHOD /path` as declared; dotted names) and sees what
    each changed, in a later answer or in the decoded film."""
    SHOWN.update((endpoint, field) for field in fields)
    return lambda function: function


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
