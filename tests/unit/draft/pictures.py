"""Specs and measures that the tests of painter and animator share."""

import numpy as np

from models.draft.painter import DraftPainter
from models.interfaces import PaintedImage
from models.specs import ArtStyle, ImageSpec, ShotType, Subject

PLAIN = ArtStyle(style_name="flat", visual_keywords=["flat"])
GIRL = Subject(name="小渔", appearance="黑色双马尾，红色连衣裙", gender="female", age="child", seed=1)
FISHER = Subject(
    name="Old Chen", appearance="white beard, straw hat, navy coat, brown pants", gender="male", age="elder"
)


def style(technique: str) -> ArtStyle:
    return ArtStyle(style_name=technique, visual_keywords=[technique])


def spec(prompt: str, **fields: object) -> ImageSpec:
    given = {"width": 480, "height": 270, "style": PLAIN, "shot_type": ShotType.WIDE, **fields}
    return ImageSpec(prompt=prompt, **given)


def paint(picture: ImageSpec, images: dict[str, np.ndarray] | None = None) -> PaintedImage:
    return DraftPainter().paint(picture, images or {}, lambda fraction: None)


def difference(first: np.ndarray, second: np.ndarray) -> float:
    """Mean absolute difference of two pictures, 0 to 255."""
    return float(np.abs(first.astype(np.int16) - second.astype(np.int16)).mean())


def share_like(pixels: np.ndarray, red: tuple[int, int], green: tuple[int, int], blue: tuple[int, int]) -> float:
    """The share of pixels whose channels lie in the given ranges."""
    inside = np.ones(pixels.shape[:2], bool)
    for channel, (low, high) in enumerate((red, green, blue)):
        inside &= (pixels[..., channel] >= low) & (pixels[..., channel] <= high)
    return float(inside.mean())
