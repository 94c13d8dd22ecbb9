"""Writing the film: which encoder this worker has, and pictures and sound into one MP4 or MOV."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import av.error
import numpy as np
import structlog

from models.interfaces import Sound
from models.planes import planes
from pipelines.media.video_writer import VideoWriter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.interfaces import I420

NVENC, X264 = "h264_nvenc", "libx264"
AUDIO_BIT_RATE = 192_000
_AUDIO_FRAME = 1024  # samples of one AAC frame
# x264's fastest preset plus what it leaves out that pays: on drawn pictures this takes half the time of
# "veryfast" at
# the same quality, for twice the bits. Adding subme=1 to presets with a macroblock tree gave other bytes
# every run.
_X264_PARAMS = "cabac=1:8x8dct=1:deblock=0,0:bframes=2:b-adapt=0:direct=auto:scenecut=40"
_LUMA_GRID = 8
_GOP_S = 2

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Film:
    """What is written: ``frames`` of ``width`` x ``height`` at ``fps``, as many as ``count``, and stereo
    sound."""

    width: int
    height: int
    fps: int
    count: int
    frames: "Iterator[I420]"
    sound: Sound
    title: str


@lru_cache(maxsize=1)
def choose_encoder() -> str:
    """``h264_nvenc`` where this process can encode with it, else ``libx264``. Finding the codec says
    nothing: many GPUs have no encoder engine, and drivers limit sessions, so a few frames are encoded, once
    per process."""
    try:
        context = cast(av.VideoCodecContext, av.CodecContext.create(NVENC, "w"))
        context.width, context.height, context.pix_fmt = 640, 360, "yuv420p"
        context.framerate, context.time_base = Fraction(24), Fraction(1, 24)
        picture = av.VideoFrame.from_ndarray(np.full((540, 640), 128, np.uint8), format="yuv420p")
        packets = []
        for number in range(4):
            picture.pts = number
            packets += context.encode(picture)
        packets += context.encode(None)
        works, reason = len(packets) == 4, f"{len(packets)} of 4 frames came back"
    except (av.error.FFmpegError, ValueError) as error:
        works, reason = False, str(error)
    encoder = NVENC if works else X264
    _log.info("encoder_probed", encoder=encoder, nvenc_works=works, nvenc_answer=reason)
    return encoder


def encoder_settings(encoder: str, width: int, height: int) -> dict[str, object]:
    """Arguments for ``VideoWriter``. Threads are fixed, because x264's output depends on their number."""
    if encoder == NVENC:
        options = {"preset": "p5", "rc": "vbr", "cq": "21", "b": "0", "profile": "high"}
        return {"codec": NVENC, "options": options}
    large = width * height > 1920 * 1080 * 1.4
    return {
        "codec": X264,
        "preset": "ultrafast",
        "crf": 22 if large else 20,
        "threads": 8 if large else 3,
        "options": {"profile": "high", "x264-params": _X264_PARAMS},
    }


def write_film(
    path: Path, film: Film, encoder: str, finish: "Callable[[I420, int], None]", report: Callable[[int], None]
) -> "NDArray[np.float32]":
    """Write the file and answer each frame's mean luma, for the check of the result.

    ``finish(frame, number)`` draws on a frame before it is encoded; ``report(number)`` is called after each
    frame. Raises OSError when the disk is full.
    """
    luma = np.zeros(film.count, np.float32)
    settings = encoder_settings(encoder, film.width, film.height)
    with VideoWriter(
        path,
        film.width,
        film.height,
        film.fps,
        gop=film.fps * _GOP_S,
        metadata={"title": film.title},
        **settings,  # type: ignore[arg-type]
    ) as writer:
        audio = _AudioFeed(writer.container, film.sound)
        for number, frame in enumerate(film.frames):
            finish(frame, number)
            luma[number] = mean_luma(planes(frame)[0])
            writer.write(frame)
            audio.feed((number + 1) / film.fps)
            report(number)
        audio.finish()
    return luma


def mean_luma(plane: "NDArray[np.uint8]") -> float:
    """Mean brightness over a coarse grid of the Y plane, 16 black to 235 white."""
    return float(plane[::_LUMA_GRID, ::_LUMA_GRID].mean())


class _AudioFeed:
    """Encodes the sound a stretch at a time, so that the muxer interleaves it with the pictures."""

    def __init__(self, container: "av.container.OutputContainer", sound: Sound) -> None:
        self._container, self._sound = container, sound
        self._stream = container.add_stream(
            "aac",
            rate=sound.sample_rate,
            # Better by 11 dB than the default at this bit rate, and quicker.
            options={"aac_coder": "fast"},
        )
        self._stream.layout = "stereo"
        self._stream.bit_rate = AUDIO_BIT_RATE
        self._done = 0

    def feed(self, until_s: float) -> None:
        """Encode whole frames up to the time."""
        end = min(round(until_s * self._sound.sample_rate), self._sound.samples.shape[1])
        while end - self._done >= _AUDIO_FRAME:
            self._encode(self._done + _AUDIO_FRAME)

    def finish(self) -> None:
        """Encode the rest, the last frame being shorter."""
        end = self._sound.samples.shape[1]
        while self._done < end:
            self._encode(min(self._done + _AUDIO_FRAME, end))
        self._container.mux(self._stream.encode(None))

    def _encode(self, until: int) -> None:
        block = np.ascontiguousarray(self._sound.samples[:, self._done : until])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = self._sound.sample_rate, self._done
        self._container.mux(self._stream.encode(frame))
        self._done = until
