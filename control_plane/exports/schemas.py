"""Requests and responses of exports."""

from typing import Annotated, Any, Literal

from pydantic import Field

from control_plane.web.models import FileUrl, Id, Prompt, RequestModel, ResponseModel, Timestamp
from control_plane.web.reasons import Reason
from models.specs import Font

Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class SubtitleConfig(RequestModel):
    enabled: bool
    burn_in: bool
    format: Literal["SRT", "VTT", "ASS"] | None = None
    font_name: Font | None = None
    font_size: int | None = Field(default=None, ge=8, le=200)
    font_color: Colour | None = None
    position: Literal["top", "bottom", "center"] | None = None
    background_color: Colour | None = None
    background_opacity: float | None = Field(default=None, ge=0, le=1)


class CoverConfig(RequestModel):
    enabled: bool
    cover_type: Literal["auto_generate", "custom", "from_clip"] | None = None
    source_clip_id: Id | None = None
    custom_image_url: str | None = Field(default=None, min_length=1, max_length=2000)
    title_text: Prompt | None = Field(default=None, max_length=100)
    subtitle_text: Prompt | None = Field(default=None, max_length=200)


class ExportConfig(RequestModel):
    resolution: Literal["720p", "1080p", "4K"]
    width: int = Field(ge=2, le=8192)
    height: int = Field(ge=2, le=8192)
    format: Literal["MP4", "MOV"]
    aspect_ratio: str = Field(max_length=16)
    fps: int | None = Field(default=None, ge=12, le=60)
    subtitle: SubtitleConfig | None = None
    cover: CoverConfig | None = None


class ExportRequest(RequestModel):
    task_name: Prompt | None = Field(default=None, min_length=1, max_length=200)
    config: ExportConfig


class ExportResponse(ResponseModel):
    export_task_id: str
    estimated_duration: float | None = None
    status: Literal["pending"]


class ExportTask(ResponseModel):
    id: str
    project_id: str
    task_name: str
    status: Literal["pending", "processing", "completed", "failed", "cancelled"]
    progress: int
    error_message: Reason | None = None
    started_at: Timestamp | None = None
    completed_at: Timestamp | None = None
    created_at: Timestamp


class ExportFile(ResponseModel):
    id: str
    file_type: Literal["video", "audio", "subtitle", "cover"]
    file_name: str
    file_url: FileUrl
    file_size: int
    duration: float | None = None
    resolution: str | None = None
    format: str | None = None
    download_count: int
    expires_at: Timestamp | None = None
    created_at: Timestamp


class ExportFileList(ResponseModel):
    list: list[ExportFile]


class FileSummary(ResponseModel):
    """Of the files that are still there."""

    video_count: int
    total_size: int


class HistoryItem(ResponseModel):
    """``exported_at`` is when it ended, as it did."""

    export_task_id: str
    export_config: dict[str, Any]
    file_summary: FileSummary
    status: Literal["completed", "failed", "cancelled"]
    exported_at: Timestamp


class DownloadUrl(ResponseModel):
    download_url: str
    expires_at: Timestamp
