"""Every painter of diffusers paints what it is asked, the same for the same, and tells how far it is."""

from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from models.diffusion.painter import DiffusionPainter
from models.diffusion.previews import Previews
from models.interfaces import UserInputError
from models.specs import Framing, Place, Subject
from pipelines.context import LocalContext, PartOfTask, TaskCancelled
from tests.unit.models.painters.conftest import NAMES, Make, picture, spec_of

pytestmark = pytest.mark.xdist_group("torch")

Get = Callable[[str], DiffusionPainter]
WITH_REFERENCES = ("flux2_klein", "qwen_image_edit")
CHANGING = NAMES


@pytest.fixture
def context(tmp_path: Path) -> LocalContext:
    return LocalContext(tmp_path)


def paint(painter: DiffusionPainter, context: LocalContext, images: dict[str, Any] | None = None, **fields: Any) -> Any:
    return painter.paint(spec_of(**fields), images or {}, PartOfTask(context, 0.0, 1.0)).pixels


def repaint(
    painter: DiffusionPainter, context: LocalContext, source: Any, images: dict[str, Any] | None = None, **fields: Any
) -> Any:
    return painter.repaint(spec_of(**fields), source, images or {}, PartOfTask(context, 0.0, 1.0)).pixels


@pytest.mark.parametrize("name", NAMES)
def test_it_paints_the_same_picture_of_the_same_spec(name: str, painter: Get, context: LocalContext) -> None:
    first = paint(painter(name), context, width=100, height=70)
    assert first.shape == (70, 100, 3)
    assert first.dtype == np.uint8
    assert first.std() > 5
    other = paint(painter(name), context, prompt="a blue whale far out at sea", seed=9, negative_prompt="boats")
    assert np.array_equal(first, paint(painter(name), context, width=100, height=70))
    assert not np.array_equal(other[:64, :96], first[:64, :96])


@pytest.mark.parametrize("name", NAMES)
def test_a_fresh_painter_paints_it_too(name: str, painter: Get, make: Make, context: LocalContext) -> None:
    paint(painter(name), context, seed=77)
    fresh = make(name)
    fresh.load()
    assert np.array_equal(paint(fresh, context), paint(painter(name), context))
    fresh.unload()
    assert fresh.weight_bytes == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "change",
    [{"prompt": "一只蓝色的鲸鱼"}, {"seed": 6}, {"negative_prompt": "green leaves"}],
    ids=lambda c: next(iter(c)),
)
def test_prompt_seed_and_negative_prompt_matter(
    name: str, change: dict[str, Any], painter: Get, context: LocalContext
) -> None:
    assert not np.array_equal(paint(painter(name), context), paint(painter(name), context, **change))


@pytest.mark.parametrize("name", WITH_REFERENCES)
def test_references_matter(name: str, painter: Get, context: LocalContext) -> None:
    images = {"a": picture(1), "b": picture(2, 64, 96), "c": picture(3)}
    subjects = [Subject(name="Lin", reference_keys=["a"])]
    one = paint(painter(name), context, images, subjects=subjects)
    other = paint(painter(name), context, images | {"a": picture(4)}, subjects=subjects)
    assert not np.array_equal(one, other)
    place = Place(name="the yard", reference_keys=["b"])
    both = paint(painter(name), context, images, subjects=subjects, place=place, reference_keys=["c"])
    changed = paint(
        painter(name), context, images | {"c": picture(5)}, subjects=subjects, place=place, reference_keys=["c"]
    )
    assert not np.array_equal(both, changed)
    assert context.parameters["references"] == ["a", "b", "c"]
    assert "Lin" in context.parameters["prompt"]


def test_as_many_references_as_the_model_takes_first_those_of_everybody(make: Make, context: LocalContext) -> None:
    painter = make("flux2_klein", references=3, steps=1)
    painter.load()
    subjects = [Subject(name="Lin", reference_keys=["a", "b"]), Subject(name="Mo", reference_keys=["c"])]
    images = {key: picture(number) for number, key in enumerate("abcde")}
    paint(painter, context, images, subjects=subjects, place=Place(reference_keys=["d"]), reference_keys=["e", "a"])
    assert context.parameters["references"] == ["a", "c", "b"]


def test_a_painter_without_references_paints_without(painter: Get, context: LocalContext) -> None:
    paint(painter("sdxl"), context, {"a": picture(1)}, subjects=[Subject(name="Lin", reference_keys=["a"])])
    assert context.parameters["references"] == []


@pytest.mark.parametrize("name", CHANGING)
def test_it_changes_a_picture(name: str, painter: Get, context: LocalContext) -> None:
    source = picture(7)
    first = repaint(painter(name), context, source, reference_keys=["source"])
    assert first.shape == source.shape
    assert context.parameters["mode"] == "repaint"
    assert not np.array_equal(first, repaint(painter(name), context, picture(8), reference_keys=["source"]))
    prompted = repaint(painter(name), context, source, reference_keys=["source"], prompt="snow on every roof")
    assert not np.array_equal(first, prompted)
    assert np.array_equal(first, repaint(painter(name), context, source, reference_keys=["source"]))


