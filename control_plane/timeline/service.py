"""The timeline and the edits of its clips."""

from collections.abc import Sequence

from control_plane.accounts.actor import Actor
from control_plane.errors import AlreadyExists, InvalidParameter, NotFound
from control_plane.exports import waiting
from control_plane.materials import tables as materials
from control_plane.projects import conversations
from control_plane.projects import tables as projects
from control_plane.timeline import build, rules, tables
from control_plane.timeline.schemas import (
    Clip,
    ClipConfig,
    Duration,
    EditConfig,
    EditConfigRequest,
    Timeline,
)
from control_plane.work import Work
from models.specs import Framing, Transition
from scheduler import queue


async def timeline(work: Work, actor: Actor, project_id: str) -> Timeline:
    """The timeline of the project's active package. Raises NotFound before there is one."""
    project = await projects.load_project(work.session, actor, project_id)
    package = await materials.active_package(work.session, project.id)
    if package is None:
        raise NotFound("还没有时间轴", "there is no timeline yet", field="project_id")
    clips = await tables.clips_of(work.session, package.id)
    lines = await tables.lines_of(work.session, [clip.id for clip in clips])
    placed = await build.timings(work.session, clips, lines)
    elements = {row.id: row for row in await materials.elements_of(work.session, package.id, "storyboard")}
    images = {
        image.element_id: image
        for image in await materials.images_of(work.session, list(elements))
        if image.is_selected and image.image_type == Framing.SHOT
    }
    videos = {row.id: row for row in await tables.videos_of(work.session, [clip.id for clip in clips])}
    by_clip = build.lines_by_clip(lines)
    answer = []
    for clip, place in zip(clips, placed, strict=True):
        image = images.get(clip.element_id)
        video = videos.get(clip.selected_video_id or "")
        dialogue = "\n".join(
            f"{line.character_name}：{line.text}" for line in by_clip.get(clip.id, []) if line.kind == "dialogue"
        )
        thumbnail = video.thumbnail_artifact_id if video else image.thumbnail_artifact_id if image else None
        answer.append(
            Clip(
                id=clip.id,
                shot_number=clip.shot_number,
                clip_type="video" if video else "image",
                duration=round(place.duration_s, 3),
                start_time=round(place.start_s, 3),
                end_time=round(place.end_s, 3),
                description=elements[clip.element_id].data["description"],
                dialogue=dialogue or None,
                transition=clip.transition,
                transition_duration=round(place.transition_s, 3),
                selected_image_id=image.id if image else None,
                selected_video_id=clip.selected_video_id,
                thumbnail_url=thumbnail,
                camera_movement=clip.camera_movement,
                speech_overrun=place.speech_overrun or None,
                config=ClipConfig(**clip.edit),
            )
        )
    return Timeline(
        project_id=project.id,
        total_duration=round(rules.total_duration(placed), 3),
        video_aspect_ratio=package.source["config"]["aspect_ratio"],
        fps=rules.FPS,
        clips=answer,
    )


async def reorder(work: Work, actor: Actor, project_id: str, clip_ids: Sequence[str]) -> None:
    """Put the active timeline's clips in this order. A clip's shot number is its place in the film; the storyboard
    keeps its own. Raises InvalidParameter unless these are its clips, each once."""
    project = await projects.load_project(work.session, actor, project_id)
    package = await materials.active_package(work.session, project.id)
    if package is None:
        raise NotFound("还没有时间轴", "there is no timeline yet", field="project_id")
    clips = {clip.id: clip for clip in await tables.clips_of(work.session, package.id)}
    if sorted(clip_ids) != sorted(clips):
        raise InvalidParameter(
            f"必须是时间轴的全部 {len(clips)} 个片段，各一次",
            f"must be the {len(clips)} clips of the timeline, each once",
            field="clip_ids",
        )
    _number([clips[clip_id] for clip_id in clip_ids])
    await work.session.flush()
    await conversations.asked(work, project.id, "调整片段顺序", "reorder", clip_ids=list(clip_ids))
    await build.edited(work, project)


