"""Setting text: the bundled fonts, what they can draw, and drawing lines of text into an RGBA picture.

No font of the system is ever used, so a film looks the same wherever it is rendered.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from models.interfaces import UserInputError
from models.specs import Font

if TYPE_CHECKING:
    from numpy.typing import NDArray

    RGBA = NDArray[np.uint8]  # (height, width, 4), straight alpha
    Colour = tuple[int, int, int]

_FOLDER = Path(__file__).with_name("fonts")
_FILES = {
    Font.SANS: "NotoSansCJKsc-Medium.otf",
    Font.SERIF: "NotoSerifCJKsc-Bold.otf",
    Font.DEJAVU: "DejaVuSans.ttf",
}
_EMOJI = (0x1F000, 0x1FAFF)  # the few that DejaVu has are line drawings, foreign to a subtitle
_HALF_EMPTY = ("，", "。", "、", "；", "：", "！", "？")
_NO_CHARACTER = "\U0010ffff"  # a noncharacter: fonts answer with the box that stands for a missing glyph


@dataclass(frozen=True)
class TextStyle:
    """``size`` is the em in pixels; ``outline`` and ``shadow`` are radii in pixels, 0 for none; The box
    behind the lines is drawn when ``box_opacity`` is above 0."""

    size: int
    family: Font = Font.SANS
    colour: "Colour" = (255, 255, 255)
    outline: float = 0.0
    shadow: float = 0.0
    box_colour: "Colour" = (0, 0, 0)
    box_opacity: float = 0.0
    line_height: float = 1.32


def parse_colour(text: str, field: str) -> "Colour":
    """A colour as ``#rgb`` or ``#rrggbb``. Raises UserInputError for ``field``."""
    try:
        red, green, blue = ImageColor.getrgb(text)[:3]
    except ValueError as error:
        raise UserInputError(f"{text!r} is not a colour such as #ffcc00", field=field) from error
    return red, green, blue


@lru_cache(maxsize=64)
def _font(family: Font, size: int) -> ImageFont.FreeTypeFont:
    path = str(_FOLDER / _FILES[family])
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.RAQM)


@lru_cache(maxsize=8)
def _probe(family: Font) -> tuple[ImageFont.FreeTypeFont, bytes]:
    # The basic layout looks up one glyph; raqm would add a dotted circle under a lone combining mark.
    path = str(_FOLDER / _FILES[family])
    font = ImageFont.truetype(path, 24, layout_engine=ImageFont.Layout.BASIC)
    return font, bytes(font.getmask(_NO_CHARACTER))


@lru_cache(maxsize=1 << 15)
def has_glyph(family: Font, character: str) -> bool:
    """Whether the font draws the character with a glyph of its own."""
    font, missing = _probe(family)
    return bytes(font.getmask(character)) != missing


def _fallbacks(family: Font) -> tuple[Font, ...]:
    return (family, *(other for other in (Font.SANS, Font.DEJAVU) if other != family))


def drawable(text: str, family: Font = Font.SANS) -> str:
    """The text without what no bundled font can draw (emoji, control and format characters)."""
    families = _fallbacks(family)
    return "".join(
        character
        for character in unicodedata.normalize("NFC", text)
        if unicodedata.category(character) not in {"Cc", "Cf", "Co", "Cs", "Cn"}
        and not 0xFE00 <= ord(character) <= 0xFE0F
        and not _EMOJI[0] <= ord(character) <= _EMOJI[1]
        and any(has_glyph(name, character) for name in families)
    )


def _runs(line: str, family: Font) -> list[tuple[Font, str]]:
    """(family, text) from left to right. A line that one font covers stays whole: its shaping and its
    bidirectional order are then that of raqm; only otherwise each character takes the first font that has
    it."""
    families = _fallbacks(family)
    for name in families:
        if all(has_glyph(name, character) for character in line):
            return [(name, line)]

    def first(character: str) -> Font:
        return next((name for name in families if has_glyph(name, character)), family)

    runs = [(name, "".join(part)) for name, part in groupby(line, first)]
    base = next((kind for kind in map(unicodedata.bidirectional, line) if kind in {"L", "R", "AL"}), "L")
    return runs if base == "L" else runs[::-1]


