"""Low-rank adaptations, added to the weights once: they cost nothing per step then, and nothing has to be wrapped."""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from models.options import Lora
from models.weighted import BadWeightsError

_DOWN, _UP = ".lora_A.weight", ".lora_B.weight"


def fuse_lora(pipeline: Any, folder: Path, lora: Lora) -> None:
    """Adds ``scale * alpha / rank * B @ A`` to each weight that the file adapts (LoRA, Hu et al. 2021); diffusers
    translates the names that other trainers give them. Raises BadWeightsError for what does not fit the pipeline, so
    that nothing of the file is left out unseen."""
    path = folder / lora.path
    try:
        # A file is read as it is given only by its folder and name; otherwise diffusers asks the hub.
        found = pipeline.lora_state_dict(
            str(path.parent), weight_name=path.name, use_safetensors=True, local_files_only=True
        )
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise BadWeightsError(f"{path}: {error}") from error
    # SDXL's answers with the alphas beside the weights; the others scaled the weights by them.
    weights, alphas = found if isinstance(found, tuple) else (found, {})
    names = {name.removesuffix(_DOWN).removesuffix(_UP) for name in weights}
    strange = [name for name in names if name + _DOWN not in weights or name + _UP not in weights]
    if strange or not names:
        raise BadWeightsError(f"{path}: {sorted(strange)[0] if strange else 'it'} is no low-rank adaptation")
    with torch.no_grad():
        for name in sorted(names):
            down, up = weights[name + _DOWN], weights[name + _UP]
            alpha = (alphas or {}).get(f"{name}.alpha", down.shape[0])
            _add(pipeline, path, name, down, up, lora.scale * float(alpha) / down.shape[0])


def _add(pipeline: Any, path: Path, name: str, down: torch.Tensor, up: torch.Tensor, scale: float) -> None:
    component, _, layer = name.partition(".")
    try:
        weight = getattr(pipeline, component).get_submodule(layer).weight
    except AttributeError as error:
        raise BadWeightsError(f"{path}: the pipeline has no {name}") from error
    # In 32 bits: the sum of two small numbers in 16 would lose most of the smaller one.
    change = up.to(weight.device, torch.float32).flatten(1) @ down.to(weight.device, torch.float32).flatten(1)
    if change.numel() != weight.numel():
        raise BadWeightsError(f"{path}: {name} is of another size than the pipeline's")
    weight.copy_((weight.float() + scale * change.view_as(weight)).to(weight.dtype))
