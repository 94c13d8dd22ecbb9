"""Techniques: what makes a picture a watercolour, a comic or a clay model. Each takes the flat picture with its depth
and gives the finished one; sizes inside are in ``unit``, 1 at a short side of 720 pixels."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.draft.painter.grade import contrast_curve, gradient_map, grey_of, saturate, split_tone, tables
from models.draft.painter.sky import noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.interfaces import RGB, Grey


@dataclass(frozen=True)
class Sheet:
    """``depth`` has the picture's size."""

    image: "RGB"
    depth: "Grey"

    @property
    def size(self) -> tuple[int, int]:
        return self.image.shape[1], self.image.shape[0]

    @property
    def unit(self) -> float:
        return min(self.size) / 720


# Those that draw a line round whatever differs from what is beside it.
CONTOURED = frozenset({"anime", "watercolor", "ink", "comic", "neon", "storybook"})


def apply_technique(name: str, image: "RGB", depth: "Grey") -> "RGB":
    return TECHNIQUES[name](Sheet(image, depth))


# --- parts ---


@lru_cache(maxsize=8)
def _texture(kind: str, width: int, height: int) -> "Grey":
    """A ground to work on, 128 in the mean; the same for every picture of a size, as one pad of paper."""
    rng = np.random.default_rng(sum(kind.encode()))
    fine = rng.normal(0, 1, (height, width)).astype(np.float32)
    if kind == "grain":
        field = cv2.GaussianBlur(fine, (0, 0), 0.7) * 1.9
    elif kind == "paper":
        field = cv2.GaussianBlur(fine, (0, 0), 1.2) * 2.6 + (noise(rng, height, width, 40, 3) - 0.5) * 3
    elif kind == "canvas":
        x, y = np.arange(width), np.arange(height)
        weave = (
            np.sin(x * 1.6)[None, :] * np.cos(y * 0.8)[:, None] + np.cos(x * 0.8)[None, :] * np.sin(y * 1.6)[:, None]
        )
        field = (weave * 0.8 + fine * 0.35).astype(np.float32)
    elif kind == "crayon":
        field = cv2.filter2D(fine, -1, np.eye(9, dtype=np.float32) / 3) * 1.1
    else:
        field = (noise(rng, height, width, 9, 4) - 0.5) * 6
    return np.clip(128 + 32 * field, 0, 255).astype(np.uint8)


def _on(image: "RGB", texture: "Grey", strength: float) -> "RGB":
    """Light and shade of a texture on the picture."""
    shade = cv2.convertScaleAbs(texture, alpha=strength, beta=255 * 0.5 * (1 - strength) + 0.5)
    return cv2.multiply(image, cv2.merge([shade] * 3), scale=1 / 128)


def _edges(image: "RGB", width: float) -> "Grey":
    """Contours of colour areas, 255 on the line; ``width`` in pixels."""
    blurred = cv2.GaussianBlur(image, (0, 0), 1.0)
    lines = np.zeros(image.shape[:2], np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    gradient = cv2.morphologyEx(blurred, cv2.MORPH_GRADIENT, kernel)
    strongest = cv2.max(cv2.max(gradient[..., 0], gradient[..., 1]), gradient[..., 2])
    lines = cv2.convertScaleAbs(cv2.subtract(strongest, 16), alpha=6.0)
    if width > 1.5:
        lines = cv2.dilate(lines, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (round(width), round(width))))
    return cv2.GaussianBlur(lines, (3, 3), 0)


def _ink_in(image: "RGB", lines: "Grey", strength: float, colour: tuple[int, int, int] = (0, 0, 0)) -> "RGB":
    """Draw lines into the picture."""
    cover = cv2.convertScaleAbs(lines, alpha=strength)
    kept = cv2.multiply(image, cv2.merge([255 - cover] * 3), scale=1 / 255)
    if not any(colour):
        return kept
    return cv2.add(kept, cv2.merge([cv2.convertScaleAbs(cover, alpha=channel / 255) for channel in colour]))


