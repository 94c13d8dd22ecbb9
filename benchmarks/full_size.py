"""Pipelines of full size with random weights: they show time and memory, not pictures.

The denoisers and VAEs have the sizes of the models they are named after; text encoders are cut short, since they run
once per prompt. ``tiny`` makes them small enough for a CPU.
"""

from pathlib import Path
from typing import Any

import diffusers
import torch

from tests.tiny.animators import build_wan as build_tiny_wan
from tests.tiny.painters import build_sdxl as build_tiny_sdxl


def build_sdxl(folder: Path, *, tiny: bool) -> None:
    """Stable Diffusion XL: a UNet of 2.6 billion parameters, in bfloat16."""
    build_tiny_sdxl(folder)
    if tiny:
        return
    pipeline = diffusers.StableDiffusionXLPipeline.from_pretrained(str(folder), use_safetensors=True)
    width = pipeline.text_encoder.config.hidden_size + pipeline.text_encoder_2.config.hidden_size
    unet = _random(
        diffusers.UNet2DConditionModel,
        sample_size=128, in_channels=4, out_channels=4, block_out_channels=(320, 640, 1280), layers_per_block=2,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(5, 10, 20), transformer_layers_per_block=(1, 2, 10), cross_attention_dim=width,
        use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=pipeline.text_encoder_2.config.projection_dim + 6 * 256,
    )  # fmt: skip
    vae = _random(
        diffusers.AutoencoderKL,
        in_channels=3, out_channels=3, latent_channels=4, block_out_channels=(128, 256, 512, 512), layers_per_block=2,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4, scaling_factor=0.13025,
        force_upcast=False,
    )  # fmt: skip
    pipeline.register_modules(unet=unet, vae=vae)
    pipeline.to(torch.bfloat16).save_pretrained(str(folder))


def build_wan(folder: Path, *, tiny: bool) -> None:
    """Wan image-to-video with a transformer of 1.3 billion parameters, in bfloat16."""
    build_tiny_wan(folder)
    if tiny:
        return
    pipeline = diffusers.WanImageToVideoPipeline.from_pretrained(str(folder), use_safetensors=True)
    transformer = _random(
        diffusers.WanTransformer3DModel,
        patch_size=(1, 2, 2), num_attention_heads=12, attention_head_dim=128, in_channels=36, out_channels=16,
        text_dim=pipeline.text_encoder.config.d_model, freq_dim=256, ffn_dim=8960, num_layers=30,
        cross_attn_norm=True, rope_max_seq_len=1024,
    )  # fmt: skip
    vae = _random(diffusers.AutoencoderKLWan)
    pipeline.register_modules(transformer=transformer, vae=vae)
    pipeline.to(torch.bfloat16).save_pretrained(str(folder))


def _random(model_class: Any, **config: Any) -> Any:
    """Random weights of a usual size, made where it is fast."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.device(device):
        model = model_class(**config).to(torch.bfloat16)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.02)
    return model.to("cpu")
