"""Every event a WebSocket client can get. The field names are the API document's."""

from typing import Any, Literal

from pydantic import Field

from control_plane.web.models import FileUrl, ResponseModel, Timestamp
from control_plane.web.reasons import Reason, Spoken


class EventData(ResponseModel):
    """Base of event payloads; ``EVENTS`` maps event names to them."""


class GenerationProgress(EventData):
    material_package_id: str
    status: Literal["generating", "completed", "failed", "cancelled"]
    progress: int
    current_step: Spoken


class GenerationCompleted(EventData):
    """``materials`` is filled in when the event is sent, from the package as it then is."""

    material_package_id: str
    package_name: str
    materials: dict[str, Any] = Field(default_factory=dict)


class GenerationFailed(EventData):
    material_package_id: str
    step: str
    error_message: Reason


class VideoProgress(EventData):
    """``preview``, where the model shows one, is a small picture as a data: URL."""

    clip_id: str
    shot_number: int
    status: str
    progress: int
    preview: str | None = None


class ImageProgress(EventData):
    """Of a picture that is being painted: ``candidate_id`` is the picture's id. ``preview`` as for videos."""

    candidate_id: str
    status: str
    progress: int
    preview: str | None = None


class VideoCompleted(EventData):
    clip_id: str
    shot_number: int
    generation_id: str
    video_url: FileUrl
    thumbnail_url: FileUrl


class VideoFailed(EventData):
    clip_id: str
    shot_number: int
    generation_id: str
    error_message: Reason


class CandidateCompleted(EventData):
    candidate_id: str
    element_id: str
    status: Literal["completed", "failed"]
    image_url: FileUrl | None = None
    thumbnail_url: FileUrl | None = None
    content: str | None = None
    error_message: Reason | None = None


class AudioCompleted(EventData):
    clip_id: str
    audio_id: str
    status: Literal["completed", "failed"]
    audio_url: FileUrl | None = None
    duration: float | None = None
    error_message: Reason | None = None


class BgmCompleted(EventData):
    candidate_id: str
    status: Literal["completed", "failed"]
    audio_url: FileUrl | None = None
    duration: float | None = None
    error_message: Reason | None = None


class ExportProgress(EventData):
    export_task_id: str
    status: str
    progress: int


class ExportedFile(ResponseModel):
    file_type: Literal["video", "audio", "subtitle", "cover"]
    file_name: str
    file_url: FileUrl
    file_size: int


class ExportCompleted(EventData):
    export_task_id: str
    files: list[ExportedFile]


class ExportFailed(EventData):
    export_task_id: str
    error_message: Reason


class QuotaInsufficient(EventData):
    required: int
    remaining: int


class QuotaChanged(EventData):
    daily_limit: int
    used: int
    remaining: int
    reset_at: Timestamp


EVENTS: dict[str, type[EventData]] = {
    "generation.progress": GenerationProgress,
    "generation.completed": GenerationCompleted,
    "generation.failed": GenerationFailed,
    "video.progress": VideoProgress,
    "image.progress": ImageProgress,
    "video.completed": VideoCompleted,
    "video.failed": VideoFailed,
    "candidate.completed": CandidateCompleted,
    "audio.completed": AudioCompleted,
    "bgm.completed": BgmCompleted,
    "export.progress": ExportProgress,
    "export.completed": ExportCompleted,
    "export.failed": ExportFailed,
    "quota.insufficient": QuotaInsufficient,
    "quota.changed": QuotaChanged,
}
EVENT_NAMES = {data: name for name, data in EVENTS.items()}

PROGRESS_EVENTS = frozenset({"generation.progress", "image.progress", "video.progress", "export.progress"})
"""What a slow reader may lose."""
