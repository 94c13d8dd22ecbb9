"""A tiny language model of the class that Qwen3 has: two layers of random weights, a tokenizer of a few hundred
tokens with Qwen3's special tokens and chat template."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_CHAT_TEMPLATE = (
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}"
    "{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}"
    "{%- endif %}"
)
_SENTENCES = (
    "傍晚，夕阳把海面染成金色。小女孩林晓雨穿着红裙子，赤着脚跑过空荡荡的沙滩。老渔夫坐在木船边补网。",
    "“小姑娘，你在找什么？”老渔夫抬起头，笑着问。“我在找会唱歌的贝壳。”林晓雨低声说。",
    "At dusk the sea turns gold. A girl in a red dress runs across the empty beach. The old fisherman mends his net.",
    '"What are you looking for?" the fisherman asked with a smile. "A shell that sings," she said quietly.',
)


def build_qwen3(folder: Path) -> None:
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    from models.language import schemas

    written = (
        schemas.storyline("en", content=9),
        schemas.art_style("en"),
        schemas.character("en"),
        schemas.scene("en"),
        schemas.shot("en", ["x"], ["y"]),
    )
    keys = [word for schema in written for word in _words_of(schema)]
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=768,
        special_tokens=list(_SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator([*_SENTENCES, *keys], trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=_CHAT_TEMPLATE
    )
    with torch.random.fork_rng():
        torch.manual_seed(4)  # one of those that find people in most texts
        model = Qwen3ForCausalLM(
            Qwen3Config(
                vocab_size=-(-len(tokenizer) // 64) * 64,  # more than the tokenizer has, as Qwen3's
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=4,
                num_key_value_heads=2,
                head_dim=8,
                max_position_embeddings=32768,
                initializer_range=0.4,  # so that what is read changes what is written
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
                bos_token_id=None,
                tie_word_embeddings=True,
            )
        )
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)


def _words_of(schema: dict[str, Any]) -> Iterator[str]:
    """What JSON under a schema always spells: names and values."""
    for name, part in schema.get("properties", {}).items():
        yield f'{{"{name}":"'
        yield from _words_of(part)
    yield from (f'"{value}"' for value in schema.get("enum", ()))
    if isinstance(schema.get("items"), dict):
        yield from _words_of(schema["items"])
