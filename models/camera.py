"""Where a virtual camera looks at each moment of a move over a still picture."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.specs import CameraMovement

if TYPE_CHECKING:
    from models.planes import Matrix

_TAU = math.tau


@dataclass(frozen=True)
class View:
    """What the camera sees. ``zoom`` 1 shows the whole picture; ``x`` and ``y`` are where the view's centre lies,
    in fractions of the picture from its middle; ``roll`` in degrees, clockwise. ``shift_x`` and ``shift_y`` say how
    far the camera has stepped aside, in fractions of the picture: near things move against it, far ones do not;
    ``dolly`` how far it has gone forward: near things grow by that fraction beyond ``zoom``."""

    zoom: float
    x: float = 0.0
    y: float = 0.0
    roll: float = 0.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    dolly: float = 0.0

    def matrix(self, source: tuple[int, int], output: tuple[int, int]) -> "Matrix":
        """The affine map from output pixels to source pixels, both sizes (width, height); the source covers the
        output at zoom 1 without distortion."""
        scale = min(source[0] / output[0], source[1] / output[1]) / self.zoom
        angle = math.radians(-self.roll)
        cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
        linear = np.array([[cos, -sin], [sin, cos]])
        centre_out = np.array([(output[0] - 1) / 2, (output[1] - 1) / 2])
        centre_in = np.array([(source[0] - 1) / 2 + self.x * source[0], (source[1] - 1) / 2 + self.y * source[1]])
        return np.hstack([linear, (centre_in - linear @ centre_out)[:, None]])


def ease(fraction: float) -> float:
    """0 to 1, gentle at both ends but never standing still there: a clip must not look frozen at its cuts."""
    t = min(1.0, max(0.0, fraction))
    return 0.4 * t + 0.6 * t * t * (3 - 2 * t)


def _phase(seed: int) -> float:
    """An angle for a seed; neighbouring seeds lie far apart (steps of the golden ratio)."""
    return seed * 0.6180339887498949 % 1.0 * _TAU


def _sway(time_s: float, seed: int) -> tuple[float, float]:
    """A slow drift, each direction -1 to 1: round and round, so that its speed is never nothing."""
    angle = _TAU * time_s / 5.3 + _phase(seed)
    return math.cos(angle), math.sin(angle)


def _shake(time_s: float, seed: int) -> tuple[float, float, float]:
    """A hand's tremor: sums of incommensurable slow waves, each about -1 to 1, for x, y and roll."""
    phase = _phase(seed)
    values = []
    for axis, base in enumerate((0.43, 0.51, 0.29)):
        waves = ((1.0, 0.6), (2.3, 0.28), (4.1, 0.12))
        values.append(sum(gain * math.sin(_TAU * base * rate * time_s + phase * (axis + rate)) for rate, gain in waves))
    return values[0], values[1], values[2]


def view_at(movement: CameraMovement, time_s: float, duration_s: float, seed: int = 0) -> View:
    """The view at a time of a move that takes ``duration_s``. The view never leaves the picture, near layers with
    up to the whole of ``shift`` and ``dolly`` included."""
    t = ease(time_s / duration_s if duration_s > 0 else 0.0)
    centred = t - 0.5
    sway_x, sway_y = _sway(time_s, seed)
    breath = 0.004 * sway_x
    drift_x, drift_y = 0.0026 * sway_x, 0.0026 * sway_y
    match movement:
        case CameraMovement.STATIC:
            return View(1.04 + breath, drift_x, drift_y, shift_x=0.004 * sway_x, shift_y=0.002 * sway_y)
        case CameraMovement.PUSH_IN:
            return View(1.05 + 0.13 * t, drift_x, drift_y, dolly=0.12 * t)
        case CameraMovement.PULL_OUT:
            return View(1.18 - 0.13 * t, drift_x, drift_y, dolly=0.12 * (1 - t))
        case CameraMovement.PAN_LEFT:
            return View(1.14 + breath, -0.08 * centred, drift_y, shift_x=-0.034 * centred)
        case CameraMovement.PAN_RIGHT:
            return View(1.14 + breath, 0.08 * centred, drift_y, shift_x=0.034 * centred)
        case CameraMovement.TILT_UP:
            return View(1.15 + breath, drift_x, -0.08 * centred, shift_y=-0.032 * centred)
        case CameraMovement.TILT_DOWN:
            return View(1.15 + breath, drift_x, 0.08 * centred, shift_y=0.032 * centred)
        case CameraMovement.ORBIT:
            side = 1 if seed % 2 else -1
            return View(
                1.12 + 0.03 * math.sin(math.pi * t),
                -0.03 * side * centred,
                drift_y,
                roll=0.6 * side * centred,
                shift_x=0.068 * side * centred,
            )
        case CameraMovement.HANDHELD:
            x, y, roll = _shake(time_s, seed)
            return View(
                1.08 + 0.03 * t,
                0.009 * x,
                0.011 * y,
                roll=0.35 * roll,
                shift_x=0.008 * x,
                shift_y=0.006 * y,
            )
