"""Churches and temples from inside."""

import numpy as np

from models.draft.painter.canvas import curve
from models.draft.painter.colour import Colour, darker, lighter, mix, rgb
from models.draft.painter.places import furniture, scenery
from models.draft.painter.places.interior import indoor, shell
from models.draft.painter.stage import Stage

_GLASS = ("#3f6fb5", "#d8413c", "#f2c744", "#4f9d5d", "#8655b5", "#e8843c")


def nave(stage: Stage) -> None:
    """Pews on both sides of an aisle, pillars with arches, stained glass over the altar."""
    shell(stage, "#b9ad98", "#8f8577", planks=False)
    canvas, w, h, size = stage.canvas, stage.width, stage.height, stage.size
    middle, ground = w * 0.5, stage.horizon
    stone, wood = indoor(stage, rgb("#d3c7b0")), indoor(stage, rgb("#6b4630"))
    with canvas.at(0.12):
        _arch(stage, middle, ground, size * 0.52, h * 0.6, darker(stone, 0.35))
        _glass(stage, middle, ground - h * 0.17, size * 0.3, h * 0.36)
        for side in (-1, 1):
            _glass(stage, middle + side * size * 0.5, ground - h * 0.2, size * 0.13, h * 0.3)
    cloth = indoor(stage, rgb("#f0e8da"))
    with canvas.at(0.2):
        canvas.rect(middle - size * 0.13, ground - size * 0.1, size * 0.26, size * 0.13, cloth)
        canvas.rect(
            middle - size * 0.14, ground - size * 0.115, size * 0.28, size * 0.024, indoor(stage, rgb("#d9b35c"))
        )
        gold = indoor(stage, rgb("#e8bd58"))
        canvas.rect(middle - size * 0.006, ground - size * 0.22, size * 0.012, size * 0.1, gold)
        canvas.rect(middle - size * 0.03, ground - size * 0.195, size * 0.06, size * 0.012, gold)
        for dx in (-0.1, 0.1):
            _candle(stage, middle + dx * size, ground - size * 0.11, size * 0.05)
    carpet = indoor(stage, rgb("#9a3238"))
    near, far = size * 0.2, size * 0.07
    canvas.polygon(
        [(middle - far, ground), (middle + far, ground), (middle + near, h + 5), (middle - near, h + 5)], carpet
    )
    for depth in (0.62, 0.86, 1.2):
        for side in (-1, 1):
            x = middle + side * depth * size * 0.72
            with canvas.at(0.2 + 0.25 * depth):
                furniture.column(
                    stage, x, -5, ground + depth * size * 0.1, size * 0.085 * depth, stone, lighter(stone, 0.2)
                )
    for row in range(5):
        share = (row + 0.5) / 5
        y = ground + (h - ground) * (0.08 + 0.92 * share**1.4)
        with canvas.at(stage.nearness(y)):
            for side in (-1, 1):
                _pew(
                    stage,
                    middle + side * (far + (near - far) * share + size * 0.03),
                    y,
                    side,
                    size * (0.3 + 0.5 * share),
                    wood,
                )


def _arch(stage: Stage, x: float, foot: float, width: float, height: float, colour: Colour) -> None:
    """A pointed arch."""
    half = width / 2
    stage.canvas.polygon(
        curve(
            [
                (x - half, foot),
                (x - half, foot - 0.6 * height),
                (x - 0.55 * half, foot - 0.86 * height),
                (x, foot - height),
                (x + 0.55 * half, foot - 0.86 * height),
                (x + half, foot - 0.6 * height),
                (x + half, foot),
            ],
            closed=False,
        ),
        colour,
    )


def _glass(stage: Stage, x: float, foot: float, width: float, height: float) -> None:
    """A window of coloured panes, as bright as the sky behind it."""
    canvas, light = stage.canvas, stage.light
    lead = (46.0, 40.0, 44.0)
    _arch(stage, x, foot + height * 0.02, width * 1.12, height * 1.06, lead)
    _arch(stage, x, foot, width, height, mix(rgb("#3f6fb5"), light.sky[3], 0.3))
    columns, rows = 4, 7
    for row in range(rows):
        # Towards the point of the arch there is room for fewer panes.
        wide = width * min(1.0, 0.36 + 0.16 * row)
        for column in range(columns):
            code = _GLASS[int(stage.place_rng.integers(len(_GLASS)))]
            left = x - wide / 2 + wide * column / columns
            top = foot - height * (0.93 - 0.93 * row / rows)
            pane = lighter(rgb(code), 0.1) if not light.moon else darker(rgb(code), 0.2)
            canvas.rect(left + wide * 0.02, top, wide / columns * 0.86, height * 0.93 / rows * 0.86, pane)
    canvas.ellipse(x, foot - height * 0.62, width * 0.2, width * 0.2, rgb("#f2c744"))
    canvas.ellipse(x, foot - height * 0.62, width * 0.12, width * 0.12, rgb("#d8413c"))
    if not light.moon:
        canvas.glow(x, foot - height * 0.5, height * 0.7, light.sky[3], 0.25)


