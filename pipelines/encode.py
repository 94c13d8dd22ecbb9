"""Encode: clips, speech, music, subtitles and cover into one finished, checked film."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from models.interfaces import Sound, UserInputError
from models.specs import EncodeResult, EncodeSpec, FilmClip, StoredArtifact
from pipelines.context import TaskContext
from pipelines.media import check, cover, frames
from pipelines.media.clips import ClipUnreadableError, clip_frames
from pipelines.media.compositor import SubtitleTrack, film_frames, plan_film
from pipelines.media.encode import Film, choose_encoder, write_film
from pipelines.media.mix import film_loudness_lufs, mix_film
from pipelines.media.subtitles import Look, film_cues, look_of, overlay_of, write_subtitles

if TYPE_CHECKING:
    from models.interfaces import I420
    from pipelines.media.compositor import Frames
    from pipelines.media.cues import Cue

_REPORT_EVERY_S = 0.3
_FETCHED, _MIXED, _ENCODED, _CHECKED = 0.04, 0.10, 0.88, 0.97  # of the whole task
_MEDIA_TYPES = {"MP4": "video/mp4", "MOV": "video/quicktime"}
_SILENCE_DB = -60.0


def run(spec: EncodeSpec, model: None, context: TaskContext) -> EncodeResult:
    """Raises UserInputError for what the request itself makes impossible, RuntimeError for a clip or a
    sound that is missing or broken and for a result that fails its check, OSError when the disk is full."""
    cv2.setNumThreads(1)
    look = look_of(spec.subtitle, spec.width, spec.height) if spec.subtitle else None
    with context.phase("fetch"):
        media = _fetch_all(spec, context)
        context.progress(_FETCHED)
    offset_s = round(spec.cover.duration_s * spec.fps) / spec.fps if spec.cover else 0.0
    # Mixing a long film reports nothing while it works: its phase is the one whose budget allows for that.
    with context.phase("decode"):
        card = _make_cover(spec, media)
        plan = plan_film(spec, _clip_source(spec, media), card.frames if card else None, offset_s, cover.FADE_S)
        duration_s = plan.total / spec.fps
        sound = mix_film(spec, lambda key: media[key], duration_s, offset_s)
        _check_speech(spec, sound, offset_s)
        levels, loudness = check.levels_db(sound), film_loudness_lufs(sound)
        context.progress(_MIXED)
    with context.phase("run"):
        cues = film_cues(spec, look, offset_s, duration_s) if look else []
        encoder = choose_encoder()
        path = context.work_dir / f"film.{spec.format.lower()}"
        size = (spec.width, spec.height)
        film = Film(*size, spec.fps, plan.total, film_frames(plan, size), sound, spec.title)
        paint = _subtitle_painter(look, cues, spec.fps)
        report = _reporter(context, _MIXED, _ENCODED)
        luma = write_film(path, film, encoder, paint, lambda number: report(number / plan.total))
    with context.phase("decode"):
        expected = check.Expected(spec.width, spec.height, spec.fps, luma, levels)
        check.check_film(path, expected, _reporter(context, _ENCODED, _CHECKED))
    with context.phase("upload"):
        result = EncodeResult(
            video=context.store(path, _MEDIA_TYPES[spec.format]),
            subtitles=_store_subtitles(spec, look, cues, context),
            cover=_store_cover(card, context) if card else None,
            duration_s=duration_s,
            width=spec.width,
            height=spec.height,
            encoder=encoder,
            loudness_lufs=loudness,
        )
    context.progress(1.0)
    return result


def _fetch_all(spec: EncodeSpec, context: TaskContext) -> dict[str, Path]:
    """The local file of every key. Raises RuntimeError naming what is missing."""
    wanted = [(f"clip {number}", clip.media_key) for number, clip in enumerate(spec.clips, start=1)]
    wanted += [(f"speech line {number}", line.audio_key) for number, line in enumerate(spec.speech, start=1)]
    if spec.music:
        wanted.append(("the music", spec.music.audio_key))
    if spec.cover and spec.cover.image_key:
        wanted.append(("the cover picture", spec.cover.image_key))
    media: dict[str, Path] = {}
    for name, key in wanted:
        if key in media:
            continue
        try:
            media[key] = context.fetch(key)
        except FileNotFoundError as error:
            raise RuntimeError(f"{name}: its file {key} is missing") from error
    return media


def _clip_source(spec: EncodeSpec, media: dict[str, Path]) -> "Callable[[int, FilmClip], Frames]":
    size = (spec.width, spec.height)

    def source(number: int, clip: FilmClip) -> "Frames":
        def make(count: int) -> "Iterator[I420]":
            try:
                yield from clip_frames(clip, media[clip.media_key], size, spec.fps, count)
            except ClipUnreadableError as error:
                raise RuntimeError(f"clip {number + 1}: {error}") from error

        return make

    return source


def _make_cover(spec: EncodeSpec, media: dict[str, Path]) -> cover.Cover | None:
    if spec.cover is None:
        return None
    size = (spec.width, spec.height)
    if spec.cover.image_key:
        try:
            image = frames.load_image(media[spec.cover.image_key])
        except frames.UnreadableImageError as error:
            raise UserInputError(str(error), field="config.cover.custom_image_url") from error
        ground = frames.rgb_to_i420(frames.cover_crop(image, *size))
    else:
        number = spec.cover.clip_index or 0
        if number >= len(spec.clips):
            raise UserInputError(
                f"the film has {len(spec.clips)} clips, none has the index {number}",
                field="config.cover.source_clip_id",
            )
        ground = next(_clip_source(spec, media)(number, spec.clips[number])(1)).copy()
    return cover.Cover(spec.cover, ground, size, spec.fps)


def _check_speech(spec: EncodeSpec, sound: Sound, offset_s: float) -> None:
    """A line that was planned must be heard in the mix. Raises RuntimeError."""
    length = sound.samples.shape[1]
    for number, line in enumerate(spec.speech, start=1):
        first = round((line.start_s + offset_s) * sound.sample_rate)
        end = min(length, first + round(line.duration_s * sound.sample_rate))
        if line.volume == 0 or end - first < sound.sample_rate // 10:
            continue
        peak = abs(sound.samples[:, first:end]).max()
        if peak < line.volume * 10 ** (_SILENCE_DB / 20):
            raise RuntimeError(f"speech line {number} is silent")


def _subtitle_painter(look: Look | None, cues: "list[Cue]", fps: int) -> "Callable[[I420, int], None]":
    if look is None or not look.style.burn_in:
        return lambda frame, number: None
    return SubtitleTrack(cues, lambda cue: overlay_of(cue, look), fps).apply


def _reporter(context: TaskContext, start: float, end: float) -> Callable[[float], None]:
    """Maps a part's own 0 to 1 to the task's, and reports it every so often."""
    last = time.monotonic()

    def report(fraction: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _REPORT_EVERY_S:
            last = now
            context.progress(start + (end - start) * fraction)

    return report


def _store_subtitles(
    spec: EncodeSpec, look: Look | None, cues: "list[Cue]", context: TaskContext
) -> list[StoredArtifact]:
    if look is None or not cues:
        return []
    path = context.work_dir / f"subtitles.{look.style.format.lower()}"
    media_type = write_subtitles(path, cues, look, spec.title)
    return [context.store(path, media_type)]


def _store_cover(card: cover.Cover, context: TaskContext) -> StoredArtifact:
    path = context.work_dir / "cover.jpg"
    frames.save_jpeg(path, card.picture())
    return context.store(path, "image/jpeg")
