"""Loading what transformers saved: safetensors of this machine alone, all of them, straight to the device."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers.utils.logging import disable_progress_bar

from models.options import WeightedOptions
from models.weight_reader import reading
from models.weighted import BadWeightsError, O, Weighted
from models.weights import sole_weight_files

KEPT_WHOLE = ("pos_embed", "patch_embed", "norm", r"^lm_head$", r"(^|\.)wo$")
"""Layers that fp8 leaves alone, by name: those that diffusers leaves too, the output that shares an embedding's
weights, and T5's, whose dtype its code goes by before it is cast."""
_ENDS = ("^proj_in$", "^proj_out$")


@contextmanager
def loading(what: str, folder: Path) -> Iterator[None]:
    """Tells whatever is wrong with the files of ``folder`` as a BadWeightsError."""
    try:
        yield
    except (BadWeightsError, torch.OutOfMemoryError, torch.AcceleratorError):
        raise  # the files have no part in it
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, SafetensorError) as error:
        raise BadWeightsError(f"{folder}: no {what} can be loaded: {error}") from error


def pretrained(kind: Any, folder: Path, options: WeightedOptions, device: torch.device) -> Any:
    """A model of a transformers class, ready to be run, its weights kept as ``options.quantization`` says.

    Raises BadWeightsError for a file that is missing, broken or of another class, and for weights that the files lack.
    """
    dtype = getattr(torch, options.dtype)
    # What is made smaller is made so in host memory: the device never has to hold it whole.
    first = torch.device("cpu") if options.quantization == "fp8" else device
    arguments: dict[str, Any] = {"dtype": dtype, "device_map": {"": first}}
    if options.quantization == "nf4":
        from transformers import BitsAndBytesConfig

        arguments["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype
        )
    disable_progress_bar()
    # bitsandbytes packs one weight after the other, and would have to wait for all of them.
    files = [] if options.quantization == "nf4" else sole_weight_files(folder)
    with loading(kind.__name__, folder), reading([(path, dtype) for path in files], first):
        model, info = kind.from_pretrained(
            folder, use_safetensors=True, local_files_only=True, output_loading_info=True, **arguments
        )
    lacking = sorted(str(key) for name in ("missing_keys", "mismatched_keys") for key in info[name])
    if lacking:
        raise BadWeightsError(
            f"{folder}: the files of {kind.__name__} lack {len(lacking)} weights, such as {lacking[0]}"
        )
    if options.quantization == "fp8":
        from diffusers.hooks import apply_layerwise_casting

        apply_layerwise_casting(model, torch.float8_e4m3fn, dtype, skip_modules_pattern=(*KEPT_WHOLE, *_ENDS))
        model.to(device)
    model.eval()
    return model


class OneModel(Weighted[O]):
    """Base of the adapters that run one torch model, put into ``_model`` by ``load``."""

    _model: Any = None

    def _modules(self) -> Iterator[torch.nn.Module]:
        if self._model is not None:
            yield self._model

    def _release(self) -> None:
        self._model = None
