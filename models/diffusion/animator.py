"""Image-to-video through diffusers: Wan, LTX-2 and HunyuanVideo 1.5."""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from PIL import Image

from models.catalog import CatalogError, Model
from models.diffusion.camerawork import video_prompt
from models.diffusion.parts import frames_needed, model_size, part_lengths
from models.diffusion.pipeline import DiffusionPipelineAdapter
from models.draft.script.text import detect_language
from models.framerate import at_rate
from models.interfaces import FrameStream, Phase, Report, UserInputError
from models.options import AnimatorOptions
from models.planes import empty_frame, planes, rgb_to_i420
from models.specs import VideoSpec
from models.weighted import BadOutputError

if TYPE_CHECKING:
    from models.interfaces import I420, RGB, Grey

_REPORT_EVERY_S = 0.5
_LAST_SEED = 2**63


@dataclass(frozen=True)
class _Family:
    """What sets pipelines apart. ``fps_argument``: how it is told the frames' rate, where it asks. ``size``: what it
    makes of the size that was chosen, where it takes none but goes by its picture. ``package``: what it calls, beside
    what diffusers itself needs. ``picture``: how it is given the first frame. ``exact``: parts that compute in 32 bits,
    as its documentation asks. ``tiled``: decoded whole, a clip of the usual size would take more than most cards
    have."""

    fps_argument: str | None = None
    package: str | None = None
    size: Callable[[Any, AnimatorOptions, int, int], tuple[int, int]] | None = None
    picture: Callable[[Image.Image], dict[str, Any]] = lambda picture: {"image": picture}
    exact: tuple[str, ...] = ()
    tiled: bool = False


def _hunyuan_size(pipeline: Any, options: AnimatorOptions, width: int, height: int) -> tuple[int, int]:
    """The bucket it crops a picture to. The pipeline compares rounded ratios, so a bucket's own ratio may lead on to
    its neighbour: followed to where it stays."""
    processor = pipeline.video_processor
    side = processor.config.vae_scale_factor
    within = math.isqrt(options.max_pixels) // side * side
    pipeline.target_size = max(side, min(pipeline.transformer.config.target_size, within))
    while True:
        bucket = processor.calculate_default_height_width(height, width, pipeline.target_size)
        if bucket == (height, width):
            return width, height
        height, width = bucket


def _as_keyframe(picture: Image.Image) -> dict[str, Any]:
    from diffusers.pipelines.ltx2.pipeline_ltx2_condition import LTX2VideoCondition

    return {"conditions": [LTX2VideoCondition(frames=picture, index=0)]}


_FAMILIES = {
    "WanImageToVideoPipeline": _Family(package="ftfy", exact=("vae", "image_encoder")),
    "LTX2ImageToVideoPipeline": _Family(fps_argument="frame_rate"),  # its sound is left: films have their own
    "LTX2ConditionPipeline": _Family(fps_argument="frame_rate", picture=_as_keyframe),
    "HunyuanVideo15ImageToVideoPipeline": _Family(size=_hunyuan_size, tiled=True),
}
_OF_WORDS_ALONE = {"LTX2Pipeline": "LTX2ImageToVideoPipeline"}
"""A shot goes on from its picture, which these would not look at; what does reads the same files."""


