"""What a painter takes over from pictures that he is shown."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.draft.painter.colour import Colour
from models.draft.painter.grade import towards_palette
from models.draft.painter.scene import window_of

if TYPE_CHECKING:
    from models.interfaces import RGB


def in_colours_of(image: "RGB", references: "Sequence[RGB]") -> "RGB":
    """The picture with the mean and the spread of its colours moved most of the way to those of the references,
    and its tones drawn to their main colours."""
    samples = np.concatenate([_sample(reference) for reference in references])
    here = _lab(_sample(image))
    there = _lab(samples)
    share = 0.75
    gain = 1 + share * (np.clip(there.std(axis=0) / np.maximum(here.std(axis=0), 1.0), 0.5, 1.8) - 1)
    # Brightness follows less than colour, so that a night stays a night.
    shift = (there.mean(axis=0) - here.mean(axis=0)) * np.array([0.35, share, share])
    gain[0] = 1 + (gain[0] - 1) * 0.35
    mean = here.mean(axis=0)
    ramp = np.arange(256)[:, None]
    table = np.clip(np.rint((ramp - mean) * gain + mean + shift), 0, 255).astype(np.uint8).reshape(256, 1, 3)
    moved = cv2.cvtColor(cv2.LUT(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), table), cv2.COLOR_LAB2RGB)
    return towards_palette(moved, main_colours(samples), 0.3)


def main_colours(pixels: "np.ndarray") -> list[Colour]:
    """Five colours of (n, 3) pixels, at even steps of their brightness."""
    order = np.argsort(pixels @ np.array([0.2126, 0.7152, 0.0722]), kind="stable")
    parts = np.array_split(pixels[order], 5)
    return [(float(c[0]), float(c[1]), float(c[2])) for c in (part.mean(axis=0) for part in parts)]


def pictures(keys: Sequence[str], images: "Mapping[str, RGB]") -> "list[RGB]":
    return [images[key] for key in keys]


def _sample(image: "RGB") -> "np.ndarray":
    return cv2.resize(image, (48, 48), interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.float64)


def _lab(pixels: "np.ndarray") -> "np.ndarray":
    rows = np.clip(np.rint(pixels), 0, 255).astype(np.uint8).reshape(-1, 1, 3)
    return cv2.cvtColor(rows, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(np.float64)


def reframed(source: "RGB", rng: np.random.Generator) -> "RGB":
    """The same picture seen from a step aside: another seed is another picture, of the same composition."""
    height, width = source.shape[:2]
    zoom = 1.01 + 0.05 * float(rng.random())
    left = (width - width / zoom) * float(rng.random())
    top = (height - height / zoom) * float(rng.random())
    return window_of(source, left, top, zoom, cv2.INTER_LINEAR)
