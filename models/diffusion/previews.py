"""Small pictures of what a loop is at: its latents, shrunk and decoded by the pipeline's own VAE."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import interpolate

if TYPE_CHECKING:
    from models.interfaces import RGB

LONGEST_SIDE = 128


class Previews:
    """One picture on its way at a time: its copy to the host is waited for by nobody, and looked for at the next step.

    ``arguments`` are those of the pipeline's call; packed latents do not know their own height and width.
    """

    def __init__(self, pipeline: Any, arguments: Mapping[str, Any]) -> None:
        self._pipeline = pipeline
        self._arguments = arguments
        # Bound now, before anybody watches the decoding of what is delivered.
        self._decode: Callable[..., Any] | None = getattr(getattr(pipeline, "vae", None), "decode", None)
        self._pending: torch.Tensor | None = None
        self._arrival: Any = None

    def start(self, latents: torch.Tensor) -> None:
        """Nothing for latents that are no picture, such as sound's."""
        small = _small(self._pipeline, latents, self._arguments)
        if small is None or self._decode is None:
            return
        vae = self._pipeline.vae
        conditions = [torch.zeros(1, device=small.device)] if vae.config.get("timestep_conditioning") else []
        decoded = self._decode(small.to(vae.dtype), *conditions, return_dict=False)[0]
        if decoded.ndim == 5:
            decoded = decoded[:, :, 0]
        picture = (decoded[0].float().nan_to_num() / 2 + 0.5).clamp(0, 1).permute(1, 2, 0)
        pixels = (picture * 255).round().to(torch.uint8)
        if pixels.is_cuda:
            self._pending = torch.empty(pixels.shape, dtype=torch.uint8, pin_memory=True)
            self._pending.copy_(pixels, non_blocking=True)
            self._arrival = torch.cuda.Event()
            self._arrival.record()
        else:
            self._pending = pixels

    def take(self) -> "RGB | None":
        """(height, width, 3), if one has arrived."""
        if self._pending is None or (self._arrival is not None and not self._arrival.query()):
            return None
        picture, self._pending, self._arrival = self._pending, None, None
        return picture.numpy()


def _small(pipeline: Any, latents: torch.Tensor, arguments: Mapping[str, Any]) -> torch.Tensor | None:
    """The first picture of a batch, the middle frame of a video, as the VAE wants it: (1, channels, height, width),
    or (1, channels, 1, height, width) where it is a video's."""
    latents = latents[:1].float()
    if latents.ndim == 3:
        unpacked = _unpacked(pipeline, latents, arguments)
        if unpacked is None:
            return None
        latents = unpacked
    if latents.ndim == 5:
        middle = latents.shape[2] // 2
        return _shrunk(_scaled(pipeline, latents[:, :, middle]), pipeline).unsqueeze(2)
    if latents.ndim != 4:
        return None
    if hasattr(pipeline, "_unpack_latents_with_ids"):  # Flux 2, already in its VAE's scale
        return _shrunk(latents, pipeline)
    return _shrunk(_scaled(pipeline, latents), pipeline)


def _unpacked(pipeline: Any, latents: torch.Tensor, arguments: Mapping[str, Any]) -> torch.Tensor | None:
    """(1, tokens, channels) as a picture or a video, by the pipeline's own functions; None where it has none."""
    height, width = arguments.get("height"), arguments.get("width")
    if height is None or width is None:
        return None
    if hasattr(pipeline, "_unpack_latents_with_ids"):
        step = pipeline.vae_scale_factor * 2
        grid = latents.transpose(1, 2).reshape(1, -1, height // step, width // step)
        norm = pipeline.vae.bn
        spread = torch.sqrt(norm.running_var.view(1, -1, 1, 1) + pipeline.vae.config.batch_norm_eps)
        grid = grid * spread.to(grid) + norm.running_mean.view(1, -1, 1, 1).to(grid)
        return pipeline._unpatchify_latents(grid)
    if hasattr(pipeline, "transformer_temporal_patch_size"):  # LTX 2
        frames = (arguments["num_frames"] - 1) // pipeline.vae_temporal_compression_ratio + 1
        scale = pipeline.vae_spatial_compression_ratio
        patch, patch_t = pipeline.transformer_spatial_patch_size, pipeline.transformer_temporal_patch_size
        return pipeline._unpack_latents(latents, frames, height // scale, width // scale, patch, patch_t)
    if hasattr(pipeline, "_unpack_latents"):  # QwenImage
        return pipeline._unpack_latents(latents, height, width, pipeline.vae_scale_factor)
    return None


def _scaled(pipeline: Any, latents: torch.Tensor) -> torch.Tensor:
    """(1, channels, height, width) in the scale that the VAE decodes."""
    config = pipeline.vae.config
    buffers = dict(pipeline.vae.named_buffers(recurse=False))  # where LTX 2 has them
    mean, spread = (buffers.get(name, config.get(name)) for name in ("latents_mean", "latents_std"))
    latents = latents / (config.get("scaling_factor") or 1.0) + (config.get("shift_factor") or 0.0)
    if mean is not None and spread is not None:
        latents = latents * _channels(spread, latents) + _channels(mean, latents)
    return latents


def _channels(values: Any, latents: torch.Tensor) -> torch.Tensor:
    tensor = torch.as_tensor(values, dtype=latents.dtype)
    if latents.is_cuda and not tensor.is_cuda:
        tensor = tensor.pin_memory()  # or its copy would wait for all that the device has to do
    return tensor.to(latents.device, non_blocking=True).view(1, -1, 1, 1)


def _shrunk(latents: torch.Tensor, pipeline: Any) -> torch.Tensor:
    scale = _pixels_per_latent(pipeline)
    height, width = latents.shape[-2:]
    share = min(1.0, LONGEST_SIDE / scale / max(height, width))
    return interpolate(latents, (max(1, round(height * share)), max(1, round(width * share))), mode="area")


def _pixels_per_latent(pipeline: Any) -> int:
    names = ("vae_scale_factor_spatial", "vae_spatial_compression_ratio", "vae_scale_factor")
    return next(int(getattr(pipeline, name)) for name in names if hasattr(pipeline, name))