def _bloom(image: "RGB", threshold: int, strength: float, spread: float) -> "RGB":
    """Light that runs over the edges of what is bright; worked out at an eighth of the size."""
    height, width = image.shape[:2]
    small = cv2.resize(image, (max(2, width // 8), max(2, height // 8)), interpolation=cv2.INTER_AREA)
    bright = cv2.subtract(small, (threshold, threshold, threshold, 0))
    soft = cv2.GaussianBlur(bright, (0, 0), max(0.8, spread / 8))
    glow = cv2.convertScaleAbs(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR), alpha=strength)
    return cv2.add(image, cv2.multiply(255 - image, glow, scale=1 / 255))


@lru_cache(maxsize=3)
def _vignette_map(width: int, height: int, strength: float, start: float) -> "RGB":
    x = np.linspace(-1, 1, max(2, width // 8), dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, max(2, height // 8), dtype=np.float32)[:, None]
    fall = np.clip((np.sqrt(x * x * 0.8 + y * y * 0.9) - start) / (1.35 - start), 0, 1) ** 1.6
    small = (255 * (1 - strength * fall)).astype(np.uint8)
    return cv2.merge([cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)] * 3)


def _vignette(image: "RGB", strength: float, start: float = 0.45) -> "RGB":
    height, width = image.shape[:2]
    return cv2.multiply(image, _vignette_map(width, height, strength, start), scale=1 / 255)


def _to_paper(image: "RGB", paper: tuple[int, int, int], edge: float, ragged: float) -> "RGB":
    """The picture fades into its paper towards the rim."""
    height, width = image.shape[:2]
    rows, columns = max(2, height // 8), max(2, width // 8)
    x = np.minimum(np.arange(columns) + 0.5, columns - np.arange(columns) - 0.5)[None, :] * 8
    y = np.minimum(np.arange(rows) + 0.5, rows - np.arange(rows) - 0.5)[:, None] * 8
    away = np.minimum(x, y).astype(np.float32)
    blot = cv2.resize(_texture("blot", width, height), (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    keep = np.clip((away + (blot - 128) / 128 * ragged) / edge, 0, 1)
    keep = cv2.resize(keep, (width, height), interpolation=cv2.INTER_LINEAR)
    cover = (255 * (1 - keep)).astype(np.uint8)
    return _ink_in(image, cover, 1.0, paper)


def _steps(image: "RGB", levels: int) -> "RGB":
    """Fewer tones of brightness; hue and chroma are kept, so that no colour tips over into another."""
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    ramp = np.arange(256)
    tones = np.rint(np.clip(np.rint(ramp / 255 * levels) / levels, 0, 1) * 255)
    table = np.stack([tones, ramp, ramp], axis=1).astype(np.uint8).reshape(256, 1, 3)
    return cv2.cvtColor(cv2.LUT(lab, table), cv2.COLOR_LAB2RGB)


def _smoothed(image: "RGB", factor: int, kernel: int) -> "RGB":
    """Flat areas with their edges kept: a median at a reduced size."""
    height, width = image.shape[:2]
    small = cv2.resize(image, (max(2, width // factor), max(2, height // factor)), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.medianBlur(small, kernel), (width, height), interpolation=cv2.INTER_CUBIC)


@lru_cache(maxsize=3)
def _wobble_maps(width: int, height: int, reach: float) -> "tuple[NDArray[np.int16], NDArray[np.uint16]]":
    rng = np.random.default_rng(77)
    dx = (noise(rng, height // 4 + 1, width // 4 + 1, 36, 2) - 0.5) * 2 * reach
    dy = (noise(rng, height // 4 + 1, width // 4 + 1, 36, 2) - 0.5) * 2 * reach
    x = np.arange(width, dtype=np.float32)[None, :] + cv2.resize(dx, (width, height), interpolation=cv2.INTER_LINEAR)
    y = np.arange(height, dtype=np.float32)[:, None] + cv2.resize(dy, (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.convertMaps(x, y, cv2.CV_16SC2)


def _wobble(image: "RGB", reach: float) -> "RGB":
    """Edges that a hand drew."""
    height, width = image.shape[:2]
    maps = _wobble_maps(width, height, reach)
    return cv2.remap(image, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


# --- techniques ---


def _cinematic(s: Sheet) -> "RGB":
    """Teal shadows, warm lights, bloom, a vignette, film grain."""
    image = split_tone(s.image, (20, 90, 120), (255, 170, 90), 0.3)
    curve = contrast_curve(1.16)
    image = _bloom(tables(image, np.stack([curve] * 3, axis=1)), 165, 0.9, 40 * s.unit)
    image = _vignette(image, 0.62)
    return _on(image, _texture("grain", *s.size), 0.1)


def _anime(s: Sheet) -> "RGB":
    """Clear bright colours, fine dark contours, soft light."""
    image = saturate(_smoothed(s.image, 2, 3), 1.38)
    image = tables(image, np.stack([contrast_curve(1.06, 0.055)] * 3, axis=1))
    image = _ink_in(image, _edges(s.image, 1.0), 0.72, (34, 24, 52))
    return _bloom(image, 190, 1.0, 30 * s.unit)


def _watercolor(s: Sheet) -> "RGB":
    """Washes that pool at their edges on rough white paper."""
    image = _wobble(_smoothed(s.image, 2, 7), 5 * s.unit)
    image = saturate(tables(image, np.stack([contrast_curve(0.97, 0.09)] * 3, axis=1)), 1.35)
    pool = cv2.convertScaleAbs(_edges(image, 2.0), alpha=0.55)
    image = _ink_in(image, cv2.GaussianBlur(pool, (0, 0), 1.2), 0.42, (60, 52, 70))
    image = _on(image, _texture("blot", *s.size), 0.15)
    image = _on(image, _texture("paper", *s.size), 0.12)
    return _to_paper(image, (250, 247, 240), 14 * s.unit, 16 * s.unit)


def _ink(s: Sheet) -> "RGB":
    """Brush and ink on rice paper: grey washes, dark strokes, a breath of colour, distance left white."""
    grey = grey_of(_wobble(_smoothed(s.image, 2, 3), 2 * s.unit))
    # The darkest tenth becomes full ink and the brightest third bare paper, whatever hour it is.
    low, high = np.quantile(grey[::4, ::4], (0.06, 0.72))
    stretched = np.clip((np.arange(256) - low) / max(12.0, high - low), 0, 1) ** 0.9 * 255
    tone = cv2.LUT(grey, np.rint(stretched).astype(np.uint8))
    far = cv2.subtract(255, s.depth)
    tone = cv2.addWeighted(tone, 0.9, far, 0.2, 0)
    wash = cv2.LUT(tone, np.rint(np.rint(np.arange(256) / 255 * 5) / 5 * 255).astype(np.uint8))
    tone = cv2.addWeighted(tone, 0.4, cv2.GaussianBlur(wash, (0, 0), 2.2 * s.unit), 0.6, 0)
    lines = cv2.multiply(
        _edges(s.image, 2.4 * s.unit), cv2.convertScaleAbs(s.depth, alpha=0.55, beta=95), scale=1 / 255
    )
    image = gradient_map(
        cv2.merge([tone] * 3), [(24, 24, 28), (112, 110, 106), (206, 200, 186), (246, 240, 224)], [0, 0.36, 0.72, 1]
    )
    image = cv2.addWeighted(image, 0.84, s.image, 0.16, 0)
    image = _ink_in(image, lines, 0.85, (18, 18, 22))
    image = _on(image, _texture("paper", *s.size), 0.22)
    return _seal(_to_paper(image, (246, 240, 226), 22 * s.unit, 22 * s.unit), s.unit)


def _seal(image: "RGB", unit: float) -> "RGB":
    """The painter's red seal in a corner."""
    height, width = image.shape[:2]
    size = round(44 * unit)
    x, y = width - round(92 * unit), height - round(104 * unit)
    cv2.rectangle(image, (x, y), (x + size, y + size), (184, 40, 34), -1)
    cell = size / 8
    for a, b, c, d in ((1, 1, 7, 2), (1, 3, 3, 7), (4, 3, 7, 4), (4, 5, 7, 6), (4, 6, 5, 7)):
        cv2.rectangle(
            image,
            (round(x + a * cell), round(y + b * cell)),
            (round(x + c * cell) - 1, round(y + d * cell) - 1),
            (246, 236, 220),
            -1,
        )
    return image


def _comic(s: Sheet) -> "RGB":
    """Few strong colours, black contours, dots in the shade."""
    flat = _smoothed(s.image, 2, 5)
    image = saturate(_steps(flat, 6), 1.5)
    width, height = s.size
    pitch = max(4, round(8 * s.unit))
    x, y = np.arange(width)[None, :], np.arange(height)[:, None]
    angle = np.pi / 4
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    screen = (0.5 + 0.25 * (np.cos(2 * np.pi * u / pitch) + np.cos(2 * np.pi * v / pitch))).astype(np.float32)
    dots = (screen * 255 > cv2.convertScaleAbs(grey_of(flat), alpha=1.7, beta=62).astype(np.float32)).astype(
        np.uint8
    ) * 255
    image = _ink_in(image, cv2.GaussianBlur(dots, (3, 3), 0), 0.55, (26, 18, 58))
    return _ink_in(image, _edges(s.image, 2.2 * s.unit), 1.0)


def _neon(s: Sheet) -> "RGB":
    """Night colours of violet and cyan, glowing contours, scan lines."""
    grey = tables(s.image, np.stack([contrast_curve(1.25, -0.06)] * 3, axis=1))
    mapped = gradient_map(
        grey, [(6, 4, 26), (40, 14, 88), (150, 26, 150), (255, 92, 190), (190, 250, 255)], [0, 0.28, 0.52, 0.78, 1]
    )
    image = cv2.addWeighted(mapped, 0.62, saturate(s.image, 1.7), 0.44, -26)
    lines = _edges(s.image, 1.0)
    width, height = s.size
    share = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    cyan = cv2.multiply(lines, np.repeat(((1 - share) * 255).astype(np.uint8), height, axis=0), scale=1 / 255)
    pink = cv2.subtract(lines, cyan)
    light = cv2.merge([pink, cyan, cv2.add(cyan, cv2.convertScaleAbs(pink, alpha=0.7))])
    image = cv2.add(image, cv2.convertScaleAbs(light, alpha=0.62))
    image = _bloom(image, 110, 1.25, 46 * s.unit)
    pitch = max(2, round(3 * s.unit))
    image[::pitch] = cv2.convertScaleAbs(image[::pitch], alpha=0.72)
    return _vignette(image, 0.7, 0.4)


def _storybook(s: Sheet) -> "RGB":
    """Warm crayon colours with brown outlines on cream paper."""
    image = _wobble(_smoothed(s.image, 2, 5), 3 * s.unit)
    image = split_tone(saturate(image, 1.2), (150, 90, 60), (255, 214, 150), 0.42)
    image = tables(image, np.stack([contrast_curve(0.92, 0.11)] * 3, axis=1))
    image = _on(image, _texture("crayon", *s.size), 0.2)
    image = _ink_in(
        image,
        _wobble(_edges(s.image, 2.2 * s.unit)[..., None].repeat(3, axis=2), 3 * s.unit)[..., 0],
        0.62,
        (92, 56, 40),
    )
    return _to_paper(image, (252, 242, 220), 14 * s.unit, 10 * s.unit)


def _noir(s: Sheet) -> "RGB":
    """Black and white, hard light through blinds, deep corners, grain."""
    grey = cv2.transform(s.image, np.array([[0.42, 0.4, 0.18]]))
    curve = contrast_curve(1.75, -0.05)
    tone = cv2.LUT(grey, np.rint(np.clip(curve, 0, 255)).astype(np.uint8))
    width, height = s.size
    x, y = np.arange(width)[None, :], np.arange(height)[:, None]
    pitch = 74 * s.unit
    bars = np.clip(np.cos(2 * np.pi * (y + 0.22 * x) / pitch) * 3.2 + 0.6, 0, 1)
    beam = np.clip(1.25 - np.abs(x / width - 0.62 + 0.28 * (y / height - 0.5)) * 3.4, 0, 1)
    light = (178 + 77 * bars * beam).astype(np.uint8)
    tone = cv2.multiply(tone, light, scale=1 / 205)
    image = _vignette(cv2.merge([tone] * 3), 0.9, 0.3)
    return _on(image, _texture("grain", *s.size), 0.34)


def _pixel(s: Sheet) -> "RGB":
    """Large square pixels, few colours, ordered dither."""
    width, height = s.size
    columns, rows = max(16, round(width / (6 * s.unit))), max(16, round(height / (6 * s.unit)))
    small = saturate(cv2.resize(s.image, (columns, rows), interpolation=cv2.INTER_AREA), 1.3)
    bayer = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32)
    tile = np.tile(bayer, (rows // 4 + 1, columns // 4 + 1))[:rows, :columns, None]
    levels = 8
    step = 255 / (levels - 1)
    dithered = np.rint((small.astype(np.float32) + (tile / 16 - 0.47) * step * 0.55) / step) * step
    return cv2.resize(np.clip(dithered, 0, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)


def _oil(s: Sheet) -> "RGB":
    """Thick strokes: the calmest of four neighbouring patches at each place, in relief on canvas."""
    width, height = s.size
    small = cv2.resize(s.image, (max(8, width // 2), max(8, height // 2)), interpolation=cv2.INTER_AREA)
    small = saturate(small, 1.22)
    reach = max(2, round(3 * s.unit))
    grey = grey_of(small).astype(np.float32)
    mean, square = cv2.blur(grey, (reach, reach)), cv2.blur(grey * grey, (reach, reach))
    spread = square - mean * mean
    patch = cv2.blur(small, (reach, reach))
    half = max(1, round(2 * s.unit))
    best, calmest = patch, spread
    for dx, dy in ((-half, -half), (half, -half), (-half, half), (half, half)):
        move = np.array([[1.0, 0, dx], [0, 1.0, dy]])
        size = (small.shape[1], small.shape[0])
        moved = cv2.warpAffine(patch, move, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        other = cv2.warpAffine(spread, move, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        calmer = (other < calmest).astype(np.uint8)
        best = np.where(calmer[..., None] > 0, moved, best)
        calmest = np.minimum(calmest, other)
    image = _wobble(cv2.resize(best, (width, height), interpolation=cv2.INTER_CUBIC), 2.5 * s.unit)
    bristle = cv2.blur(_texture("crayon", width, height), (max(3, round(13 * s.unit)), 3))
    image = _on(image, bristle, 0.5)
    relief = cv2.filter2D(grey_of(image), cv2.CV_16S, np.array([[-1, -1, 0], [-1, 0, 1], [0, 1, 1]], np.float32))
    lit = np.clip(128 + relief.astype(np.int16) // 2, 0, 255).astype(np.uint8)
    return _on(_on(image, lit, 0.9), _texture("canvas", width, height), 0.2)


def _flat(s: Sheet) -> "RGB":
    """Plain areas of few colours, no line, no texture."""
    height, width = s.image.shape[:2]
    small = cv2.resize(s.image, (max(2, width // 2), max(2, height // 2)), interpolation=cv2.INTER_AREA)
    small = cv2.medianBlur(small, 5)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)
    step = np.rint(np.rint(np.arange(256) / 30) * 30)
    hue = np.rint(np.rint((np.arange(256) - 128) / 11) * 11 + 128)
    lab = cv2.LUT(lab, np.clip(np.stack([step, hue, hue], axis=1), 0, 255).astype(np.uint8).reshape(256, 1, 3))
    flat = saturate(cv2.medianBlur(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 5), 1.28)
    return cv2.medianBlur(cv2.resize(flat, (width, height), interpolation=cv2.INTER_LINEAR), 3)


def _clay(s: Sheet) -> "RGB":
    """Modelled shapes: edges in relief, shadows that near things throw on far ones, matt colours, thumb marks."""
    width, height = s.size
    image = saturate(_smoothed(s.image, 2, 7), 1.14)
    shift = 9 * s.unit
    near = cv2.GaussianBlur(s.depth, (0, 0), 1.6 * s.unit)
    move = np.array([[1.0, 0, shift], [0, 1.0, shift]])
    thrown = cv2.warpAffine(near, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
    shadow = cv2.GaussianBlur(cv2.subtract(thrown, near), (0, 0), 4 * s.unit)
    image = _ink_in(image, cv2.convertScaleAbs(shadow, alpha=2.4), 0.6, (30, 20, 34))
    height_map = cv2.addWeighted(grey_of(cv2.GaussianBlur(image, (0, 0), 2.2 * s.unit)), 0.55, near, 0.75, 0)
    height_map = cv2.addWeighted(height_map, 1.0, _texture("blot", width, height), 0.16, -20)
    soft = cv2.GaussianBlur(height_map, (0, 0), 2.0 * s.unit)
    step = max(1, round(2 * s.unit))
    slope = soft.astype(np.int16) - np.roll(soft, (step, step), axis=(0, 1)).astype(np.int16)
    slope[:step], slope[:, :step] = 0, 0
    lit = np.clip(128 + slope * 6, 40, 226).astype(np.uint8)
    image = split_tone(_on(image, lit, 0.85), (110, 70, 90), (255, 220, 180), 0.3)
    return _vignette(_on(image, _texture("paper", width, height), 0.14), 0.4)


TECHNIQUES: dict[str, Callable[[Sheet], "RGB"]] = {
    "cinematic": _cinematic,
    "anime": _anime,
    "watercolor": _watercolor,
    "ink": _ink,
    "comic": _comic,
    "neon": _neon,
    "storybook": _storybook,
    "noir": _noir,
    "pixel": _pixel,
    "oil": _oil,
    "flat": _flat,
    "clay": _clay,
}
