"""A catalog file says what each model's tasks cost, and is refused where it says something that would not count."""

from pathlib import Path

import pytest

from models.catalog import CatalogError, Cost
from models.catalog_file import load_catalog
from scheduler.profiles import profiles

ENTRY = """
[[model]]
id = "painter"
display_name = "Painter"
tasks = ["text_to_image", "image_to_image", "image_to_video"]
license = "x"
"""


def catalog_file(directory: Path, more: str) -> Path:
    path = directory / "catalog.toml"
    path.write_text(ENTRY + more)
    return path


def test_a_task_can_cost_something_else_than_its_model(tmp_path: Path) -> None:
    more = "cost.base = 1\ncost.per_megapixel = 2\ncost.per_second = 3\ntask_cost.image_to_image.base = 4"
    model = load_catalog(catalog_file(tmp_path, more)).models["painter"]
    assert model.cost_of("text_to_image") == Cost(base=1, per_megapixel=2, per_second=3)
    assert model.cost_of("image_to_image") == Cost(base=4)


def test_only_what_is_probed_can_be_needed(tmp_path: Path) -> None:
    catalog = load_catalog(catalog_file(tmp_path, 'device = "gpu"\nneeds = ["nvenc"]'))
    assert profiles(catalog)["painter"].needs == {"nvenc"}


@pytest.mark.parametrize(
    ("more", "wrong"),
    [('device = "gpu"\nneeds = ["magic"]', "needs: Input should be 'nvenc'"), ('needs = ["nvenc"]', "needs: nvenc is")],
)
def test_a_need_that_nobody_could_meet_is_refused(tmp_path: Path, more: str, wrong: str) -> None:
    with pytest.raises(CatalogError, match=f"model painter: {wrong}"):
        load_catalog(catalog_file(tmp_path, more))


def test_every_task_of_the_catalog_that_ships_costs_something() -> None:
    for model in load_catalog().models.values():
        for kind in model.tasks:
            assert model.cost_of(kind).units(seconds=1, megapixels=1) > 0, (model.id, kind)


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ("cost.base = -1", "cost.base"),
        ("cost.base = nan", "cost.base"),
        ("cost.base = inf", "cost.base"),
        ("cost.base = true", "cost.base"),
        ('cost.base = "1"', "cost.base"),
        ("cost.per_minute = 1", "cost.per_minute"),
        ("task_cost.image_to_image.per_pixel = 1", "task_cost.image_to_image.per_pixel"),
        ("task_cost.image_to_image.base = -1", "task_cost.image_to_image.base"),
        ("task_cost.image_to_image = 1", "task_cost.image_to_image"),
        ("task_cost.dreams.base = 1", "task_cost.dreams"),
        ("task_cost.speech.base = 1", "task_cost.speech: this model's tasks are text_to_image"),
        ("task_cost.image_to_image.per_second = 1", "task_cost.image_to_image.per_second: only"),
        ("cost.per_second = 1\ntask_cost.image_to_video.base = 1", "cost.per_second: only"),
    ],
)
def test_a_price_that_would_not_count_is_refused(tmp_path: Path, more: str, wrong: str) -> None:
    with pytest.raises(CatalogError) as caught:
        load_catalog(catalog_file(tmp_path, more))
    assert f"model painter: {wrong}" in str(caught.value)
