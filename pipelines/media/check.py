"""The gate of a finished film: what was planned is what the file holds, or it is not handed out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error
import numpy as np

from models.interfaces import Sound
from pipelines.media.clips import plane_view
from pipelines.media.encode import mean_luma

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DURATION_SLACK_S = 0.05
_LUMA_SLACK = 10.0  # of 219; encoding moves a frame's mean by less than 2
_WINDOW_S = 0.1
_AUDIBLE_DB = -45.0
_LEVEL_SLACK_DB = 9.0


class FilmCheckError(RuntimeError):
    """The file is not the film that was planned; the message says what is wrong."""


@dataclass(frozen=True)
class Expected:
    """``luma`` is each frame's mean brightness as composed, ``levels_db`` the mix's loudness per tenth of a
    second."""

    width: int
    height: int
    fps: int
    luma: "NDArray[np.float32]"
    levels_db: "NDArray[np.float32]"

    @property
    def duration_s(self) -> float:
        return len(self.luma) / self.fps


def levels_db(sound: Sound) -> "NDArray[np.float32]":
    """RMS level in dB of full scale for each tenth of a second, both channels together."""
    window = round(sound.sample_rate * _WINDOW_S)
    power = np.zeros(-(-sound.samples.shape[1] // window))
    for number in range(len(power)):
        part = sound.samples[:, number * window : (number + 1) * window]
        power[number] = float(np.mean(np.square(part)))
    return (10 * np.log10(power + 1e-12)).astype(np.float32)


def check_film(path: Path, expected: Expected, report: Callable[[float], None]) -> None:
    """Decode all of the file and compare; ``report`` gets 0 to 1. Raises FilmCheckError."""
    if not path.is_file() or path.stat().st_size == 0:
        raise FilmCheckError("the film's file is missing or empty")
    try:
        with av.open(str(path)) as container:
            _check_streams(container, expected)
            _check_pictures(container, expected, report)
        with av.open(str(path)) as container:
            _check_sound(container, expected)
    except av.error.FFmpegError as error:
        raise FilmCheckError(f"the film does not decode: {error.strerror}") from error


def _check_streams(container: "av.container.InputContainer", expected: Expected) -> None:
    kinds = [(stream.type, stream.codec_context.name) for stream in container.streams]
    if sorted(kinds) != [("audio", "aac"), ("video", "h264")]:
        raise FilmCheckError(f"the film's streams are {kinds}, not one of H.264 and one of AAC")
    video = container.streams.video[0]
    if (video.width, video.height) != (expected.width, expected.height):
        raise FilmCheckError(
            f"the film has {video.width}x{video.height} pixels, not {expected.width}x{expected.height}"
        )
    slack_s = _DURATION_SLACK_S + 1 / expected.fps
    for stream in container.streams:
        length_s = float((stream.duration or 0) * (stream.time_base or 0))
        if abs(length_s - expected.duration_s) > slack_s:
            raise FilmCheckError(f"the film's {stream.type} lasts {length_s:.2f} s, not {expected.duration_s:.2f} s")


def _check_pictures(
    container: "av.container.InputContainer", expected: Expected, report: Callable[[float], None]
) -> None:
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = 2
    total, number = len(expected.luma), -1
    for number, frame in enumerate(container.decode(stream)):
        if number >= total:
            break
        if (frame.width, frame.height) != (expected.width, expected.height):
            raise FilmCheckError(f"frame {number} has {frame.width}x{frame.height} pixels")
        if abs((frame.time or 0.0) - number / expected.fps) > 0.5 / expected.fps:
            raise FilmCheckError(f"frame {number} is shown at {frame.time} s")
        seen, planned = mean_luma(plane_view(frame.planes[0])), float(expected.luma[number])
        if abs(seen - planned) > _LUMA_SLACK:
            raise FilmCheckError(
                f"the picture at {number / expected.fps:.2f} s has brightness {seen:.0f}, not {planned:.0f}"
            )
        report(number / total)
    if number + 1 != total:
        raise FilmCheckError(f"the film has {number + 1} frames or more, not {total}")


def _check_sound(container: "av.container.InputContainer", expected: Expected) -> None:
    window = round(container.streams.audio[0].rate * _WINDOW_S)
    power = np.zeros(len(expected.levels_db) + 2)
    place = 0
    for frame in container.decode(audio=0):
        samples = np.mean(np.square(frame.to_ndarray()), axis=0)
        slots = (place + np.arange(samples.size)) // window
        power += np.bincount(np.minimum(slots, len(power) - 1), samples, len(power))
        place += samples.size
    seen = 10 * np.log10(power[: len(expected.levels_db)] / window + 1e-12)
    # A neighbouring window is as good: codecs smear a sound's edge by a few milliseconds.
    around = np.maximum(seen, np.maximum(np.roll(seen, 1), np.roll(seen, -1)))
    missing = np.flatnonzero((expected.levels_db > _AUDIBLE_DB) & (around < expected.levels_db - _LEVEL_SLACK_DB))
    if missing.size:
        at = missing[0]
        raise FilmCheckError(
            f"the sound at {at * _WINDOW_S:.1f} s is {seen[at]:.0f} dB, not {expected.levels_db[at]:.0f} dB"
        )
