"""What the policy has to know of the catalog's models."""

from models.catalog import Catalog, Model
from scheduler.warmth import ModelProfile

_FIXED_LOAD_S = 1.0
_HOT_GB_PER_S = 10.0
_COLD_GB_PER_S = 1.0
_UNKNOWN_GB = 10.0
"""Of a model with weights whose entry does not say what it needs."""


def profiles(catalog: Catalog) -> dict[str, ModelProfile]:
    """By model id. What loads cost is a first guess: the policy follows what is measured."""
    return {model.id: _profile(model) for model in catalog.models.values()}


def _profile(model: Model) -> ModelProfile:
    if model.weights is None:
        return ModelProfile(device=model.device, gpus=model.gpus, needs=frozenset(model.needs))
    size_gb = model.vram_gb or _UNKNOWN_GB
    return ModelProfile(
        device=model.device,
        gpus=model.gpus,
        size_gb=size_gb,
        peak_gb=size_gb,
        hot_load_s=_FIXED_LOAD_S + size_gb / _HOT_GB_PER_S,
        cold_load_s=_FIXED_LOAD_S + size_gb / _COLD_GB_PER_S,
        needs=frozenset(model.needs),
        batch=model.batch,
    )
