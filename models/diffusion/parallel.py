"""One denoiser on all GPUs of a gang: each computes a part of the sequence, and attention exchanges heads for tokens
(DeepSpeed-Ulysses, Jacobs et al. 2023; ``ContextParallelConfig`` of diffusers).

Every process holds the whole pipeline, so a gang saves time, not memory. The lead alone runs the pipeline; whenever it
comes to a denoiser, the others are sent the same inputs and pass through it with it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from diffusers import ContextParallelConfig, ParallelConfig
from diffusers.hooks import context_parallel
from diffusers.models._modeling_parallel import gather_size_by_comm
from torch.distributed.device_mesh import init_device_mesh

from models.catalog import CatalogError, Model
from models.device import Device
from models.diffusion.memory import DENOISERS
from models.gang import Gang, Join, Load, Pass, Unload
from models.gang import join as join_once

_TIMEOUT = timedelta(minutes=10)
"""The last resort where somebody does not come to a collective call; a first pass may compile."""


@dataclass(frozen=True)
class _Tensor:
    """Where a tensor was among arguments; it comes by broadcast."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    on_device: bool


def gang_of(model: Model, device: Device) -> Gang | None:
    """The gang that is to run a model; None for a model of one GPU. Raises CatalogError where the device is none of a
    gang of that size."""
    if model.gpus == 1:
        return None
    if device.gang is None or device.gang.size != model.gpus:
        raise CatalogError(f"{model.id} runs on gangs of {model.gpus} GPUs alone", model_id=model.id, field="gpus")
    return device.gang


@contextmanager
def loading(model: Model, folder: Path, device: Device) -> Iterator[None]:
    """The block loads a model here, and the others of its gang load it meanwhile. What fails in one is kept in none.
    Raises what ``gang_of`` and ``Gang.together`` raise."""
    gang = gang_of(model, device)
    if gang is None or gang.rank:
        yield
        return
    if gang.mesh is None:
        with gang.together(Join()):
            join_once(gang, device)
    try:
        with gang.together(Load(model, folder)):
            yield
    except Exception:
        with gang.together(Unload(model.id)):
            pass
        raise


def join(gang: Gang, device: Device) -> None:
    """As ``models.gang.join``. All processes of a gang are on one machine and talk over its loopback where they do not
    over NVLink or shared memory. Gloo where there is no GPU, and for what is in host memory."""
    os.environ["GLOO_SOCKET_IFNAME"] = os.environ["NCCL_SOCKET_IFNAME"] = "lo"
    cuda = device.kind == "cuda" and torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(device.torch)
    else:
        context_parallel._all_gather_anything = _gathered
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if cuda else "gloo",
        store=dist.FileStore(str(gang.store), gang.size),
        rank=gang.rank,
        world_size=gang.size,
        timeout=_TIMEOUT,
    )
    mesh = init_device_mesh("cuda" if cuda else "cpu", (1, gang.size), mesh_dim_names=("ring", "ulysses"))
    mesh["ring", "ulysses"]._flatten()  # here, where all come to it, and kept for those who ask for it again
    gang.mesh = mesh


def _gathered(tensor: torch.Tensor, dim: int, group: Any) -> torch.Tensor:
    """As diffusers' own, for Gloo, which gathers only tensors that are alike: parts of unlike length are padded."""
    lengths = gather_size_by_comm(tensor.shape[dim], group)
    padding = [0, 0] * (tensor.dim() - 1 - dim) + [0, max(lengths) - tensor.shape[dim]]
    padded = torch.nn.functional.pad(tensor, padding).contiguous()
    parts = [torch.empty_like(padded) for _ in lengths]
    dist.all_gather(parts, padded, group=group)
    return torch.cat([part.narrow(dim, 0, length) for part, length in zip(parts, lengths, strict=True)], dim=dim)


def split(pipeline: Any, gang: Gang, model_id: str) -> None:
    """Have the denoisers computed by all of the gang; on the lead a pass through one takes the others along."""
    for name in DENOISERS:
        module = getattr(pipeline, name, None)
        if module is None:
            continue
        # Also for sequences and heads that do not divide by the size of the gang.
        config = ContextParallelConfig(ulysses_degree=gang.size, ulysses_anything=True, mesh=gang.mesh)
        if not torch.accelerator.is_available():
            module._resolve_parallel_config = partial(_resolved_on_cpu, module)
        module.enable_parallelism(config=config)
        if gang.rank == 0:
            module.forward = _led(module.forward, gang, model_id, name)


def _resolved_on_cpu(module: Any, config: ContextParallelConfig) -> ParallelConfig:
    """As diffusers' own, which divides by the number of accelerators."""
    resolved = ParallelConfig(context_parallel_config=config)
    resolved.setup(dist.get_rank(), dist.get_world_size(), torch.device("cpu"), mesh=config.mesh)
    module._parallel_config = resolved
    return resolved


def _led(forward: Callable[..., Any], gang: Gang, model_id: str, part: str) -> Callable[..., Any]:
    def led(*arguments: Any, **named: Any) -> Any:
        tensors: list[torch.Tensor] = []
        packed = _packed([arguments, named], tensors)
        with gang.together(Pass(model_id, part, packed)):
            for tensor in tensors:
                dist.broadcast(tensor, src=0)
            return forward(*arguments, **named)

    return led


def take_part(module: Any, packed: Any, device: Device) -> None:
    """A follower's pass through a denoiser, whose result nobody looks at. ``packed`` is what the lead packed."""
    arguments, named = _unpacked(packed, device)
    module(*arguments, **named)


def _packed(value: Any, tensors: list[torch.Tensor]) -> Any:
    """With a description in the place of each tensor, which is added to ``tensors`` without gaps in its memory."""
    if isinstance(value, torch.Tensor):
        tensors.append(value.contiguous())
        return _Tensor(tuple(value.shape), value.dtype, value.device.type != "cpu")
    if isinstance(value, dict):
        return {key: _packed(part, tensors) for key, part in value.items()}
    if type(value) in {list, tuple}:
        return type(value)(_packed(part, tensors) for part in value)
    return value


def _unpacked(value: Any, device: Device) -> Any:
    """Receives the tensors, in the order in which they were packed."""
    if isinstance(value, _Tensor):
        tensor = torch.empty(value.shape, dtype=value.dtype, device=device.torch if value.on_device else "cpu")
        dist.broadcast(tensor, src=0)
        return tensor
    if isinstance(value, dict):
        return {key: _unpacked(part, device) for key, part in value.items()}
    if type(value) in {list, tuple}:
        return type(value)(_unpacked(part, device) for part in value)
    return value
