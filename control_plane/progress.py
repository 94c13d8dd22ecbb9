"""What a person sees while a film is made: bars on a terminal, plain lines elsewhere."""

import sys
import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn


class Display(Protocol):
    """`show` tells how far a step is, 0 to 1, with a word about it; steps may be told in any order."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def show(self, step: str, fraction: float, detail: str = "") -> None: ...


def make_display() -> Display:
    return Bars() if sys.stderr.isatty() else Lines()


class Bars:
    def __init__(self) -> None:
        self._tasks: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description:<12}"),
            BarColumn(bar_width=32),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[detail]}"),
            console=Console(stderr=True),
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, step: str, fraction: float, detail: str = "") -> None:
        if step not in self._tasks:
            self._tasks[step] = self._progress.add_task(step, total=1.0, detail=detail)
        self._progress.update(self._tasks[step], completed=fraction, detail=detail)


class Lines:
    """A line when a step starts to move, at each further half and when it is done."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._shown: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.stderr.flush()

    def show(self, step: str, fraction: float, detail: str = "") -> None:
        half = int(fraction * 2)
        if self._shown.get(step, -1) < half:
            self._shown[step] = half
            elapsed_s = time.monotonic() - self._started
            sys.stderr.write(f"{elapsed_s:7.1f} s  {step:<12} {fraction:4.0%}  {detail}".rstrip() + "\n")
