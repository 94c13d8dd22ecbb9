"""Low-rank adaptations, added to the weights once: they cost nothing per step then, and nothing has to be wrapped."""

from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers.utils.state_dict_utils import UNET_TO_DIFFUSERS, convert_state_dict
from safetensors import SafetensorError

from models.options import Lora
from models.weighted import BadWeightsError

V = TypeVar("V")

_DOWN, _UP = ".lora_A.weight", ".lora_B.weight"
# SDXL's files name the halves as older trainers did.
_NAMES = UNET_TO_DIFFUSERS | {".lora_linear_layer.down": ".lora_A", ".lora_linear_layer.up": ".lora_B"}


def fuse_lora(pipeline: Any, folder: Path, lora: Lora) -> None:
    """Adds ``scale * alpha / rank * B @ A`` to each weight that the file adapts (LoRA, Hu et al. 2021); diffusers
    translates the names that other trainers give them. Raises BadWeightsError for what does not fit the pipeline, so
    that nothing of the file is left out unseen."""
    path = folder / lora.path
    weights, alphas = _read(pipeline, path, lora.into)
    names = {name.removesuffix(_DOWN).removesuffix(_UP) for name in weights}
    strange = sorted(name for name in names if name + _DOWN not in weights or name + _UP not in weights)
    if strange or not names:
        raise BadWeightsError(f"{path}: {strange[0] if strange else 'it'} is no low-rank adaptation")
    with torch.no_grad():
        for name in sorted(names):
            down, up = weights[name + _DOWN], weights[name + _UP]
            alpha = alphas.get(name, alphas.get(name.partition(".")[0], down.shape[0]))
            _add(pipeline, path, name, down, up, lora.scale * float(alpha) / down.shape[0])


def _read(pipeline: Any, path: Path, into: str | None) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    """The halves by ``component.layer`` and their alphas by ``component.layer`` or ``component``. Most pipelines'
    translations scale the halves by the alphas instead. ``into`` is the component, whichever the file names."""
    if not path.is_file():
        raise BadWeightsError(f"{path}: no such file")
    try:
        weights, *alphas, metadata = pipeline.lora_state_dict(
            str(path.parent),
            weight_name=path.name,
            use_safetensors=True,
            local_files_only=True,
            return_lora_metadata=True,
        )
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise BadWeightsError(f"{path}: {error}") from error
    found = convert_state_dict(
        {name.removesuffix(".alpha"): alpha for name, alpha in (alphas[0] if alphas and alphas[0] else {}).items()},
        _NAMES,
    )
    by_name = {name.removesuffix(_DOWN): float(alpha) for name, alpha in found.items()}
    for name, value in (metadata or {}).items():
        component, _, field = name.partition(".")
        if field == "lora_alpha":
            by_name[component] = float(value)
    found_weights = convert_state_dict(weights, _NAMES)
    if into is None:
        return found_weights, by_name
    return _moved(found_weights, into), _moved(by_name, into)


def _moved(by_name: dict[str, V], component: str) -> dict[str, V]:
    """A file for the second of two denoisers names its layers as those of the only one."""
    parts = {name: name.partition(".") for name in by_name}
    return {component + dot + layer: by_name[name] for name, (_, dot, layer) in parts.items()}


def _add(pipeline: Any, path: Path, name: str, down: torch.Tensor, up: torch.Tensor, scale: float) -> None:
    component, _, layer = name.partition(".")
    try:
        module = getattr(pipeline, component)
        if not hasattr(module, "text_model"):  # as older releases of transformers have the layers of CLIP in
            layer = layer.removeprefix("text_model.")
        weight = module.get_submodule(layer).weight
    except AttributeError as error:
        raise BadWeightsError(f"{path}: the pipeline has no {name}") from error
    # In 32 bits: the sum of two small numbers in 16 would lose most of the smaller one.
    change = up.to(weight.device, torch.float32).flatten(1) @ down.to(weight.device, torch.float32).flatten(1)
    if change.numel() != weight.numel():
        raise BadWeightsError(f"{path}: {name} is of another size than the pipeline's")
    weight.copy_((weight.float() + scale * change.view_as(weight)).to(weight.dtype))
