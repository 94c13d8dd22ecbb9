"""What an adapter reports to in tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipelines.context import TaskCancelled


class Recorder:
    """Keeps what it is told; raises TaskCancelled at the first fraction of at least ``cancel_at``."""

    def __init__(self, cancel_at: float = 2.0) -> None:
        self.fractions: list[float] = []
        self.phases: list[str] = []
        self.notes: dict[str, Any] = {}
        self._cancel_at = cancel_at

    def __call__(self, fraction: float, /, preview: object = None) -> None:
        self.fractions.append(fraction)
        if fraction >= self._cancel_at:
            raise TaskCancelled

    @contextmanager
    def phase(self, name: str, /) -> Iterator[None]:
        self.phases.append(name)
        yield

    def note(self, **parameters: Any) -> None:
        self.notes.update(parameters)
