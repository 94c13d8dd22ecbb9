"""How a language model fits a card: in how many bits, and whether its layers wait in host memory for their turn."""

from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import safe_open

from models.device import Device
from models.options import WriterOptions

Offloading = Literal["none", "model", "group", "sequential"]

_BYTES_PER_WEIGHT = {"fp8": 1.0, "nf4": 0.55}
_CONTEXT_SHARE = 0.2
"""What reading and writing takes beside the weights, as a share of them."""


def choose_offload(options: WriterOptions, folder: Path, device: Device) -> Offloading:
    """``auto``: everything on the device where it fits, else layer by layer. bitsandbytes' weights stay there, and a
    CPU has nowhere else to keep them, though ``group`` goes through the same motions."""
    if options.quantization == "nf4":
        return "none"
    if device.kind == "cpu":
        return "group" if options.offload == "group" else "none"
    if options.offload != "auto":
        return options.offload
    itemsize = getattr(torch, options.dtype).itemsize
    weights = sum(_weights_in(path) for path in folder.glob("*.safetensors"))
    needed = weights * _BYTES_PER_WEIGHT.get(options.quantization, itemsize) * (1 + _CONTEXT_SHARE)
    return "none" if needed <= device.total_bytes else "group"


def _weights_in(path: Path) -> int:
    with safe_open(str(path), "pt") as file:
        return sum(int(torch.Size(file.get_slice(name).get_shape()).numel()) for name in file.keys())  # noqa: SIM118


def nf4(dtype: torch.dtype) -> Any:
    """4-bit NormalFloat (QLoRA, Dettmers et al. 2023)."""
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype)


def cast_to_fp8(model: Any, dtype: torch.dtype) -> None:
    """Keep the linear layers, and the experts of a mixture, as 8-bit floats, which are cast to ``dtype`` while they
    compute."""
    from diffusers.hooks import apply_layerwise_casting

    apply_layerwise_casting(model, torch.float8_e4m3fn, dtype, skip_modules_pattern=("norm", "embed", "lm_head"))
    for module in model.modules():
        # transformers keeps all experts of a layer as one tensor of a module of their own, which is no linear layer.
        if any(weight.ndim == 3 for weight in module.parameters(recurse=False)) and not isinstance(
            module, torch.nn.modules.conv._ConvNd
        ):
            apply_layerwise_casting(
                module, torch.float8_e4m3fn, dtype, skip_modules_pattern=None, skip_modules_classes=None
            )


def offload(model: Any, mode: Offloading, device: Device) -> None:
    """The weights are in host memory, and get onto the device while they are needed; ``model`` is for the writer to
    move as a whole."""
    if mode == "group":
        from diffusers.hooks import apply_group_offloading

        streamed = device.kind == "cuda"
        apply_group_offloading(
            model,
            onload_device=device.torch,
            offload_device=torch.device("cpu"),
            offload_type="leaf_level",
            use_stream=streamed,
            non_blocking=streamed,
        )
    elif mode == "sequential":
        from accelerate import cpu_offload

        cpu_offload(model, execution_device=device.torch)
