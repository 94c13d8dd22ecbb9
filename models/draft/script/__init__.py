"""The draft script breakdown: text, screenplay or storyboard into storyline, style, characters, scenes and shots."""

from models.draft.script.writer import DraftScriptWriter

__all__ = ["DraftScriptWriter"]
