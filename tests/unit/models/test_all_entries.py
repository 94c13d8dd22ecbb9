"""Every entry that ships, and every tiny one, can be served by the installed engines."""

from pathlib import Path

import pytest

from models.catalog import CatalogError
from models.catalog_file import DEFAULT_PATH, read_catalog
from models.check import check_entry, mismatches, problems
from models.sources import Usage
from models.weights import verify
from tests.tiny.collection import build

pytestmark = pytest.mark.xdist_group("torch")

SHIPPED = sorted((DEFAULT_PATH.parent / "entries").glob("*.toml"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny catalog, with two of its models built."""
    return build(tmp_path_factory.mktemp("tiny"), ["sdxl", "qwen3"])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_entry_fits_the_installed_engines(path: Path, tmp_path: Path) -> None:
    catalog = read_catalog(path)
    assert catalog.entries
    for model in catalog.entries:
        assert model.weights is not None
        assert model.weights.hub is not None, "where an operator gets it from"
        assert model.device == "gpu"
        assert model.license
        tasks = [kind for kind in model.tasks if kind not in {"alignment", "embedding"}]
        assert all(model.cost_of(kind).units(seconds=1, megapixels=1) > 0 for kind in tasks)
        check_entry(model, tmp_path)


def test_all_shipped_entries_go_together(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text("include = [" + ", ".join(f'"{file}"' for file in [*SHIPPED, DEFAULT_PATH]) + "]\n")
    assert len(read_catalog(path).entries) > len(SHIPPED)


def test_the_catalog_for_gpus_has_a_permissive_default_for_every_task() -> None:
    catalog = read_catalog(DEFAULT_PATH.with_name("catalog.gpu.toml"), Usage())
    assert "ltx-2" in catalog.refused
    for kind in ("script", "text_to_image", "image_to_image", "image_to_video", "speech", "music"):
        assert catalog.default_for(kind).device == "gpu", kind
        assert catalog.default_for(kind).license in {"Apache-2.0", "MIT"}, kind
    painter = catalog.from_sheets(catalog.default_for("text_to_image").id)
    assert painter is not None
    assert catalog.helper(painter, "embedding") is not None
    assert catalog.helper(catalog.default_for("speech"), "alignment") is not None


def test_a_class_or_an_argument_that_does_not_exist_is_named_with_its_line(tiny: Path, tmp_path: Path) -> None:
    text = tiny.read_text().replace('path = "sdxl"', f'path = "{tiny.parent / "sdxl"}"')
    wrong = tmp_path / "catalog.toml"
    line = text.splitlines().index('pipeline = "StableDiffusionXLPipeline"') + 1
    for before, after, said in (
        ('"StableDiffusionXLPipeline"', '"StableDiffusionXXLPipeline"', "has no pipeline StableDiffusionXXLPipeline"),
        ('"StableDiffusionXLPipeline"', '"ZImagePipeline"', "the catalog says ZImagePipeline"),
    ):
        wrong.write_text(text.replace(before, after))
        (found,) = problems(read_catalog(wrong), wrong, ["tiny-sdxl"], tmp_path)
        assert found.startswith(f"{wrong}:{line}: model tiny-sdxl: options.pipeline: ")
        assert said in found
    extra = 'pipeline = "StableDiffusionXLPipeline"\narguments = { dream = 1 }'
    wrong.write_text(text.replace('pipeline = "StableDiffusionXLPipeline"', extra))
    (found,) = problems(read_catalog(wrong), wrong, ["tiny-sdxl"], tmp_path)
    assert found == f"{wrong}:{line + 1}: model tiny-sdxl: options.arguments: StableDiffusionXLPipeline takes no dream"


def test_tensors_of_another_shape_are_found_without_loading_them(tiny: Path) -> None:
    from safetensors.torch import load_file, save_file

    for name in ("sdxl", "qwen3"):
        assert list(mismatches(tiny.parent / name)) == []
        assert verify(tiny.parent / name).problems == ()
    path = tiny.parent / "qwen3" / "model.safetensors"
    tensors = load_file(path)
    first = sorted(tensors)[0]
    save_file(tensors | {first: tensors[first][:1].clone()}, path, metadata={"format": "pt"})
    (found,) = mismatches(tiny.parent / "qwen3")
    assert first in found
    assert "has shape" in found


@pytest.mark.parametrize(
    ("adapter", "said"),
    [
        ("nobody.knows:It", r"cannot import nobody\.knows"),
        ("models.draft.painter:DraftPainter", "DraftPainter is no adapter of models with weights"),
    ],
)
def test_an_adapter_that_is_none_is_named(tmp_path: Path, adapter: str, said: str) -> None:
    from tests.unit.models.test_entries import ENTRY, written

    text = ENTRY.replace("models.diffusion.painter:DiffusionPainter", adapter)
    text = "\n".join(line for line in text.splitlines() if not line.startswith("options"))
    (model,) = read_catalog(written(tmp_path, text)).entries
    with pytest.raises(CatalogError, match=said) as caught:
        check_entry(model, tmp_path)
    assert (caught.value.model_id, caught.value.field) == ("painter", "adapter")
