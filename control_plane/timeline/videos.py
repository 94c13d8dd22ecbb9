"""Clip videos: generating candidates, one or many at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from control_plane.accounts.actor import Actor
from control_plane.artifacts import tables as artifacts
from control_plane.errors import AlreadyExists, InvalidParameter, NotFound
from control_plane.inputs.checks import check_model
from control_plane.inputs.rules import derive_seed
from control_plane.materials import prompts
from control_plane.materials import tables as materials
from control_plane.materials.rules import motion_prompt
from control_plane.projects import conversations
from control_plane.projects import tables as projects
from control_plane.quota import service as quota
from control_plane.timeline import build, rules, tables
from control_plane.timeline.schemas import (
    BatchVideosRequest,
    BatchVideosResponse,
    GenerateVideoRequest,
    GenerateVideoResponse,
)
from control_plane.work import Work
from models.specs import CameraMovement, Framing, Shot, VideoSpec
from runtime.ids import new_id
from scheduler import queue
from scheduler.estimates import estimate_s
from scheduler.task import NewTask

VIDEO_REACTION = "timeline.video"


async def generate_video(
    work: Work, actor: Actor, clip_id: str, request: GenerateVideoRequest
) -> GenerateVideoResponse:
    """Make a video of a clip from its picture. The first that completes is selected. Raises QuotaExceeded."""
    check_model(work, request.model_id, "image_to_video", field="model_id")
    clip, package, project = await tables.load_clip(work.session, actor, clip_id)
    order = await _Order.load(work, project, package, request.model_id)
    spec = await order.spec_of(clip, request.prompt or "", field="clip_id")
    (video,), tasks = await order.place([(clip, spec)], batch_id=None)
    content = f"生成镜头 {clip.shot_number} 的视频" + (f"：{request.prompt}" if request.prompt else "")
    about = {"clip_id": clip.id, "generation_id": video.id}
    await conversations.asked(work, project.id, content, "generate_video", **about)
    estimate = await estimate_s(work.session, tasks[0].kind, tasks[0].model, spec)
    return GenerateVideoResponse(
        generation_id=video.id,
        estimated_duration=round(estimate or 0.0, 1),
        quota_consumed=video.quota_consumed,
        status="pending",
    )


async def generate_batch(work: Work, actor: Actor, project_id: str, request: BatchVideosRequest) -> BatchVideosResponse:
    """Make videos of the clips named, or of all that have none and get none, as one job: all are reserved or none.
    Raises QuotaExceeded."""
    check_model(work, request.model_id, "image_to_video", field="model_id")
    project = await projects.load_project(work.session, actor, project_id)
    package = await materials.active_package(work.session, project.id)
    if package is None:
        raise NotFound("还没有时间轴", "there is no timeline yet", field="project_id")
    order = await _Order.load(work, project, package, request.model_id)
    if request.clip_ids is not None:
        clips = _named(order.clips, request.clip_ids)
    else:
        clips = await _without_video(work, order.clips)
    specs = [(clip, await order.spec_of(clip, "", field="clip_ids")) for clip in clips]
    batch = tables.VideoBatchRow(
        id=new_id("vbt"), project_id=project.id, model_id=request.model_id, total_clips=len(clips), total_quota=0
    )
    work.session.add(batch)
    await work.session.flush()
    videos, _ = await order.place(specs, batch_id=batch.id)
    batch.total_quota = sum(video.quota_consumed for video in videos)
    content = f"生成 {len(clips)} 个镜头的视频"
    await conversations.asked(work, project.id, content, "generate_batch_videos", task_id=batch.id)
    return BatchVideosResponse(
        task_id=batch.id, total_clips=len(clips), total_quota=batch.total_quota, status="pending"
    )


def _named(clips: Sequence[tables.ClipRow], clip_ids: Sequence[str]) -> list[tables.ClipRow]:
    by_id = {clip.id: clip for clip in clips}
    for index, clip_id in enumerate(clip_ids):
        if clip_id not in by_id:
            raise InvalidParameter("不是此时间轴的片段", "not a clip of this timeline", field=f"clip_ids.{index}")
        if clip_id in clip_ids[:index]:
            raise InvalidParameter("片段重复", "a clip that is there before", field=f"clip_ids.{index}")
    return [by_id[clip_id] for clip_id in clip_ids]


async def _without_video(work: Work, clips: Sequence[tables.ClipRow]) -> list[tables.ClipRow]:
    videos = await tables.videos_of(work.session, [clip.id for clip in clips])
    served = {video.clip_id for video in videos if video.status not in {"failed", "cancelled"}}
    found = [clip for clip in clips if clip.id not in served]
    if not found:
        raise AlreadyExists("所有片段都有视频", "every clip has a video", field="clip_ids")
    return found


@dataclass
class _Order:
    """What is needed to ask for videos of a timeline's clips, loaded once."""

    work: Work
    project: projects.ProjectRow
    clips: list[tables.ClipRow]
    model_id: str
    parts: prompts.Parts
    shots: dict[str, Shot]
    lengths_s: dict[str, float]
    pictures: dict[str, materials.ImageRow]
    keys: dict[str, str]

    @classmethod
    async def load(
        cls, work: Work, project: projects.ProjectRow, package: materials.PackageRow, model_id: str
    ) -> "_Order":
        clips = await tables.clips_of(work.session, package.id)
        lines = await tables.lines_of(work.session, [clip.id for clip in clips])
        placed = await build.timings(work.session, clips, lines)
        elements = await materials.elements_of(work.session, package.id, "storyboard")
        pictures = {
            image.element_id: image
            for image in await materials.images_of(work.session, [clip.element_id for clip in clips])
            if image.is_selected and image.image_type == Framing.SHOT
        }
        wanted = [key for image in pictures.values() for key in (image.artifact_id, image.depth_artifact_id)]
        return cls(
            work=work,
            project=project,
            clips=clips,
            model_id=model_id,
            parts=await prompts.load_parts(work.session, package),
            shots={row.id: Shot.model_validate(row.data) for row in elements},
            lengths_s={clip.id: place.duration_s for clip, place in zip(clips, placed, strict=True)},
            pictures=pictures,
            keys=await artifacts.keys_of(work.session, wanted),
        )

    async def spec_of(self, clip: tables.ClipRow, prompt: str, *, field: str) -> VideoSpec:
        """Raises AlreadyExists while the clip's picture is not there."""
        picture = self.pictures.get(clip.element_id)
        if picture is None or picture.artifact_id not in self.keys:
            raise AlreadyExists(
                f"镜头 {clip.shot_number} 的图片尚未生成",
                f"the picture of shot {clip.shot_number} is not there yet",
                field=field,
            )
        shot = self.shots[clip.element_id]
        width, height = self.parts.size
        names = [character.name for character in self.parts.characters]
        return VideoSpec(
            image_key=self.keys[picture.artifact_id],
            depth_key=self.keys.get(picture.depth_artifact_id),
            prompt=motion_prompt(prompt or shot.action or shot.description, names),
            camera_movement=rules.camera_named(prompt) or CameraMovement(clip.camera_movement),
            duration_s=min(self.lengths_s[clip.id], rules.MAX_CLIP_S),  # the film goes on with a slow push-in
            fps=rules.FPS,
            width=width,
            height=height,
            seed=derive_seed(self.parts.seed, "video", shot.shot_number, prompt),
        )

    async def place(
        self, specs: Sequence[tuple[tables.ClipRow, VideoSpec]], *, batch_id: str | None
    ) -> tuple[list[tables.VideoRow], list[NewTask]]:
        """Queue the videos as one job. Raises QuotaExceeded."""
        work, project = self.work, self.project
        job_id = await queue.create_job(work.session, kind="video", project_id=project.id, tenant_id=project.tenant_id)
        videos, tasks = [], []
        for clip, spec in specs:
            name = f"clip-{clip.shot_number}"
            video = tables.VideoRow(
                id=new_id("gen"),
                clip_id=clip.id,
                model_id=self.model_id,
                prompt=spec.prompt,
                artifact_id=await artifacts.promise(work.session, project.tenant_id, name),
                thumbnail_artifact_id=await artifacts.promise(work.session, project.tenant_id, f"{name}-thumbnail"),
                duration_s=spec.duration_s,
                quota_consumed=0,
                batch_id=batch_id,
            )
            task = NewTask(
                kind="image_to_video",
                spec=spec,
                model=self.model_id,
                job_id=job_id,
                project_id=project.id,
                tenant_id=project.tenant_id,
                reaction=VIDEO_REACTION,
                label=f"video of shot {clip.shot_number}",
                context={"video_id": video.id, "clip_id": clip.id, "shot_number": clip.shot_number},
            )
            video.quota_consumed = quota.price(work, [task])
            videos.append(video)
            tasks.append(task)
        work.session.add_all(videos)
        await work.session.flush()
        for video, task_id in zip(videos, await quota.enqueue_paid(work, tasks), strict=True):
            video.task_id = task_id
        return videos, tasks
