"""Vision models of the real classes with random weights."""

from pathlib import Path

import torch
from transformers import (
    BitImageProcessorPil,
    Dinov2Config,
    Dinov2Model,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
)


def build_dinov2(folder: Path) -> None:
    """Sees 28 x 28 pixels in patches of 7."""
    torch.manual_seed(6)
    model = Dinov2Model(
        Dinov2Config(
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            mlp_ratio=2,
            image_size=28,
            patch_size=7,
            initializer_range=0.3,
        )
    )
    model.save_pretrained(folder)
    BitImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 28, "width": 28}, do_convert_rgb=True
    ).save_pretrained(folder)


def build_siglip(folder: Path) -> None:
    """Text and vision, of which only vision is used; sees 16 x 16 pixels in patches of 8."""
    torch.manual_seed(7)
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = SiglipConfig(
        text_config={**small, "vocab_size": 32, "max_position_embeddings": 8, "projection_size": 16},
        vision_config={**small, "image_size": 16, "patch_size": 8},
    )
    SiglipModel(config).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 16, "width": 16}).save_pretrained(folder)
