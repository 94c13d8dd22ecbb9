"""The draft painter: composes a picture from a spec by rules, without weights."""

from models.draft.painter.adapter import DraftPainter

__all__ = ["DraftPainter"]
