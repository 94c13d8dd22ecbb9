"""A forced aligner of the real class with random weights."""

from pathlib import Path

import numpy as np
import torch
from transformers import Qwen3ASRConfig, Qwen3ASRFeatureExtractor, Qwen3ASRForTokenClassification, Qwen3ASRProcessor

from models.interfaces import Sound
from tests.tiny.tokenizers import byte_tokenizer

ALIGNER_BINS = 50
_ALIGNER_TEMPLATE = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'audio' %}<|audio_start|><|audio_pad|><|audio_end|>"
    "{% else %}{{ part['text'] }}<timestamp><timestamp>{% endif %}{% endfor %}{% endfor %}"
)


def build_aligner(folder: Path) -> None:
    """Time in 50 classes of 80 ms."""
    torch.manual_seed(5)
    tokenizer = byte_tokenizer(
        "<|endoftext|>",
        "<|audio_start|>",
        "<|audio_end|>",
        "<|audio_pad|>",
        "<timestamp>",
        pad_token="<|endoftext|>",
        extra_special_tokens={
            "audio_token": "<|audio_pad|>",
            "audio_bos_token": "<|audio_start|>",
            "audio_eos_token": "<|audio_end|>",
        },
    )
    model = Qwen3ASRForTokenClassification(
        Qwen3ASRConfig(
            audio_config={
                "num_mel_bins": 16,
                "encoder_layers": 1,
                "encoder_attention_heads": 2,
                "encoder_ffn_dim": 16,
                "d_model": 16,
                "output_dim": 32,
                "downsample_hidden_size": 8,
            },
            text_config={
                "vocab_size": 261,
                "hidden_size": 32,
                "intermediate_size": 32,
                "num_hidden_layers": 1,
                "num_attention_heads": 2,
                "num_key_value_heads": 1,
                "head_dim": 16,
            },
            audio_token_id=259,
            timestamp_token_id=260,
            pad_token_id=256,
            eos_token_id=256,
            num_labels=ALIGNER_BINS,
            initializer_range=0.3,
        )
    )
    model.save_pretrained(folder)
    extractor = Qwen3ASRFeatureExtractor(feature_size=16)
    Qwen3ASRProcessor(extractor, tokenizer, chat_template=_ALIGNER_TEMPLATE).save_pretrained(folder)


def hum(seconds: float) -> Sound:
    """A sound to be aligned."""
    time = np.arange(round(seconds * 48_000)) / 48_000
    return Sound((0.1 * np.sin(2 * np.pi * 200 * time)).astype(np.float32)[np.newaxis], 48_000)
