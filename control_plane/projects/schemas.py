"""Requests and responses of projects."""

from typing import Literal

from pydantic import Field

from control_plane.web.models import FileUrl, PageQuery, RequestModel, ResponseModel, Timestamp

ProjectStatus = Literal["draft", "generating", "editing", "completed", "exported"]
ProjectStage = Literal["input", "generating", "editing", "completed"]


class ProjectQuery(PageQuery):
    status: ProjectStatus | None = None
    keyword: str | None = Field(default=None, max_length=100)


class InputConfig(ResponseModel):
    aspect_ratio: str
    duration: float
    language: str


class DetailedInputConfig(InputConfig):
    subtitle_enabled: bool


class ProjectMetadata(ResponseModel):
    total_duration: float | None = None
    video_count: int | None = None
    export_count: int | None = None


class ProjectBase(ResponseModel):
    id: str
    name: str
    description: str
    status: ProjectStatus
    stage: ProjectStage
    progress: int
    tags: list[str]
    created_at: Timestamp
    updated_at: Timestamp


class ProjectItem(ProjectBase):
    input_config: InputConfig
    thumbnail_url: FileUrl | None = None


class ProjectDetail(ProjectBase):
    input_config: DetailedInputConfig
    metadata: ProjectMetadata
    started_at: Timestamp | None = None
    completed_at: Timestamp | None = None


class UpdateProject(RequestModel):
    name: str | None = Field(default=None, min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=2000)
    tags: list[str] | None = Field(default=None, max_length=20)