def _candle(stage: Stage, x: float, foot: float, height: float) -> None:
    canvas = stage.canvas
    canvas.rect(x - height * 0.1, foot - height, height * 0.2, height, rgb("#f6efdc"))
    canvas.glow(x, foot - height * 1.2, height * 3.2, rgb("#ffc877"), 0.5)
    canvas.ellipse(x, foot - height * 1.18, height * 0.1, height * 0.2, rgb("#fff0c4"))


def _pew(stage: Stage, inner: float, y: float, side: int, length: float, wood: Colour) -> None:
    """A bench's back, seen from behind, its end at the aisle."""
    canvas, tall = stage.canvas, length * 0.3
    outer = inner + side * length * 1.6
    left, right = min(inner, outer), max(inner, outer)
    canvas.rect(left, y - tall, right - left, tall, wood)
    canvas.rect(left, y - tall, right - left, tall * 0.16, lighter(wood, 0.22))
    canvas.rect(left, y - tall * 0.3, right - left, tall * 0.05, darker(wood, 0.3))
    end = inner if side > 0 else inner - tall * 0.24
    canvas.rect(end, y - tall * 1.15, tall * 0.24, tall * 1.2, darker(wood, 0.25), 1.0, tall * 0.08)


def temple_hall(stage: Stage) -> None:
    """Red pillars, a golden figure in its shrine, an altar with candles and incense, lanterns."""
    shell(stage, "#8f3a2c", "#6f5a48", planks=False)
    canvas, w, h, size = stage.canvas, stage.width, stage.height, stage.size
    middle, ground = w * 0.5, stage.horizon
    red, gold, wood = (indoor(stage, rgb(code)) for code in ("#b5352a", "#e8bd58", "#4a3024"))
    with canvas.at(0.12):
        canvas.rect(middle - size * 0.36, h * 0.1, size * 0.72, ground - h * 0.1, darker(wood, 0.2))
        canvas.rect(middle - size * 0.4, h * 0.08, size * 0.8, size * 0.05, gold)
        y = ground - size * 0.1
        canvas.ellipse(middle, y - size * 0.22, size * 0.2, size * 0.2, mix(gold, (255.0, 226.0, 150.0), 0.4), 0.35)
        canvas.smooth(
            [
                (middle - size * 0.19, y),
                (middle - size * 0.13, y - size * 0.08),
                (middle - size * 0.09, y - size * 0.2),
                (middle, y - size * 0.23),
                (middle + size * 0.09, y - size * 0.2),
                (middle + size * 0.13, y - size * 0.08),
                (middle + size * 0.19, y),
            ],
            gold,
        )
        canvas.ellipse(middle, y - size * 0.27, size * 0.055, size * 0.065, lighter(gold, 0.15))
        canvas.ellipse(middle, y - size * 0.335, size * 0.025, size * 0.025, darker(gold, 0.2))
        canvas.ellipse(middle, y - size * 0.04, size * 0.19, size * 0.03, darker(gold, 0.25))
    with canvas.at(0.24):
        canvas.rect(middle - size * 0.3, ground - size * 0.07, size * 0.6, size * 0.13, red)
        canvas.rect(middle - size * 0.32, ground - size * 0.085, size * 0.64, size * 0.025, wood)
        for dx in (-0.24, -0.16, 0.16, 0.24):
            _candle(stage, middle + dx * size, ground - size * 0.085, size * 0.05)
        canvas.rect(middle - size * 0.05, ground - size * 0.125, size * 0.1, size * 0.045, gold, 1.0, size * 0.01)
        for dx in (-0.02, 0.0, 0.02):
            canvas.line(
                [(middle + dx * size, ground - size * 0.12), (middle + dx * size, ground - size * 0.18)],
                size * 0.004,
                red,
            )
        smoke = curve(
            [(middle + 0.02 * size * np.sin(step * 1.1), ground - size * (0.18 + 0.07 * step)) for step in range(6)],
            closed=False,
        )
        canvas.line(smoke, size * 0.012, (230, 226, 220), 0.25)
    for depth in (0.62, 0.9, 1.25):
        for side in (-1, 1):
            x = middle + side * depth * size * 0.72
            with canvas.at(0.2 + 0.25 * depth):
                furniture.column(stage, x, -5, ground + depth * size * 0.1, size * 0.1 * depth, red, gold)
                scenery.lantern(stage, x - side * size * 0.14 * depth, h * 0.2, size * 0.05 * depth)
    for dx in (-0.2, 0.2):
        canvas.ellipse(middle + dx * size, h * 0.84, size * 0.1, size * 0.026, indoor(stage, rgb("#c79a4a")))
