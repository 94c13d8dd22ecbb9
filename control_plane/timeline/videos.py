"""Clip videos: generating candidates and following them."""

from control_plane.accounts.actor import Actor
from control_plane.artifacts import tables as artifacts
from control_plane.errors import AlreadyExists
from control_plane.inputs.rules import derive_seed
from control_plane.inputs.service import check_model
from control_plane.materials import prompts
from control_plane.materials import tables as materials
from control_plane.materials.rules import motion_prompt
from control_plane.quota import service as quota
from control_plane.timeline import build, rules, tables
from control_plane.timeline.schemas import GenerateVideoRequest, GenerateVideoResponse, VideoTask
from control_plane.work import Work
from models.specs import CameraMovement, Framing, Shot, VideoSpec
from runtime.ids import new_id
from scheduler import queue
from scheduler.estimates import estimate_s, units_of
from scheduler.task import NewTask, TaskState

VIDEO_REACTION = "timeline.video"


async def generate_video(
    work: Work, actor: Actor, clip_id: str, request: GenerateVideoRequest
) -> GenerateVideoResponse:
    """Make a video of a clip from its picture. The first that completes is selected. Raises QuotaExceeded."""
    check_model(work, request.model_id, "image_to_video", field="model_id")
    clip, package, project = await tables.load_clip(work.session, actor, clip_id)
    images = await materials.images_of(work.session, [clip.element_id])
    image = next((i for i in images if i.is_selected and i.image_type == Framing.SHOT), None)
    keys = await artifacts.keys_of(
        work.session, [image.artifact_id, image.depth_artifact_id] if image is not None else []
    )
    if image is None or image.artifact_id not in keys:
        raise AlreadyExists("分镜图片尚未生成", "the clip's picture is not there yet", field="clip_id")
    clips = await tables.clips_of(work.session, package.id)
    lines = await tables.lines_of(work.session, [other.id for other in clips])
    placed = await build.timings(work.session, clips, lines)
    place = next(place for other, place in zip(clips, placed, strict=True) if other.id == clip.id)
    parts = await prompts.load_parts(work.session, package)
    elements = await materials.elements_of(work.session, package.id, "storyboard")
    shot = Shot.model_validate(next(row for row in elements if row.id == clip.element_id).data)
    width, height = parts.size
    prompt = request.prompt or ""
    names = [character.name for character in parts.characters]
    spec = VideoSpec(
        image_key=keys[image.artifact_id],
        depth_key=keys.get(image.depth_artifact_id),
        prompt=motion_prompt(prompt or shot.action or shot.description, names),
        camera_movement=rules.camera_named(prompt) or CameraMovement(clip.camera_movement),
        duration_s=min(place.duration_s, rules.MAX_CLIP_S),  # the film goes on with a slow push-in
        fps=rules.FPS,
        width=width,
        height=height,
        seed=derive_seed(parts.seed, "video", shot.shot_number, prompt),
    )
    job_id = await queue.create_job(work.session, kind="video", project_id=project.id, tenant_id=project.tenant_id)
    video = tables.VideoRow(
        id=new_id("gen"),
        clip_id=clip.id,
        model_id=request.model_id,
        prompt=spec.prompt,
        artifact_id=await artifacts.promise(work.session, project.tenant_id, f"clip-{clip.shot_number}"),
        thumbnail_artifact_id=await artifacts.promise(
            work.session, project.tenant_id, f"clip-{clip.shot_number}-thumbnail"
        ),
        duration_s=spec.duration_s,
        quota_consumed=0,
    )
    work.session.add(video)
    await work.session.flush()
    task = NewTask(
        kind="image_to_video",
        spec=spec,
        model=request.model_id,
        job_id=job_id,
        project_id=project.id,
        tenant_id=project.tenant_id,
        reaction=VIDEO_REACTION,
        label=f"video of shot {clip.shot_number}",
        context={"video_id": video.id, "clip_id": clip.id, "shot_number": clip.shot_number},
    )
    video.quota_consumed = quota.price(work, [task])
    (video.task_id,) = await quota.enqueue_paid(work, [task])
    estimate = await estimate_s(work.session, task.kind, task.model, units_of(task.kind, spec))
    return GenerateVideoResponse(
        generation_id=video.id,
        estimated_duration=round(estimate or 0.0, 1),
        quota_consumed=video.quota_consumed,
        status="pending",
    )


async def video_task(work: Work, actor: Actor, task_id: str) -> VideoTask:
    """A video's generation as a batch of one."""
    video, _, _ = await tables.load_video(work.session, actor, task_id)
    view = await queue.find_task(work.session, video.task_id or "")
    status = video.status
    if status == "pending" and view is not None and view.state is not TaskState.QUEUED:
        status = "processing"
    model = work.services.catalog.get(video.model_id)
    return VideoTask(
        task_id=video.id,
        model_id=video.model_id,
        model_name=model.display_name if model else video.model_id,
        total_clips=1,
        completed_clips=int(status == "completed"),
        failed_clips=int(status == "failed"),
        total_quota=video.quota_consumed,
        status=status,
        started_at=view.started_at if view else None,
        completed_at=video.completed_at,
    )
