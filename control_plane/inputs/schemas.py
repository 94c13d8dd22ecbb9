"""Requests and responses of the creation input and of attachments."""

from typing import Any, Literal

from pydantic import Field

from control_plane.inputs.rules import CUSTOM_DURATION_S
from control_plane.web.models import FileUrl, Id, Prompt, RequestModel, ResponseModel, Timestamp

FileCategory = Literal["image", "audio", "video", "document"]


class ModelOption(ResponseModel):
    id: str
    name: str
    display_name: str
    icon_url: str
    is_default: bool


class ModelOptions(ResponseModel):
    text_to_image: list[ModelOption]
    image_to_image: list[ModelOption]
    image_to_video: list[ModelOption]
    speech: list[ModelOption]
    music: list[ModelOption]
    script: list[ModelOption]


class StyleOption(ResponseModel):
    id: str
    name: str
    preview_image_url: FileUrl
    category: str


class AspectRatioOption(ResponseModel):
    ratio: str
    width: int
    height: int
    description: str
    preview_url: str


class DurationOption(ResponseModel):
    label: str
    value: int


class SubjectOption(ResponseModel):
    id: str
    name: str
    type: str


class InputOptions(ResponseModel):
    models: ModelOptions
    styles: list[StyleOption]
    aspect_ratios: list[AspectRatioOption]
    durations: list[DurationOption]
    subjects: list[SubjectOption]
    filters: list[str]
    transitions: list[str]
    emotions: list[str]
    camera_movements: list[str]
    fonts: list[str]


class AttachmentReference(RequestModel):
    id: Id
    label: Prompt | None = Field(default=None, max_length=200)


class CreationConfig(RequestModel):
    """``aspect_ratio`` and ``duration_type`` are required unless a template fills them in."""

    text_to_image_model: Id | None = None
    image_to_image_model: Id | None = None
    style_id: Id | None = None
    aspect_ratio: str | None = Field(default=None, max_length=16)
    duration_type: Literal["smart", "custom"] | None = None
    duration_seconds: float | None = Field(default=None, ge=CUSTOM_DURATION_S[0], le=CUSTOM_DURATION_S[1])
    subject_id: Id | None = None
    language: Literal["zh", "en"] | None = None
    subtitle_enabled: bool | None = None


class SubmitRequest(RequestModel):
    input_mode: Literal["general", "professional"]
    input_type: Literal["text", "script", "storyboard"]
    content: Prompt = Field(min_length=1)
    attachments: list[AttachmentReference] | None = Field(default=None, max_length=50)
    config: CreationConfig
    project_id: Id | None = None
    template_id: Id | None = None
    language: Literal["zh", "en"] | None = None
    subtitle_enabled: bool | None = None


class SubmitResponse(ResponseModel):
    project_id: str
    status: Literal["submitted", "processing"]


class UploadConfig(ResponseModel):
    upload_url: str
    file_url: str
    file_max_size: int
    allowed_types: list[str]


class RegisterAttachment(RequestModel):
    file_name: str = Field(min_length=1, max_length=255)
    file_type: str = Field(min_length=1, max_length=100)
    file_category: FileCategory
    file_size: int = Field(ge=1)
    file_url: str = Field(min_length=1, max_length=2000)
    file_hash: str | None = Field(default=None, pattern=r"^[0-9a-fA-F]{64}$")


class Attachment(ResponseModel):
    id: str
    file_name: str
    file_url: FileUrl
    file_size: int
    upload_status: Literal["uploading", "completed"]
    created_at: Timestamp


class UpdateAttachment(RequestModel):
    label: Prompt | None = Field(default=None, max_length=200)
    metadata: dict[str, Any] | None = None


class AttachmentQuery(RequestModel):
    category: FileCategory | None = None


class AttachmentItem(ResponseModel):
    id: str
    file_name: str
    file_type: str
    file_category: str
    file_url: FileUrl
    file_size: int
    label: str | None = None
    metadata: dict[str, Any]
    created_at: Timestamp


class AttachmentList(ResponseModel):
    list: list[AttachmentItem]


class ConfigData(RequestModel):
    """``model_id`` is a text-to-image model; ``duration`` is seconds, -1 for smart."""

    model_id: Id | None = None
    style_id: Id | None = None
    aspect_ratio: str | None = Field(default=None, max_length=16)
    duration: float | None = None
    language: Literal["zh", "en"] | None = None
    subtitle_enabled: bool | None = None


class CreateConfigTemplate(RequestModel):
    template_name: Prompt = Field(min_length=1, max_length=100, pattern=r"\S")
    config_data: ConfigData
    is_default: bool | None = None


class UpdateConfigTemplate(RequestModel):
    template_name: Prompt | None = Field(default=None, min_length=1, max_length=100, pattern=r"\S")
    config_data: ConfigData | None = None
    is_default: bool | None = None


class ConfigTemplate(ResponseModel):
    id: str
    template_name: str
    is_default: bool
    config_data: dict[str, Any]
    usage_count: int
    created_at: Timestamp


class ConfigTemplateList(ResponseModel):
    list: list[ConfigTemplate]
