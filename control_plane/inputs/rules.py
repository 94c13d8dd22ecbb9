"""Aspect ratios, durations and the seed of an input. Pure."""

import hashlib
from dataclasses import dataclass

from models.specs import Language

SHORT_SIDES = {"720p": 720, "1080p": 1080, "4K": 2160}
BASE_SHORT_SIDE = 720
SMART_DURATION = -1
CUSTOM_DURATION_S = (5.0, 600.0)
DURATIONS_S = (5, 10, 15, 30, 60, 120, 180, 300)


@dataclass(frozen=True)
class AspectRatio:
    name: str
    across: float
    down: float
    zh: str
    en: str

    def size(self, short_side: int) -> tuple[int, int]:
        """Width and height in even pixels."""
        if self.across >= self.down:
            return _even(short_side * self.across / self.down), short_side
        return short_side, _even(short_side * self.down / self.across)


ASPECT_RATIOS = {
    ratio.name: ratio
    for ratio in (
        AspectRatio("16:9", 16, 9, "横屏，适合电视与网页", "landscape, for TV and the web"),
        AspectRatio("9:16", 9, 16, "竖屏，适合手机", "portrait, for phones"),
        AspectRatio("4:3", 4, 3, "经典画幅", "classic"),
        AspectRatio("2.35:1", 2.35, 1, "宽银幕电影", "wide-screen cinema"),
        AspectRatio("19:16", 19, 16, "早期有声电影画幅", "early sound film"),
    )
}


def _even(value: float) -> int:
    return 2 * round(value / 2)


def detect_language(content: str) -> Language:
    """``zh`` where at least a fifth of the letters are Han, ``en`` otherwise."""
    letters = [char for char in content if char.isalpha()]
    han = sum("\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf" for char in letters)
    return "zh" if letters and han >= 0.2 * len(letters) else "en"


def seed_text(content: str, *parts: str) -> str:
    """Everything random in a project follows from this: the same input gives the same film."""
    return hashlib.sha256("\n".join((content, *parts)).encode()).hexdigest()


def derive_seed(seed: str, *names: object) -> int:
    """A number for one part of a project, such as one shot's picture, in 0..2^63-1."""
    digest = hashlib.sha256("/".join((seed, *map(str, names))).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
