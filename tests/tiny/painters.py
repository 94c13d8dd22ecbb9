"""Tiny painters of the real classes, with random weights of a fixed seed, saved as their pipelines save themselves."""

import json
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)


def build_z_image(folder: Path) -> None:
    torch.manual_seed(1)
    tokenizer = qwen_tokenizer()
    transformer = diffusers.ZImageTransformer2DModel(
        in_channels=4, dim=32, n_layers=2, n_refiner_layers=1, n_heads=2, n_kv_heads=2, cap_feat_dim=16,
        axes_dims=[8, 4, 4], axes_lens=[1024, 128, 128],
    )  # fmt: skip
    stir(transformer)
    diffusers.ZImagePipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=_picture_vae(4),
        text_encoder=_qwen3(tokenizer, layers=2).model,
        tokenizer=tokenizer,
        transformer=transformer,
    ).save_pretrained(str(folder))


def build_flux2_klein(folder: Path) -> None:
    """Wants ``arguments.text_encoder_out_layers = [1, 2]``: the full model takes three of its 36 layers."""
    torch.manual_seed(2)
    tokenizer = qwen_tokenizer()
    transformer = diffusers.Flux2Transformer2DModel(
        in_channels=16, num_layers=1, num_single_layers=2, attention_head_dim=16, num_attention_heads=2,
        joint_attention_dim=32, timestep_guidance_channels=16, axes_dims_rope=(4, 4, 4, 4), guidance_embeds=False,
    )  # fmt: skip
    stir(transformer)
    vae = diffusers.AutoencoderKLFlux2(
        block_out_channels=(8, 8, 8, 8), layers_per_block=1, norm_num_groups=4, latent_channels=4,
        mid_block_add_attention=False,
    )  # fmt: skip
    vae.bn.running_mean.normal_(std=0.3)
    vae.bn.running_var.uniform_(0.5, 2.0)
    diffusers.Flux2KleinPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=vae,
        text_encoder=_qwen3(tokenizer, layers=3),
        tokenizer=tokenizer,
        transformer=transformer,
    ).save_pretrained(str(folder))


def build_sdxl(folder: Path) -> None:
    torch.manual_seed(3)
    tokenizers = [_clip_tokenizer(), _clip_tokenizer()]
    config = transformers.CLIPTextConfig(
        vocab_size=len(tokenizers[0]), hidden_size=16, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=2, projection_dim=16, max_position_embeddings=77, hidden_act="gelu",
        bos_token_id=tokenizers[0].bos_token_id, eos_token_id=tokenizers[0].eos_token_id,
    )  # fmt: skip
    unet = diffusers.UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, block_out_channels=(16, 32), layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=4, attention_head_dim=(2, 4), use_linear_projection=True, cross_attention_dim=32,
        transformer_layers_per_block=(1, 1), addition_embed_type="text_time", addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=16 + 6 * 8,
    )  # fmt: skip
    stir(unet)
    diffusers.StableDiffusionXLPipeline(
        vae=_picture_vae(4),
        text_encoder=transformers.CLIPTextModel(config).eval(),
        text_encoder_2=transformers.CLIPTextModelWithProjection(config).eval(),
        tokenizer=tokenizers[0],
        tokenizer_2=tokenizers[1],
        unet=unet,
        scheduler=diffusers.EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1
        ),
    ).save_pretrained(str(folder))


def build_qwen_image_edit(folder: Path) -> None:
    """Its VAE shrinks 32 times instead of 8, so that a reference, which it always reads at about a megapixel, is 256
    tokens instead of 4096."""
    torch.manual_seed(4)
    tokenizer = qwen_tokenizer()
    ids = tokenizer.convert_tokens_to_ids
    config = transformers.Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokenizer), "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2,
            "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 4096,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [1, 1, 2]},
            "bos_token_id": ids("<|endoftext|>"), "eos_token_id": ids("<|im_end|>"),
        },
        vision_config={
            "depth": 1, "hidden_size": 16, "intermediate_size": 32, "num_heads": 2, "out_hidden_size": 16,
            "fullatt_block_indexes": [0],
        },
        image_token_id=ids("<|image_pad|>"), video_token_id=ids("<|video_pad|>"),
        vision_start_token_id=ids("<|vision_start|>"), vision_end_token_id=ids("<|vision_end|>"),
    )  # fmt: skip
    transformer = diffusers.QwenImageTransformer2DModel(
        in_channels=16, out_channels=4, num_layers=2, attention_head_dim=16, num_attention_heads=2,
        joint_attention_dim=16, axes_dims_rope=(4, 6, 6),
    )  # fmt: skip
    stir(transformer)
    vae = diffusers.AutoencoderKLQwenImage(
        base_dim=4, z_dim=4, dim_mult=[1, 1, 1, 1, 1, 1], num_res_blocks=0,
        temperal_downsample=[False, False, False, True, True],
        latents_mean=[0.1, -0.2, 0.3, 0.0], latents_std=[1.5, 1.0, 0.8, 1.2],
    )  # fmt: skip
    stir(vae, 1.6)
    diffusers.QwenImageEditPlusPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=vae,
        text_encoder=transformers.Qwen2_5_VLForConditionalGeneration(config).eval(),
        tokenizer=tokenizer,
        processor=None,
        transformer=transformer,
    ).save_pretrained(str(folder))
    # transformers makes this processor only where torchvision is, for the part of it that reads videos.
    Qwen2VLImageProcessorPil().save_pretrained(str(folder / "processor"))
    tokenizer.save_pretrained(str(folder / "processor"))
    index = folder / "model_index.json"
    parts = json.loads(index.read_text(encoding="utf-8")) | {"processor": ["transformers", "Qwen2VLProcessor"]}
    index.write_text(json.dumps(parts, indent=2), encoding="utf-8")


def qwen_tokenizer() -> Any:
    """Byte level, without merges: it reads any text."""
    from tokenizers.pre_tokenizers import ByteLevel

    alphabet = {letter: number for number, letter in enumerate(sorted(ByteLevel.alphabet()))}
    tokenizer = transformers.Qwen2Tokenizer(
        vocab=alphabet, merges=[], pad_token="<|endoftext|>", eos_token="<|im_end|>", model_max_length=512
    )
    tokenizer.add_special_tokens({"additional_special_tokens": list(SPECIAL[1:])})
    tokenizer.chat_template = CHAT
    return tokenizer


def _clip_tokenizer() -> Any:
    from tokenizers.pre_tokenizers import ByteLevel

    letters = sorted(ByteLevel.alphabet())
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return transformers.CLIPTokenizer(
        vocab={word: number for number, word in enumerate(words)}, merges=[], model_max_length=77
    )


def _qwen3(tokenizer: Any, *, layers: int) -> Any:
    config = transformers.Qwen3Config(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=layers,
        num_attention_heads=2, num_key_value_heads=1, head_dim=8, max_position_embeddings=1024,
    )  # fmt: skip
    return transformers.Qwen3ForCausalLM(config).eval()


def _picture_vae(channels: int) -> Any:
    return diffusers.AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 8, 8), layers_per_block=1, norm_num_groups=4, latent_channels=channels,
        scaling_factor=0.3611, shift_factor=0.1159, force_upcast=False, mid_block_add_attention=False,
    )  # fmt: skip


def stir(model: torch.nn.Module, gain: float = 2.0) -> None:
    """Weights that let through what comes in: fresh ones are small or zero, and every picture would be alike."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=gain * parameter[0].numel() ** -0.5)
            elif not parameter.any():
                parameter.normal_(std=0.1)
