"""Tokenizers that are made on the spot: every byte is a token, so they know every text."""

from pathlib import Path

from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import PreTrainedTokenizerFast

_BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())


def byte_tokenizer(*special: str, **named: str) -> PreTrainedTokenizerFast:
    """``special`` tokens follow the 256 bytes, in order; ``named`` says which of them is, say, the ``pad_token``."""
    tokenizer = Tokenizer(BPE({letter: number for number, letter in enumerate(_BYTES)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(special))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named)


def write_template(folder: Path, template: str) -> None:
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
