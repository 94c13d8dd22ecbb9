"""The draft script breakdown: text, screenplay or storyboard into storyline, style, characters, scenes and shots."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.draft.script.writer import DraftScriptWriter

__all__ = ["DraftScriptWriter"]


def __getattr__(name: str) -> Any:
    """The writer is loaded when a worker asks for it; the control plane only uses ``check``."""
    if name == "DraftScriptWriter":
        from models.draft.script.writer import DraftScriptWriter

        return DraftScriptWriter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
