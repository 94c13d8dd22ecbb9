"""The shell of a room: walls, floor, a window with its view, the light inside."""

import numpy as np

from models.draft.painter.canvas import Canvas
from models.draft.painter.colour import Colour, darker, lighter, rgb, times
from models.draft.painter.places import groves, land, town, water, wild
from models.draft.painter.stage import Stage

_VIEWS = {
    "city": town.city,
    "sea": water.sea,
    "field": land.field,
    "mountain": land.mountain,
    "space": wild.space,
    "bamboo": groves.bamboo,
}


def _view(stage: Stage, kind: str, width: int, height: int) -> Canvas:
    """What is seen outside, painted small with dice of its own."""
    canvas = Canvas(max(16, width), max(16, height))
    dice = np.random.default_rng(int(stage.place_rng.integers(2**32)))
    _VIEWS[kind](
        Stage(
            canvas,
            stage.light,
            stage.reading,
            dice,
            np.random.default_rng(int(stage.place_rng.integers(2**32))),
            height * 0.6,
        )
    )
    return canvas


def window(
    stage: Stage,
    x: float,
    y: float,
    width: float,
    height: float,
    view: str = "field",
    frame: str = "#f0e9dc",
    *,
    bars: bool = True,
    near: float = 0.1,
) -> None:
    """A window with what is seen through it and the light that falls in."""
    canvas, light = stage.canvas, stage.light
    wood = indoor(stage, rgb(frame))
    edge = stage.size * 0.016
    canvas.rect(x - edge, y - edge, width + 2 * edge, height + 2 * edge, wood)
    outside = _view(stage, view, round(width), round(height))
    x0, y0 = max(0, round(x)), max(0, round(y))
    x1, y1 = min(canvas.width, round(x) + outside.width), min(canvas.height, round(y) + outside.height)
    if x1 > x0 and y1 > y0:
        dx, dy = x0 - round(x), y0 - round(y)
        canvas.rgb[y0:y1, x0:x1] = outside.rgb[dy : dy + y1 - y0, dx : dx + x1 - x0]
        canvas.depth[y0 // 2 : y1 // 2, x0 // 2 : x1 // 2] = round(near * 255)
    if bars:
        canvas.rect(x + width / 2 - edge * 0.3, y, edge * 0.6, height, wood)
        canvas.rect(x, y + height * 0.45, width, edge * 0.6, wood)
    canvas.rect(x - edge * 2, y + height + edge * 0.6, width + 4 * edge, edge * 1.1, lighter(wood, 0.2))
    glow = stage.light.sky[3]
    if not light.moon:
        canvas.glow(x + width / 2, y + height / 2, max(width, height) * 1.1, glow, 0.3)
        reach = stage.height - stage.horizon
        canvas.polygon(
            [
                (x + width * 0.1, stage.horizon + reach * 0.15),
                (x + width * 0.9, stage.horizon + reach * 0.15),
                (x + width * 1.25, stage.height * 0.97),
                (x + width * 0.1, stage.height * 0.97),
            ],
            lighter(glow, 0.3),
            0.16,
        )


def indoor(stage: Stage, surface: Colour) -> Colour:
    return times(surface, stage.light.inside().ambient)


def shell(stage: Stage, wall: str, floor: str, *, planks: bool = True, line: float = 0.66) -> tuple[Colour, Colour]:
    canvas = stage.canvas
    stage.indoor = True
    stage.horizon = stage.height * line
    stage.floor = 0.94
    w, h = stage.width, stage.height
    paint, ground = indoor(stage, rgb(wall)), indoor(stage, rgb(floor))
    canvas.down(0, stage.horizon, [(0, darker(paint, 0.28)), (0.5, paint), (1, darker(paint, 0.1))], (0.18, 0.2))
    canvas.down(stage.horizon, h, [(0, darker(ground, 0.25)), (1, ground)], (0.24, 0.86))
    if planks:
        for x in np.linspace(-1.2, 2.2, 24):
            canvas.line(
                [(w * 0.5 + (x - 0.5) * w * 0.55, stage.horizon), (x * w, h)],
                stage.size * 0.003,
                darker(ground, 0.35),
                0.5,
            )
    else:
        for step in range(1, 7):
            y = stage.horizon + (h - stage.horizon) * (step / 6) ** 1.5
            canvas.line([(0, y), (w, y)], stage.size * 0.003, darker(ground, 0.3), 0.5)
        for x in np.linspace(-1.0, 2.0, 16):
            canvas.line(
                [(w * 0.5 + (x - 0.5) * w * 0.55, stage.horizon), (x * w, h)],
                stage.size * 0.003,
                darker(ground, 0.3),
                0.5,
            )
    skirting = lighter(paint, 0.3)
    canvas.rect(-5, stage.horizon - stage.size * 0.022, w + 10, stage.size * 0.026, skirting)
    return paint, ground


def ceiling_lamp(stage: Stage, x: float, drop: float = 0.16) -> None:
    canvas, size = stage.canvas, stage.size
    y = stage.height * drop
    canvas.line([(x, 0), (x, y)], size * 0.005, (40, 36, 36))
    canvas.polygon(
        [
            (x - 0.02 * size, y),
            (x + 0.02 * size, y),
            (x + 0.075 * size, y + 0.06 * size),
            (x - 0.075 * size, y + 0.06 * size),
        ],
        indoor(stage, rgb("#c2703d")),
    )
    if stage.light.lamps > 0.2:
        canvas.glow(x, y + 0.07 * size, size * 0.62, rgb("#ffc877"), 0.55 * stage.light.lamps)
        canvas.ellipse(x, y + 0.062 * size, 0.05 * size, 0.014 * size, rgb("#fff0c4"))
