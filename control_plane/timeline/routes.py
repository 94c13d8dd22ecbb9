"""Clips, their audio and videos, and the project's music."""

from control_plane.accounts.actor import Access
from control_plane.errors import AlreadyExists
from control_plane.timeline import audio, candidates, music, service, video_tasks, videos
from control_plane.timeline.schemas import (
    ApplyCandidateRequest,
    BatchVideosRequest,
    BatchVideosResponse,
    Bgm,
    BgmRequest,
    Candidates,
    CandidatesQuery,
    ClipAudio,
    CustomAudioRequest,
    DialogueDetail,
    Duration,
    DurationRequest,
    EditConfig,
    EditConfigRequest,
    GenerateBgmRequest,
    GenerateBgmResponse,
    GenerateVideoRequest,
    GenerateVideoResponse,
    Narration,
    RegenerateShotRequest,
    RegenerateShotResponse,
    ReorderRequest,
    SpeechRequest,
    SpeechResponse,
    Timeline,
    VideoTask,
)
from control_plane.web.routes import Call, Routes

routes = Routes("timeline")


@routes.get("/projects/{project_id}/timeline", access=Access.READ, response=Timeline)
async def timeline(call: Call) -> Timeline:
    """The timeline of the active package."""
    return await service.timeline(call.work, call.actor, call.path["project_id"])


@routes.post("/projects/{project_id}/timeline/reorder", access=Access.WRITE, body=ReorderRequest)
async def reorder(call: Call, body: ReorderRequest) -> None:
    """Put the clips in another order; their shot numbers follow it."""
    await service.reorder(call.work, call.actor, call.path["project_id"], body.clip_ids)


@routes.delete("/timeline-clips/{clip_id}", access=Access.WRITE, errors=(AlreadyExists,))
async def delete_clip(call: Call) -> None:
    """Take a clip out of the film."""
    await service.delete_clip(call.work, call.actor, call.path["clip_id"])


@routes.get("/timeline-clips/{clip_id}/duration", access=Access.READ, response=Duration)
async def duration(call: Call) -> Duration:
    """How long a clip is shown, and why."""
    return await service.duration(call.work, call.actor, call.path["clip_id"])


@routes.put("/timeline-clips/{clip_id}/duration", access=Access.WRITE, body=DurationRequest)
async def set_duration(call: Call, body: DurationRequest) -> None:
    """Set how long a clip is shown."""
    await service.set_duration(call.work, call.actor, call.path["clip_id"], body.duration)


@routes.get("/timeline-clips/{clip_id}/edit-config", access=Access.READ, response=EditConfig)
async def show_edit_config(call: Call) -> EditConfig:
    """What is set of a clip's crop, zoom, pan, rotation, filter, transition and camera."""
    return await service.show_edit_config(call.work, call.actor, call.path["clip_id"])


@routes.put("/timeline-clips/{clip_id}/edit-config", access=Access.WRITE, body=EditConfigRequest)
async def edit_config(call: Call, body: EditConfigRequest) -> None:
    """Crop, zoom, pan, rotate, filter a clip; set its transition."""
    await service.edit_config(call.work, call.actor, call.path["clip_id"], body)


@routes.post(
    "/timeline-clips/{clip_id}/generate-video",
    access=Access.WRITE,
    body=GenerateVideoRequest,
    response=GenerateVideoResponse,
    spends=True,
)
async def generate_video(call: Call, body: GenerateVideoRequest) -> GenerateVideoResponse:
    """Make a video of a clip."""
    return await videos.generate_video(call.work, call.actor, call.path["clip_id"], body)


@routes.post(
    "/projects/{project_id}/generate-batch-videos",
    access=Access.WRITE,
    body=BatchVideosRequest,
    response=BatchVideosResponse,
    spends=True,
)
async def generate_batch_videos(call: Call, body: BatchVideosRequest) -> BatchVideosResponse:
    """Make videos of several clips, or of all that have none."""
    return await videos.generate_batch(call.work, call.actor, call.path["project_id"], body)


@routes.get("/video-generation-tasks/{task_id}", access=Access.READ, response=VideoTask)
async def video_task(call: Call) -> VideoTask:
    """How far a video generation is."""
    return await video_tasks.video_task(call.work, call.actor, call.path["task_id"])


@routes.post("/video-generation-tasks/{task_id}/cancel", access=Access.WRITE)
async def cancel_videos(call: Call) -> None:
    """Cancel a batch of videos, or a single one."""
    await video_tasks.cancel(call.work, call.actor, call.path["task_id"])


