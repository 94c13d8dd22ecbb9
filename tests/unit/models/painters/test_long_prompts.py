"""No prompt is cut unsaid: what a family reads in pieces it reads whole, what others leave out is noted. So
is a language that the model does not understand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.diffusion.encoding import pieces
from models.diffusion.painter import DiffusionPainter
from pipelines.context import LocalContext, PartOfTask
from tests.unit.models.painters.conftest import Make, spec_of

pytestmark = pytest.mark.xdist_group("torch")

Get = Callable[[str], DiffusionPainter]
LONG = "a wooden boat, its sails patched, drifts past the cliffs; " * 12
"""More bytes, and so tokens of the tiny tokenizers, than any but one of them reads."""


@pytest.fixture
def context(tmp_path: Path) -> LocalContext:
    return LocalContext(tmp_path)


def paint(painter: DiffusionPainter, context: LocalContext, **fields: Any) -> np.ndarray:
    context.parameters.clear()
    pixels: np.ndarray = painter.paint(spec_of(**fields), {}, PartOfTask(context, 0.0, 1.0)).pixels
    return pixels


@pytest.mark.parametrize("name", ["sdxl", "qwen_image_edit"])
@pytest.mark.parametrize("field", ["prompt", "negative_prompt"])
def test_the_end_of_a_long_prompt_counts(name: str, field: str, painter: Get, context: LocalContext) -> None:
    one = paint(painter(name), context, **{field: LONG + "at dawn"})
    assert "prompt_cut" not in context.parameters
    assert not np.array_equal(one, paint(painter(name), context, **{field: LONG + "at dusk"}))


def test_a_batch_of_long_prompts_is_read_whole_too(painter: Get, context: LocalContext) -> None:
    short, long = spec_of(prompt="a boat"), spec_of(prompt=LONG + "at dawn")
    other = spec_of(prompt=LONG + "at dusk")
    report = PartOfTask(context, 0.0, 1.0)
    one = painter("sdxl").paint_batch([short, long], {}, report, [report.note] * 2)
    two = painter("sdxl").paint_batch([short, other], {}, report, [report.note] * 2)
    assert np.array_equal(one[0].pixels, two[0].pixels)
    assert not np.array_equal(one[1].pixels, two[1].pixels)


def test_what_was_cut_is_noted_of_the_one_that_was_cut(painter: Get, context: LocalContext) -> None:
    noted: list[dict[str, Any]] = [{}, {}]
    notes = [lambda of=of, **more: of.update(more) for of in noted]
    report = PartOfTask(context, 0.0, 1.0)
    painter("z_image").paint(spec_of(prompt="a boat"), {}, report)
    alone = len(context.previews)
    assert alone
    painter("z_image").paint_batch([spec_of(prompt="a boat"), spec_of(prompt=LONG)], {}, report, notes)
    assert ["prompt_cut" in of for of in noted] == [False, True]
    assert len(context.previews) == 2 * alone, "of the first only: who watches it has no business with the others"


@pytest.mark.parametrize("name", ["z_image", "flux2_klein"])
def test_what_a_model_does_not_read_is_noted_each_time(name: str, painter: Get, context: LocalContext) -> None:
    for _ in range(2):  # the second time the prompt is remembered, not read
        paint(painter(name), context, prompt=LONG)
        (cut,) = context.parameters["prompt_cut"]
        assert cut["tokens"] > len(LONG) > cut["read"] == 512
    paint(painter(name), context, prompt="a boat")
    assert "prompt_cut" not in context.parameters


def test_a_longer_prompt_is_read_where_the_entry_says_so(make: Make, context: LocalContext) -> None:
    painter = make("z_image", arguments={"max_sequence_length": 1000})
    painter.load()
    paint(painter, context, prompt=LONG)
    assert "prompt_cut" not in context.parameters


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("short", ["short"]),
        ("a boat, a cliff, a gull", ["a boat,", " a cliff,", " a gull"]),
        ("船过悬崖，海鸥在叫，天亮了。", ["船过悬崖，海鸥在叫，", "天亮了。"]),
        ("one two three four", ["one two ", "three four"]),
        ("abcdefghijklmno", ["abcdefghij", "klmno"]),
        ("a b, cccccccccccc d", ["a b, ccccc", "ccccccc d"]),
    ],
)
def test_a_text_is_broken_where_it_hurts_least(text: str, broken: list[str]) -> None:
    assert pieces(text, lambda piece: len(piece) <= 10) == broken
    assert "".join(broken) == text


def test_a_language_that_the_model_does_not_understand_is_noted(painter: Get, context: LocalContext) -> None:
    paint(painter("sdxl"), context, prompt="老人坐在树下")
    assert context.parameters["language_not_understood"] == "zh"
    assert context.parameters["prompt"].startswith("Medium shot from the waist up. 老人坐在树下")
    paint(painter("sdxl"), context, prompt="an old man under a tree")
    assert "language_not_understood" not in context.parameters
    paint(painter("z_image"), context, prompt="老人坐在树下")
    assert "language_not_understood" not in context.parameters
    assert context.parameters["prompt"].startswith("中景")
