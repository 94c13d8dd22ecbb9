"""From a timeline to the flat plan of a film."""

from control_plane.artifacts import tables as artifacts
from control_plane.exports.schemas import CoverConfig, ExportConfig, SubtitleConfig
from control_plane.materials import tables as materials
from control_plane.projects import tables as projects
from control_plane.timeline import build, rules
from control_plane.timeline import tables as timeline
from control_plane.web import reasons
from control_plane.work import Work
from models.specs import (
    CameraMovement,
    ClipEdit,
    CoverSpec,
    EncodeSpec,
    FilmClip,
    FilmMusic,
    FilmSpeech,
    Framing,
    SubtitleStyle,
    Transition,
    Word,
)

DEFAULT_BACKGROUND_OPACITY = 0.6
"""Of a subtitle's background that is given a colour and no opacity: it was asked for, so it is seen."""


class NotReady(Exception):
    """The film cannot be encoded yet, or not at all: ``failed`` says what stands in the way for good."""

    def __init__(self, failed: str | None = None) -> None:
        super().__init__(failed or "parts of the film are still being made")
        self.failed = failed


async def film_plan(
    work: Work, project: projects.ProjectRow, package: materials.PackageRow, config: ExportConfig
) -> EncodeSpec:
    """The film as it is now. Raises NotReady while a part of it is being made, or if one has failed."""
    clips = await timeline.clips_of(work.session, package.id)
    clip_ids = [clip.id for clip in clips]
    lines = await timeline.lines_of(work.session, clip_ids)
    videos = {row.id: row for row in await timeline.videos_of(work.session, clip_ids)}
    images = {
        image.element_id: image
        for image in await materials.images_of(work.session, [clip.element_id for clip in clips])
        if image.is_selected and image.image_type == Framing.SHOT
    }
    bgm = await timeline.bgm_of(work.session, project.id)
    numbers = {clip.id: clip.shot_number for clip in clips}
    _check_finished(clips, lines, videos, numbers)
    wanted = [line.artifact_id for line in lines if line.artifact_id]
    wanted += [row.artifact_id for row in videos.values()]
    wanted += [artifact for image in images.values() for artifact in (image.artifact_id, image.depth_artifact_id)]
    if bgm is not None and bgm.artifact_id is not None:
        wanted.append(bgm.artifact_id)
    keys = await artifacts.keys_of(work.session, wanted)
    music = await _music(work, bgm, keys)
    placed = await build.timings(work.session, clips, lines)
    by_clip = build.lines_by_clip(lines)
    speech_s = [[build.line_duration(line) for line in by_clip.get(clip.id, [])] for clip in clips]
    overrun_s = rules.film_duration(placed, speech_s) - rules.total_duration(placed)
    film_clips = []
    for index, (clip, place) in enumerate(zip(clips, placed, strict=True)):
        video = videos.get(clip.selected_video_id or "")
        image = images.get(clip.element_id)
        media_key = keys.get(video.artifact_id) if video else keys.get(image.artifact_id) if image else None
        if media_key is None:
            raise NotReady(reasons.both(f"镜头 {clip.shot_number} 没有画面", f"shot {clip.shot_number} has no picture"))
        is_last = index + 1 == len(clips)
        film_clips.append(
            FilmClip(
                kind="video" if video else "image",
                media_key=media_key,
                depth_key=keys.get(image.depth_artifact_id) if image and not video else None,
                start_s=place.start_s,
                duration_s=place.duration_s + (rules.on_frame(overrun_s) if is_last and overrun_s > 0 else 0.0),
                camera_movement=CameraMovement(clip.camera_movement),
                transition=Transition(clip.transition),
                transition_duration_s=place.transition_s,
                edit=clip_edit(clip.edit),
            )
        )
    speech = [
        FilmSpeech(
            audio_key=keys[line.artifact_id],
            start_s=start_s,
            duration_s=build.line_duration(line),
            volume=line.volume,
            text=line.text,
            speaker=line.character_name,
            words=[Word.model_validate(word) for word in line.words],
        )
        for clip, place in zip(clips, placed, strict=True)
        for line, start_s in zip(by_clip.get(clip.id, []), place.speech_start_s, strict=True)
        if line.artifact_id is not None and line.artifact_id in keys
    ]
    return EncodeSpec(
        title=project.name,
        language=package.source["language"],
        width=config.width,
        height=config.height,
        fps=config.fps or rules.FPS,
        format=config.format,
        clips=film_clips,
        speech=speech,
        music=music,
        subtitle=_subtitle(config.subtitle, enabled_by_default=package.source["subtitle_enabled"]),
        cover=await _cover(work, project, clips, config.cover),
    )


