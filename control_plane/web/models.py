"""Base types of request and response models."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Generic, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, SerializationInfo, WithJsonSchema

from control_plane.web.signing import Signer

T = TypeVar("T")


class RequestModel(BaseModel):
    """A request body or query: unknown fields are refused, so nothing a client sends is silently ignored."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class ResponseModel(BaseModel):
    """A response; None means "absent" and is left out."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)


def _sign(artifact_id: str, info: SerializationInfo) -> str:
    signer = info.context.get("signer") if isinstance(info.context, dict) else None
    return signer.file_url(artifact_id) if isinstance(signer, Signer) and artifact_id else artifact_id


FileUrl = Annotated[
    str,
    PlainSerializer(_sign, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "uri-reference"}),
]
"""Holds an artifact id; becomes a signed URL when a response or an event is written to a client."""


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Timestamp = Annotated[
    datetime,
    PlainSerializer(_iso, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


@dataclass(frozen=True)
class _PromptMark:
    """Marks text that a model, a voice or a film will show: the moderation sees it before anything is done with it."""


Prompt = Annotated[str, _PromptMark()]
"""Words of the user's that reach a result. A field of a request that takes such words has this type."""

PromptText = Annotated[Prompt, Field(max_length=2000)]
ShortText = Annotated[str, Field(min_length=1, max_length=200)]
Id = Annotated[str, Field(min_length=1, max_length=64)]


class PageQuery(RequestModel):
    page: int = Field(default=1, ge=1, le=1_000_000)
    page_size: int = Field(default=20, ge=1, le=100)


class Page(ResponseModel, Generic[T]):
    list: list[T]
    total: int
    page: int
    page_size: int


class Empty(ResponseModel):
    """Nothing to say beyond success."""


def to_json(model: BaseModel, signer: Signer) -> dict[str, Any]:
    """What a client gets: URLs signed, absent fields left out."""
    return model.model_dump(mode="json", exclude_none=True, context={"signer": signer})


def to_json_bytes(model: BaseModel, signer: Signer, language: str) -> bytes:
    """The same in the client's language, written as JSON at once."""
    context = {"signer": signer, "language": language}
    return model.__pydantic_serializer__.to_json(model, exclude_none=True, context=context)


def prompts_of(model: BaseModel, prefix: str = "") -> Iterator[tuple[str, str]]:
    """The texts of a request that its model marks as Prompt, with the dotted names of their fields."""
    for name, is_prompt in _fields_with_words(type(model)):
        yield from _words(getattr(model, name), f"{prefix}{name}", is_prompt)


def _words(value: Any, name: str, is_prompt: bool) -> Iterator[tuple[str, str]]:
    if isinstance(value, BaseModel):
        yield from prompts_of(value, f"{name}.")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _words(item, f"{name}.{index}", is_prompt)
    elif isinstance(value, dict):
        for key, item in value.items():
            if is_prompt:
                yield name, str(key)
            yield from _words(item, f"{name}.{key}", is_prompt)
    elif isinstance(value, str) and is_prompt:
        yield name, value


@cache
def _fields_with_words(model: type[BaseModel]) -> tuple[tuple[str, bool], ...]:
    """The fields that are marked, and those that hold models of their own."""
    found = []
    for name, field in model.model_fields.items():
        is_prompt = any(isinstance(mark, _PromptMark) for mark in field.metadata) or _is_marked(field.annotation)
        if is_prompt or _holds_model(field.annotation):
            found.append((name, is_prompt))
    return tuple(found)


def _is_marked(annotation: Any) -> bool:
    marks = getattr(annotation, "__metadata__", ())
    return any(isinstance(mark, _PromptMark) for mark in marks) or any(map(_is_marked, get_args(annotation)))


def _holds_model(annotation: Any) -> bool:
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return is_model or any(map(_holds_model, get_args(annotation)))
