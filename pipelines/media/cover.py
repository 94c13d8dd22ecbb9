"""The title card before the film: a darkened, softened picture under a slow push-in, with the title set on
it."""

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw

from models.camera import View
from models.planes import empty_frame, i420_to_rgb, planes, warp_planes
from models.specs import CoverSpec, Font
from pipelines.media.cues import break_points
from pipelines.media.overlay import Overlay
from pipelines.media.text import TextStyle, drawable, line_width, render_lines

if TYPE_CHECKING:
    from models.interfaces import I420, RGB
    from pipelines.media.geometry import Size
    from pipelines.media.text import RGBA

FADE_S = 0.5  # into the film
_ZOOM, _ZOOM_PER_S = 1.04, 0.014
_TITLE_SIZES = (
    0.135,
    0.12,
    0.105,
    0.092,
    0.08,
    0.07,
    0.06,
    0.05,
    0.042,
)  # em, in fractions of the short side
_SUBTITLE_SIZES = (0.046, 0.042, 0.038, 0.034, 0.03)
_MAX_LINES = 3
_TEXT_WIDTH = 0.8  # of the frame
_BRIGHTNESS = 0.52  # of the ground under text


class Cover:
    """``ground`` is the picture behind the text, at the film's size. Without any text it is left as it is."""

    def __init__(self, spec: CoverSpec, ground: "I420", size: "Size", fps: int) -> None:
        self._size, self._fps = size, fps
        self._ground = ground.copy()
        self._text: Overlay | None = None
        title, subtitle = (" ".join(drawable(text).split()) for text in (spec.title_text, spec.subtitle_text))
        if title or subtitle:
            _recede(self._ground)
            self._text = Overlay(_set_text(title, subtitle, size), 0, 0, *size)

    def frames(self, count: int) -> "Iterator[I420]":
        """Frames of the card; each is overwritten when the next is asked for."""
        frame = empty_frame(*self._size)
        source = planes(self._ground)
        for number in range(count):
            view = View(_ZOOM + _ZOOM_PER_S * number / self._fps)
            warp_planes(source, view.matrix(self._size, self._size), frame)
            if self._text is not None:
                self._text.blend(frame)
            yield frame

    def picture(self) -> "RGB":
        """The card as a picture: its first frame."""
        return i420_to_rgb(next(self.frames(1)))


def _recede(frame: "I420") -> None:
    """Darken and soften the picture, more towards its edges, so that text stands out whatever it shows."""
    luma, blue, red = planes(frame)
    height, width = luma.shape
    softness = min(width, height) * 0.004
    cv2.GaussianBlur(luma, (0, 0), softness, dst=luma)
    x, y = np.linspace(-1, 1, width)[None, :], np.linspace(-1, 1, height)[:, None]
    shade = _BRIGHTNESS * (1 - 0.35 * np.clip((x * x + y * y) / 2, 0, 1))
    luma[:] = np.rint(16 + (luma - 16.0) * shade).clip(16, 235)
    for plane in (blue, red):
        cv2.convertScaleAbs(plane, dst=plane, alpha=0.72, beta=128 * 0.28)


def _set_text(title: str, subtitle: str, size: "Size") -> "RGBA":
    """Title, a thin rule and subtitle in the middle of a transparent picture of the frame's size."""
    width, height = size
    short = min(size)
    canvas = Image.new("RGBA", size, (0, 0, 0, 0))
    blocks: list[Image.Image] = []
    if title:
        blocks.append(_block(title, Font.SERIF, _TITLE_SIZES, size, line_height=1.28))
    if title and subtitle:
        rule = Image.new("RGBA", (round(short * 0.16), round(short * 0.052)), (0, 0, 0, 0))
        thickness = max(2, round(short * 0.0035))
        middle = rule.height // 2
        box = (0, middle, rule.width - 1, middle + thickness - 1)
        ImageDraw.Draw(rule).rectangle(box, fill=(255, 255, 255, 190))
        blocks.append(rule)
    if subtitle:
        blocks.append(_block(subtitle, Font.SANS, _SUBTITLE_SIZES, size, line_height=1.45))
    total = sum(block.height for block in blocks)
    y = max(0, round(height * 0.48 - total / 2))
    for block in blocks:
        canvas.alpha_composite(block, (max(0, (width - block.width) // 2), y))
        y += block.height
    return np.asarray(canvas)


def _block(text: str, family: Font, sizes: tuple[float, ...], size: "Size", line_height: float) -> Image.Image:
    short, limit = min(size), size[0] * _TEXT_WIDTH
    for fraction in sizes:
        em = max(8, round(short * fraction))
        lines = _wrap(text, family, em, limit)
        # One line may be set large; a longer text first becomes smaller, then takes a second and a third
        # line.
        if len(lines) <= (1 if fraction > sizes[2] else 2 if fraction > sizes[-3] else _MAX_LINES):
            break
    if len(lines) > _MAX_LINES:
        lines = lines[:_MAX_LINES]
        lines[-1] = lines[-1][:-1] + "…"
    style = TextStyle(size=em, family=family, shadow=em * 0.07, line_height=line_height)
    tile = render_lines(lines, style)[:, : size[0]]
    return Image.fromarray(tile)


def _wrap(text: str, family: Font, em: int, limit: float) -> list[str]:
    """The text in as few lines as fit ``limit`` pixels, of lengths as equal as possible."""
    if line_width(text, family, em) <= limit:
        return [text]
    words = (text[a:b] for a, b in pairwise([0, *break_points(text, needs_words=True)]))
    pieces = [piece for word in words for piece in ([word] if line_width(word, family, em) <= limit else word)]
    widths = [line_width(piece, family, em) for piece in pieces]

    def fill(room: float) -> list[str]:
        lines, used = [""], 0.0
        for piece, width in zip(pieces, widths, strict=True):
            if lines[-1] and used + width > room:
                lines.append("")
                used = 0.0
            lines[-1] += piece
            used += width
        return [line.strip() for line in lines]

    fewest = len(fill(limit))
    low, high = max(widths), limit
    while high - low > 1:
        middle = (low + high) / 2
        low, high = (low, middle) if len(fill(middle)) <= fewest else (middle, high)
    return fill(high)
