"""Frames of one rate at the times of another."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest

from models.framerate import at_rate
from models.planes import planes

if TYPE_CHECKING:
    from models.interfaces import I420

SIZE = (96, 64)


def passing(count: int, step: int) -> "Iterator[I420]":
    """A bright square that goes ``step`` pixels to the right each frame."""
    for number in range(count):
        frame = np.full((96, 96), 128, np.uint8)
        frame[:64] = 40
        frame[24:40, 8 + step * number : 24 + step * number] = 200
        yield frame


def place(frame: "I420") -> float:
    """Where the square is, in pixels."""
    light = planes(frame)[0].astype(float)[24:40].mean(axis=0) - 40
    return float((light * np.arange(light.size)).sum() / light.sum())


@pytest.mark.parametrize(("fps", "wanted"), [(8, 12), (16, 24), (16, 30), (24, 25), (24, 12), (8, 60)])
def test_motion_goes_on_at_its_speed(fps: int, wanted: int) -> None:
    count = 8 * wanted // fps + 1

    frames = list(at_rate(passing(9, 6), SIZE, fps, wanted, count))

    assert len(frames) == count
    expected = [place(next(passing(1, 6))) + 6 * fps / wanted * number for number in range(count)]
    assert [place(frame) for frame in frames] == pytest.approx(expected, abs=2.0)


def test_same_rate_is_left_alone() -> None:
    frames = list(at_rate(passing(9, 6), SIZE, 24, 24, 9))

    assert all(np.array_equal(ours, given) for ours, given in zip(frames, passing(9, 6), strict=True))


@pytest.mark.parametrize("wanted", [16, 24])
def test_last_frame_is_held(wanted: int) -> None:
    frames = list(at_rate(passing(3, 6), SIZE, 16, wanted, 20))

    assert len(frames) == 20
    assert np.array_equal(frames[-1], frames[-5])


def test_frames_are_read_as_needed() -> None:
    read = []

    def watched() -> "Iterator[I420]":
        for number, frame in enumerate(passing(12, 6)):
            read.append(number)
            yield frame

    converted = at_rate(watched(), SIZE, 16, 24, 18)
    next(converted)

    assert len(read) <= 5


def test_nothing_to_show() -> None:
    with pytest.raises(ValueError, match="no frames"):
        next(at_rate(iter(()), SIZE, 16, 24, 3))
