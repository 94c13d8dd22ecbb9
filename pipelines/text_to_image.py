"""Text to image: a picture, its thumbnail and, where the model knows it, how near everything is."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from models.interfaces import BatchPainter, Embedder, Note, PaintedImage, Painter, Report, UserInputError
from models.specs import ImageResult, ImageSpec
from pipelines import identity
from pipelines.context import PartOfTask, Progress, TaskContext
from pipelines.media import frames

if TYPE_CHECKING:
    from models.interfaces import RGB

_RUN_START, _RUN_SHARE = 0.05, 0.8


def run(spec: ImageSpec, model: Painter, context: TaskContext) -> ImageResult:
    """Raises UserInputError for a reference that is no picture, RuntimeError for a picture that came out blank."""
    images = fetch_references(spec, context)
    with context.phase("run"):
        # Asked for only where there is something to compare: asking loads it, and may push the painter aside.
        embedder = cast("Embedder | None", context.helper("embedding")) if identity.has_sheets(spec) else None
        judge = identity.judge_of(spec, images, embedder)
        if judge is None:
            return deliver(spec, model.paint(spec, images, progress_of_run(context)), context)
        painted, score = _paint_alike(spec, model, images, judge, context)
    return deliver(spec, painted, context, score)


def make_together(
    specs: Sequence[ImageSpec], model: BatchPainter, progress: Progress, notes: Sequence[Note]
) -> Sequence[PaintedImage]:
    """Pictures of one size that go by no others, in one call; each is then to be delivered. ``notes`` keep what was
    asked of the model for each."""
    with progress.phase("run"):
        return model.paint_batch(specs, {}, progress_of_run(progress), notes)


def _paint_alike(
    spec: ImageSpec, model: Painter, images: "Mapping[str, RGB]", judge: "identity.Judge", context: TaskContext
) -> tuple[PaintedImage, float]:
    """The picture whose characters are most like their sheets, of as many as the model's limits ask for."""
    limits = identity.limits_of(model)
    share = _RUN_SHARE / (limits.tries if limits.least is not None else 1)

    def paint(number: int, seed: int) -> PaintedImage:
        report = PartOfTask(context, _RUN_START + number * share, share)
        return model.paint(spec.model_copy(update={"seed": seed}), images, report)

    tries = identity.best_of(spec.seed, limits, paint, lambda painted: judge.score(painted.pixels))
    best = tries[0]
    context.note(
        seed=best.seed, identity=best.score, identity_tries=[{"seed": one.seed, "score": one.score} for one in tries]
    )
    return best.made, best.score


def fetch_references(spec: ImageSpec, context: TaskContext) -> "dict[str, RGB]":
    """Every picture the spec names, by key. A person uploaded them, so a broken one is that person's to change."""
    keys = list(spec.reference_keys)
    keys += spec.place.reference_keys if spec.place else []
    keys += [key for subject in spec.subjects for key in subject.reference_keys]
    with context.phase("fetch"):
        images = {}
        for key in dict.fromkeys(keys):
            try:
                images[key] = frames.load_image(context.fetch(key))
            except frames.UnreadableImageError as error:
                raise UserInputError(str(error), field="reference_image_url") from error
    return images


def progress_of_run(context: Progress) -> Report:
    return PartOfTask(context, _RUN_START, _RUN_SHARE)


def deliver(
    spec: ImageSpec, painted: PaintedImage, context: TaskContext, identity_score: float | None = None
) -> ImageResult:
    """Check what the model made and store it."""
    frames.check_picture(painted.pixels)
    height, width = painted.pixels.shape[:2]
    if (width, height) != (spec.width, spec.height):
        raise RuntimeError(f"the picture has {width}x{height} pixels, not {spec.width}x{spec.height}")
    with context.phase("upload"):
        image, thumbnail = context.work_dir / "image.png", context.work_dir / "thumbnail.jpg"
        frames.save_png(image, painted.pixels)
        frames.save_thumbnail(thumbnail, painted.pixels)
        depth = None
        if painted.depth is not None:
            depth_path = context.work_dir / "depth.png"
            frames.save_png(depth_path, painted.depth)
            depth = context.store(depth_path, "image/png")
        result = ImageResult(
            image=context.store(image, "image/png"),
            thumbnail=context.store(thumbnail, "image/jpeg"),
            depth=depth,
            width=width,
            height=height,
            identity=identity_score,
        )
    context.progress(1.0)
    return result
