"""The frames of one clip: a video decoded in step, or a still under a gentle camera, edited and filtered.

A frame that a generator yields is its own buffer: the consumer may draw into it, and it is overwritten when
the next frame is asked for.
"""

import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from models.camera import View, view_at
from models.planes import chroma_matrix, empty_frame, planes, rgb_to_planes, warp_plane
from models.specs import CameraMovement, FilmClip
from pipelines.media.filters import ClipFilter
from pipelines.media.frames import UnreadableImageError, load_image
from pipelines.media.geometry import Size, edit_matrix, is_identity, scale_of, then

if TYPE_CHECKING:
    from av.video.plane import VideoPlane

    from models.interfaces import I420, RGB, Grey
    from models.planes import Matrix

    Planes = tuple[Grey, Grey, Grey]

_SPARE_DETAIL = 1.15  # sources keep this many pixels per output pixel, for the camera to come closer
_CREEP_PER_S, _MAX_CREEP = 0.008, 0.16  # of zoom, under a camera that stands still
_HOLD_ZOOM_PER_S = 0.008  # a video that ends early goes on as a slow push-in on its last frame
_MAX_HOLD_ZOOM = 1.15
_SD_HEIGHT = 576
# The same bytes on every machine: swscale's fast paths differ from processor to processor.
_SCALING = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT


class ClipUnreadableError(RuntimeError):
    """A clip's file is missing or cannot be decoded."""


def clip_frames(clip: FilmClip, path: Path, size: Size, fps: int, count: int) -> "Iterator[I420]":
    """``count`` frames of ``size`` (width, height). Raises ClipUnreadableError."""
    frames = _still_frames if clip.kind == "image" else _video_frames
    return frames(clip, path, size, fps, count)


# --- stills -------------------------------------------------------------------------------------------------


def _still_frames(clip: FilmClip, path: Path, size: Size, fps: int, count: int) -> "Iterator[I420]":
    source, base = still_source(_load(path), clip, size)
    colour = ClipFilter(clip.edit.filter_type, clip.edit.filter_intensity, *size)
    frame = empty_frame(*size)
    seed = zlib.crc32(clip.media_key.encode())
    for number in range(count):
        view = _still_view(clip.camera_movement, number / fps, count / fps, seed)
        warp(source, then(view.matrix(size, size), base), frame)
        colour.apply(frame)
        yield frame


def _still_view(movement: CameraMovement, time_s: float, duration_s: float, seed: int) -> View:
    view = view_at(movement, time_s, duration_s, seed)
    if movement is not CameraMovement.STATIC:
        return view
    # The sway of a camera on its tripod stands still where it turns; a picture without any motion looks
    # frozen.
    creep = min(_CREEP_PER_S, _MAX_CREEP / duration_s)
    return replace(view, zoom=view.zoom + creep * time_s)


def _load(path: Path) -> "RGB":
    try:
        return load_image(path)
    except UnreadableImageError as error:
        raise ClipUnreadableError(f"its picture cannot be decoded: {error}") from error