class DiffusionAnimator(DiffusionPipelineAdapter[AnimatorOptions]):
    """Implements ``models.interfaces.Animator``. These models see depth in the picture itself: the depth that is
    given is not used."""

    options_class = AnimatorOptions

    def load(self) -> None:
        """Raises what its base raises; CatalogError too for a pipeline of another family."""
        package = _family(self.options).package
        if package is not None and find_spec(package) is None:
            message = f"{self.options.pipeline} needs the package {package}, which the gpu extra installs"
            raise CatalogError(message, field="options.pipeline")
        super().load()

    @classmethod
    def check(cls, model: Model, folder: Path) -> None:
        super().check(model, folder)
        try:
            _family(cls.options_class.model_validate(model.options))
        except CatalogError as error:
            raise CatalogError(error.message, model_id=model.id, field=error.field) from error

    def _exact(self) -> Collection[str]:
        return _family(self.options).exact

    def _always_tiled(self) -> bool:
        return _family(self.options).tiled

    def animate(self, spec: VideoSpec, image: "RGB", depth: "Grey | None", report: Report) -> FrameStream:
        """Rendered as the frames are read. Raises UserInputError for an odd size; reading raises BadOutputError for
        frames that are no picture."""
        if spec.width % 2 or spec.height % 2:
            raise UserInputError(f"a video of {spec.width}x{spec.height} has an odd side", field="aspect_ratio")
        count = max(1, round(spec.duration_s * spec.fps))
        return FrameStream(spec.width, spec.height, spec.fps, count, self._frames(spec, image, count, report))

    def _frames(self, spec: VideoSpec, image: "RGB", count: int, report: Report) -> "Iterator[I420]":
        options = self.options
        size = self._size(spec)
        lengths = part_lengths(
            frames_needed(count, spec.fps, options.fps),
            frames_step=options.frames_step,
            max_frames=options.max_frames,
        )
        prompt = video_prompt(spec, self._understood(detect_language(spec.prompt), report))
        seeds = [(spec.seed + number) % _LAST_SEED for number in range(len(lengths))]
        report.note(
            prompt=prompt,
            steps=options.steps,
            guidance_scale=options.guidance_scale,
            arguments=options.arguments,
            seeds=seeds,
            width=size[0],
            height=size[1],
            fps=options.fps,
            frames=list(lengths),
        )
        parts = _Parts(report, len(lengths))
        rendered = self._rendered(image, size, lengths, prompt, seeds, parts)
        every = max(1, round(_REPORT_EVERY_S * spec.fps))
        for number, frame in enumerate(at_rate(rendered, size, options.fps, spec.fps, count)):
            if number % every == 0:
                parts.still_here()
            yield _scaled(frame, spec.width, spec.height)
        report(1.0)

    def _size(self, spec: VideoSpec) -> tuple[int, int]:
        options = self.options
        size = model_size(spec.width, spec.height, multiple_of=options.multiple_of, max_pixels=options.max_pixels)
        chosen = _FAMILIES[options.pipeline].size
        return size if chosen is None else chosen(self.pipeline, options, *size)

    def _rendered(
        self,
        image: "RGB",
        size: tuple[int, int],
        lengths: Sequence[int],
        prompt: str,
        seeds: Sequence[int],
        parts: "_Parts",
    ) -> "Iterator[I420]":
        """All parts' frames at the model's size and rate. A part's are held until they are read, the film's never."""
        family = _FAMILIES[self.options.pipeline]
        arguments: dict[str, Any] = {} if family.size else {"width": size[0], "height": size[1]}
        if family.fps_argument is not None:
            arguments[family.fps_argument] = float(self.options.fps)
        shown = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        for number, (length, seed) in enumerate(zip(lengths, seeds, strict=True)):
            output = self.render(
                parts.begin(number),
                steps=self.options.steps,
                seed=seed,
                prompt=prompt,
                num_frames=length,
                output_type="pt",
                **family.picture(Image.fromarray(shown)),
                **arguments,
            )
            video = output.frames[0]
            if tuple(video.shape) != (length, 3, size[1], size[0]):
                raise BadOutputError(f"asked for {length} frames of {size[0]}x{size[1]}, got {tuple(video.shape)}")
            del output
            for tensor in video[1:] if number else video:
                shown = _pixels(tensor)
                yield rgb_to_i420(shown)
            del video, tensor  # or they would lie beside the next part


def _family(options: AnimatorOptions) -> _Family:
    """Raises CatalogError for a pipeline that animates no picture."""
    name = options.pipeline
    if name in _OF_WORDS_ALONE:
        message = f"{name} looks at no picture: {_OF_WORDS_ALONE[name]} reads the same files and does"
        raise CatalogError(message, field="options.pipeline")
    if name not in _FAMILIES:
        raise CatalogError(f"{name} is none of {', '.join(_FAMILIES)}", field="options.pipeline")
    return _FAMILIES[name]


class _Parts:
    """The progress of several renders as one, for those who render (a Report) and for those who read on."""

    def __init__(self, report: Report, parts: int) -> None:
        self._report, self._parts = report, parts
        self._number = 0
        self._fraction = 0.0

    def begin(self, number: int) -> "_Parts":
        self._number = number
        return self

    def __call__(self, fraction: float, /, preview: "RGB | None" = None) -> None:
        self._fraction = (self._number + fraction) / self._parts
        self._report(self._fraction, preview)

    def still_here(self) -> None:
        self._report(self._fraction)

    def stop_if_cancelled(self) -> None:
        self._report.stop_if_cancelled()

    def phase(self, name: Phase, /) -> AbstractContextManager[None]:
        return self._report.phase(name)

    def note(self, **parameters: Any) -> None:
        self._report.note(**parameters)


def _pixels(frame: torch.Tensor) -> "RGB":
    """From (3, height, width), 0 to 1. Raises BadOutputError for what is no number."""
    if not bool(torch.isfinite(frame).all()):
        raise BadOutputError("the decoded frames are not finite: try dtype bfloat16 or float32")
    scaled = (frame.float().clamp(0.0, 1.0) * 255.0).round().to(torch.uint8)
    return np.ascontiguousarray(scaled.permute(1, 2, 0).cpu().numpy())


def _scaled(frame: "I420", width: int, height: int) -> "I420":
    """To exactly the size asked for; the model's own is off its ratio by less than a step of its sides."""
    if frame.shape == (height * 3 // 2, width):
        return frame
    scaled = empty_frame(width, height)
    for source, target in zip(planes(frame), planes(scaled), strict=True):
        smaller = target.shape[0] < source.shape[0]
        target[:] = cv2.resize(source, target.shape[::-1], interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    return scaled
