"""From the size that is wanted to one that a model can paint, and back."""

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from models.interfaces import RGB


def working_size(width: int, height: int, *, multiple_of: int, max_pixels: int) -> tuple[int, int]:
    """(width, height) of about the same shape, each a multiple: at least as large, unless that is too many pixels."""
    wide, high = (math.ceil(side / multiple_of) * multiple_of for side in (width, height))
    if wide * high <= max_pixels:
        return wide, high
    scale = math.sqrt(max_pixels / (width * height))
    wide, high = (max(1, math.floor(side * scale / multiple_of)) * multiple_of for side in (width, height))
    return wide, high


def fitted(pixels: "RGB", width: int, height: int) -> "RGB":
    """Scaled until it covers ``width`` x ``height``, with what sticks out cut off evenly."""
    rows, columns = pixels.shape[:2]
    scale = max(width / columns, height / rows)
    if scale != 1:
        size = (max(width, round(columns * scale)), max(height, round(rows * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LANCZOS4)
    left, top = (pixels.shape[1] - width) // 2, (pixels.shape[0] - height) // 2
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])
