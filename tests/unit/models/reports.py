"""What adapters report to in tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipelines.context import TaskCancelled

if TYPE_CHECKING:
    from models.interfaces import RGB


class FakeReport:
    """Keeps what it is told. The task turns out to be cancelled at the call ``cancel_at_call``, counted from 1, or at
    the first fraction of at least ``cancel_at``; ``is_cancelled`` says so from outside."""

    def __init__(self, *, cancel_at_call: int | None = None, cancel_at: float = 2.0) -> None:
        self.cancel_at_call, self.cancel_at = cancel_at_call, cancel_at
        self.is_cancelled = False
        self.fractions: list[float] = []
        self.previews: list[RGB] = []
        self.phases: list[str] = []
        self.noted: list[dict[str, Any]] = []

    def __call__(self, fraction: float, /, preview: "RGB | None" = None) -> None:
        self.fractions.append(fraction)
        if preview is not None:
            self.previews.append(preview)
        late = self.cancel_at_call is not None and len(self.fractions) >= self.cancel_at_call
        self.is_cancelled = self.is_cancelled or late or fraction >= self.cancel_at
        self.stop_if_cancelled()

    def stop_if_cancelled(self) -> None:
        if self.is_cancelled:
            raise TaskCancelled

    @contextmanager
    def phase(self, name: str, /) -> Iterator[None]:
        self.phases.append(name)
        yield

    def note(self, **parameters: Any) -> None:
        self.noted.append(parameters)

    @property
    def notes(self) -> dict[str, Any]:
        """What holds in the end."""
        return {name: value for noted in self.noted for name, value in noted.items()}
