"""Which status and stage a project may be in, and what moves it. Pure."""

from enum import StrEnum


class Status(StrEnum):
    DRAFT = "draft"
    GENERATING = "generating"
    EDITING = "editing"
    COMPLETED = "completed"
    EXPORTED = "exported"


class Stage(StrEnum):
    INPUT = "input"
    GENERATING = "generating"
    EDITING = "editing"
    COMPLETED = "completed"


STAGE_OF = {
    Status.DRAFT: Stage.INPUT,
    Status.GENERATING: Stage.GENERATING,
    Status.EDITING: Stage.EDITING,
    Status.COMPLETED: Stage.COMPLETED,
    Status.EXPORTED: Stage.COMPLETED,
}

_NAME_LENGTH = 24


def status_when_ready(*, every_clip_ready: bool, was: Status) -> Status:
    """Where an edited project stands: completed once every clip has its picture and finished audio. An export stays
    an export until something is edited, which is when this is asked with ``was`` already set back to editing."""
    if was is Status.EDITING and every_clip_ready:
        return Status.COMPLETED
    return was


def automatic_name(content: str) -> str:
    """A name for a project nobody named: the first words of its text."""
    words = " ".join(content.split()).lstrip("#*=- \t")
    if len(words) <= _NAME_LENGTH:
        return words or "Untitled"
    cut = words[:_NAME_LENGTH]
    head, _, _ = cut.rpartition(" ")
    return (head if len(head) > _NAME_LENGTH // 2 else cut).rstrip("，。,.;；：: ") + "…"


def placeholder_name(number: int, language: str) -> str:
    """A name for a project that has no text yet."""
    return f"Untitled project {number}" if language == "en" else f"未命名项目 {number}"


def is_cut(name: str) -> bool:
    """Whether an automatic name is only the beginning of the text."""
    return name.endswith("…")
