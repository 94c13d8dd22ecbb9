"""What a text is about and how it feels: genre, tone, emotion, and the words a story's look is chosen from."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from models.draft import lexicon
from models.draft.lexicon import Entry, Vocabulary
from models.specs import Emotion

STORY_PATH = Path(__file__).with_name("story.toml")


@lru_cache(maxsize=1)
def data() -> dict[str, Any]:
    return lexicon.load(STORY_PATH)


@lru_cache(maxsize=8)
def vocabulary(section: str) -> Vocabulary:
    """``genre``, ``tone``, ``emotion`` or ``style``."""
    return Vocabulary(lexicon.entry(table) for table in data()[section])


def strongest(section: str, text: str, default: str) -> Entry:
    """The entry of a section named most often; ``default`` is the id where none is."""
    scores = vocabulary(section).scores(text)
    best = next(iter(scores), default)
    return by_id(section, best)


def by_id(section: str, entry_id: str) -> Entry:
    """Raises KeyError."""
    for entry in vocabulary(section).entries:
        if entry.id == entry_id:
            return entry
    raise KeyError(entry_id)


def emotion_of(words: str) -> Emotion:
    """How something is said, from words such as "whispered" or 笑着."""
    if not words:
        return Emotion.NEUTRAL
    found = {hit.entry.id for hit in vocabulary("emotion").find(words)}
    for entry in vocabulary("emotion").entries:
        if entry.id in found:
            return Emotion(entry.id)
    return Emotion.NEUTRAL


def emotion_of_speech(spoken: str) -> Emotion:
    """How a line sounds that no words describe: an exclamation is excited, an ellipsis calm."""
    if spoken.rstrip("”」』\"' ").endswith(("！", "!")):
        return Emotion.EXCITED
    return Emotion.CALM if spoken.endswith(("…", "...")) else Emotion.NEUTRAL
