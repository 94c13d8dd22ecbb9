"""Base types of request and response models."""

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

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
    WithJsonSchema({"type": "string", "format": "uri"}),
]
"""Holds an artifact id; becomes a signed URL when a response or an event is written to a client."""


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Timestamp = Annotated[
    datetime,
    PlainSerializer(_iso, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]

Text = Annotated[str, Field(max_length=2000)]
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
