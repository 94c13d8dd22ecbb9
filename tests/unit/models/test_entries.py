"""Entries of models with weights: a wrong one is named by its line, a license that forbids the use refuses it."""

from pathlib import Path

import pytest

from models.catalog import CatalogError, NoModelError
from models.catalog_file import read_catalog
from models.options import PainterOptions
from models.sources import Usage, Weights

ENTRY = """\
# A comment.

[[model]]
id = "painter"
display_name = "Painter"
tasks = ["text_to_image"]
adapter = "models.diffusion.painter:DiffusionPainter"
device = "gpu"
license = "Apache-2.0"
vram_gb = 16
weights.hub = "acme/painter"
options.pipeline = "ZImagePipeline"
options.steps = 8
"""


def written(directory: Path, text: str) -> Path:
    path = directory / "catalog.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(directory: Path, text: str) -> str:
    with pytest.raises(CatalogError) as caught:
        read_catalog(written(directory, text))
    return str(caught.value).removeprefix(str(directory / "catalog.toml"))


def test_an_entry_needs_nothing_but_itself(tmp_path: Path) -> None:
    model = read_catalog(written(tmp_path, ENTRY)).models["painter"]
    assert model.weights == Weights(hub="acme/painter")
    assert model.parsed_options == PainterOptions(pipeline="ZImagePipeline", steps=8)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('tasks = ["text_to_image"]', 'tasks = ["dreams"]', ":6: model painter: tasks: Input should be"),
        ("options.steps = 8", "options.steps = 0", ":13: model painter: options.steps: Input should be greater"),
        ("options.steps = 8", "", ":12: model painter: options.steps: Field required"),
        ("options.steps = 8", "options.stepps = 8", ":12: model painter: options.steps: Field required"),
        ("options.steps = 8", "options.steps = 8\noptions.speed = 2", ":14: model painter: options.speed: Extra"),
        ('"ZImagePipeline"', '"zimage"', ":12: model painter: options.pipeline: String should match"),
        ('weights.hub = "acme/painter"', "", ":3: model painter: weights: models.diffusion.painter"),
        ('weights.hub = "acme/painter"', 'weights.hub = "acme"', ":11: model painter: weights.hub: String should"),
        ("vram_gb = 16", 'weights.path = "x"', ":10: model painter: weights: exactly one of hub, path and url"),
        ('device = "gpu"', 'device = "tpu"', ":8: model painter: device: Input should be"),
        ('license = "Apache-2.0"', "", ":3: model painter: license: Field required"),
        ("vram_gb = 16", 'uses.embedding = "eyes"', ":10: model painter: uses.embedding: no entry eyes"),
        ("vram_gb = 16", 'paints_from_sheets = "other"', ":10: model painter: paints_from_sheets: no entry other"),
        (
            "options.steps = 8",
            'options.steps = 8\noptions.cache.kind = "first_block"',
            ":14: model painter: options.cache.measured_cost: Field required",
        ),
    ],
)
def test_a_wrong_entry_is_named_with_its_line(tmp_path: Path, before: str, after: str, said: str) -> None:
    assert before in ENTRY
    assert refused(tmp_path, ENTRY.replace(before, after)).startswith(said)


def test_the_second_of_two_entries_is_at_fault_with_its_own_line(tmp_path: Path) -> None:
    assert refused(tmp_path, ENTRY + ENTRY).startswith(":17: model painter: id: another entry has this id")


def test_a_catalog_includes_another_whose_defaults_come_second(tmp_path: Path) -> None:
    (tmp_path / "more.toml").write_text(ENTRY.replace('"painter"', '"second"') + "default = true\n")
    first = 'include = ["more.toml"]\n' + ENTRY + "default = true\n"
    catalog = read_catalog(written(tmp_path, first))
    assert list(catalog.models) == ["painter", "second"]
    assert catalog.default_for("text_to_image").id == "painter"
    (tmp_path / "more.toml").write_text(ENTRY.replace('"painter"', '"second"').replace("steps = 8", "steps = -1"))
    with pytest.raises(CatalogError, match=r"more\.toml:13: model second"):
        read_catalog(tmp_path / "catalog.toml")


