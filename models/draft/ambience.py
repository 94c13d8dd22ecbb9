"""What moves through the air of a clip: rain, snow, drifting lights. Drawn once on sheets that repeat in both
directions; each frame adds a shifted window of them to its luma plane, which costs next to nothing."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.planes import planes

if TYPE_CHECKING:
    from models.interfaces import I420, Grey


@dataclass(frozen=True)
class _Layer:
    """``sheet`` shows one period twice in both directions; speeds are heights per second, down and to the right."""

    sheet: "Grey"
    down: float
    right: float
    sway: float


class Ambience:
    """``kind``: rain, storm, snow or lights; ``size`` (width, height) of the frames."""

    def __init__(self, kind: str, size: tuple[int, int], seed: int) -> None:
        self._size = size
        rng = np.random.default_rng(seed)
        if kind in {"rain", "storm"}:
            force = 1.0 if kind == "rain" else 1.5
            self._layers = [
                _Layer(_streaks(size, rng, round(130 * force), 0.05, 54), 1.5 * force, -0.18 * force, 0.0),
                _Layer(_streaks(size, rng, round(60 * force), 0.1, 84), 2.4 * force, -0.29 * force, 0.0),
            ]
        elif kind == "snow":
            self._layers = [
                _Layer(_flakes(size, rng, 150, 0.0025, 120), 0.1, 0.01, 0.012),
                _Layer(_flakes(size, rng, 60, 0.0055, 190), 0.19, 0.02, 0.02),
            ]
        else:
            self._layers = [_Layer(_flakes(size, rng, 26, 0.0035, 150), -0.05, 0.012, 0.02)]

    def fall_over(self, frame: "I420", time_s: float) -> None:
        """Add what is in the air at a time to a frame, in place."""
        width, height = self._size
        luma = planes(frame)[0]
        for layer in self._layers:
            sway = layer.sway * math.sin(math.tau * time_s / 3.7)
            x = round(-(layer.right * time_s + sway) * height) % width
            y = round(-layer.down * time_s * height) % height
            cv2.add(luma, layer.sheet[y : y + height, x : x + width], dst=luma)


def _twice(sheet: "Grey") -> "Grey":
    return np.tile(sheet, (2, 2))


def _streaks(size: tuple[int, int], rng: np.random.Generator, count: int, length: float, level: int) -> "Grey":
    """Slanted strokes; those that cross the edge of the period come in again on the other side."""
    width, height = size
    sheet = np.zeros((height, width), np.uint8)
    for x, y, share in rng.random((count, 3)):
        reach = height * length * (0.5 + share)
        for dx in (0, width, -width):
            for dy in (0, -height):
                a = (round(x * width + dx), round(y * height + dy))
                b = (round(x * width + dx - 0.12 * reach), round(y * height + dy + reach))
                cv2.line(sheet, a, b, round(level * (0.5 + share / 2)), max(1, round(height / 540)), cv2.LINE_AA)
    return _twice(sheet)


def _flakes(size: tuple[int, int], rng: np.random.Generator, count: int, radius: float, level: int) -> "Grey":
    width, height = size
    margin = round(height * 0.02)
    sheet = np.zeros((height, width), np.uint8)
    for x, y, share in rng.random((count, 3)):
        # Away from the edges of the period, where half a flake would be cut off.
        centre = (margin + round(x * (width - 2 * margin)), margin + round(y * (height - 2 * margin)))
        cv2.circle(sheet, centre, max(1, round(height * radius * (0.6 + share))), level, -1, cv2.LINE_AA)
    return _twice(cv2.GaussianBlur(sheet, (0, 0), max(0.7, height / 700)))
