"""How bright a finished picture and the faces in it are: a night stays a night, yet everything can be made out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.draft.painter.canvas import Face

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.interfaces import RGB

# The bounds of a picture's mean brightness, 0 to 255, by technique; what paper is left white is bright by nature.
_BOUNDS: dict[str, tuple[float, float]] = {
    "neon": (54.0, 150.0),
    "noir": (54.0, 190.0),
    "cinematic": (54.0, 205.0),
    "ink": (84.0, 236.0),
    "watercolor": (74.0, 236.0),
    "storybook": (74.0, 232.0),
}
_USUAL = (58.0, 226.0)
_FACE = (84.0, 226.0)
_LUMA = np.array([0.2126, 0.7152, 0.0722])
_RAMP = np.arange(256) / 255


def exposed(image: "RGB", technique: str, faces: Sequence[Face]) -> "RGB":
    """The picture within its technique's bounds, its faces within those of faces; most pictures are as they are."""
    low, high = _BOUNDS.get(technique, _USUAL)
    # A little inside the bounds, since the measure is taken on one pixel of sixty-four.
    sample = image[4::8, 4::8].reshape(-1, 1, 3)
    bright = float((sample @ _LUMA).mean())
    if bright < low:
        image = cv2.LUT(image, _table(_power(sample, low + 1.0)))
    elif bright > high:
        image = cv2.LUT(image, _table(_power(sample, high - 1.0)))
    for face in faces:
        _light_face(image, face)
    return image


def _table(power: float) -> "NDArray[np.uint8]":
    return np.rint(255 * _RAMP**power).astype(np.uint8)


def _power(sample: "NDArray[np.uint8]", wanted: float) -> float:
    """The exponent that brings the mean brightness of some pixels where it is wanted."""
    low, high = 0.25, 4.0
    for _ in range(9):
        power = (low * high) ** 0.5
        if float((cv2.LUT(sample, _table(power)) @ _LUMA).mean()) < wanted:
            high = power
        else:
            low = power
    return float((low * high) ** 0.5)


def _light_face(image: "RGB", face: Face) -> None:
    """Lift or dim a head that is too dark or too bright, fading into what is around it as lamplight does."""
    height, width = image.shape[:2]
    x, y, r = face
    core = image[
        max(0, int(y - 0.5 * r)) : max(0, int(y + 0.75 * r)), max(0, int(x - 0.6 * r)) : max(0, int(x + 0.6 * r))
    ]
    if r < 5 or core.size < 60:
        return
    step = max(1, int(r / 24))
    sample = np.ascontiguousarray(core[::step, ::step]).reshape(-1, 1, 3)
    bright = float((sample @ _LUMA).mean())
    if _FACE[0] <= bright <= _FACE[1]:
        return
    power = _power(sample, _FACE[0] + 3.0 if bright < _FACE[0] else _FACE[1] - 3.0)
    reach = 2.3 * r
    x0, x1 = max(0, int(x - reach)), min(width, int(x + reach))
    y0, y1 = max(0, int(y - reach)), min(height, int(y + reach))
    part = image[y0:y1, x0:x1]
    # The fade is worked out small: it has no detail.
    columns, rows = max(8, (x1 - x0) // 8), max(8, (y1 - y0) // 8)
    dx = (np.linspace(x0, x1, columns, dtype=np.float32) - x) / r
    dy = (np.linspace(y0, y1, rows, dtype=np.float32) - y) / r
    away = np.sqrt(dx[None, :] ** 2 + dy[:, None] ** 2)
    share = np.clip((2.3 - away) / 1.2, 0, 1)
    mask = cv2.resize(
        (share * share * (3 - 2 * share)).astype(np.float32), (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR
    )
    part[:] = cv2.blendLinear(cv2.LUT(part, _table(power)), np.ascontiguousarray(part), mask, 1 - mask)
