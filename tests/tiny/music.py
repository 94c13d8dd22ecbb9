"""Tiny music models of the real classes, with random weights."""

from pathlib import Path

import torch
from diffusers import (
    AceStepPipeline,
    AceStepTransformer1DModel,
    AutoencoderOobleck,
    FlowMatchEulerDiscreteScheduler,
)
from diffusers.pipelines.ace_step import AceStepConditionEncoder
from transformers import (
    EncodecConfig,
    MusicgenConfig,
    MusicgenDecoderConfig,
    MusicgenForConditionalGeneration,
    Qwen3Config,
    Qwen3Model,
    T5Config,
)

from tests.tiny.bytelevel import VOCABULARY, byte_tokenizer
from tests.tiny.painters import stir

_SEED = 5


def build_ace_step(folder: Path) -> None:
    """ACE-Step 1.5 without guidance distilled in: 48 kHz stereo, 25 latents a second."""
    torch.manual_seed(_SEED)
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8}
    conditions = AceStepConditionEncoder(
        hidden_size=16,
        intermediate_size=32,
        text_hidden_dim=16,
        timbre_hidden_dim=4,
        num_lyric_encoder_hidden_layers=1,
        num_timbre_encoder_hidden_layers=1,
        **heads,
    )
    conditions.silence_latent = torch.randn_like(conditions.silence_latent)
    AceStepPipeline(
        vae=AutoencoderOobleck(
            encoder_hidden_size=4,
            downsampling_ratios=[2, 4, 4, 6, 10],
            channel_multiples=[1, 1, 1, 1, 1],
            decoder_channels=4,
            decoder_input_channels=4,
            sampling_rate=48000,
        ),
        text_encoder=Qwen3Model(
            Qwen3Config(
                vocab_size=VOCABULARY,
                hidden_size=16,
                intermediate_size=32,
                num_hidden_layers=1,
                pad_token_id=0,
                bos_token_id=None,
                eos_token_id=1,
                **heads,
            )
        ),
        tokenizer=byte_tokenizer(),
        transformer=AceStepTransformer1DModel(
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            in_channels=12,
            audio_acoustic_hidden_dim=4,
            encoder_hidden_size=16,
            **heads,
        ),
        condition_encoder=conditions,
        scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, shift=1.0),
    ).save_pretrained(folder, safe_serialization=True)


def build_musicgen(folder: Path) -> None:
    """MusicGen, mono at 16 kHz."""
    torch.manual_seed(_SEED)
    model = MusicgenForConditionalGeneration(
        MusicgenConfig(
            text_encoder=T5Config(vocab_size=VOCABULARY, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2),
            audio_encoder=EncodecConfig(
                sampling_rate=16000,
                target_bandwidths=[1.2],
                num_filters=4,
                num_residual_layers=1,
                hidden_size=16,
                codebook_size=64,
                codebook_dim=16,
                num_lstm_layers=1,
                upsampling_ratios=[8, 5, 4, 2],
                normalize=False,
            ),
            decoder=MusicgenDecoderConfig(
                vocab_size=64,
                hidden_size=16,
                ffn_dim=32,
                num_hidden_layers=2,
                num_attention_heads=2,
                num_codebooks=4,
                pad_token_id=64,
                bos_token_id=64,
                max_position_embeddings=2048,
            ),
        )
    )
    for quantizer in model.audio_encoder.quantizer.layers:
        quantizer.codebook.embed.normal_()  # a fresh codebook is empty, and all tokens would sound alike
    stir(model.decoder)
    model.generation_config.decoder_start_token_id = 64
    model.generation_config.pad_token_id = 64
    model.generation_config.bos_token_id = 64
    model.save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)