def test_models_that_are_asked_first_and_do_not_understand_a_language_are_known(tmp_path: Path) -> None:
    english = ENTRY + 'languages = ["en"]\n'
    other = ENTRY.replace('"painter"', '"other"')
    assert [(m.id, language) for m, language in read_catalog(written(tmp_path, english + other)).unread()] == [
        ("painter", "zh")
    ]
    assert list(read_catalog(written(tmp_path, other + english)).unread()) == []
    assert refused(tmp_path, ENTRY + "languages = []\n").startswith(":14: model painter: languages: Tuple should have")


def test_a_kind_without_a_model_is_said_by_its_name(tmp_path: Path) -> None:
    catalog = read_catalog(written(tmp_path, ENTRY))
    assert catalog.first_for("speech") is None
    with pytest.raises(NoModelError, match="no model for speech") as caught:
        catalog.default_for("speech")
    assert caught.value.kind == "speech"


def test_a_file_that_is_included_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "more.toml").write_text('include = ["catalog.toml"]\n' + ENTRY.replace('"painter"', '"second"'))
    catalog = read_catalog(written(tmp_path, 'include = ["more.toml", "more.toml", "catalog.toml"]\n' + ENTRY))
    assert list(catalog.models) == ["painter", "second"]


def test_a_file_that_ships_is_included_by_its_name(tmp_path: Path) -> None:
    catalog = read_catalog(written(tmp_path, 'include = ["reelfarm:entries/z_image.toml", "reelfarm:catalog.toml"]'))
    assert catalog.default_for("text_to_image").id == "z-image-turbo"
    assert catalog.default_for("script").id == "draft-script"
    with pytest.raises(CatalogError, match=r"entries/nobody\.toml"):
        read_catalog(written(tmp_path, 'include = ["reelfarm:entries/nobody.toml"]'))


def test_a_relative_folder_counts_from_its_file(tmp_path: Path) -> None:
    text = ENTRY.replace('weights.hub = "acme/painter"', 'weights.path = "here/it/is"')
    weights = read_catalog(written(tmp_path, text)).models["painter"].weights
    assert weights is not None
    assert weights.folder(tmp_path / "elsewhere") == tmp_path / "here/it/is"


@pytest.mark.parametrize(
    ("terms", "usage", "said"),
    [
        ("terms.commercial = false", Usage(), "forbids commercial use"),
        ("terms.commercial = false", Usage(use="research"), None),
        ('terms.excluded_territories = ["EU", "KR"]', Usage(), "set REELFARM_TERRITORY"),
        ('terms.excluded_territories = ["EU", "KR"]', Usage(territory="DE"), "excludes DE"),
        ('terms.excluded_territories = ["EU", "KR"]', Usage(territory="KR"), "excludes KR"),
        ('terms.excluded_territories = ["EU", "KR"]', Usage(territory="JP"), None),
        ("terms.needs_acceptance = true", Usage(), "add painter to REELFARM_ACCEPTED_LICENSES"),
        ("terms.needs_acceptance = true", Usage(accepted=frozenset(["painter"])), None),
    ],
)
def test_a_license_that_forbids_the_use_keeps_the_model_out(
    tmp_path: Path, terms: str, usage: Usage, said: str | None
) -> None:
    other = ENTRY.replace('"painter"', '"other"')
    catalog = read_catalog(written(tmp_path, ENTRY + f"default = true\n{terms}\n" + other), usage)
    if said is None:
        assert (catalog.refused, catalog.default_for("text_to_image").id) == ({}, "painter")
        return
    assert said in catalog.refused["painter"]
    assert catalog.get("painter") is None
    assert [model.id for model in catalog.for_task("text_to_image")] == ["other"]
    assert catalog.default_for("text_to_image").id == "other"
