"""Requests and responses of projects."""

from typing import Annotated, Any, Literal

from pydantic import Field

from control_plane.web.models import FileUrl, Id, PageQuery, Prompt, RequestModel, ResponseModel, Timestamp

ProjectStatus = Literal["draft", "generating", "editing", "completed", "exported"]
ProjectStage = Literal["input", "generating", "editing", "completed"]


SpaceType = Literal["personal", "team"]

ProjectName = Annotated[Prompt, Field(min_length=1, max_length=200, pattern=r"\S")]


class ProjectQuery(PageQuery):
    space_type: SpaceType | None = None
    team_space_id: Id | None = None
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


class CreateProject(RequestModel):
    name: ProjectName | None = None
    space_type: SpaceType | None = None
    team_space_id: Id | None = None


class UpdateProject(RequestModel):
    name: ProjectName | None = None
    description: Prompt | None = Field(default=None, max_length=2000)
    tags: list[Annotated[Prompt, Field(min_length=1, max_length=50)]] | None = Field(default=None, max_length=20)


class Conversation(ResponseModel):
    id: str
    message_type: Literal["system", "user"]
    message_content: str
    context_data: dict[str, Any] | None = None
    display_order: int
    created_at: Timestamp


class ConversationList(ResponseModel):
    list: list[Conversation]
