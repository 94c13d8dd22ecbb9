"""Colour filters on I420 planes: a table per plane, and for a few of them something done to the whole
plane.

At intensity 0 every table is the identity, so the picture stays as it is, byte for byte; in between, tables
and planes are mixed in proportion.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.planes import planes
from models.specs import Filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.interfaces import I420, Grey

    Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]

_CODES = np.arange(256, dtype=np.float64)
_LUMA = (_CODES - 16) / 219  # 0 is black, 1 is white
_CHROMA = (_CODES - 128) / 112  # -1 to 1


def _same(x: "NDArray[np.float64]") -> "NDArray[np.float64]":
    return x


def _contrast(amount: float) -> "Curve":
    """An S curve that keeps black, middle grey and white: the blend of a line with a smoothstep."""
    return lambda x: x + amount * (np.clip(x, 0, 1) ** 2 * (3 - 2 * np.clip(x, 0, 1)) - x)


def _chroma(gain: float = 1.0, shift: float = 0.0) -> "Curve":
    return lambda x: x * gain + shift


@dataclass(frozen=True)
class _Recipe:
    """Curves over luma 0 to 1 and chroma -1 to 1; ``vignette`` darkens the corners by that fraction,
    ``glow`` is the radius of a halo as a fraction of the picture's short side."""

    luma: "Curve" = _same
    blue: "Curve" = _same
    red: "Curve" = _same
    vignette: float = 0.0
    glow: float = 0.0


_RECIPES = {
    Filter.GRAYSCALE: _Recipe(blue=_chroma(0), red=_chroma(0)),
    Filter.SEPIA: _Recipe(lambda x: 0.96 * x + 0.02, _chroma(0.06, -0.20), _chroma(0.06, 0.12)),
    Filter.WARM: _Recipe(lambda x: 0.01 + 0.99 * x, _chroma(1, -0.12), _chroma(1, 0.09)),
    Filter.COOL: _Recipe(_same, _chroma(1, 0.12), _chroma(1, -0.09)),
    Filter.VIVID: _Recipe(_contrast(0.45), _chroma(1.55), _chroma(1.55)),
    Filter.VINTAGE: _Recipe(lambda x: 0.10 + 0.78 * x, _chroma(0.62, -0.07), _chroma(0.62, 0.05), vignette=0.30),
    Filter.NOIR: _Recipe(
        lambda x: _contrast(1.0)(np.clip(x * 1.02 - 0.03, 0, 1)), _chroma(0), _chroma(0), vignette=0.55
    ),
    Filter.SOFT: _Recipe(lambda x: 0.04 + 0.94 * x, _chroma(0.92), _chroma(0.92), glow=0.014),
    Filter.INVERT: _Recipe(lambda x: 1 - x, _chroma(-1), _chroma(-1)),
}


class ClipFilter:
    """A filter at one intensity, for frames of one size."""

    def __init__(self, kind: Filter, intensity: float, width: int, height: int) -> None:
        self._recipe = None if intensity == 0 else _RECIPES.get(kind)
        if self._recipe is None:
            return
        recipe = self._recipe
        self._intensity = intensity
        self._tables = [
            _table(16 + 219 * recipe.luma(_LUMA), intensity),
            _table(128 + 112 * recipe.blue(_CHROMA), intensity),
            _table(128 + 112 * recipe.red(_CHROMA), intensity),
        ]
        self._shade = _shade(width, height, recipe.vignette * intensity) if recipe.vignette else None
        self._radius = recipe.glow * min(width, height)

    def apply(self, frame: "I420") -> None:
        """Change the frame in place."""
        if self._recipe is None:
            return
        views = planes(frame)
        if self._radius:
            self._glow(views[0])
        for plane, table in zip(views, self._tables, strict=True):
            cv2.LUT(plane, table, dst=plane)
        if self._shade is not None:
            # Black is 16: only what lies above it may be scaled.
            luma = cv2.subtract(views[0], 16.0)
            cv2.multiply(luma, self._shade, dst=luma, scale=1 / 255)
            cv2.add(luma, 16.0, dst=views[0])

    def _glow(self, luma: "Grey") -> None:
        """Screen the picture with its own blurred half-size copy."""
        half = cv2.resize(luma, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        blurred = cv2.resize(
            cv2.GaussianBlur(half, (0, 0), max(0.8, self._radius / 2)),
            (luma.shape[1], luma.shape[0]),
            interpolation=cv2.INTER_LINEAR,
        )
        amount = 0.6 * self._intensity
        cv2.addWeighted(luma, 1 - amount, blurred, amount, 0, dst=luma)


def _table(values: "NDArray[np.float64]", intensity: float) -> "NDArray[np.uint8]":
    mixed = _CODES + intensity * (values - _CODES)
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def _shade(width: int, height: int, amount: float) -> "Grey":
    """Brightness of each pixel under a vignette, 255 where it leaves the picture alone."""
    x = np.linspace(-1, 1, width)[None, :]
    y = np.linspace(-1, 1, height)[:, None]
    away = np.clip((np.sqrt((x * x + y * y) / 2) - 0.35) / 0.65, 0, 1)
    return np.rint(255 * (1 - amount * away**2)).astype(np.uint8)
