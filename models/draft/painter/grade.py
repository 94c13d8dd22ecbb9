"""Colour grading: tables and matrices over a whole picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.draft.painter.colour import Colour, luma
from models.draft.painter.style import Look

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.interfaces import RGB, Grey

_LUMA = np.array([[0.2126, 0.7152, 0.0722]])
_RAMP = np.arange(256, dtype=np.float64)


def grey_of(image: "RGB") -> "Grey":
    return cv2.transform(image, _LUMA)


def saturate(image: "RGB", factor: float) -> "RGB":
    matrix = np.eye(3) * factor + (1 - factor) * np.repeat(_LUMA, 3, axis=0)
    return cv2.transform(image, matrix)


def tables(image: "RGB", curves: "NDArray[np.float64]") -> "RGB":
    """Each channel through its own curve, (256, 3) values of 0 to 255."""
    table = np.clip(np.rint(curves), 0, 255).astype(np.uint8).reshape(256, 1, 3)
    return cv2.LUT(image, table)


def contrast_curve(factor: float, lift: float = 0.0) -> "NDArray[np.float64]":
    """An S around the middle for a factor over 1, flatter below it; (256,)."""
    x = _RAMP / 255
    bent = 0.5 + (x - 0.5) * factor
    soft = np.where(x < 0.5, 0.5 * (2 * x) ** factor, 1 - 0.5 * (2 * (1 - x)) ** factor) if factor > 1 else bent
    return 255 * np.clip(soft + lift * (1 - x * 0.4), 0, 1)


def gradient_map(image: "RGB", colours: Sequence[Colour], places: Sequence[float] | None = None) -> "RGB":
    """Brightness becomes colour: black the first, white the last."""
    at = np.linspace(0, 1, len(colours)) if places is None else np.array(places)
    values = np.array(colours, float)
    table = np.stack([np.interp(_RAMP / 255, at, values[:, channel]) for channel in range(3)], axis=1)
    return cv2.LUT(cv2.merge([grey_of(image)] * 3), np.rint(table).astype(np.uint8).reshape(256, 1, 3))


def split_tone(image: "RGB", shadows: Colour, lights: Colour, strength: float) -> "RGB":
    """Tint the dark parts one way and the light parts another, by curves alone."""
    x = _RAMP / 255
    curves = np.stack(
        [
            _RAMP
            + strength
            * (
                (shadows[channel] - luma(shadows) * 255) * (1 - x) ** 1.5
                + (lights[channel] - luma(lights) * 255) * x**1.5 * (1.6 - x)
            )
            for channel in range(3)
        ],
        axis=1,
    )
    return tables(image, curves)


def towards_palette(image: "RGB", palette: Sequence[Colour], strength: float) -> "RGB":
    """Draw a picture's colours to those of a palette: its brightness mapped over the palette from dark to light, laid
    over the picture; whites and blacks keep their distance."""
    ordered = sorted(palette, key=luma)
    first, last = ordered[0], ordered[-1]
    dark = (first[0] * 0.35, first[1] * 0.35, first[2] * 0.35)
    light = (255 - (255 - last[0]) * 0.35, 255 - (255 - last[1]) * 0.35, 255 - (255 - last[2]) * 0.35)
    # Each colour sits at its own brightness, so that the mapped picture keeps its light and shade.
    marks = np.maximum.accumulate([0.0, *(0.12 + 0.76 * luma(colour) for colour in ordered), 1.0])
    marks += np.arange(len(marks)) * 1e-6
    mapped = gradient_map(image, [dark, *ordered, light], list(marks))
    return cv2.addWeighted(image, 1 - strength, mapped, strength, 0)


def turn_hue(image: "RGB", turns: float) -> "RGB":
    """Rotate all colours around the grey axis."""
    angle = turns * 2 * np.pi
    cos, sin = np.cos(angle), np.sin(angle)
    third, root = 1 / 3, np.sqrt(1 / 3)
    a, b, c = cos + third * (1 - cos), third * (1 - cos) - root * sin, third * (1 - cos) + root * sin
    return cv2.transform(image, np.array([[a, b, c], [c, a, b], [b, c, a]]))


def grade_of_style(image: "RGB", look: Look) -> "RGB":
    """What belongs to this style besides its technique."""
    if look.palette:
        image = towards_palette(image, look.palette, 0.42)
    if abs(look.hue) > 0.004:
        image = turn_hue(image, look.hue)
    if abs(look.saturation - 1) > 0.01:
        image = saturate(image, max(0.0, look.saturation))
    warm = 22 * look.warmth
    base = contrast_curve(look.contrast, look.lift)
    curves = np.stack([base + warm, base + warm * 0.15, base - warm], axis=1)
    return split_tone(tables(image, curves), look.shadows, look.lights, look.tint)