@routes.get("/timeline-clips/{clip_id}/candidates", access=Access.READ, query=CandidatesQuery, response=Candidates)
async def list_candidates(call: Call, query: CandidatesQuery) -> Candidates:
    """The pictures and videos a clip could show."""
    return await candidates.candidates(call.work, call.actor, call.path["clip_id"], query.candidate_type)


@routes.post(
    "/timeline-clips/{clip_id}/regenerate-image",
    access=Access.WRITE,
    body=RegenerateShotRequest,
    response=RegenerateShotResponse,
    spends=True,
)
async def regenerate_image(call: Call, body: RegenerateShotRequest) -> RegenerateShotResponse:
    """Paint another picture of a clip."""
    return await candidates.regenerate_image(call.work, call.actor, call.path["clip_id"], body)


@routes.post("/timeline-clips/{clip_id}/apply-candidate", access=Access.WRITE, body=ApplyCandidateRequest)
async def apply_candidate(call: Call, body: ApplyCandidateRequest) -> None:
    """Choose what a clip shows."""
    await candidates.apply_candidate(call.work, call.actor, call.path["clip_id"], body)


@routes.get("/timeline-clips/{clip_id}/audio", access=Access.READ, response=ClipAudio)
async def clip_audio(call: Call) -> ClipAudio:
    """What is spoken in a clip."""
    return await audio.clip_audio(call.work, call.actor, call.path["clip_id"])


@routes.get("/timeline-clips/{clip_id}/narration", access=Access.READ, response=Narration)
async def narration(call: Call) -> Narration:
    """A clip's narration."""
    return await audio.narration(call.work, call.actor, call.path["clip_id"])


@routes.put(
    "/timeline-clips/{clip_id}/narration",
    access=Access.WRITE,
    body=SpeechRequest,
    response=SpeechResponse,
    spends=True,
)
async def update_narration(call: Call, body: SpeechRequest) -> SpeechResponse:
    """Change a clip's narration."""
    return await audio.update_narration(call.work, call.actor, call.path["clip_id"], body)


@routes.post("/timeline-clips/{clip_id}/narration/custom-audio", access=Access.WRITE, body=CustomAudioRequest)
async def use_custom_audio(call: Call, body: CustomAudioRequest) -> None:
    """Use a sound of your own as a clip's narration."""
    await audio.use_custom_audio(call.work, call.actor, call.path["clip_id"], body)


@routes.get("/timeline-clips/{clip_id}/dialogue/{dialogue_id}", access=Access.READ, response=DialogueDetail)
async def dialogue(call: Call) -> DialogueDetail:
    """A dialogue line of a clip."""
    return await audio.dialogue(call.work, call.actor, call.path["clip_id"], call.path["dialogue_id"])


@routes.put(
    "/timeline-clips/{clip_id}/dialogue/{dialogue_id}",
    access=Access.WRITE,
    body=SpeechRequest,
    response=SpeechResponse,
    spends=True,
)
async def update_dialogue(call: Call, body: SpeechRequest) -> SpeechResponse:
    """Change a dialogue line of a clip."""
    path = call.path
    return await audio.update_dialogue(call.work, call.actor, path["clip_id"], path["dialogue_id"], body)


@routes.get("/projects/{project_id}/bgm", access=Access.READ, response=Bgm)
async def bgm(call: Call) -> Bgm:
    """The project's music."""
    return await music.bgm(call.work, call.actor, call.path["project_id"])


@routes.put("/projects/{project_id}/bgm", access=Access.WRITE, body=BgmRequest)
async def update_bgm(call: Call, body: BgmRequest) -> None:
    """Choose the project's music and how it sounds."""
    await music.update_bgm(call.work, call.actor, call.path["project_id"], body)


@routes.delete("/projects/{project_id}/bgm", access=Access.WRITE)
async def remove_bgm(call: Call) -> None:
    """Have no music."""
    await music.remove_bgm(call.work, call.actor, call.path["project_id"])


@routes.post(
    "/projects/{project_id}/generate-bgm",
    access=Access.WRITE,
    body=GenerateBgmRequest,
    response=GenerateBgmResponse,
    spends=True,
)
async def generate_bgm(call: Call, body: GenerateBgmRequest) -> GenerateBgmResponse:
    """Compose music for the film, as a candidate."""
    return await music.generate_bgm(call.work, call.actor, call.path["project_id"], body)
