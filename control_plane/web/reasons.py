"""Why something failed: one text with both languages, of which every client reads its own.

What failed is told more than once, to whoever asks or listens, so both are stored and one is chosen when it is written
to a client, as the signature of a URL is.
"""

from collections.abc import Iterable
from typing import Annotated, Any, get_args

from pydantic import BaseModel, PlainSerializer, SerializationInfo, WithJsonSchema

from control_plane.errors import ApiError
from runtime.bilingual import both, spoken
from scheduler.task import FinishedTask, OutcomeClass

__all__ = ["Reason", "Spoken", "both", "in_language", "of_error", "spoken", "tells_why", "why", "within"]

_OUTCOMES = {
    OutcomeClass.USER: ("内容无法处理", "the content cannot be processed"),
    OutcomeClass.TASK: ("生成失败，请重试", "it could not be made, try again"),
    OutcomeClass.MODEL_OUT_OF_MEMORY: (
        "显存不足，请减小尺寸或时长后重试",
        "the model ran out of memory: try again smaller or shorter",
    ),
    OutcomeClass.WORKER: ("渲染进程意外退出，请重试", "the worker stopped unexpectedly, try again"),
    OutcomeClass.NODE: ("渲染服务器故障，请稍后重试", "the machine that rendered it failed, try again later"),
    OutcomeClass.PREEMPTED: ("任务被中断，请重试", "it was interrupted, try again"),
    OutcomeClass.CANCELLED: ("已取消", "cancelled"),
}


def of_error(error: ApiError) -> str:
    return both(error.message("zh"), error.message("en"))


def why(task: FinishedTask) -> str:
    """What users are told of a task that did not succeed. An engine's words are passed on where they say what to
    change in the request; any other failure speaks of the program, in the logs."""
    if task.outcome is OutcomeClass.USER and task.error_message:
        return task.error_message
    return both(*_OUTCOMES.get(task.outcome, _OUTCOMES[OutcomeClass.TASK]))


def within(reason: str, zh: str, en: str) -> str:
    """A longer reason that holds a shorter one where the templates say ``{}``."""
    return both(zh.format(spoken(reason, "zh")), en.format(spoken(reason, "en")))


def _speak(reason: str, info: SerializationInfo) -> str:
    language = info.context.get("language") if isinstance(info.context, dict) else None
    return spoken(reason, language) if isinstance(language, str) else reason


Spoken = Annotated[str, PlainSerializer(_speak, return_type=str, when_used="json"), WithJsonSchema({"type": "string"})]
"""A field that holds a text in both languages; a client gets its own of it."""

Reason = Spoken


def tells_why(model: Any) -> bool:
    """Whether an answer of this type can hold such a text, and so needs to know its reader's language."""
    if isinstance(model, type) and issubclass(model, BaseModel):
        return any(_is_reason(field.metadata) or tells_why(field.annotation) for field in model.model_fields.values())
    return _is_reason(getattr(model, "__metadata__", ())) or any(map(tells_why, get_args(model)))


def _is_reason(metadata: Iterable[Any]) -> bool:
    return any(isinstance(mark, PlainSerializer) and mark.func is _speak for mark in metadata)


def in_language(message: dict[str, Any], language: str) -> dict[str, Any]:
    """An event as one client reads it."""
    data = message.get("data")
    if not isinstance(data, dict):
        return message
    told = {name: spoken(value, language) if isinstance(value, str) else value for name, value in data.items()}
    return {**message, "data": told}
