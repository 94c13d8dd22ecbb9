"""A tiny model behind its adapter, as a worker has it: from the entry of a catalog and a folder of weights."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from models.catalog import Model
from models.catalog_file import load_catalog
from models.device import Device

ENTRIES = Path(__file__).parent / "entries"


def entry_of(name: str, root: Path, build: Callable[[Path], None]) -> Model:
    """The entry ``name`` with its weights built into ``root``, unless they are there already."""
    if not (root / name).exists():
        (root / name).mkdir(parents=True)
        build(root / name)
    (root / f"{name}.toml").write_text((ENTRIES / f"{name}.toml").read_text(encoding="utf-8"), encoding="utf-8")
    (model,) = load_catalog(root / f"{name}.toml").entries
    return model


def adapter_of(model: Model) -> Any:
    """Not loaded yet."""
    assert model.adapter is not None and model.weights is not None and model.weights.path is not None
    module, _, name = model.adapter.partition(":")
    return getattr(import_module(module), name)(model, model.weights.path, Device("cpu"))
