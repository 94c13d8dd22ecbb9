"""Whether the characters of a shot look like their reference sheets, and painting it again where they do not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from models.interfaces import Embedder
from models.options import PainterOptions
from models.specs import Framing, ImageSpec

if TYPE_CHECKING:
    from models.interfaces import RGB, Samples

T = TypeVar("T")

_STRIDE = 0x9E3779B97F4A7C15  # odd, so that no two tries of one seed meet
_SEEDS = 2**63


@dataclass(frozen=True)
class Limits:
    """A picture with a lower score than ``least`` is painted again; ``tries`` counts the first one too."""

    least: float | None = None
    tries: int = 1


def limits_of(model: Any) -> Limits:
    """What the model's catalog entry asks for; nothing of an adapter without such options."""
    options = getattr(model, "options", None)
    return Limits(options.min_identity, options.tries) if isinstance(options, PainterOptions) else Limits()


class Judge:
    """Compares pictures with the sheets of the characters that shall be in them."""

    def __init__(self, embedder: Embedder, sheets: "Sequence[Sequence[RGB]]") -> None:
        """``sheets`` has at least one picture of each character."""
        self._embedder = embedder
        self._sheets: list[Samples] = [embedder.embed(pictures) for pictures in sheets]

    def score(self, picture: "RGB") -> float:
        """-1 to 1: how alike the least alike character is to the most alike view of the picture."""
        seen = self._embedder.embed(views(picture))
        return float(min((sheets @ seen.T).max() for sheets in self._sheets))


def has_sheets(spec: ImageSpec) -> bool:
    """Whether it is a shot of somebody with reference sheets: nothing else is compared."""
    return spec.framing is Framing.SHOT and any(subject.reference_keys for subject in spec.subjects)


def judge_of(spec: ImageSpec, images: "Mapping[str, RGB]", embedder: Embedder | None) -> Judge | None:
    """None for a picture that is no shot, or has nobody with sheets in it."""
    if embedder is None or not has_sheets(spec):
        return None
    sheets = [[images[key] for key in subject.reference_keys] for subject in spec.subjects if subject.reference_keys]
    return Judge(embedder, sheets)


def views(picture: "RGB") -> "list[RGB]":
    """All of a picture, its quarters and its middle, so that somebody who fills a part of it counts whole."""
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    corners = [(0, 0), (0, width), (height, 0), (height, width), (height // 2, width // 2)]
    return [picture, *(np.ascontiguousarray(picture[y : y + height, x : x + width]) for y, x in corners)]


@dataclass(frozen=True)
class Try(Generic[T]):
    seed: int
    score: float
    made: T


def seed_of_try(seed: int, number: int) -> int:
    return (seed + number * _STRIDE) % _SEEDS


def best_of(seed: int, limits: Limits, make: Callable[[int, int], T], score: Callable[[T], float]) -> list[Try[T]]:
    """All tries, the best first. ``make(number, seed)`` makes one, until one is good enough or all were made."""
    tries: list[Try[T]] = []
    for number in range(limits.tries if limits.least is not None else 1):
        made = make(number, seed_of_try(seed, number))
        tries.append(Try(seed_of_try(seed, number), score(made), made))
        if limits.least is None or tries[-1].score >= limits.least:
            break
    return sorted(tries, key=lambda one: -one.score)
