"""The moderation hook: one place where every prompt passes, one where every output does.

An implementation is called in a thread, several at a time, so it may take its while and must not keep state per call.
"""

import asyncio
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel

from control_plane.errors import InvalidParameter
from control_plane.web.models import prompts_of
from runtime.settings import Settings


@dataclass(frozen=True)
class Refusal:
    """Why something is refused, shown to the user in either language."""

    zh: str
    en: str


class Moderator(Protocol):
    """What `REELFARM_MODERATION` names: a callable `module:name` that takes the Settings and returns one of these."""

    def check_prompt(self, text: str) -> Refusal | None:
        """Words of a user's, or words that a script model wrote."""

    def check_output(self, media_type: str, path: Path) -> Refusal | None:
        """A finished file, such as a picture, a video or a line of speech; ``path`` is to be read only."""


def load_moderator(settings: Settings) -> Moderator | None:
    """The moderator of the settings, if any. Raises ValueError, naming the setting, where it cannot be made."""
    if not settings.moderation:
        return None
    module, _, name = settings.moderation.partition(":")
    try:
        factory = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"REELFARM_MODERATION: {settings.moderation!r} is not a module:name: {error}") from error
    moderator: Moderator = factory(settings)
    return moderator


async def check_texts(moderator: Moderator | None, texts: Sequence[tuple[str, str]]) -> None:
    """Texts with the names of their fields. Raises InvalidParameter for the first that is refused."""
    if moderator is None or not texts:
        return
    found = await asyncio.to_thread(_first_refusal, moderator, texts)
    if found is not None:
        field, refusal = found
        raise InvalidParameter(refusal.zh, refusal.en, field=field)


async def check_request(moderator: Moderator | None, arguments: Sequence[BaseModel]) -> None:
    """Every prompt in a parsed request. Raises InvalidParameter."""
    if moderator is not None:
        await check_texts(moderator, [found for argument in arguments for found in prompts_of(argument)])


def _first_refusal(moderator: Moderator, texts: Sequence[tuple[str, str]]) -> tuple[str, Refusal] | None:
    for field, text in texts:
        refusal = moderator.check_prompt(text) if text else None
        if refusal is not None:
            return field, refusal
    return None
