"""Requests and responses of generations and material packages."""

from typing import Annotated, Any, Literal

from pydantic import Field

from control_plane.web.models import FileUrl, Id, Prompt, PromptText, RequestModel, ResponseModel, Timestamp
from control_plane.web.reasons import Reason, Spoken


class StartRequest(RequestModel):
    project_id: Id


class StartResponse(ResponseModel):
    material_package_id: str
    status: Literal["generating"]


class StepProgress(ResponseModel):
    task_id: str
    task_type: Literal["storyline", "artstyle", "characters", "scenes", "storyboard"]
    task_name: str
    display_name: Spoken
    display_order: int
    status: Literal["pending", "in_progress", "completed", "failed", "skipped", "cancelled"]
    progress: int
    error_message: Reason | None = None


class ProgressResponse(ResponseModel):
    material_package_id: str
    status: Literal["generating", "completed", "failed", "cancelled"]
    progress: int
    current_step: Spoken
    tasks: list[StepProgress]


class PackageItem(ResponseModel):
    id: str
    version: int
    package_name: str
    status: Literal["generating", "completed", "failed", "cancelled"]
    is_active: bool
    summary: str | None = None
    generated_at: Timestamp | None = None
    created_at: Timestamp


class PackageList(ResponseModel):
    list: list[PackageItem]


class StorylineMaterial(ResponseModel):
    id: str
    title: str
    content: str
    summary: str
    genre: str
    tone: str
    is_selected: bool


class ArtStyleMaterial(ResponseModel):
    id: str
    style_name: str
    description: str
    prompt_template: str
    reference_image_url: FileUrl
    is_selected: bool


class CharacterImage(ResponseModel):
    id: str
    image_type: Literal["front_view", "three_view", "detail"]
    image_url: FileUrl
    thumbnail_url: FileUrl
    is_selected: bool


class CharacterVoice(ResponseModel):
    id: str
    voice_name: str
    voice_id: str
    audio_sample_url: FileUrl
    is_selected: bool


class CharacterMaterial(ResponseModel):
    id: str
    character_name: str
    character_type: Literal["protagonist", "supporting", "extras"]
    description: str
    personality: list[str]
    appearance: str
    voice_style: str | None = None
    images: list[CharacterImage]
    voices: list[CharacterVoice] | None = None
    is_selected: bool


class SceneImage(ResponseModel):
    id: str
    image_url: FileUrl
    thumbnail_url: FileUrl
    is_selected: bool


class SceneMaterial(ResponseModel):
    id: str
    scene_name: str
    scene_type: Literal["indoor", "outdoor", "abstract"]
    description: str
    atmosphere: str
    lighting: str
    camera_angle: str
    images: list[SceneImage]
    is_selected: bool


class StoryboardMaterial(ResponseModel):
    id: str
    shot_number: int
    shot_type: str
    scene_id: str | None = None
    character_id: str | None = None
    description: str
    dialogue: str | None = None
    action: str | None = None
    duration: float
    camera_movement: str | None = None
    transition: str | None = None
    reference_image_url: FileUrl | None = None
    is_selected: bool


class Materials(ResponseModel):
    storyline: StorylineMaterial | None = None
    art_style: ArtStyleMaterial | None = None
    characters: list[CharacterMaterial] | None = None
    scenes: list[SceneMaterial] | None = None
    storyboards: list[StoryboardMaterial] | None = None


class PackageDetail(ResponseModel):
    id: str
    version: str
    package_name: str
    status: str
    materials: Materials
    summary: str | None = None
    created_at: Timestamp


class SaveNewRequest(RequestModel):
    package_name: Prompt | None = Field(default=None, min_length=1, max_length=200)


class SaveNewResponse(ResponseModel):
    new_package_id: str
    version: int


class RegenerateImageRequest(RequestModel):
    element_type: Literal["character", "scene"]
    element_id: Id
    user_prompt: PromptText
    prompt: PromptText | None = None


class RegenerateImageResponse(ResponseModel):
    candidate_id: str
    image_url: FileUrl
    thumbnail_url: FileUrl
    status: Literal["processing"]


ElementType = Literal["storyline", "artstyle", "character", "scene", "storyboard"]


class SelectCandidateRequest(RequestModel):
    element_type: ElementType
    element_id: Id
    candidate_type: Literal["image", "voice", "text"]
    candidate_id: Id


class ModifyTextRequest(RequestModel):
    """Another text for an element. ``new_content`` goes with ``text_edit``: the text of the element's main field
    (content of a storyline, appearance of a character, description of the others) or a JSON object of its fields.
    ``user_prompt`` goes with ``regenerate``: what to change; without it another version is written."""

    element_type: ElementType
    element_id: Id
    modification_type: Literal["text_edit", "regenerate"]
    user_prompt: PromptText | None = None
    new_content: Annotated[Prompt, Field(min_length=1, max_length=60_000)] | None = None


class ModifyTextResponse(ResponseModel):
    candidate_id: str
    content: str
    status: Literal["completed", "processing"]


class TextCandidateQuery(RequestModel):
    element_id: Id


class TextCandidate(ResponseModel):
    """``content`` is the main field's text, ``fields`` the whole; absent while it is being written."""

    id: str
    content: str | None = None
    fields: dict[str, Any] | None = None
    user_prompt: str | None = None
    status: Literal["processing", "completed", "failed"]
    is_selected: bool
    error_message: Reason | None = None
    created_at: Timestamp


class TextCandidateList(ResponseModel):
    list: list[TextCandidate]


class ReplaceRequest(RequestModel):
    asset_type: Literal["character", "style", "voice"]
    element_id: Id
    asset_id: Id


class RenameRequest(RequestModel):
    package_name: Annotated[Prompt, Field(min_length=1, max_length=200)]


class RetryResponse(ResponseModel):
    status: Literal["pending"]


class SwitchVoiceRequest(RequestModel):
    element_type: Literal["character", "narration"]
    element_id: Id
    voice_id: Id
