"""Colours as three numbers, 0 to 255, and what a painter does with them."""

import colorsys
import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Colour = tuple[float, float, float]
_T = TypeVar("_T")

WHITE: Colour = (255.0, 255.0, 255.0)
BLACK: Colour = (0.0, 0.0, 0.0)


def rgb(code: str) -> Colour:
    """``#rrggbb`` or ``#rgb``. Raises ValueError."""
    digits = code.strip().removeprefix("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    if len(digits) != 6:
        raise ValueError(f"not a colour: {code!r}")
    return (float(int(digits[:2], 16)), float(int(digits[2:4], 16)), float(int(digits[4:], 16)))


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """``share`` 0 is the first colour, 1 the second."""
    return (
        first[0] + (second[0] - first[0]) * share,
        first[1] + (second[1] - first[1]) * share,
        first[2] + (second[2] - first[2]) * share,
    )


def times(colour: Colour, light: Colour) -> Colour:
    """A surface under a light; the light's channels are factors, 1 leaves the surface's own."""
    return (
        min(255.0, colour[0] * light[0]),
        min(255.0, colour[1] * light[1]),
        min(255.0, colour[2] * light[2]),
    )


def darker(colour: Colour, share: float) -> Colour:
    """Towards a cool shadow, as in daylight."""
    return mix(colour, (colour[0] * 0.25, colour[1] * 0.22, min(255.0, colour[2] * 0.35 + 14)), share)


def lighter(colour: Colour, share: float) -> Colour:
    return mix(colour, (255.0, 250.0, 236.0), share)


def luma(colour: Colour) -> float:
    """0 to 1."""
    return (0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]) / 255


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """All 0 to 1; the hue goes round."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return (red * 255, green * 255, blue * 255)


def vary(colour: Colour, rng: np.random.Generator, amount: float = 10.0) -> Colour:
    """A neighbour of a colour, lighter or darker and a little off in hue."""
    shift = rng.uniform(-amount, amount)
    parts = [min(255.0, max(0.0, channel + shift + rng.uniform(-amount, amount) / 3)) for channel in colour]
    return (parts[0], parts[1], parts[2])


def generator(*parts: object) -> np.random.Generator:
    """Random numbers that depend on these words and numbers alone, in any process."""
    text = "\x1f".join(str(part) for part in parts)
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def pick(rng: np.random.Generator, choices: Sequence[_T]) -> _T:
    return choices[int(rng.integers(len(choices)))]
