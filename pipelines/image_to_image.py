"""Image to image: the first reference is the picture to change; the rest is as for text to image."""

from models.interfaces import Painter, UserInputError
from models.specs import ImageResult, ImageSpec
from pipelines.context import TaskContext
from pipelines.media.frames import cover_crop
from pipelines.text_to_image import deliver, fetch_references, progress_of_run


def run(spec: ImageSpec, model: Painter, context: TaskContext) -> ImageResult:
    """Raises UserInputError when no picture is named or it cannot be decoded."""
    if not spec.reference_keys:
        raise UserInputError("there is no picture to change", field="reference_image_url")
    images = fetch_references(spec, context)
    source = cover_crop(images[spec.reference_keys[0]], spec.width, spec.height)
    with context.phase("run"):
        painted = model.repaint(spec, source, images, progress_of_run(context))
    return deliver(spec, painted, context)