def still_source(image: "RGB", clip: FilmClip, size: Size) -> "tuple[Planes, Matrix]":
    """The picture's planes, not larger than the frame can show, and the map of the clip's edit onto them."""
    rows, columns = (side // 2 * 2 for side in image.shape[:2])
    image = image[:rows, :columns]
    matrix = edit_matrix(clip.edit, (columns, rows), size)
    factor = _SPARE_DETAIL / scale_of(matrix)
    if factor < 1:
        smaller = (max(2, round(columns * factor / 2) * 2), max(2, round(rows * factor / 2) * 2))
        image = cv2.resize(image, smaller, interpolation=cv2.INTER_AREA)
        matrix = edit_matrix(clip.edit, smaller, size)
    return rgb_to_planes(np.ascontiguousarray(image)), matrix


def warp(source: "Planes", matrix: "Matrix", frame: "I420") -> None:
    """Fill the frame; where the map leaves the picture it is mirrored at its edge."""
    half = chroma_matrix(matrix)
    for number, (plane, target) in enumerate(zip(source, planes(frame), strict=True)):
        warp_plane(plane, half if number else matrix, target, border=cv2.BORDER_REFLECT)


# --- videos -------------------------------------------------------------------------------------------------


def _video_frames(clip: FilmClip, path: Path, size: Size, fps: int, count: int) -> "Iterator[I420]":
    colour = ClipFilter(clip.edit.filter_type, clip.edit.filter_intensity, *size)
    frame = empty_frame(*size)
    ended_at: int | None = None
    with _Decoder(path) as video:
        fit = _Fit(clip, size)
        for number in range(count):
            shown, matrix = fit.picture(video.at(number / fps))
            if video.over and ended_at is None:
                ended_at = number
            if ended_at is not None:
                zoom = min(1 + _HOLD_ZOOM_PER_S * (number - ended_at + 1) / fps, _MAX_HOLD_ZOOM)
                matrix = then(View(zoom).matrix(size, size), matrix)
            if is_identity(matrix) and (shown[0].shape[1], shown[0].shape[0]) == size:
                for plane, target in zip(shown, planes(frame), strict=True):
                    target[:] = plane
            else:
                warp(shown, matrix, frame)
            colour.apply(frame)
            yield frame


class _Decoder:
    """The pictures of a video file by time, asked for in rising order. ``over`` tells that the last one's
    time is past. Raises ClipUnreadableError."""

    def __init__(self, path: Path) -> None:
        self.over = False
        try:
            self._container = av.open(str(path))
        except av.error.FFmpegError as error:
            raise ClipUnreadableError(f"its video cannot be opened: {error.strerror}") from error
        if not self._container.streams.video:
            self._container.close()
            raise ClipUnreadableError("its file has no video")
        stream = self._container.streams.video[0]
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = 2
        self._rate = float(stream.average_rate or 25)
        self._frames = self._container.decode(stream)
        self._current: av.VideoFrame | None = None
        self._next = self._read()
        self._origin_s = self._next.time or 0.0 if self._next else 0.0

    def __enter__(self) -> "_Decoder":
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def _read(self) -> av.VideoFrame | None:
        try:
            return next(self._frames, None)
        except av.error.FFmpegError as error:
            raise ClipUnreadableError(f"its video cannot be decoded: {error.strerror}") from error

    def _time_s(self, frame: av.VideoFrame) -> float:
        return (frame.time or 0.0) - self._origin_s

    def at(self, time_s: float) -> av.VideoFrame:
        """The picture shown at that time; after the end, the last one."""
        # Half a millisecond: containers round their timestamps.
        while self._next is not None and self._time_s(self._next) <= time_s + 5e-4:
            self._current, self._next = self._next, self._read()
        if self._current is None:
            raise ClipUnreadableError("its video has no pictures")
        self.over = self._next is None and time_s + 5e-4 >= self._time_s(self._current) + 1 / self._rate
        return self._current


class _Fit:
    """Turns decoded pictures into 8-bit BT.709 planes, not larger than needed, and the map of the edit onto
    them.

    The last answer is kept, because a picture can be asked for several times.
    """

    def __init__(self, clip: FilmClip, size: Size) -> None:
        self._reformatter = VideoReformatter()
        self._matrix = lru_cache(lambda source: edit_matrix(clip.edit, source, size))
        self._frame: av.VideoFrame | None = None
        self._answer: tuple[Planes, Matrix] | None = None

    def picture(self, frame: av.VideoFrame) -> "tuple[Planes, Matrix]":
        if frame is not self._frame or self._answer is None:
            self._frame, self._answer = frame, self._convert(frame)
        return self._answer

    def _convert(self, frame: av.VideoFrame) -> "tuple[Planes, Matrix]":
        turns = round(frame.rotation / 90) % 4
        width, height = frame.width, frame.height
        upright = (height, width) if turns % 2 else (width, height)
        factor = min(1.0, 1 / scale_of(self._matrix(upright)))
        target = (max(2, round(width * factor / 2) * 2), max(2, round(height * factor / 2) * 2))
        if not _is_plain(frame) or target != (width, height):
            frame = self._reformatter.reformat(
                frame,
                *target,
                format="yuv420p",
                src_colorspace=_colorspace(frame),
                dst_colorspace=Colorspace.ITU709,
                src_color_range=frame.color_range,
                dst_color_range=ColorRange.MPEG,
                interpolation=_SCALING,
                threads=1,
            )
        shown = _plane_views(frame)
        if turns:
            luma, blue, red = (np.ascontiguousarray(np.rot90(plane, turns)) for plane in shown)
            shown = (luma, blue, red)
        source = (shown[0].shape[1], shown[0].shape[0])
        return shown, self._matrix(source)


def _is_plain(frame: av.VideoFrame) -> bool:
    return (
        frame.format.name == "yuv420p"
        and _colorspace(frame) == Colorspace.ITU709
        and frame.color_range != ColorRange.JPEG
    )


def _colorspace(frame: av.VideoFrame) -> Colorspace:
    """The tagged matrix; what has no tag is taken as players take it: BT.601 for small pictures, else
    BT.709."""
    if frame.colorspace in set(Colorspace):
        return Colorspace(frame.colorspace)
    return Colorspace.ITU601 if frame.height <= _SD_HEIGHT else Colorspace.ITU709


def _plane_views(frame: av.VideoFrame) -> "Planes":
    """The planes of a yuv420p frame without copying; they live as long as the frame does."""
    luma, blue, red = (plane_view(plane) for plane in frame.planes)
    return luma, blue, red


def plane_view(plane: "VideoPlane") -> "Grey":
    """An 8-bit plane of a decoded frame without its padding, not copied."""
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]
