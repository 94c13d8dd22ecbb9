"""Whether an input can be told at all. Quick and light: the control plane asks while a request waits."""

from typing import Literal

from models.draft.script import fountain, storyboard
from models.draft.script.table_json import is_json
from models.draft.script.text import clean, detect_language, require_words


def check_source(input_type: Literal["text", "script", "storyboard"], content: str) -> None:
    """Raises UserInputError, naming the line, for what no breakdown could use: nothing to tell, a NUL, a broken
    screenplay or storyboard."""
    text = clean(content)
    language = detect_language(text)
    if input_type != "storyboard" or not is_json(text):
        require_words(text)
    if input_type == "script":
        fountain.require_scenes(fountain.parse(text, language), language)
    elif input_type == "storyboard":
        storyboard.check(text, language)
