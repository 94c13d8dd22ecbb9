"""Requests and responses of the asset library."""

from typing import Literal

from pydantic import Field

from control_plane.web.models import FileUrl, PageQuery, ResponseModel, Timestamp


class VoiceQuery(PageQuery):
    voice_type: Literal["narration", "dialogue"] | None = None
    gender: Literal["male", "female", "neutral"] | None = None
    language: str | None = Field(default=None, max_length=16)
    keyword: str | None = Field(default=None, max_length=100)
    is_preset: bool | None = None


class VoiceItem(ResponseModel):
    id: str
    voice_name: str
    voice_type: Literal["narration", "dialogue"]
    voice_id: str | None = None
    description: str | None = None
    audio_sample_url: FileUrl
    gender: str | None = None
    age_range: str | None = None
    tone: str | None = None
    language: str | None = None
    is_preset: bool
    usage_count: int
    created_at: Timestamp
