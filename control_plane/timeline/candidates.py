"""The pictures and videos a clip could show, and choosing among them."""

from control_plane.accounts.actor import Actor
from control_plane.errors import AlreadyExists, NotFound
from control_plane.materials import pictures, prompts
from control_plane.materials import tables as materials
from control_plane.projects import conversations
from control_plane.timeline import build, tables
from control_plane.timeline.schemas import (
    ApplyCandidateRequest,
    Candidates,
    ImageCandidate,
    RegenerateShotRequest,
    RegenerateShotResponse,
    VideoCandidate,
)
from control_plane.work import Work
from models.specs import Framing, Shot


async def candidates(work: Work, actor: Actor, clip_id: str, candidate_type: str | None) -> Candidates:
    """A clip's pictures and videos, the oldest first; those that failed are left out of the pictures."""
    clip, _, _ = await tables.load_clip(work.session, actor, clip_id)
    images = videos = None
    if candidate_type != "video":
        images = [
            ImageCandidate(
                id=row.id,
                image_url=row.artifact_id,
                thumbnail_url=row.thumbnail_artifact_id,
                prompt=row.prompt,
                is_selected=row.is_selected,
                created_at=row.created_at,
            )
            for row in await materials.images_of(work.session, [clip.element_id])
            if row.image_type == Framing.SHOT and row.status != "failed"
        ]
    if candidate_type != "image":
        catalog = work.services.catalog
        videos = [
            VideoCandidate(
                id=row.id,
                video_url=row.artifact_id,
                thumbnail_url=row.thumbnail_artifact_id,
                video_duration=row.duration_s,
                model_id=row.model_id,
                model_name=model.display_name if (model := catalog.get(row.model_id)) else row.model_id,
                prompt=row.prompt,
                quota_consumed=row.quota_consumed,
                is_selected=row.id == clip.selected_video_id,
                generation_status="failed" if row.status == "cancelled" else row.status,
                created_at=row.created_at,
            )
            for row in await tables.videos_of(work.session, [clip.id])
        ]
    return Candidates(images=images, videos=videos)


async def regenerate_image(
    work: Work, actor: Actor, clip_id: str, request: RegenerateShotRequest
) -> RegenerateShotResponse:
    """Paint another picture of a shot, as a candidate, with its characters and scene as they look now. Raises
    QuotaExceeded."""
    clip, package, project = await tables.load_clip(work.session, actor, clip_id)
    elements = await materials.elements_of(work.session, package.id, "storyboard")
    element = next(row for row in elements if row.id == clip.element_id)
    take = len([i for i in await materials.images_of(work.session, [element.id]) if i.image_type == Framing.SHOT])
    parts = await prompts.load_parts(work.session, package)
    if pictures.paints_from_sheets(work, package):
        parts = await prompts.with_sheets(work.session, package, parts)
    shot = Shot.model_validate(element.data)
    prompt, wish = request.prompt or "", request.user_prompt
    spec = prompts.shot_picture(parts, shot, prompt=prompt, wish=wish, take=take)
    image = await pictures.new_image(
        work, project, element, Framing.SHOT, spec.prompt, wish=f"{prompt} {wish}".strip(), position=take
    )
    cost = await pictures.enqueue_candidate(work, project, package, element, image, "text_to_image", spec)
    about = {"clip_id": clip.id, "candidate_id": image.id}
    await conversations.asked(
        work, project.id, f"重画镜头 {clip.shot_number}：{image.wish}", "regenerate_image", **about
    )
    return RegenerateShotResponse(candidate_id=image.id, status="processing", quota_consumed=cost)


async def apply_candidate(work: Work, actor: Actor, clip_id: str, request: ApplyCandidateRequest) -> None:
    """Show a candidate: a video plays, a picture takes the place of picture and video."""
    clip, _, project = await tables.load_clip(work.session, actor, clip_id)
    if request.candidate_type == "video":
        video = await tables.video_by_id(work.session, request.candidate_id)
        if video is None or video.clip_id != clip.id:
            raise NotFound("候选不存在", "no such candidate", field="candidate_id")
        _check_completed(video.status)
        clip.selected_video_id = video.id
    else:
        image = await materials.image_by_id(work.session, request.candidate_id)
        if image is None or image.element_id != clip.element_id or image.image_type != Framing.SHOT:
            raise NotFound("候选不存在", "no such candidate", field="candidate_id")
        _check_completed(image.status)
        await materials.select_image(work.session, image)
        clip.selected_video_id = None
    kind = "视频" if request.candidate_type == "video" else "图片"
    about = {"clip_id": clip.id, "candidate_id": request.candidate_id}
    await conversations.asked(work, project.id, f"镜头 {clip.shot_number} 选用{kind}", "apply_candidate", **about)
    await build.edited(work, project)


def _check_completed(status: str) -> None:
    if status != "completed":
        raise AlreadyExists("候选尚未完成", "the candidate is not finished", field="candidate_id")