def _check_finished(
    clips: list[timeline.ClipRow],
    lines: list[timeline.SpeechLineRow],
    videos: dict[str, timeline.VideoRow],
    numbers: dict[str, int],
) -> None:
    if not clips:
        raise NotReady(reasons.both("时间轴是空的", "the timeline is empty"))
    for line in lines:
        if line.status == "failed":
            number = numbers[line.clip_id]
            told = (f"镜头 {number} 的配音失败：{{}}", f"the speech of shot {number} failed: {{}}")
            raise NotReady(reasons.within(line.error_message or "", *told))
    pending = [line for line in lines if line.status in timeline.UNFINISHED]
    pending_videos = [row for row in videos.values() if row.status in timeline.UNFINISHED]
    if pending or pending_videos:
        raise NotReady()


async def _music(work: Work, bgm: timeline.BgmRow | None, keys: dict[str, str]) -> FilmMusic | None:
    if bgm is None or bgm.artifact_id is None:
        return None
    if bgm.artifact_id not in keys:
        candidate = await timeline.bgm_candidate_by_artifact(work.session, bgm.artifact_id)
        if candidate is not None and candidate.status == "failed":
            raise NotReady(reasons.within(candidate.error_message or "", "配乐失败：{}", "the music failed: {}"))
        raise NotReady()
    return FilmMusic(
        audio_key=keys[bgm.artifact_id],
        volume=bgm.volume,
        is_loop=bgm.is_loop,
        fade_in_s=bgm.fade_in_s,
        fade_out_s=bgm.fade_out_s,
    )


def clip_edit(edit: dict[str, object]) -> ClipEdit:
    """A clip's stored edit as the film's. A crop may not reach over the picture's edge: it is cut there."""
    values = {key: value for key, value in edit.items() if key != "transform_params"}
    flips = edit.get("transform_params")
    if isinstance(flips, dict):
        values |= flips
    parsed = ClipEdit.model_validate(values)
    return parsed.model_copy(
        update={
            "crop_width": min(parsed.crop_width, 1.0 - parsed.crop_x),
            "crop_height": min(parsed.crop_height, 1.0 - parsed.crop_y),
        }
    )


def _subtitle(config: SubtitleConfig | None, *, enabled_by_default: bool) -> SubtitleStyle | None:
    """Without a subtitle block the input's subtitle_enabled decides."""
    if config is None:
        return SubtitleStyle() if enabled_by_default else None
    if not config.enabled:
        return None
    style = SubtitleStyle(**config.model_dump(exclude={"enabled"}, exclude_none=True))
    if config.background_color is not None and config.background_opacity is None:
        style = style.model_copy(update={"background_opacity": DEFAULT_BACKGROUND_OPACITY})
    return style


async def _cover(
    work: Work, project: projects.ProjectRow, clips: list[timeline.ClipRow], config: CoverConfig | None
) -> CoverSpec | None:
    if config is None or not config.enabled:
        return None
    image_key: str | None = None
    clip_index: int | None = None
    if config.custom_image_url is not None:  # by now the artifact's id: see service.export
        image_key = (await artifacts.keys_of(work.session, [config.custom_image_url])).get(config.custom_image_url)
        if image_key is None:
            raise NotReady(reasons.both("封面图片不存在", "the picture of the cover is gone"))
    elif config.source_clip_id is not None:
        clip_index = next((index for index, clip in enumerate(clips) if clip.id == config.source_clip_id), None)
        if clip_index is None:
            raise NotReady(reasons.both("封面的片段已被删除", "the clip of the cover was deleted"))
    title = config.title_text if config.title_text is not None else project.name
    return CoverSpec(
        image_key=image_key,
        clip_index=clip_index,
        title_text=title,
        subtitle_text=config.subtitle_text or "",
    )
