"""Requests and responses of the asset library."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from control_plane.web.models import (
    FileUrl,
    Id,
    Page,
    PageQuery,
    Prompt,
    PromptText,
    RequestModel,
    ResponseModel,
    Timestamp,
)

AssetType = Literal["character", "style", "voice", "music"]
CategoryType = Literal["character", "style", "voice"]
Gender = Literal["male", "female", "other"]
VoiceGender = Literal["male", "female", "neutral"]
VoiceUse = Literal["narration", "dialogue"]
Name = Annotated[Prompt, Field(min_length=1, max_length=100, pattern=r"\S")]
Word = Annotated[Prompt, Field(min_length=1, max_length=50, pattern=r"\S")]
Words = Annotated[list[Word], Field(max_length=30)]
Url = Annotated[str, Field(min_length=1, max_length=2000)]
Keyword = Annotated[str, Field(max_length=100)]


def _listed(value: Any) -> Any:
    """``a,b`` or ``a`` and ``b``, as a query may give a list."""
    parts = value if isinstance(value, list) else [value]
    return [item for part in parts for item in (part.split(",") if isinstance(part, str) else [part])]


# --- characters


class CharacterQuery(PageQuery):
    category_id: Id | None = None
    character_type: Gender | None = None
    keyword: Keyword | None = None
    is_preset: bool | None = None


class CreateCharacter(RequestModel):
    character_name: Name
    character_type: Gender
    description: PromptText | None = None
    personality: Words | None = None
    appearance: PromptText | None = None
    image_url: Url
    prompt_template: PromptText | None = None


class UpdateCharacter(RequestModel):
    character_name: Name | None = None
    description: PromptText | None = None
    personality: Words | None = None
    appearance: PromptText | None = None
    image_url: Url | None = None


class CharacterItem(ResponseModel):
    id: str
    character_name: str
    character_type: str
    description: str
    personality: list[str]
    appearance: str
    image_url: FileUrl
    thumbnail_url: FileUrl
    images: dict[str, FileUrl]
    is_preset: bool
    usage_count: int
    created_at: Timestamp
    updated_at: Timestamp


# --- styles


class StyleQuery(PageQuery):
    category_id: Id | None = None
    keyword: Keyword | None = None
    is_preset: bool | None = None


class CreateStyle(RequestModel):
    style_name: Name
    description: PromptText | None = None
    prompt_template: Annotated[Prompt, Field(min_length=1, max_length=2000)]
    preview_image_url: Url | None = None
    visual_keywords: Words | None = None
    color_palette: dict[str, Any] | None = None


class UpdateStyle(RequestModel):
    style_name: Name | None = None
    description: PromptText | None = None
    prompt_template: Annotated[Prompt, Field(min_length=1, max_length=2000)] | None = None
    preview_image_url: Url | None = None
    visual_keywords: Words | None = None
    color_palette: dict[str, Any] | None = None


class StyleItem(ResponseModel):
    id: str
    style_name: str
    description: str | None = None
    prompt_template: str
    preview_image_url: FileUrl
    thumbnail_url: FileUrl
    color_palette: dict[str, Any]
    visual_keywords: list[str]
    is_preset: bool
    usage_count: int
    created_at: Timestamp


# --- voices


class VoiceQuery(PageQuery):
    category_id: Id | None = None
    voice_type: VoiceUse | None = None
    gender: VoiceGender | None = None
    language: str | None = Field(default=None, max_length=16)
    keyword: Keyword | None = None
    is_preset: bool | None = None


class CreateVoice(RequestModel):
    voice_name: Name
    voice_type: VoiceUse
    voice_id: Id | None = None
    description: PromptText | None = None
    audio_sample_url: Url
    gender: Word | None = None
    age_range: Word | None = None
    tone: Word | None = None
    language: str | None = Field(default=None, min_length=1, max_length=16)


class VoiceItem(ResponseModel):
    """``voice_id`` is the voice of the catalog that speaks."""

    id: str
    voice_name: str
    voice_type: VoiceUse
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


# --- music


class MusicQuery(PageQuery):
    genre: Word | None = None
    mood: Word | None = None
    keyword: Keyword | None = None
    is_preset: bool | None = None


class CreateMusic(RequestModel):
    music_name: Name
    description: PromptText | None = None
    audio_url: Url
    duration: float = Field(gt=0, le=36_000)
    genre: Word | None = None
    mood: Word | None = None
    tempo: Word | None = None
    instruments: Words | None = None


class MusicItem(ResponseModel):
    id: str
    music_name: str
    description: str | None = None
    audio_url: FileUrl
    duration: float
    genre: str | None = None
    mood: str | None = None
    tempo: str | None = None
    instruments: list[str] | None = None
    thumbnail_url: FileUrl | None = None
    is_preset: bool
    usage_count: int
    created_at: Timestamp


# --- all of them


class SearchQuery(PageQuery):
    keyword: str = Field(min_length=1, max_length=100)
    asset_types: Annotated[list[AssetType], BeforeValidator(_listed)] | None = None


class SearchResults(ResponseModel):
    characters: Page[CharacterItem] | None = None
    styles: Page[StyleItem] | None = None
    voices: Page[VoiceItem] | None = None
    music: Page[MusicItem] | None = None


class SearchResponse(ResponseModel):
    results: SearchResults


class BatchDelete(RequestModel):
    asset_type: AssetType
    asset_ids: list[Id] = Field(min_length=1, max_length=100)


class CategoryQuery(RequestModel):
    category_type: CategoryType


class CategoryItem(ResponseModel):
    id: str
    name: str
    display_order: int
    parent_id: str | None = None
    icon_url: str | None = None


class CategoryList(ResponseModel):
    list: list[CategoryItem]
