"""From one frame rate to another, with the motion between frames estimated (libavfilter's minterpolate)."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING

import av
import numpy as np
from av.filter import Graph

if TYPE_CHECKING:
    from models.interfaces import I420


def at_rate(frames: "Iterator[I420]", size: tuple[int, int], fps: int, wanted_fps: int, count: int) -> "Iterator[I420]":
    """``count`` frames of ``size`` (width, height) at ``wanted_fps``, of frames at ``fps``; the last one is held where
    they end too soon. Frames are read as they are needed. Sides are even and at least 32."""
    held = _held(frames)
    return islice(held if fps == wanted_fps else _interpolated(held, size, fps, wanted_fps), count)


def _held(frames: "Iterator[I420]") -> "Iterator[I420]":
    """The frames, then the last one without end. Raises ValueError where there is none."""
    last: I420 | None = None
    for frame in frames:
        last = frame
        yield frame
    if last is None:
        raise ValueError("no frames to show")
    while True:
        yield last


def _interpolated(frames: "Iterator[I420]", size: tuple[int, int], fps: int, wanted_fps: int) -> "Iterator[I420]":
    graph = Graph()
    source = graph.add_buffer(
        width=size[0], height=size[1], format=av.VideoFormat("yuv420p"), time_base=Fraction(1, fps)
    )
    # Cuts are no part of a clip, and where the filter takes quick motion for one it would repeat frames.
    estimate = graph.add("minterpolate", f"fps={wanted_fps}:mi_mode=mci:mc_mode=aobmc:me_mode=bidir:vsbmc=1:scd=none")
    sink = graph.add("buffersink")
    source.link_to(estimate)
    estimate.link_to(sink)
    graph.configure()
    for number, frame in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(frame, format="yuv420p")
        picture.pts = number
        picture.time_base = Fraction(1, fps)
        graph.push(picture)
        while True:
            try:
                converted = graph.pull()
            except av.BlockingIOError:
                break
            yield np.asarray(converted.to_ndarray(), np.uint8)
