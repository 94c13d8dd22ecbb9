"""What a task made, looked at before anything of it reaches the product."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from control_plane.moderation.hook import Moderator, Refusal
from control_plane.web import reasons
from control_plane.work import Services
from models.specs import StoredArtifact
from runtime.artifacts import ArtifactStore
from scheduler.task import FinishedTask, OutcomeClass, TaskState


async def moderated(services: Services, task: FinishedTask) -> FinishedTask:
    """The task as it finished, or as one that failed because its result is refused: nobody pays for it, and its files
    get no row. What a task wrote (a script) is words; what it stored is files."""
    if services.moderator is None or task.state is not TaskState.SUCCEEDED or task.result is None:
        return task
    refusal = await asyncio.to_thread(_first_refusal, services.moderator, services.store, task.result)
    if refusal is None:
        return task
    return replace(
        task,
        state=TaskState.FAILED,
        outcome=OutcomeClass.USER,
        result=None,
        error_message=reasons.both(
            f"结果未通过内容审核：{refusal.zh}", f"the result was refused by moderation: {refusal.en}"
        ),
    )


def _first_refusal(moderator: Moderator, store: ArtifactStore, result: dict[str, Any]) -> Refusal | None:
    parts = list(_parts(result))
    files = [part for part in parts if isinstance(part, StoredArtifact)]
    words = [part for part in parts if isinstance(part, str)]
    refusal = moderator.check_prompt("\n".join(words)) if words else None
    if refusal is not None:
        return refusal
    with store.scratch() as directory:
        for index, stored in enumerate(files):
            path = directory / f"{index}{Path(stored.key).suffix}"
            store.take(stored.key, path)
            refusal = moderator.check_output(stored.media_type, path)
            if refusal is not None:
                return refusal
    return None


def _parts(value: Any) -> Iterator[StoredArtifact | str]:
    """The files and the texts in a result."""
    if isinstance(value, dict):
        try:
            yield StoredArtifact.model_validate(value)
        except ValidationError:
            for item in value.values():
                yield from _parts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _parts(item)
    elif isinstance(value, str):
        yield value
