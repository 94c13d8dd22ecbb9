"""What a music model is told: one line of prompt, mood and genre."""

import re

from models.draft.music.styles import choose_style
from models.draft.script.text import HAN
from models.specs import MusicSpec

_HAN = re.compile(f"[{HAN}]+")
_SEPARATORS = " \t\n.,;。，、；"
_UNASKED = "gentle background score"
_FOR_FILM = "instrumental film music, no vocals"


def music_prompt(spec: MusicSpec) -> str:
    """In the words of the spec, whatever their language."""
    return ", ".join([*(_words(spec) or [_UNASKED]), _FOR_FILM])


def english_music_prompt(spec: MusicSpec) -> str:
    """For a model that reads English alone: in the place of Chinese words stand the mood, the instruments and the tempo
    that the draft composer knows them by."""
    words = _words(spec)
    english = [latin for latin in (_HAN.sub("", text).strip(_SEPARATORS) for text in words) if latin]
    if english != words:
        mood, palette = choose_style(spec)
        tempo = f"{round(sum(mood.tempo) / 2)} bpm"
        english += dict.fromkeys((mood.words[0], palette.words[0], palette.melody, palette.figure, tempo))
    return ", ".join([*(english or [_UNASKED]), _FOR_FILM])


def _words(spec: MusicSpec) -> list[str]:
    return [words for words in (text.strip(_SEPARATORS) for text in (spec.prompt, spec.mood, spec.genre)) if words]
