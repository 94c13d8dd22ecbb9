"""The entries that operators use fit the installed diffusers."""

import tomllib
from pathlib import Path

import pytest

import models
from models.catalog import Model
from models.diffusion.pipeline import pipeline_class
from models.options import PainterOptions
from tests.unit.models.painters.conftest import ENTRIES, NAMES

pytestmark = pytest.mark.xdist_group("torch")

OURS = Path(models.__file__).parent / "entries" if models.__file__ else Path(models.__path__[0]) / "entries"


def entries(folder: Path) -> list[Model]:
    return [
        Model.model_validate(entry)
        for name in NAMES
        for entry in tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))["model"]
    ]


@pytest.mark.parametrize("folder", [OURS, ENTRIES], ids=["full", "tiny"])
def test_entries_name_pipelines_and_arguments_that_exist(folder: Path) -> None:
    found = entries(folder)
    for model in found:
        assert isinstance(model.parsed_options, PainterOptions)
        pipeline_class(model.parsed_options)


def test_full_size_models_say_where_they_are_from_and_on_which_terms() -> None:
    for model in entries(OURS):
        assert model.weights is not None and model.weights.hub
        assert model.device == "gpu"
        assert model.license
