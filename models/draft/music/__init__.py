"""Draft music: composed by rules and synthesised in NumPy."""

from models.draft.music.composer import DraftComposer

__all__ = ["DraftComposer"]
