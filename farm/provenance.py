"""How an artifact was made, written down with it: enough to make it again, and to know what it was made from."""

from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

from models.catalog import HelperKind, Model
from models.manifest import read_manifest
from models.specs import Helped, Provenance, Spec

_ENGINES = ("torch", "diffusers", "transformers")


class Made(Protocol):
    """What an attempt knows of it."""

    parameters: dict[str, Any]
    helpers: dict[HelperKind, Model]
    timings_s: dict[str, float]


def provenance(kind: str, model: Model, spec: Spec, made: Made, models_dir: Path) -> Provenance:
    asked = spec.model_dump(mode="json")
    named = _named(model, models_dir)
    return Provenance(
        task_kind=kind,
        **named.model_dump(),
        seed=made.parameters.get("seed", asked.get("seed")),
        spec=asked,
        parameters=made.parameters,
        options=_options(model),
        helpers={what: _named(helper, models_dir) for what, helper in made.helpers.items()},
        parents=list(dict.fromkeys(_keys(asked))),
        timings_s={phase: round(seconds, 3) for phase, seconds in made.timings_s.items()},
        software=_versions() if model.weights is not None else {"reelfarm": _version("reelfarm")},
    )


def _named(model: Model, models_dir: Path) -> Helped:
    """A model and exactly which weights of it."""
    weights = model.weights
    if weights is None:
        return Helped(model=model.id)
    manifest = read_manifest(weights.folder(models_dir))
    return Helped(
        model=model.id,
        source=weights.source,
        revision=manifest.revision if manifest is not None else None,
        weights_sha256=manifest.sha256 if manifest is not None else weights.sha256,
    )


def _options(model: Model) -> dict[str, Any]:
    """Those that its entry says and those that it leaves to the default, which another version may have changed."""
    options = model.parsed_options
    return model.options if options is None else options.model_dump(mode="json")


def _versions() -> dict[str, str]:
    return {name: _version(name) for name in ("reelfarm", *_ENGINES)}


@cache
def _version(name: str) -> str:
    return metadata.version(name)  # which parses a file each time


def _keys(value: Any, field: str = "") -> Iterator[str]:
    """Every store key that a spec names, wherever it is."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _keys(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner, field)
    elif isinstance(value, str) and field.endswith(("_key", "_keys")):
        yield value
