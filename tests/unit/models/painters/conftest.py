"""Tiny painters of the real classes, built once for all tests of this folder."""

import importlib
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.catalog import Model
from models.device import Device
from models.diffusion.painter import DiffusionPainter
from models.specs import ArtStyle, ImageSpec
from tests.tiny import painters

ENTRIES = Path(painters.__file__).parent / "entries"
NAMES = ("z_image", "flux2_klein", "sdxl", "qwen_image_edit")
SIZE = (96, 64)

Make = Callable[..., DiffusionPainter]


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("painters")
    for name in NAMES:
        getattr(painters, f"build_{name}")(root / name)
    return {name: root / name for name in NAMES}


@pytest.fixture(scope="session")
def make(folders: dict[str, Path]) -> Make:
    """A painter by its builder's name, not yet loaded, with other options than its entry has."""

    def make_painter(name: str, folder: Path | None = None, **options: Any) -> DiffusionPainter:
        entry = tomllib.loads((ENTRIES / f"{name}.toml").read_text(encoding="utf-8"))["model"][0]
        folder = folder or folders[name]
        entry["weights"]["path"] = str(folder)
        entry["options"] |= options
        return DiffusionPainter(Model.model_validate(entry), folder, Device("cpu"))

    return make_painter


@pytest.fixture(scope="session")
def painter(make: Make) -> Iterator[Callable[[str], DiffusionPainter]]:
    """Painters as their entries say, loaded when first asked for."""
    loaded: dict[str, DiffusionPainter] = {}

    def get(name: str) -> DiffusionPainter:
        if name not in loaded:
            loaded[name] = make(name)
            loaded[name].load()
        return loaded[name]

    yield get
    for each in loaded.values():
        each.unload()


@pytest.fixture(scope="session", autouse=True)
def small_references() -> Iterator[None]:
    """Qwen reads its references at a megapixel, whatever their size; here at a sixteenth of it, for time."""
    module = importlib.import_module("diffusers.pipelines.qwenimage.pipeline_qwenimage_edit_plus")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "VAE_IMAGE_SIZE", 256 * 256)
        yield


def spec_of(**fields: Any) -> ImageSpec:
    width, height = SIZE
    return ImageSpec.model_validate(
        {"prompt": "a red fox", "width": width, "height": height, "seed": 5, "style": ArtStyle(style_name="")} | fields
    )


def picture(seed: int, width: int = 96, height: int = 64) -> Any:
    """Coarse blocks of colour, so that a VAE sees more than noise."""
    blocks = np.random.default_rng(seed).integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8)
    return blocks.repeat(16, axis=0).repeat(16, axis=1)
