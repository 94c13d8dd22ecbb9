"""What an adapter of each task kind offers. One instance lives in a worker and serves one task at a time, or several
in one call where it can (BatchPainter).

An adapter gets a closed spec and the files it names, already loaded, and never touches the artifact store, the
queue or the network. ``report(fraction)`` is called at every step, 0 to 1; it raises when the task was cancelled, so
an adapter must let exceptions out of it pass.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from models.specs import ImageSpec, Language, MusicSpec, ScriptResult, ScriptSpec, SpeechSpec, VideoSpec, Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    RGB = NDArray[np.uint8]  # (height, width, 3)
    Grey = NDArray[np.uint8]  # (height, width)
    I420 = NDArray[np.uint8]  # (height * 3 // 2, width): Y plane, then U and V at half size
    Samples = NDArray[np.float32]  # (channels, n), -1 to 1

Phase = Literal["fetch", "load", "compile", "run", "decode", "upload"]
"""What a task spends its time with; each may go without progress for a time of its own before it counts as hung."""


class Report(Protocol):
    """How an adapter tells what it does. Each method may raise when the task was cancelled."""

    def __call__(self, fraction: float, /, preview: "RGB | None" = None) -> None:
        """``fraction`` of the adapter's own work is done; ``preview`` shows it, small."""
        ...

    def stop_if_cancelled(self) -> None:
        """Raise where the task was cancelled; unlike a fraction, it says nothing of progress."""
        ...

    def phase(self, name: Phase, /) -> AbstractContextManager[None]:
        """Compiling and decoding are not steps and take longer than one."""
        ...

    def note(self, **parameters: Any) -> None:
        """Keep what was really asked of the model, as JSON values, with what it made."""
        ...


class UserInputError(ValueError):
    """The request itself cannot be rendered; another try would fail alike. ``field`` names what to change.

    ``en`` and ``zh`` say why, for whoever knows the reader's language; ``str()`` is the one of the content's
    ``language``, for whoever does not."""

    def __init__(self, en: str, zh: str | None = None, *, language: Language = "en", field: str = "content") -> None:
        self.en = en
        self.zh = zh or en
        self.field = field
        super().__init__(self.zh if language == "zh" else en)


@dataclass(frozen=True)
class PaintedImage:
    pixels: "RGB"
    depth: "Grey | None" = None  # white is near


@dataclass(frozen=True)
class FrameStream:
    """Frames in order; ``frames`` may be consumed once. Frame ``i`` is shown at ``i / fps`` seconds."""

    width: int
    height: int
    fps: int
    count: int
    frames: "Iterator[I420]"


@dataclass(frozen=True)
class Sound:
    samples: "Samples"
    sample_rate: int


@dataclass(frozen=True)
class Speech:
    sound: Sound
    words: list[Word]


class Adapter(Protocol):
    """Every adapter: constructed as ``Class(model)`` with its catalog entry, loaded once before its first task,
    unloaded to make room."""

    def load(self) -> None: ...

    def unload(self) -> None: ...


class WeightedAdapter(Adapter, Protocol):
    """An adapter with weights: constructed as ``Class(model, folder, device)`` with the folder its weights are in and
    the ``models.device.Device`` it runs on. models/weighted.py has all of it but ``load``."""

    @property
    def weight_bytes(self) -> int:
        """Of the loaded weights, wherever they are."""
        ...

    @property
    def cache_bytes(self) -> int:
        """What is kept on the device between calls, beside the weights."""
        ...

    def park(self) -> None:
        """Move the weights to host memory."""
        ...

    def resume(self) -> None:
        """Move them back onto the device."""
        ...


class ScriptWriter(Adapter, Protocol):
    def write(self, spec: ScriptSpec, report: Report) -> ScriptResult: ...


class Painter(Adapter, Protocol):
    """``images`` maps every key the spec names to its decoded picture."""

    def paint(self, spec: ImageSpec, images: "Mapping[str, RGB]", report: Report) -> PaintedImage: ...

    def repaint(self, spec: ImageSpec, source: "RGB", images: "Mapping[str, RGB]", report: Report) -> PaintedImage:
        """Change ``source``, a picture of the spec's size, as the spec asks, and keep its composition."""
        ...


class Note(Protocol):
    """Keeps what was asked of a model for one picture, as JSON values: see Report.note."""

    def __call__(self, **parameters: Any) -> None: ...


class BatchPainter(Painter, Protocol):
    def paint_batch(
        self, specs: Sequence[ImageSpec], images: "Mapping[str, RGB]", report: Report, notes: Sequence[Note]
    ) -> list[PaintedImage]:
        """Each as ``paint`` would make it; they have one size and go by the same pictures."""
        ...


class Animator(Adapter, Protocol):
    def animate(self, spec: VideoSpec, image: "RGB", depth: "Grey | None", report: Report) -> FrameStream: ...


class Speaker(Adapter, Protocol):
    def speak(self, spec: SpeechSpec, report: Report) -> Speech: ...


class Composer(Adapter, Protocol):
    """Returns stereo sound; when ``loops_cleanly`` its end joins its start without a click."""

    def compose(self, spec: MusicSpec, report: Report) -> tuple[Sound, bool]: ...


class Aligner(Adapter, Protocol):
    """The task ``alignment``: when the words of a text are spoken in a recording of it."""

    def align(self, sound: Sound, text: str, language: Language) -> list[Word]: ...


class Embedder(Adapter, Protocol):
    """The task ``embedding``: pictures as directions; the dot product of two tells how alike they are, -1 to 1."""

    def embed(self, images: "Sequence[RGB]") -> "Samples":
        """Shape (images, dimensions), rows of length 1."""
        ...
