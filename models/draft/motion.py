"""Image-to-video without weights: the camera moves over a still picture, and near things pass before far ones."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import cv2

from models.camera import view_at
from models.catalog import Model
from models.draft.ambience import Ambience
from models.draft.painter.reading import air_of
from models.draft.parallax import Layers
from models.interfaces import FrameStream, Report, UserInputError
from models.specs import VideoSpec

if TYPE_CHECKING:
    from models.interfaces import I420, RGB, Grey

_REPORT_EVERY_S = 0.5
_BREATH_S = 3.8
_BREATH = 0.0035  # of the height


class DraftAnimator:
    """Makes the frames of a camera move over one picture, with parallax from its depth."""

    def __init__(self, model: Model | None = None) -> None:
        self.model = model

    def load(self) -> None:
        # One task uses one core: the farm places as many tasks as there are cores.
        cv2.setNumThreads(1)

    def unload(self) -> None:
        return

    def animate(self, spec: VideoSpec, image: "RGB", depth: "Grey | None", report: Report) -> FrameStream:
        """``image`` has even sides and the spec's ratio. Rain, snow or drifting lights that the prompt names move
        through the air. Raises UserInputError for an odd size."""
        if spec.width % 2 or spec.height % 2:
            raise UserInputError(f"a video of {spec.width}x{spec.height} has an odd side", field="aspect_ratio")
        count = max(1, round(spec.duration_s * spec.fps))
        layers = Layers(image, depth)
        return FrameStream(spec.width, spec.height, spec.fps, count, _frames(spec, layers, count, report))


def _frames(spec: VideoSpec, layers: Layers, count: int, report: Report) -> Iterator["I420"]:
    air = air_of(spec.prompt)
    ambience = Ambience(air, (spec.width, spec.height), spec.seed) if air else None
    every = max(1, round(_REPORT_EVERY_S * spec.fps))
    for number in range(count):
        if number % every == 0:
            report(number / count)
        time_s = number / spec.fps
        view = view_at(spec.camera_movement, time_s, count / spec.fps, spec.seed)
        frame = layers.look(view, (spec.width, spec.height), _breath(time_s))
        if ambience is not None:
            ambience.fall_over(frame, time_s)
        yield frame
    report(1.0)


def _breath(time_s: float) -> float:
    """How far near things are raised: people are never quite still."""
    return _BREATH * (0.5 - 0.5 * math.cos(math.tau * time_s / _BREATH_S))
