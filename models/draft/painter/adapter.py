"""The painter behind the interface that every text-to-image and image-to-image model has."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import cv2

from models.catalog import Model
from models.draft.painter.canvas import Canvas
from models.draft.painter.exposure import exposed
from models.draft.painter.grade import grade_of_style
from models.draft.painter.reading import read, words
from models.draft.painter.references import in_colours_of, pictures
from models.draft.painter.repaint import repaint_scene
from models.draft.painter.scene import paint_scene
from models.draft.painter.sheets import paint_sheet
from models.draft.painter.style import look_of_style
from models.draft.painter.techniques import CONTOURED, apply_technique
from models.interfaces import PaintedImage, Report
from models.specs import Framing, ImageSpec

if TYPE_CHECKING:
    from models.interfaces import RGB


class DraftPainter:
    def __init__(self, model: Model | None = None) -> None:
        self.model = model

    def load(self) -> None:
        # One task uses one core: the farm places as many tasks as there are cores.
        cv2.setNumThreads(1)
        words()

    def unload(self) -> None:
        words.cache_clear()

    def paint(self, spec: ImageSpec, images: "Mapping[str, RGB]", report: Report) -> PaintedImage:
        """Equal specs and images give equal pixels, in any process."""
        report(0.05)
        reading = read(spec)
        if spec.framing in {Framing.SHOT, Framing.SCENE}:
            canvas = paint_scene(spec, reading, images).canvas
        else:
            canvas = paint_sheet(spec, reading, images)
        report(0.5)
        shown = [*(spec.place.reference_keys if spec.place else ()), *spec.reference_keys]
        if shown:
            canvas.rgb = in_colours_of(canvas.rgb, pictures(shown, images))
        return _finish(spec, canvas, report)

    def repaint(self, spec: ImageSpec, source: "RGB", images: "Mapping[str, RGB]", report: Report) -> PaintedImage:
        """``source`` has the spec's size; further references lend their colours."""
        report(0.05)
        canvas = repaint_scene(spec, read(spec), source)
        report(0.5)
        if spec.reference_keys[1:]:
            canvas.rgb = in_colours_of(canvas.rgb, pictures(spec.reference_keys[1:], images))
        return _finish(spec, canvas, report)


def _finish(spec: ImageSpec, canvas: Canvas, report: Report) -> PaintedImage:
    depth = cv2.resize(canvas.depth, (spec.width, spec.height), interpolation=cv2.INTER_LINEAR)
    look = look_of_style(spec.style)
    if look.technique not in CONTOURED:
        canvas.settle()
    canvas.rgb = apply_technique(look.technique, canvas.rgb, depth)
    # Around a snowflake a contour would be a black dot.
    canvas.settle()
    # Before the grade, so that no tint of its shadows is raised with them, and after it, which may darken again.
    canvas.rgb = exposed(canvas.rgb, look.technique, ())
    pixels = exposed(grade_of_style(canvas.rgb, look), look.technique, canvas.faces)
    report(1.0)
    return PaintedImage(pixels, depth)