def _number(clips: Sequence[tables.ClipRow]) -> None:
    for position, clip in enumerate(clips):
        clip.position, clip.shot_number = position, position + 1


async def delete_clip(work: Work, actor: Actor, clip_id: str) -> None:
    """Take a clip out, with what is spoken and rendered for it; what runs of that is cancelled and refunded. Raises
    AlreadyExists for the last clip: a film has at least one."""
    project_id = await tables.project_of_clip(work.session, actor, clip_id)
    # Tasks before the project, as reactions lock them. What is queued in between is dropped and refunded when it ends.
    lines = await tables.line_ids_of(work.session, clip_id)
    await queue.cancel_tasks_about(work.session, project_id, "clip_id", [clip_id])
    await queue.cancel_tasks_about(work.session, project_id, "line_id", lines)
    work.wakes_scheduler = True
    clip, package, project = await tables.load_clip(work.session, actor, clip_id)
    rest = [other for other in await tables.clips_of(work.session, package.id) if other.id != clip.id]
    if not rest:
        raise AlreadyExists("不能删除最后一个片段", "the last clip cannot be deleted", field="clip_id")
    await conversations.asked(work, project.id, f"删除镜头 {clip.shot_number}", "delete_clip", clip_id=clip.id)
    await work.session.delete(clip)
    _number(rest)
    await work.session.flush()
    await build.edited(work, project)
    await waiting.start_waiting(work, project)


async def duration(work: Work, actor: Actor, clip_id: str) -> Duration:
    clip, package, _ = await tables.load_clip(work.session, actor, clip_id)
    clips = await tables.clips_of(work.session, package.id)
    lines = await tables.lines_of(work.session, [other.id for other in clips])
    placed = await build.timings(work.session, clips, lines)
    place = next(place for other, place in zip(clips, placed, strict=True) if other.id == clip.id)
    return Duration(
        duration=round(place.duration_s, 3),
        planned_duration=round(clip.planned_s, 3),
        is_set=clip.user_duration_s is not None,
    )


async def show_edit_config(work: Work, actor: Actor, clip_id: str) -> EditConfig:
    """What was set, not what fits: the timeline shortens a transition that is longer than its clips allow."""
    clip, _, _ = await tables.load_clip(work.session, actor, clip_id)
    return EditConfig(
        **clip.edit,
        transition=clip.transition,
        transition_duration=clip.transition_s,
        camera_movement=clip.camera_movement,
    )


async def set_duration(work: Work, actor: Actor, clip_id: str, duration_s: float) -> None:
    clip, _, project = await tables.load_clip(work.session, actor, clip_id)
    clip.user_duration_s = duration_s
    content = f"镜头 {clip.shot_number} 改为 {duration_s:g} 秒"
    await conversations.asked(work, project.id, content, "set_duration", clip_id=clip.id, duration=duration_s)
    await build.edited(work, project)


async def edit_config(work: Work, actor: Actor, clip_id: str, request: EditConfigRequest) -> None:
    """Change what is given of a clip's crop, zoom, pan, rotation, filter, transition and camera; keep the rest."""
    clip, _, project = await tables.load_clip(work.session, actor, clip_id)
    changes = request.model_dump(mode="json", exclude_none=True)
    content = f"修改镜头 {clip.shot_number} 的画面（{', '.join(changes)}）"
    await conversations.asked(work, project.id, content, "edit_config", clip_id=clip.id, changes=dict(changes))
    transition = changes.pop("transition", None)
    transition_s = changes.pop("transition_duration", None)
    camera = changes.pop("camera_movement", None)
    if transition is not None:
        clip.transition = transition
        clip.transition_s = rules.DEFAULT_TRANSITION_S[Transition(transition)]
    if transition_s is not None:
        clip.transition_s = transition_s
    if camera is not None:
        clip.camera_movement = camera
    if "transform_params" in changes:
        changes["transform_params"] = clip.edit.get("transform_params", {}) | changes["transform_params"]
    clip.edit = {**clip.edit, **changes}
    await work.session.flush()
    await build.edited(work, project)
