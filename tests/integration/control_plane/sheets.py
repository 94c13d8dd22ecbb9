"""A painter that takes reference pictures, as models do that keep characters themselves."""

from models.draft.painter import DraftPainter


class SheetPainter(DraftPainter):
    """Paints as the draft painter does, from what it is given."""
