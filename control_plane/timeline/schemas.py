"""Requests and responses of the timeline, its audio and its videos."""

from typing import Any, Literal

from pydantic import Field

from control_plane.timeline.rules import MAX_CLIP_S, MAX_TRANSITION_S, MIN_CLIP_S
from control_plane.web.models import FileUrl, Id, Prompt, PromptText, RequestModel, ResponseModel, Timestamp
from models.specs import CameraMovement, Emotion, Filter, Transition

GenerationStatus = Literal["pending", "processing", "completed", "failed"]


class ClipConfig(ResponseModel):
    crop_x: float | None = None
    crop_y: float | None = None
    crop_width: float | None = None
    crop_height: float | None = None
    zoom_level: float | None = None
    pan_x: float | None = None
    pan_y: float | None = None
    rotation: float | None = None
    filter_type: str | None = None
    filter_intensity: float | None = None
    transform_params: dict[str, Any] | None = None


class Clip(ResponseModel):
    id: str
    shot_number: int
    clip_type: Literal["image", "video"]
    duration: float
    start_time: float
    end_time: float
    description: str
    dialogue: str | None = None
    transition: str | None = None
    transition_duration: float | None = None
    selected_image_id: str | None = None
    selected_video_id: str | None = None
    thumbnail_url: FileUrl | None = None
    camera_movement: str | None = None
    speech_overrun: bool | None = None
    config: ClipConfig


class Timeline(ResponseModel):
    project_id: str
    total_duration: float
    video_aspect_ratio: str
    fps: int
    clips: list[Clip]


class ReorderRequest(RequestModel):
    clip_ids: list[Id] = Field(min_length=1, max_length=1000)


class Duration(ResponseModel):
    """``duration`` is what the clip has, ``planned_duration`` what it was planned with; ``is_set`` by the user."""

    duration: float
    planned_duration: float
    is_set: bool


class DurationRequest(RequestModel):
    duration: float = Field(ge=MIN_CLIP_S, le=MAX_CLIP_S)


class TransformParams(RequestModel):
    flip_horizontal: bool | None = None
    flip_vertical: bool | None = None


class EditConfigRequest(RequestModel):
    crop_x: float | None = Field(default=None, ge=0, lt=1)
    crop_y: float | None = Field(default=None, ge=0, lt=1)
    crop_width: float | None = Field(default=None, gt=0, le=1)
    crop_height: float | None = Field(default=None, gt=0, le=1)
    zoom_level: float | None = Field(default=None, ge=1, le=8)
    pan_x: float | None = Field(default=None, ge=-1, le=1)
    pan_y: float | None = Field(default=None, ge=-1, le=1)
    rotation: float | None = Field(default=None, ge=-360, le=360)
    filter_type: Filter | None = None
    filter_intensity: float | None = Field(default=None, ge=0, le=1)
    transform_params: TransformParams | None = None
    transition: Transition | None = None
    transition_duration: float | None = Field(default=None, ge=0, le=MAX_TRANSITION_S)
    camera_movement: CameraMovement | None = None


class EditConfig(ClipConfig):
    transition: str
    transition_duration: float
    camera_movement: str


class CandidatesQuery(RequestModel):
    candidate_type: Literal["image", "video"] | None = None


class ImageCandidate(ResponseModel):
    id: str
    image_url: FileUrl
    thumbnail_url: FileUrl
    prompt: str
    is_selected: bool
    created_at: Timestamp


class VideoCandidate(ResponseModel):
    id: str
    video_url: FileUrl
    thumbnail_url: FileUrl
    video_duration: float
    model_id: str
    model_name: str
    prompt: str
    quota_consumed: int
    is_selected: bool
    generation_status: GenerationStatus
    created_at: Timestamp


class Candidates(ResponseModel):
    images: list[ImageCandidate] | None = None
    videos: list[VideoCandidate] | None = None


class RegenerateShotRequest(RequestModel):
    user_prompt: PromptText
    prompt: PromptText | None = None


class RegenerateShotResponse(ResponseModel):
    candidate_id: str
    status: Literal["processing"]
    quota_consumed: int | None = None


class ApplyCandidateRequest(RequestModel):
    candidate_type: Literal["image", "video"]
    candidate_id: Id


class GenerateVideoRequest(RequestModel):
    model_id: Id
    prompt: PromptText | None = None


class GenerateVideoResponse(ResponseModel):
    generation_id: str
    estimated_duration: float = Field(
        description="Seconds, from measured runs of the model; 0 before the first, when nothing is known."
    )
    quota_consumed: int
    status: Literal["pending"]


class BatchVideosRequest(RequestModel):
    model_id: Id
    clip_ids: list[Id] | None = Field(default=None, min_length=1, max_length=1000)


class BatchVideosResponse(ResponseModel):
    task_id: str
    total_clips: int
    total_quota: int
    status: Literal["pending"]


class VideoTask(ResponseModel):
    task_id: str
    model_id: str
    model_name: str
    total_clips: int
    completed_clips: int
    failed_clips: int
    total_quota: int
    status: Literal["pending", "processing", "completed", "failed", "cancelled"]
    started_at: Timestamp | None = None
    completed_at: Timestamp | None = None


class Narration(ResponseModel):
    id: str
    text_content: str
    voice_id: str | None = None
    voice_name: str | None = None
    audio_url: FileUrl | None = None
    speech_speed: float
    volume: float
    emotion: str | None = None
    generation_status: GenerationStatus
    is_custom_audio: bool
    custom_audio_url: FileUrl | None = None


class DialogueAudio(ResponseModel):
    id: str
    character_id: str | None = None
    character_name: str | None = None
    text_content: str
    voice_id: str | None = None
    voice_name: str | None = None
    audio_url: FileUrl | None = None
    generation_status: GenerationStatus


class DialogueDetail(DialogueAudio):
    speech_speed: float
    volume: float
    emotion: str


class ClipAudio(ResponseModel):
    narration: Narration | None = None
    dialogue: list[DialogueAudio] | None = None


class SpeechRequest(RequestModel):
    text_content: PromptText
    voice_id: Id | None = None
    speech_speed: float | None = Field(default=None, ge=0.5, le=2)
    volume: float | None = Field(default=None, ge=0, le=2)
    emotion: Emotion | None = None


class CustomAudioRequest(RequestModel):
    audio_url: str = Field(min_length=1, max_length=2000)


class SpeechResponse(ResponseModel):
    estimated_duration: float
    generation_status: Literal["pending"]


class Bgm(ResponseModel):
    id: str | None = None
    audio_url: FileUrl | None = None
    music_name: str | None = None
    source: Literal["ai_generated", "library", "uploaded"] | None = None
    volume: float
    is_loop: bool
    fade_in_duration: float
    fade_out_duration: float
    is_selected: bool


class BgmRequest(RequestModel):
    audio_url: str | None = Field(default=None, min_length=1, max_length=2000)
    music_name: Prompt | None = Field(default=None, max_length=200)
    source: Literal["ai_generated", "library", "uploaded"] | None = None
    volume: float | None = Field(default=None, ge=0, le=2)
    is_loop: bool | None = None
    fade_in_duration: float | None = Field(default=None, ge=0, le=30)
    fade_out_duration: float | None = Field(default=None, ge=0, le=30)


class GenerateBgmRequest(RequestModel):
    prompt: PromptText | None = None


class GenerateBgmResponse(ResponseModel):
    candidate_id: str
    audio_url: FileUrl
    quota_consumed: int
    status: Literal["processing"]
