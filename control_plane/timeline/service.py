"""The timeline and the edits of its clips."""

from control_plane.accounts.actor import Actor
from control_plane.errors import NotFound
from control_plane.materials import tables as materials
from control_plane.projects import tables as projects
from control_plane.timeline import build, rules, tables
from control_plane.timeline.schemas import (
    Clip,
    ClipConfig,
    EditConfigRequest,
    Timeline,
)
from control_plane.work import Work
from models.specs import Framing, Transition


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


async def set_duration(work: Work, actor: Actor, clip_id: str, duration_s: float) -> None:
    clip, _, project = await tables.load_clip(work.session, actor, clip_id)
    clip.user_duration_s = duration_s
    await work.session.flush()
    await build.edited(work, project)


async def edit_config(work: Work, actor: Actor, clip_id: str, request: EditConfigRequest) -> None:
    """Change what is given of a clip's crop, zoom, pan, rotation, filter, transition and camera; keep the rest."""
    clip, _, project = await tables.load_clip(work.session, actor, clip_id)
    changes = request.model_dump(mode="json", exclude_none=True)
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
