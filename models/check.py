"""Whether a catalog can be served here: its adapters import, its classes exist in the installed engines and take what
the entries say. `python -m models.check CATALOG [ID...]`; with `--meta ID` the weights of one model are compared with
what its classes would be, without loading them.

Loads the engines of the entries it looks at, so the processes that serve ask it as a process of its own.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from models.catalog import Catalog, CatalogError, Model
from models.catalog_file import located, read_catalog
from models.manifest import files_of
from models.sources import Usage
from models.weights import BadWeightsError, check
from runtime.settings import get_settings


def check_entry(model: Model, models_dir: Path) -> None:
    """Raises CatalogError naming the field that is wrong."""
    if model.adapter is None:
        return
    module, _, name = model.adapter.partition(":")
    try:
        adapter = getattr(import_module(module), name)
    except ImportError as error:
        hint = " (pip install 'reelfarm[gpu]')" if error.name in {"torch", "diffusers", "transformers"} else ""
        raise CatalogError(f"cannot import {module}: {error}{hint}", model_id=model.id, field="adapter") from error
    except AttributeError as error:
        raise CatalogError(f"{module} has no {name}", model_id=model.id, field="adapter") from error
    if model.weights is None:
        return
    folder = model.weights.folder(models_dir)
    if model.weights.path is not None or folder.is_dir():
        try:
            check(folder)
        except BadWeightsError as error:
            raise CatalogError(str(error), model_id=model.id, field="weights") from error
    if not hasattr(adapter, "check"):
        raise CatalogError(f"{name} is no adapter of models with weights", model_id=model.id, field="adapter")
    adapter.check(model, folder)


def mismatches(folder: Path) -> Iterator[str]:
    """Where the tensors in a folder are not those of the classes that its configuration names. Reads headers alone."""
    parts = _parts(folder)
    if not parts:
        yield f"{folder}: no part of it has both a configuration with a class and weights"
    for part, class_name, library in parts:
        expected = _on_meta(part, class_name, library)
        found = dict(_stored(part))
        missing = sorted(expected.keys() - found.keys())
        for name in sorted(expected.keys() & found.keys()):
            if expected[name] != found[name]:
                yield f"{part}: {name} has shape {list(found[name])}, and {class_name} has {list(expected[name])}"
        if missing and len(missing) > len(expected) // 2:
            yield f"{part}: {len(missing)} tensors of {class_name} are missing, {missing[0]} first"
        elif not expected.keys() & found.keys():
            yield f"{part}: none of its tensors is one of {class_name}"


def _parts(folder: Path) -> list[tuple[Path, str, str]]:
    """Folders with weights, with their class and the library it is of."""
    found = []
    for config in sorted(folder.rglob("config.json")):
        if not any(path.suffix == ".safetensors" for path in config.parent.iterdir()):
            continue
        content = json.loads(config.read_bytes())
        if "_class_name" in content:
            found.append((config.parent, str(content["_class_name"]), "diffusers"))
        elif content.get("architectures"):
            found.append((config.parent, str(content["architectures"][0]), "transformers"))
    return found


def _on_meta(part: Path, class_name: str, library: str) -> dict[str, tuple[int, ...]]:
    import torch

    model_class: Any = getattr(import_module(library), class_name, None)
    if model_class is None:
        raise BadWeightsError(f"{part}: the installed {library} has no class {class_name}")
    with torch.device("meta"):
        if library == "diffusers":
            model = model_class.from_config(model_class.load_config(part))
        else:
            config = import_module("transformers").AutoConfig.from_pretrained(part, local_files_only=True)
            model = model_class._from_config(config)
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def _stored(part: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    from safetensors import safe_open

    for path in files_of(part):
        if path.suffix == ".safetensors" and path.parent == part:
            with safe_open(path, framework="numpy") as file:
                for name in file.keys():  # noqa: SIM118 - not a mapping
                    yield name, tuple(file.get_slice(name).get_shape())


def problems(catalog: Catalog, path: Path, ids: Sequence[str], models_dir: Path) -> Iterator[str]:
    for model in catalog.entries:
        if (ids and model.id not in ids) or model.id in catalog.refused:
            continue
        try:
            check_entry(model, models_dir)
        except CatalogError as error:
            yield str(located(path, error))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.check")
    parser.add_argument("catalog", type=Path)
    parser.add_argument("ids", nargs="*")
    parser.add_argument("--meta", metavar="ID", help="compare the weights of this model with its classes")
    given = parser.parse_args(arguments)
    settings = get_settings()
    catalog = read_catalog(given.catalog, Usage.of(settings))
    if given.meta is not None:
        model = catalog.get(given.meta)
        if model is None or model.weights is None:
            raise SystemExit(f"{given.meta}: no model with weights")
        try:
            found = list(mismatches(model.weights.folder(settings.models_folder)))
        except BadWeightsError as error:
            found = [str(error)]
    else:
        found = list(problems(catalog, given.catalog, given.ids, settings.models_folder))
    for problem in found:
        sys.stdout.write(f"{problem}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
