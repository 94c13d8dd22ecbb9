"""What makes a pipeline faster: compiled blocks, the card's best attention, and, where the catalog says so, steps that
reuse earlier ones."""

import importlib.util
import os
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from torch._inductor.runtime.cache_dir_utils import default_cache_dir
from torch.nn.attention import SDPBackend, sdpa_kernel

from models.catalog import CatalogError
from models.diffusion.memory import DENOISERS, Offloading
from models.interfaces import Report
from models.options import StepCache

FLASH_ATTENTION_3 = "flash_attn_interface"
# Each of them hands on what does not suit it: a mask, a size of heads, a dtype.
_HOPPERS_ORDER = [
    SDPBackend.CUDNN_ATTENTION,
    SDPBackend.FLASH_ATTENTION,
    SDPBackend.EFFICIENT_ATTENTION,
    SDPBackend.MATH,
]
# They attend to all they are given. FlashAttention 3 takes no mask, so the others keep torch's own attention.
_WITHOUT_MASK = {"Flux2Transformer2DModel", "QwenImageTransformer2DModel", "WanTransformer3DModel"}
_MOST_SHAPES = 64
"""Of blocks that torch.compile keeps code for: a UNet has a block for each of its widths, and a film two sizes."""


def denoisers(pipeline: Any) -> list[Any]:
    found = (getattr(pipeline, name, None) for name in DENOISERS)
    return [module for module in found if module is not None]


def choose_compile(
    wanted: bool | Literal["auto"], *, gpu: bool, offloading: Offloading, quantization: str, cached: bool
) -> bool:
    """``auto``: on a GPU, unless hooks at every layer or block would break the blocks into pieces."""
    if wanted != "auto":
        return wanted
    return gpu and offloading in {"none", "model"} and quantization != "fp8" and not cached


def choose_attention(
    capability: tuple[int, int] | None, installed: Collection[str], *, masked: bool, dtype: torch.dtype
) -> str:
    """A backend of diffusers that computes the same and is the fastest there is: FlashAttention 3 on a Hopper, where it
    is installed; else torch's own, see ``best_attention``."""
    whole = masked or capability is None or dtype.itemsize != 2
    return "_flash_3" if not whole and capability[0] == 9 and FLASH_ATTENTION_3 in installed else "native"  # type: ignore[index]


@contextmanager
def best_attention(capability: tuple[int, int] | None) -> Iterator[None]:
    """Torch's own attention through cuDNN where that can compute it, from a Hopper on: the fastest there. Older cards
    have FlashAttention 2 in torch already."""
    if capability is None or capability < (9, 0):
        yield
    else:
        with sdpa_kernel(_HOPPERS_ORDER, set_priority=True):
            yield


def set_attention(pipeline: Any, wanted: str, capability: tuple[int, int] | None, dtype: torch.dtype) -> None:
    """Raises CatalogError for a backend that diffusers does not know or that is not installed."""
    installed = {name for name in (FLASH_ATTENTION_3,) if importlib.util.find_spec(name)}
    for module in denoisers(pipeline):
        masked = type(module).__name__ not in _WITHOUT_MASK
        backend = choose_attention(capability, installed, masked=masked, dtype=dtype) if wanted == "auto" else wanted
        if backend == "native":
            continue
        try:
            module.set_attention_backend(backend)
        except (ValueError, RuntimeError) as error:
            raise CatalogError(str(error), field="options.attention") from error


def compile_blocks(pipeline: Any, *, backend: str, cache_dir: Path | None) -> None:
    """Through torch.compile, one block for all of its kind; a denoiser of which diffusers knows no such blocks stays as
    it is. What inductor made is kept for the next process, in ``cache_dir``."""
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = _inductor_dir(cache_dir)
    torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, _MOST_SHAPES)
    for module in denoisers(pipeline):
        if not getattr(module, "_repeated_blocks", None):
            continue
        module.compile_repeated_blocks(backend=backend)


def _inductor_dir(cache_dir: Path | None) -> str:
    """Where the operator says; else where the worker keeps what it compiles, or in the user's cache where there is no
    worker: torch's own place, which it may have entered into the environment already, is among the temporary files."""
    said = os.environ.get("TORCHINDUCTOR_CACHE_DIR")
    if said is not None and said != default_cache_dir():
        return said
    if cache_dir is not None:
        return str(cache_dir / "inductor")
    return str(Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "reelfarm" / "inductor")


@contextmanager
def compiling(pipeline: Any, report: Report, seen: set[Any]) -> Iterator[None]:
    """A denoiser's first run at sizes that were not ``seen`` is a phase of its own: it compiles then."""
    with ExitStack() as hooks, ExitStack() as phase:
        for module in denoisers(pipeline):

            def before(module: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
                sizes = (id(module), _sizes(arguments), _sizes(named))
                if sizes not in seen:
                    seen.add(sizes)
                    phase.enter_context(report.phase("compile"))

            def after(module: Any, arguments: Any, result: Any) -> None:
                phase.close()

            for handle in (
                module.register_forward_pre_hook(before, with_kwargs=True),
                module.register_forward_hook(after),
            ):
                hooks.callback(handle.remove)
        yield


def _sizes(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return tuple(value.shape)
    if isinstance(value, dict):
        return tuple(_sizes(part) for part in value.values())
    if isinstance(value, list | tuple):
        return tuple(_sizes(part) for part in value)
    return None


def cache_steps(pipeline: Any, cache: StepCache, dtype: torch.dtype) -> None:
    """Raises CatalogError for a denoiser that knows no such cache."""
    from diffusers import FirstBlockCacheConfig, TaylorSeerCacheConfig

    config = (
        FirstBlockCacheConfig(threshold=cache.threshold)
        if cache.kind == "first_block"
        else TaylorSeerCacheConfig(cache_interval=cache.interval, taylor_factors_dtype=dtype)
    )
    for module in denoisers(pipeline):
        if not hasattr(module, "enable_cache"):
            raise CatalogError(f"{type(module).__name__} takes no cache of steps", field="options.cache")
        module.enable_cache(config)
