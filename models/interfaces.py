"""What an adapter of each task kind offers. One instance lives in a worker and serves one task at a time.

An adapter gets a closed spec and the files it names, already loaded, and never touches the artifact store, the
queue or the network. ``report(fraction)`` is called at every step, 0 to 1; it raises when the task was cancelled, so
an adapter must let exceptions out of it pass.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from models.specs import ImageSpec, Language, MusicSpec, ScriptResult, ScriptSpec, SpeechSpec, VideoSpec, Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    RGB = NDArray[np.uint8]  # (height, width, 3)
    Grey = NDArray[np.uint8]  # (height, width)
    I420 = NDArray[np.uint8]  # (height * 3 // 2, width): Y plane, then U and V at half size
    Samples = NDArray[np.float32]  # (channels, n), -1 to 1

Report = Callable[[float], None]


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


class ScriptWriter(Adapter, Protocol):
    def write(self, spec: ScriptSpec, report: Report) -> ScriptResult: ...


class Painter(Adapter, Protocol):
    """``images`` maps every key the spec names to its decoded picture."""

    def paint(self, spec: ImageSpec, images: "Mapping[str, RGB]", report: Report) -> PaintedImage: ...

    def repaint(self, spec: ImageSpec, source: "RGB", images: "Mapping[str, RGB]", report: Report) -> PaintedImage:
        """Change ``source``, a picture of the spec's size, as the spec asks, and keep its composition."""
        ...


class Animator(Adapter, Protocol):
    def animate(self, spec: VideoSpec, image: "RGB", depth: "Grey | None", report: Report) -> FrameStream: ...


class Speaker(Adapter, Protocol):
    def speak(self, spec: SpeechSpec, report: Report) -> Speech: ...


class Composer(Adapter, Protocol):
    """Returns stereo sound; when ``loops_cleanly`` its end joins its start without a click."""

    def compose(self, spec: MusicSpec, report: Report) -> tuple[Sound, bool]: ...
