"""Chinese words and their parts of speech, by jieba. Loaded with the first Chinese text, never at import."""

import logging
import re
from functools import lru_cache
from typing import Any

from models.draft.script.text import HAN

PERSON_NAME = "nr"
_HAN_CHARACTER = re.compile(f"[{HAN}]")


@lru_cache(maxsize=1)
def _tagger() -> Any:
    """jieba's tagger over a dictionary read from the package itself: by default jieba keeps a cache file under a
    fixed name in the shared temporary directory, which other users could replace and a read-only disk refuses."""
    import jieba
    import jieba.posseg

    logging.getLogger("jieba").setLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    return jieba.posseg.POSTokenizer(tokenizer)


@lru_cache(maxsize=4)
def tagged(text: str) -> tuple[tuple[str, str], ...]:
    """(word, part of speech) in order; joined, the words are the text."""
    return tuple((pair.word, pair.flag) for pair in _tagger().cut(text))


def words(text: str) -> list[str]:
    """The words of a text written without spaces; text without Chinese characters is left whole."""
    return [word for word, _ in tagged(text)] if _HAN_CHARACTER.search(text) else [text]
