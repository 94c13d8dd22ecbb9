"""Text-to-image and image-to-image models of diffusers behind the interface that every painter has."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import diffusers
import numpy as np
from PIL import Image

from models.catalog import CatalogError
from models.diffusion.encoding import pieces_of
from models.diffusion.pipeline import DiffusionPipelineAdapter, accepted_arguments
from models.diffusion.processors import picture_processor
from models.diffusion.prompting import Prompt, language_of, prompt_of
from models.diffusion.sizes import fitted, working_size
from models.interfaces import Note, PaintedImage, Report, UserInputError
from models.options import PainterOptions
from models.specs import ImageSpec
from models.weighted import BadOutputError

if TYPE_CHECKING:
    from models.interfaces import RGB

# What changes a picture where the pipeline itself only makes new ones.
_CHANGERS = {
    "StableDiffusionXLPipeline": "StableDiffusionXLImg2ImgPipeline",
    "ZImagePipeline": "ZImageImg2ImgPipeline",
}
# They only ever edit: without a picture to go by they get an empty one.
_EDITORS = {"QwenImageEditPlusPipeline"}
_ONE_AT_A_TIME = {"QwenImageEditPlusPipeline"}
_SMALLEST_REFERENCE = 64  # pixels a side: Flux 2 refuses less


@dataclass(frozen=True)
class _Reference:
    key: str
    name: str  # whom or what it shows, "" for nothing in particular


class DiffusionPainter(DiffusionPipelineAdapter[PainterOptions]):
    """For ``ZImagePipeline``, ``StableDiffusionXLPipeline``, ``Flux2KleinPipeline``, ``QwenImageEditPlusPipeline`` and
    those that are called like them."""

    options_class = PainterOptions
    _changer: Any = None

    def _components(self) -> dict[str, Any]:
        if self.options.pipeline in _EDITORS:
            return {"processor": picture_processor(self.folder / "processor")}
        return {}

    def _loaded(self, pipeline: Any) -> None:
        if self.options.references and "image" not in accepted_arguments(type(pipeline)):
            raise CatalogError(f"{self.options.pipeline} takes no references", field="options.references")
        changer = _CHANGERS.get(self.options.pipeline)
        if changer is not None:
            self._changer = getattr(diffusers, changer).from_pipe(pipeline, dtype=self.dtype)
            self._changer.set_progress_bar_config(disable=True)

    def _release(self) -> None:
        super()._release()
        self._changer = None

    def paint(self, spec: ImageSpec, images: "Mapping[str, RGB]", report: Report) -> PaintedImage:
        """Raises BadOutputError where the model computed no picture."""
        return self.paint_batch([spec], images, report, [report.note])[0]

    def paint_batch(
        self, specs: Sequence[ImageSpec], images: "Mapping[str, RGB]", report: Report, notes: Sequence[Note]
    ) -> list[PaintedImage]:
        """Each as ``paint`` would make it, in one call of the pipeline where it takes several: those of one size that
        go by the same references. Raises ValueError for specs that differ in these, BadOutputError as ``paint``."""
        parts = [_Part(report, note, number, len(specs)) for number, note in enumerate(notes)]
        if len(specs) == 1:
            return self._paint(specs, images, parts[0], parts)
        try:
            return self._paint(specs, images, _Undivided(report), parts)
        except _OneByOneError:
            return [self._paint([spec], images, part, [part])[0] for spec, part in zip(specs, parts, strict=True)]

    def _paint(
        self, specs: Sequence[ImageSpec], images: "Mapping[str, RGB]", report: Report, parts: Sequence[Report]
    ) -> list[PaintedImage]:
        """``parts`` are the reports of each. Raises _OneByOneError for what cannot be painted together."""
        width, height = self._size(specs[0])
        references = self._references(specs[0])
        if any(self._size(spec) != (width, height) or self._references(spec) != references for spec in specs):
            raise ValueError("a batch has one size and one set of references")
        prompts = [self._prompt(spec, references, part) for spec, part in zip(specs, parts, strict=True)]
        if len(specs) > 1 and not self._takes_together(prompts):
            raise _OneByOneError
        pictures = [_picture(images[reference.key], self.options.max_pixels) for reference in references]
        if not pictures and self.options.pipeline in _EDITORS:
            pictures = [Image.new("RGB", (width, height), (255, 255, 255))]
        for part, spec, prompt in zip(parts, specs, prompts, strict=True):
            self._note(part.note, spec, prompt, references, mode="paint", width=width, height=height)
        output = self.render(
            report,
            steps=self.options.steps,
            seed=[spec.seed for spec in specs] if len(specs) > 1 else specs[0].seed,
            width=width,
            height=height,
            **self._words(prompts),
            **({"image": pictures} if pictures else {}),
        )
        return [_delivered(pixels, spec) for pixels, spec in zip(output, specs, strict=True)]

    def repaint(self, spec: ImageSpec, source: "RGB", images: "Mapping[str, RGB]", report: Report) -> PaintedImage:
        """Raises UserInputError for a model that makes new pictures only, BadOutputError as ``paint``."""
        width, height = self._size(spec)
        references: list[_Reference] = []
        size = {"width": width, "height": height}
        if self._changer is not None:
            picture: Any = _picture(fitted(source, width, height), self.options.max_pixels)
            size = size if "width" in accepted_arguments(type(self._changer)) else {}
            how: dict[str, Any] = {"pipeline": self._changer, "strength": self.options.strength}
        elif self.options.references:
            # Further references follow the source, which the spec names first.
            references = self._references(spec, changed=spec.reference_keys[:1])
            shown = [source, *(images[one.key] for one in references)]
            picture = [_picture(pixels, self.options.max_pixels) for pixels in shown]
            how = {}
        else:
            raise UserInputError(
                f"{self.model.display_name} cannot change pictures", f"{self.model.display_name}不能修改图片"
            )
        prompt = self._prompt(spec, references, report, changes=self._changer is None)
        self._note(report.note, spec, prompt, references, mode="repaint", width=width, height=height, **_strength(how))
        output = self.render(
            report,
            steps=self.options.steps,
            seed=spec.seed,
            image=picture,
            **size,
            **how,
            **self._words([prompt]),
        )
        return _delivered(output[0], spec)

    def render(self, report: Report, **arguments: Any) -> Any:
        """Pictures as (count, height, width, 3) of 0 to 1."""
        return super().render(report, output_type="np", **arguments).images

    def _takes_together(self, prompts: Sequence[Prompt]) -> bool:
        """Whether one call makes of these what one call each would: what is read in pieces has to take as many, since
        the shorter of a batch are filled up."""
        if self.options.pipeline in _ONE_AT_A_TIME:
            return False
        return len({pieces_of(self.pipeline, one.positive, one.negative) for one in prompts}) == 1

    def _size(self, spec: ImageSpec) -> tuple[int, int]:
        options = self.options
        return working_size(spec.width, spec.height, multiple_of=options.multiple_of, max_pixels=options.max_pixels)

    def _references(self, spec: ImageSpec, changed: Sequence[str] = ()) -> list[_Reference]:
        """As many as the model takes: the first sheet of everybody, then their further ones, then the place, then what
        is of no one. ``changed`` is the picture that is changed, which takes a place of its own."""
        sheets = [
            (turn, _Reference(key, subject.name))
            for subject in spec.subjects
            for turn, key in enumerate(subject.reference_keys)
        ]
        found = [reference for _, reference in sorted(sheets, key=lambda sheet: sheet[0])]
        if spec.place is not None:
            found += [_Reference(key, spec.place.name) for key in spec.place.reference_keys]
        found += [_Reference(key, "") for key in spec.reference_keys]
        once: dict[str, _Reference] = {}
        for reference in found:
            if reference.key not in changed:
                once.setdefault(reference.key, reference)
        return list(once.values())[: max(0, self.options.references - len(changed))]

    @property
    def _negated(self) -> bool:
        """Whether a negative prompt would do anything: without guidance there is nothing to guide away from."""
        scale = self.options.guidance_scale
        off = 0 if self.options.pipeline == "ZImagePipeline" else 1
        takes = "negative_prompt" in accepted_arguments(type(self.pipeline))
        return takes and (scale is None or scale > off)

    def _prompt(
        self, spec: ImageSpec, references: Sequence[_Reference], report: Report, *, changes: bool = False
    ) -> Prompt:
        language = self._understood(language_of(spec), report)
        shown = [one.name for one in references]
        return prompt_of(spec, shown, language=language, changes=changes, negated=self._negated)

    def _words(self, prompts: Sequence[Prompt]) -> dict[str, Any]:
        several = len(prompts) > 1
        words: dict[str, Any] = {"prompt": [one.positive for one in prompts] if several else prompts[0].positive}
        if self._negated:
            words["negative_prompt"] = [one.negative for one in prompts] if several else prompts[0].negative
        return words

    def _note(self, note: Note, spec: ImageSpec, prompt: Prompt, used: Sequence[_Reference], **more: Any) -> None:
        note(
            prompt=prompt.positive,
            negative_prompt=prompt.negative,
            steps=self.options.steps,
            guidance_scale=self.options.guidance_scale,
            arguments=self.options.arguments,
            seed=spec.seed,
            references=[reference.key for reference in used],
            **more,
        )


class _Part:
    """A report of one of several that are made one after the other."""

    def __init__(self, report: Report, note: Note, number: int, count: int) -> None:
        self._report, self._number, self._count = report, number, count
        self.phase, self.note, self.stop_if_cancelled = report.phase, note, report.stop_if_cancelled

    def __call__(self, fraction: float, /, preview: "RGB | None" = None) -> None:
        # What several report to is shown by the first alone: a picture of one is for nobody else to see.
        self._report((self._number + fraction) / self._count, None if self._number else preview)


class _OneByOneError(Exception):
    """These cannot be painted together."""


class _Undivided:
    """The report of several that are painted together. What a pipeline notes meanwhile, such as a prompt that it did
    not read to the end, is of one of them, and nobody knows which."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.phase, self.stop_if_cancelled = report.phase, report.stop_if_cancelled

    def __call__(self, fraction: float, /, preview: "RGB | None" = None) -> None:
        self._report(fraction, preview)

    def note(self, **parameters: Any) -> None:
        raise _OneByOneError


def _strength(how: Mapping[str, Any]) -> dict[str, Any]:
    return {"strength": how["strength"]} if "strength" in how else {}


def _picture(pixels: "RGB", most: int) -> Image.Image:
    """At the size it has, unless it is smaller than a model reads, or has more than ``most`` pixels: a reference costs
    as much as what is painted."""
    picture = Image.fromarray(pixels)
    scale = max(min(math.sqrt(most / (picture.width * picture.height)), 1.0), _SMALLEST_REFERENCE / min(picture.size))
    if scale == 1.0:
        return picture
    return picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BICUBIC)


def _delivered(picture: "np.ndarray", spec: ImageSpec) -> PaintedImage:
    """(height, width, 3) of 0 to 1, at the size that was asked for."""
    if not np.isfinite(picture).all():
        raise BadOutputError("the decoded picture is not finite: try dtype bfloat16 or float32")
    pixels = np.rint(picture * 255).astype(np.uint8)
    return PaintedImage(fitted(pixels, spec.width, spec.height))
