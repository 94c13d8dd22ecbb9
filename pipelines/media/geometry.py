"""Where each pixel of an edited clip comes from: crop, zoom, pan, rotation and flips as one affine map."""

import math
from typing import TYPE_CHECKING

import numpy as np

from models.specs import ClipEdit

if TYPE_CHECKING:
    from models.planes import Matrix

Size = tuple[int, int]  # (width, height)
_IDENTITY = np.eye(2, 3)


def edit_matrix(edit: ClipEdit, source: Size, output: Size) -> "Matrix":
    """The map from output pixels to source pixels. The frame is always filled: the cropped part covers it,
    and a rotated picture is enlarged until its corners reach the edges. A pan moves the view over the
    picture by fractions of the frame; beyond the picture's edge the caller's border rule decides."""
    turn = math.radians(edit.rotation)
    # Exact quarter turns must not lose a pixel to the rounding of cos(90°).
    cos, sin = round(math.cos(turn), 12), round(math.sin(turn), 12)
    width = min(edit.crop_width, 1 - edit.crop_x) * source[0]
    height = min(edit.crop_height, 1 - edit.crop_y) * source[1]
    reach_x = output[0] * abs(cos) + output[1] * abs(sin)
    reach_y = output[0] * abs(sin) + output[1] * abs(cos)
    scale = min(width / reach_x, height / reach_y) / edit.zoom_level
    unrotate = np.array([[cos, sin], [-sin, cos]])
    flip = np.diag([-1.0 if edit.flip_horizontal else 1.0, -1.0 if edit.flip_vertical else 1.0])
    linear = flip @ unrotate * scale
    centre = np.array([edit.crop_x * source[0] + width / 2, edit.crop_y * source[1] + height / 2])
    pan = np.array([edit.pan_x * output[0], edit.pan_y * output[1]])
    middle = np.array([output[0] / 2, output[1] / 2])
    # Pixel i covers i to i + 1, its colour sits at i + 0.5.
    shift = centre + linear @ (pan + 0.5 - middle) - 0.5
    return np.hstack([linear, shift[:, None]])


def then(first: "Matrix", second: "Matrix") -> "Matrix":
    """The map that applies ``first``, then ``second``."""
    linear = second[:, :2] @ first[:, :2]
    shift = second[:, :2] @ first[:, 2] + second[:, 2]
    return np.hstack([linear, shift[:, None]])


def is_identity(matrix: "Matrix") -> bool:
    return bool(np.abs(matrix - _IDENTITY).max() < 1e-6)


def scale_of(matrix: "Matrix") -> float:
    """Source pixels per output pixel."""
    return math.sqrt(abs(float(np.linalg.det(matrix[:, :2]))))