def line_width(line: str, family: Font, size: int) -> float:
    """The advance width of a line in pixels."""
    return sum(_font(name, size).getlength(text) for name, text in _runs(line, family))


def cell_height(family: Font, size: int) -> int:
    """Ascent plus descent in pixels: what subtitle formats of the SSA family call the font's size."""
    ascent, descent = _font(family, size).getmetrics()
    return ascent + descent


def _contrast(colour: "Colour") -> "Colour":
    luma = 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]
    return (12, 12, 16) if luma > 96 else (248, 248, 248)


def _mask(size: tuple[int, int]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("L", size, 0)
    return image, ImageDraw.Draw(image)


def _coverage(mask: Image.Image) -> "NDArray[np.float32]":
    return np.asarray(mask, np.float32) / np.float32(255)


def _over(canvas: "NDArray[np.float32]", colour: "Colour", alpha: "NDArray[np.float32]") -> None:
    """Lay a colour over the premultiplied canvas."""
    canvas *= 1 - alpha[..., None]
    canvas[..., :3] += alpha[..., None] * np.asarray(colour, np.float32)
    canvas[..., 3] += alpha


def render_lines(lines: list[str], style: TextStyle) -> "RGBA":
    """Centred lines on transparent ground, with even sides and just the room that outline, shadow and box
    need."""
    step = round(style.size * style.line_height)
    widths = [line_width(line, style.family, style.size) for line in lines]
    pad = round(style.size * 0.42) + 2 * round(style.outline + style.shadow * 2)
    width = (int(max(widths)) + 2 * pad + 3) // 2 * 2
    height = (step * len(lines) + 2 * pad + 1) // 2 * 2
    fill, draw = _mask((width, height))
    edge, draw_edge = _mask((width, height))
    ascent, descent = _font(style.family, style.size).getmetrics()
    for number, (line, line_px) in enumerate(zip(lines, widths, strict=True)):
        # Full-width punctuation is half empty: at a line's end it would push the letters off the middle.
        x = (width - line_px) / 2 + (style.size * 0.22 if line.endswith(_HALF_EMPTY) else 0)
        # The face's ascent and descent are larger than its letters: their middle is the line's middle.
        y = pad + number * step + (step + ascent - descent) / 2
        for name, text in _runs(line, style.family):
            font = _font(name, style.size)
            draw.text((x, y), text, fill=255, font=font, anchor="ls")
            if style.outline > 0:
                draw_edge.text(
                    (x, y),
                    text,
                    fill=255,
                    font=font,
                    anchor="ls",
                    stroke_width=style.outline,
                    stroke_fill=255,
                )
            x += font.getlength(text)
    canvas = np.zeros((height, width, 4), np.float32)
    letters = _coverage(fill)
    outline = _coverage(edge)
    if style.box_opacity > 0:
        box, draw_box = _mask((width, height))
        margin = pad - round(style.size * 0.34)
        draw_box.rounded_rectangle(
            (margin, margin, width - 1 - margin, height - 1 - margin), radius=style.size * 0.28, fill=255
        )
        _over(canvas, style.box_colour, _coverage(box) * np.float32(style.box_opacity))
    dark = _contrast(style.colour)
    if style.shadow > 0:
        cast = cv2.GaussianBlur(np.maximum(letters, outline), (0, 0), style.shadow)
        drop = np.array([[1, 0, 0], [0, 1, style.shadow * 0.6]], np.float64)
        cast = cv2.warpAffine(cast, drop, (width, height))
        _over(canvas, dark, np.clip(cast * 0.75, 0, 1))
    if style.outline > 0:
        _over(canvas, dark, outline)
    _over(canvas, style.colour, letters)
    alpha = canvas[..., 3:]
    # Where nothing is drawn the colour is the edge's, so that halving the chroma mixes nothing foreign into
    # it.
    colour = np.where(alpha > 1e-3, canvas[..., :3] / np.maximum(alpha, 1e-3), np.asarray(dark, np.float32))
    return np.dstack([np.clip(colour, 0, 255), np.clip(alpha * 255, 0, 255)]).round().astype(np.uint8)