def test_further_references_go_with_the_source(painter: Get, context: LocalContext) -> None:
    images = {"source": picture(7), "a": picture(1)}
    one = repaint(painter("flux2_klein"), context, picture(7), images, reference_keys=["source", "a"])
    assert context.parameters["references"] == ["a"]
    images["a"] = picture(2)
    other = repaint(painter("flux2_klein"), context, picture(7), images, reference_keys=["source", "a"])
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("name", ["z_image", "sdxl"])
def test_strength_says_how_much_is_painted_anew(name: str, make: Make, context: LocalContext) -> None:
    pictures = []
    for strength in (0.5, 1.0):
        painter = make(name, strength=strength)
        painter.load()
        context.fractions.clear()
        pictures.append(repaint(painter, context, picture(7)))
        assert len(context.fractions) == round(4 * strength)
        assert context.fractions[-1] == 1.0
    assert not np.array_equal(*pictures)


def test_a_model_that_cannot_change_pictures_says_so(make: Make, context: LocalContext) -> None:
    painter = make("flux2_klein", references=0)
    painter.load()
    with pytest.raises(UserInputError, match="cannot change pictures"):
        repaint(painter, context, picture(1))


@pytest.mark.parametrize("name", NAMES)
def test_each_step_is_told_with_previews(name: str, painter: Get, context: LocalContext) -> None:
    paint(painter(name), context, width=192, height=128)
    steps = painter(name).options.steps
    assert context.fractions == pytest.approx([step / steps for step in range(1, steps + 1)])
    assert len(context.previews) == 1
    preview = context.previews[0]
    assert preview.shape == (85, 128, 3) or max(preview.shape[:2]) in {112, 120, 128}
    assert preview.dtype == np.uint8
    assert preview.std() > 1
    assert context.phases == ["decode"]


@pytest.mark.parametrize("name", NAMES)
def test_a_preview_is_what_the_pipeline_would_decode(name: str, painter: Get) -> None:
    pipeline = painter(name).pipeline
    arguments = {"prompt": "a red fox", "width": 128, "height": 64, **painter(name).options.arguments}
    if name == "qwen_image_edit":
        arguments["image"] = [Image.fromarray(picture(1))]
    seen: list[Any] = []

    def remember(pipeline: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        seen.append(tensors["latents"])
        return tensors

    with torch.inference_mode():
        whole = pipeline(num_inference_steps=2, output_type="np", callback_on_step_end=remember, **arguments).images[0]
        previews = Previews(pipeline, arguments)
        previews.start(seen[-1])
    preview = previews.take()
    assert preview is not None
    assert np.abs(preview - whole * 255).max() <= 1
    assert previews.take() is None


def test_no_previews_where_none_are_wanted(make: Make, context: LocalContext) -> None:
    painter = make("sdxl", preview_every=0)
    painter.load()
    paint(painter, context)
    assert context.previews == []


@pytest.mark.parametrize("name", NAMES)
def test_a_cancelled_painter_paints_on(name: str, painter: Get, context: LocalContext) -> None:
    whole = paint(painter(name), context)
    seen: list[float] = []

    class Cancelling(PartOfTask):
        def __call__(self, fraction: float, /, preview: Any = None) -> None:
            seen.append(fraction)
            if len(seen) == 2:
                raise TaskCancelled

    with pytest.raises(TaskCancelled):
        painter(name).paint(spec_of(seed=8), {}, Cancelling(context, 0.0, 1.0))
    assert len(seen) == 2
    assert np.array_equal(paint(painter(name), context), whole)


def test_a_task_cancelled_while_it_decodes_leaves_the_painter_usable(painter: Get, context: LocalContext) -> None:
    whole = paint(painter("z_image"), context)

    class Cancelling(PartOfTask):
        @contextmanager
        def phase(self, name: str, /) -> Any:
            raise TaskCancelled
            yield

    with pytest.raises(TaskCancelled):
        painter("z_image").paint(spec_of(), {}, Cancelling(context, 0.0, 1.0))
    assert np.array_equal(paint(painter("z_image"), context), whole)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_the_pictures_one_by_one(name: str, painter: Get, context: LocalContext) -> None:
    specs = [
        spec_of(),
        spec_of(prompt="a blue whale", seed=6),
        spec_of(prompt="一座山 in the mist", seed=7, negative_prompt="people", framing=Framing.SCENE),
    ]
    report = PartOfTask(context, 0.0, 1.0)
    noted: list[dict[str, Any]] = [{}, {}, {}]
    together = painter(name).paint_batch(specs, {}, report, [lambda of=of, **more: of.update(more) for of in noted])
    assert context.fractions == sorted(context.fractions)
    assert context.fractions[-1] == 1.0
    assert [of["seed"] for of in noted] == [spec.seed for spec in specs]
    assert "a blue whale" in noted[1]["prompt"] and "a blue whale" not in noted[0]["prompt"]
    for spec, painted in zip(specs, together, strict=True):
        alone = painter(name).paint(spec, {}, report).pixels
        assert np.abs(painted.pixels.astype(int) - alone.astype(int)).max() <= 1


def test_a_batch_has_one_size_and_one_set_of_references(painter: Get, context: LocalContext) -> None:
    for other in (spec_of(width=128), spec_of(reference_keys=["a"])):
        with pytest.raises(ValueError, match="one size"):
            report = PartOfTask(context, 0.0, 1.0)
            painter("flux2_klein").paint_batch([spec_of(), other], {"a": picture(1)}, report, [report.note] * 2)
