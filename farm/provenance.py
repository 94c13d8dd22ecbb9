"""How an artifact was made, written down with it: enough to make it again, and to know what it was made from."""

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

from models.catalog import Model
from models.specs import Provenance, Spec
from models.weights import read_manifest

_ENGINES = ("torch", "diffusers", "transformers")


class Made(Protocol):
    """What an attempt knows of it."""

    parameters: dict[str, Any]
    timings_s: dict[str, float]


def provenance(kind: str, model: Model, spec: Spec, made: Made, models_dir: Path) -> Provenance:
    asked = spec.model_dump(mode="json")
    weights = model.weights
    manifest = read_manifest(weights.folder(models_dir)) if weights is not None else None
    return Provenance(
        task_kind=kind,
        model=model.id,
        source=weights.source if weights is not None else None,
        revision=manifest.revision if manifest is not None else None,
        weights_sha256=manifest.sha256 if manifest is not None else (weights.sha256 if weights is not None else None),
        seed=made.parameters.get("seed", asked.get("seed")),
        spec=asked,
        parameters=made.parameters,
        parents=list(dict.fromkeys(_keys(asked))),
        timings_s={phase: round(seconds, 3) for phase, seconds in made.timings_s.items()},
        software=_versions() if weights is not None else {"reelfarm": metadata.version("reelfarm")},
    )


def _versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in ("reelfarm", *_ENGINES)}


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
