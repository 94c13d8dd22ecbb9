"""A picture in the making: anti-aliased shapes in colour, and beside them a map of how near each one is."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.draft.painter.colour import Colour

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from models.interfaces import RGB, Grey

    Points = NDArray[np.float64]  # (n, 2): x, y in pixels

Face = tuple[float, float, float]  # a head's middle and its half height, in pixels

_SHIFT = 4  # bits of sub-pixel precision of OpenCV's polygon filler
_KERNEL = 96  # pixels of the stored disc of light


class Canvas:
    """``rgb`` (height, width, 3); ``depth`` at half size, 255 near, drawn with the level that ``near`` holds; details
    drawn while it is None lie at the depth of what they are drawn on.

    ``faces`` are those drawn so far; ``falling`` is snow and rain, light to be added when the time has come.
    A transparent canvas also keeps ``alpha``; its colours are premultiplied, so that it lies over another one with
    clean edges. Coordinates are pixels, y down; colours are 0 to 255.
    """

    def __init__(self, width: int, height: int, *, transparent: bool = False) -> None:
        self.width, self.height = width, height
        self.rgb: RGB = np.zeros((height, width, 3), np.uint8)
        self.depth: Grey = np.zeros(((height + 1) // 2, (width + 1) // 2), np.uint8)
        self.alpha: Grey | None = np.zeros((height, width), np.uint8) if transparent else None
        self.near: int | None = None
        self.faces: list[Face] = []
        self.falling: RGB | None = None

    def settle(self) -> None:
        """Lay what falls through the air over the picture: from here on it is part of it."""
        if self.falling is not None:
            cv2.add(self.rgb, self.falling, dst=self.rgb)
            self.falling = None

    @contextmanager
    def at(self, near: float) -> Iterator[None]:
        """Draw at a nearness of 0 (horizon) to 1 (lens)."""
        before, self.near = self.near, round(255 * min(1.0, max(0.0, near)))
        yield
        self.near = before

    def polygon(self, points: "ArrayLike", colour: Colour, opacity: float = 1.0) -> None:
        """A filled polygon. A translucent one leaves the depth and the opacity below it as they are."""
        shape = np.asarray(points, np.float64)
        if opacity >= 0.995:
            self._fill(shape, colour)
            return
        left, top = np.maximum(np.floor(shape.min(axis=0)).astype(int) - 1, 0)
        right, bottom = np.ceil(shape.max(axis=0)).astype(int) + 2
        part = self.rgb[top:bottom, left:right]
        if part.size == 0:
            return
        over = part.copy()
        _fill_poly(over, shape - (left, top), colour)
        if self.alpha is not None:
            # Light and shade on a cut-out must not show beyond it.
            clear = self.alpha[top:bottom, left:right] == 0
            over[clear] = 0
        cv2.addWeighted(over, opacity, part, 1 - opacity, 0, dst=part)

    def _fill(self, shape: "Points", colour: Colour) -> None:
        _fill_poly(self.rgb, shape, colour)
        if self.alpha is not None:
            _fill_poly(self.alpha, shape, 255)
        if self.near is not None:
            cv2.fillPoly(self.depth, [np.rint(shape / 2).astype(np.int32)], self.near)

    def smooth(self, points: "ArrayLike", colour: Colour, opacity: float = 1.0) -> None:
        """A closed curve through the points."""
        self.polygon(curve(points), colour, opacity)

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, colour: Colour, opacity: float = 1.0, tilt: float = 0.0
    ) -> None:
        """``tilt`` in degrees, clockwise."""
        self.polygon(oval(x, y, rx, ry, tilt), colour, opacity)

    def rect(
        self, x: float, y: float, width: float, height: float, colour: Colour, opacity: float = 1.0, round_by: float = 0
    ) -> None:
        """From its top left corner; ``round_by`` is the radius of its corners."""
        if round_by <= 0:
            self.polygon([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], colour, opacity)
            return
        radius = min(round_by, width / 2, height / 2)
        angles = np.radians(np.arange(0, 91, 15))
        corners = [
            (x + width - radius, y + radius, -90),
            (x + width - radius, y + height - radius, 0),
            (x + radius, y + height - radius, 90),
            (x + radius, y + radius, 180),
        ]
        arcs = [
            np.column_stack(
                [cx + radius * np.cos(angles + math.radians(a)), cy + radius * np.sin(angles + math.radians(a))]
            )
            for cx, cy, a in corners
        ]
        self.polygon(np.vstack(arcs), colour, opacity)

    def line(self, points: "ArrayLike", width: "ArrayLike", colour: Colour, opacity: float = 1.0) -> None:
        """A stroke with round ends; ``width`` in pixels, or one for each point."""
        self.polygon(stroke(points, width), colour, opacity)

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float = 1.0) -> None:
        """Light added around a point, fading to nothing at the radius."""
        left, top = math.floor(x - radius), math.floor(y - radius)
        size = max(2, math.ceil(2 * radius))
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(self.width, left + size), min(self.height, top + size)
        if x1 <= x0 or y1 <= y0:
            return
        # Sampled from a stored disc: the light of a lamp costs the same whatever its size.
        scale = _KERNEL / size
        matrix = np.array([[scale, 0, (x0 - left + 0.5) * scale - 0.5], [0, scale, (y0 - top + 0.5) * scale - 0.5]])
        light = cv2.warpAffine(_disc(), matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        part = self.rgb[y0:y1, x0:x1]
        added = cv2.merge([cv2.convertScaleAbs(light, alpha=strength * channel / 255) for channel in colour])
        # Screen rather than sum: light over light stays light and does not burn out.
        cv2.add(part, cv2.multiply(255 - part, added, scale=1 / 255), dst=part)

    def down(self, top: float, bottom: float, stops: Sequence[tuple[float, Colour]], near: tuple[float, float]) -> None:
        """A band across the picture between two rows, its colour and its nearness graded from above to below."""
        first, last = max(0, round(top)), min(self.height, round(bottom))
        if last <= first:
            return
        rows = (np.arange(first, last) - top) / max(1.0, bottom - top)
        places = [place for place, _ in stops]
        colours = np.array([colour for _, colour in stops], float)
        bands = np.stack([np.interp(rows, places, colours[:, channel]) for channel in range(3)], axis=1)
        self.rgb[first:last] = (bands + 0.5).astype(np.uint8)[:, None, :]
        levels = np.interp(rows, (0, 1), (near[0] * 255, near[1] * 255)).astype(np.uint8)
        half = levels[::2]
        rows_half = self.depth[first // 2 : first // 2 + len(half)]
        rows_half[:] = half[: len(rows_half), None]

    def lay(self, over: "Canvas", x: int, y: int) -> None:
        """Lay a transparent canvas over this one, its top left corner at (x, y)."""
        x0, y0 = max(0, x), max(0, y)
        x1, y1 = min(self.width, x + over.width), min(self.height, y + over.height)
        if x1 <= x0 or y1 <= y0 or over.alpha is None:
            return
        alpha = over.alpha[y0 - y : y1 - y, x0 - x : x1 - x]
        part = self.rgb[y0:y1, x0:x1]
        cv2.multiply(part, cv2.merge([255 - alpha] * 3), dst=part, scale=1 / 255)
        cv2.add(part, over.rgb[y0 - y : y1 - y, x0 - x : x1 - x], dst=part)
        dx, dy = x0 // 2, y0 // 2
        solid = alpha[::2, ::2] > 96
        depth = self.depth[dy : dy + solid.shape[0], dx : dx + solid.shape[1]]
        solid = solid[: depth.shape[0], : depth.shape[1]]
        if self.near is not None:
            depth[solid] = self.near


def _fill_poly(image: "RGB | Grey", shape: "Points", colour: "Colour | int") -> None:
    fixed = np.rint(shape * (1 << _SHIFT)).astype(np.int32)
    ink = colour if isinstance(colour, int) else tuple(float(channel) for channel in colour)
    cv2.fillPoly(image, [fixed], ink, lineType=cv2.LINE_AA, shift=_SHIFT)


_DISC: "list[Grey]" = []


def _disc() -> "Grey":
    if not _DISC:
        axis = (np.arange(_KERNEL) + 0.5) / _KERNEL * 2 - 1
        distance = np.sqrt(axis[:, None] ** 2 + axis[None, :] ** 2)
        falloff = np.clip(1 - distance, 0, 1) ** 2.2
        _DISC.append((falloff * 255 + 0.5).astype(np.uint8))
    return _DISC[0]


def mix_into(part: "RGB", colour: "RGB", opacity: "NDArray[np.float32]") -> None:
    """``part`` moves towards ``colour`` (of its shape, or one pixel) by an opacity of 0 to 1 for each pixel."""
    full = np.broadcast_to(colour, part.shape)
    keep = 1 - opacity
    part[:] = cv2.blendLinear(np.ascontiguousarray(full), part, opacity.astype(np.float32), keep.astype(np.float32))


def curve(points: "ArrayLike", steps: int = 7, *, closed: bool = True) -> "Points":
    """A Catmull-Rom spline through the points."""
    p = np.asarray(points, np.float64)
    before, after = (p[-1:], p[:2]) if closed else (2 * p[:1] - p[1:2], 2 * p[-1:] - p[-2:-1])
    p = np.vstack([before, p, after])
    t = (np.arange(steps) / steps)[:, None, None]
    a, b, c, d = p[:-3], p[1:-2], p[2:-1], p[3:]
    spline = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - 3 * c + d - a) * t**3)
    flat = spline.transpose(1, 0, 2).reshape(-1, 2)
    return flat if closed else np.vstack([flat, p[-2]])


def oval(x: float, y: float, rx: float, ry: float, tilt: float = 0.0) -> "Points":
    """The outline of an ellipse, with as many corners as its size needs."""
    count = int(min(72, max(10, 3 * math.sqrt(max(rx, ry)) + 8)))
    angles = np.linspace(0, math.tau, count, endpoint=False)
    px, py = rx * np.cos(angles), ry * np.sin(angles)
    turn = math.radians(tilt)
    return np.column_stack(
        [x + px * math.cos(turn) - py * math.sin(turn), y + px * math.sin(turn) + py * math.cos(turn)]
    )


def stroke(points: "ArrayLike", width: "ArrayLike") -> "Points":
    """The outline of a stroke along an open line, with round ends."""
    p = np.asarray(points, np.float64)
    half = np.broadcast_to(np.asarray(width, np.float64) / 2, (len(p),))
    along = np.gradient(p, axis=0)
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
    side = np.column_stack([-along[:, 1], along[:, 0]]) * half[:, None]
    return np.vstack([p + side, _cap(p[-1], along[-1], half[-1]), (p - side)[::-1], _cap(p[0], -along[0], half[0])])


def _cap(centre: "Points", direction: "Points", radius: float) -> "Points":
    base = math.atan2(direction[1], direction[0])
    angles = base + np.radians(np.array([60.0, 30.0, 0.0, -30.0, -60.0]))
    return centre + radius * np.column_stack([np.cos(angles), np.sin(angles)])
