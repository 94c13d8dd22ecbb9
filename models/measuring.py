"""How much of a device each thing takes that runs on it, also where one runs inside another."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, Protocol


class Gauge(Protocol):
    """What a device tells of its memory; models.device.Device has it."""

    def used_bytes(self) -> int: ...

    def reset_peak(self) -> None: ...

    def peak_bytes(self) -> int: ...


@dataclass
class _Span:
    base: int
    peak: int = 0


class Measuring:
    """A device has one peak for all, so it is begun anew where a span begins or ends inside another."""

    def __init__(self, device: Gauge) -> None:
        self._device = device
        self._open: list[_Span] = []

    @property
    def busy(self) -> bool:
        return bool(self._open)

    @contextmanager
    def span(self, note: Callable[[int], None] = lambda peak: None) -> Iterator[None]:
        """``note`` gets the most bytes that the block took beyond what was held when it began, without what spans
        inside it took or left behind. It is called also when the block raises."""
        device = self._device
        outer = self._open[-1] if self._open else None
        if outer is not None:
            outer.peak = max(outer.peak, device.peak_bytes() - outer.base)
        device.reset_peak()
        span = _Span(before := device.used_bytes())
        self._open.append(span)
        try:
            yield
        finally:
            self._open.pop()
            peak = max(span.peak, device.peak_bytes() - span.base)
            if outer is not None:
                outer.base += device.used_bytes() - before
                device.reset_peak()
            note(peak)


class Apart:
    """An adapter each of whose calls runs in a span of its own. It helps while another one is measured."""

    def __init__(self, adapter: Any, span: Callable[[], AbstractContextManager[None]]) -> None:
        self._adapter = adapter
        self._span = span

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._adapter, name)
        if not callable(found):
            return found

        @wraps(found)
        def call(*arguments: Any, **named: Any) -> Any:
            with self._span():
                return found(*arguments, **named)

        return call
