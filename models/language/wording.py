"""What every text of a model goes through before a film uses it."""

from collections.abc import Collection, Sequence
from typing import Protocol

from models.draft.script.text import has_words, one_line, without_controls


def plain(text: str) -> str:
    """On one line, without what nobody sees; empty where nothing in it can be said."""
    text = one_line(without_controls(text))
    return text if has_words(text) else ""


class Named(Protocol):
    name: str


def names_apart(elements: Sequence[Named], noun: str, taken: Collection[str] = ()) -> None:
    """Give each a name of its own: pictures, voices and shots go by names. ``noun`` names those without one."""
    seen = set(taken)
    for number, element in enumerate(elements, start=1):
        name = base = element.name or f"{noun} {number}"
        again = 2
        while name in seen:
            name = f"{base} {again}"
            again += 1
        seen.add(name)
        element.name = name
