"""A report for adapters' tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.interfaces import RGB


class Cancelled(Exception):
    """Raised by a report whose task was cancelled."""


class FakeReport:
    """Keeps what it is told; ``cancel_at`` is the call at which the task turns out to be cancelled."""

    def __init__(self, cancel_at: int | None = None) -> None:
        self.cancel_at = cancel_at
        self.fractions: list[float] = []
        self.previews: list[RGB] = []
        self.phases: list[str] = []
        self.notes: dict[str, Any] = {}

    def __call__(self, fraction: float, /, preview: "RGB | None" = None) -> None:
        self.fractions.append(fraction)
        if preview is not None:
            self.previews.append(preview)
        if self.cancel_at is not None and len(self.fractions) >= self.cancel_at:
            raise Cancelled

    @contextmanager
    def phase(self, name: str, /) -> Iterator[None]:
        self.phases.append(name)
        yield

    def note(self, **parameters: Any) -> None:
        self.notes |= parameters
