"""How a pipeline fits a card: what stays in host memory while it runs, in how many bits, and whether in tiles."""

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import safe_open

from models.device import Device
from models.options import Offload
from models.pretrained import KEPT_WHOLE
from models.weights import BadWeightsError, weight_files

Offloading = Literal["none", "model", "group", "sequential"]

# What decoding one pixel takes at its peak, in 16-bit numbers: a few pictures of 256 channels, which is as wide as the
# last layers of the usual VAEs are. It dwarfs what a step of denoising takes.
_BYTES_PER_PIXEL = 2500
_TILE_PIXELS = 512 * 512
# A stream holds the block that computes and the one that comes; models have at least sixteen of them.
_STREAMED_SHARE = 8

# What is read past the hooks that would bring it: pipelines and engines take these tensors themselves.
_READ_DIRECTLY = ("AceStepConditionEncoder",)

DENOISERS = ("transformer", "transformer_2", "unet")
_QUANTIZED = (*DENOISERS, "text_encoder", "text_encoder_2", "text_encoder_3")
_BYTES_PER_WEIGHT = {"fp8": 1.0, "nf4": 0.55}


def component_bytes(
    folder: Path,
    dtype: torch.dtype,
    *,
    variant: str | None = None,
    quantization: str = "none",
    exact: Collection[str] = (),
) -> dict[str, int]:
    """What each component's weights will take, by the headers of their files, in the order that they are loaded in;
    those that are ``exact`` take 32 bits each. Raises BadWeightsError where there are none."""
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    sizes = {}
    for name in index:
        weights = sum(weights_in(path) for path in weight_files(folder / name, variant))
        if weights:
            itemsize = torch.float32.itemsize if name in exact else dtype.itemsize
            each = _BYTES_PER_WEIGHT.get(quantization, itemsize) if name in _QUANTIZED else itemsize
            sizes[name] = int(weights * each)
    if not sizes:
        raise BadWeightsError(f"{folder}: no safetensors{f' of the variant {variant}' if variant else ''}")
    return sizes


def weights_in(path: Path) -> int:
    """How many numbers a safetensors file holds."""
    with safe_open(str(path), "pt") as file:
        return sum(int(torch.Size(file.get_slice(name).get_shape()).numel()) for name in file.keys())  # noqa: SIM118


def activation_bytes(pixels: int, dtype: torch.dtype) -> int:
    """About what computing a picture of so many pixels takes, beside the weights."""
    return pixels * _BYTES_PER_PIXEL * dtype.itemsize // 2


def choose_tiling(activation: int, card: int) -> bool:
    """In tiles where decoding whole would take a quarter of the card: tiles can be told in the picture, a little."""
    return activation * 4 > card


def choose_offload(wanted: Offload, components: Mapping[str, int], activation: int, card: int) -> Offloading:
    """``auto``: the fastest mode that fits ``card`` bytes. Everything stays where it fits; else one component at a
    time; else its blocks come as they are needed; else its layers."""
    if wanted != "auto":
        return wanted
    sizes = list(components.values())
    if sum(sizes) + activation <= card:
        return "none"
    largest = max(sizes)
    if largest + activation <= card:
        return "model"
    return "group" if largest // _STREAMED_SHARE + activation <= card else "sequential"


def plan(
    device: Device, wanted: Offload, components: Mapping[str, int], pixels: int, dtype: torch.dtype
) -> tuple[Offloading, bool]:
    """The mode, and whether to decode in tiles. On a CPU there is nowhere to move weights to; ``group`` goes through
    the same motions there."""
    card = device.total_bytes
    activation = activation_bytes(pixels, dtype)
    tiled = choose_tiling(activation, card)
    if tiled:
        activation = min(activation, activation_bytes(_TILE_PIXELS, dtype))
    if device.kind == "cpu":
        return ("group" if wanted == "group" else "none"), tiled
    return choose_offload(wanted, components, activation, card), tiled


def offload(pipeline: Any, mode: Offloading, device: Device) -> None:
    """The pipeline's weights are in host memory, and get onto the device while they are needed."""
    if mode == "model":
        pipeline.enable_model_cpu_offload(device=device.torch)
    elif mode == "sequential":
        pipeline._exclude_from_cpu_offload = [*pipeline._exclude_from_cpu_offload, *_unhookable(pipeline)]
        pipeline.enable_sequential_cpu_offload(device=device.torch)
    elif mode == "group":
        streamed = device.kind == "cuda"
        pipeline.enable_group_offload(
            onload_device=device.torch,
            offload_device=torch.device("cpu"),
            # By leaf, because a VAE is entered by ``decode`` and ``encode``, where no hook of a block would be.
            offload_type="leaf_level",
            use_stream=streamed,
            non_blocking=streamed,
            exclude_modules=_unhookable(pipeline),
        )


def _unhookable(pipeline: Any) -> list[str]:
    """Components that cannot come layer by layer; they are small, and stay on the device."""
    return [
        name
        for name, component in pipeline.components.items()
        if isinstance(component, torch.nn.Module)
        and (
            not getattr(component, "_supports_group_offloading", True)
            or type(component).__name__ in _READ_DIRECTLY
            or any(isinstance(part, torch.nn.MultiheadAttention) for part in component.modules())
        )
    ]


def decode_in_tiles(pipeline: Any) -> None:
    vae = getattr(pipeline, "vae", None)
    for enable in ("enable_tiling", "enable_slicing"):
        if hasattr(vae, enable):
            getattr(vae, enable)()


def nf4(components: Iterable[str], dtype: torch.dtype) -> Any:
    """How diffusers is told to keep the large ones of ``components`` in 4 bits (bitsandbytes' NormalFloat: QLoRA,
    Dettmers et al. 2023)."""
    from diffusers import PipelineQuantizationConfig

    return PipelineQuantizationConfig(
        quant_backend="bitsandbytes_4bit",
        quant_kwargs={"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_compute_dtype": dtype},
        components_to_quantize=[name for name in components if name in _QUANTIZED],
    )


def cast_to_fp8(pipeline: Any, dtype: torch.dtype) -> None:
    """Keep the linear layers and convolutions of the denoisers and text encoders as 8-bit floats, which are cast to
    ``dtype`` while they compute."""
    from diffusers.hooks import apply_layerwise_casting

    for name in _QUANTIZED:
        module = getattr(pipeline, name, None)
        if module is None:
            continue
        if hasattr(module, "enable_layerwise_casting"):
            module.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=dtype)
        else:
            # Not the embeddings: a text encoder's first tensor tells pipelines which dtype it computes in.
            apply_layerwise_casting(
                module,
                torch.float8_e4m3fn,
                dtype,
                skip_modules_pattern=KEPT_WHOLE,
                skip_modules_classes=(torch.nn.Embedding,),
            )
