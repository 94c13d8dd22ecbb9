"""What the API document promises of each answer from the timeline to the download, and of each event. See shapes.py."""

from typing import Annotated, Any, Literal

from pydantic import Field

from tests.acceptance.shapes import Id, Materials, Percent, Shape, Time, Url

ClipGeneration = Literal["pending", "processing", "completed", "failed"]
Status = Literal["pending", "processing", "completed", "failed", "cancelled"]

# --- 10 timeline, 11 video, 12 narration, 13 music


class EditConfig(Shape):
    crop_x: float | None = None
    crop_y: float | None = None
    crop_width: float | None = None
    crop_height: float | None = None
    zoom_level: float | None = None
    filter_type: str | None = None
    # added: what can be set can be read
    pan_x: float | None = None
    pan_y: float | None = None
    rotation: float | None = None
    filter_intensity: float | None = None
    transform_params: dict[str, Any] | None = None


class Clip(Shape):
    id: Id
    shot_number: int
    clip_type: Literal["image", "video"]
    duration: float
    start_time: float
    end_time: float
    description: str
    dialogue: str | None = None
    transition: str | None = None
    transition_duration: float | None = None
    selected_image_id: Id | None = None
    selected_video_id: Id | None = None
    thumbnail_url: Url | None = None
    config: EditConfig
    # added
    camera_movement: str | None = None
    speech_overrun: bool | None = None


class Timeline(Shape):
    project_id: Id
    total_duration: float
    video_aspect_ratio: str
    fps: int
    clips: list[Clip]


class VideoStarted(Shape):
    generation_id: Id
    estimated_duration: float
    quota_consumed: int
    status: Literal["pending"]


class VideoTask(Shape):
    task_id: Id
    model_id: str
    model_name: str
    total_clips: int
    completed_clips: int
    total_quota: int
    status: Status
    started_at: Time | None = None
    completed_at: Time | None = None
    # added
    failed_clips: int


class Narration(Shape):
    id: Id
    text_content: str
    voice_id: str | None = None
    voice_name: str | None = None
    audio_url: Url | None = None
    speech_speed: float
    volume: float
    emotion: str | None = None
    generation_status: ClipGeneration
    is_custom_audio: bool
    custom_audio_url: Url | None = None


class Dialogue(Shape):
    id: Id
    character_id: Id | None = None
    character_name: str | None = None
    text_content: str
    voice_id: str | None = None
    voice_name: str | None = None
    audio_url: Url | None = None
    generation_status: ClipGeneration


class ClipAudio(Shape):
    narration: Narration | None = None
    dialogue: list[Dialogue] | None = None


class SpeechStarted(Shape):
    estimated_duration: float
    generation_status: Literal["pending"]


class Bgm(Shape):
    id: Id | None = None
    audio_url: Url | None = None
    music_name: str | None = None
    source: Literal["ai_generated", "library", "uploaded"] | None = None
    volume: float
    is_loop: bool
    fade_in_duration: float
    fade_out_duration: float
    is_selected: bool


class BgmStarted(Shape):
    candidate_id: Id
    audio_url: Url
    quota_consumed: int
    status: Literal["processing"]


# --- 14 export, 15 its progress, 16 download


class ExportStarted(Shape):
    export_task_id: Id
    estimated_duration: float | None = None
    status: Literal["pending"]


class ExportTask(Shape):
    id: Id
    project_id: Id
    task_name: str
    status: Status
    progress: Percent
    error_message: str | None = None
    started_at: Time | None = None
    completed_at: Time | None = None
    created_at: Time


class ExportFile(Shape):
    id: Id
    file_type: Literal["video", "audio", "subtitle", "cover"]
    file_name: str
    file_url: Url
    file_size: int
    duration: float | None = None
    resolution: str | None = None
    format: str | None = None
    download_count: int
    expires_at: Time | None = None
    created_at: Time


class ExportFiles(Shape):
    list: list[ExportFile]


class Download(Shape):
    download_url: Url
    expires_at: Time


# --- events


class GenerationProgress(Shape):
    material_package_id: Id
    status: Literal["generating", "completed", "failed"]
    progress: Percent
    current_step: str


class GenerationCompleted(Shape):
    material_package_id: Id
    package_name: str
    materials: Materials


Preview = Annotated[str, Field(pattern="^data:image/jpeg;base64,")]


class VideoProgress(Shape):
    clip_id: Id
    shot_number: int
    status: str
    progress: Percent
    # added
    preview: Preview | None = None


class ImageProgress(Shape):
    candidate_id: Id
    status: str
    progress: Percent
    preview: Preview | None = None


class EventFile(Shape):
    file_type: Literal["video", "audio", "subtitle", "cover"]
    file_name: str
    file_url: Url
    file_size: int


class ExportCompleted(Shape):
    export_task_id: Id
    files: list[EventFile]


class Event(Shape):
    event: str
    project_id: Id
    data: dict[str, Any]
    # added
    id: Annotated[str, Field(pattern=r"^\d+$")]


EVENTS: dict[str, type[Shape]] = {
    "generation.progress": GenerationProgress,
    "generation.completed": GenerationCompleted,
    "video.progress": VideoProgress,
    "export.completed": ExportCompleted,
    # added
    "image.progress": ImageProgress,
}
"""The events of the document; most of the contract's further ones are checked by name."""

ADDED_EVENTS = {
    "generation.failed",
    "video.completed",
    "video.failed",
    "candidate.completed",
    "audio.completed",
    "bgm.completed",
    "export.progress",
    "export.failed",
    "quota.changed",
}
