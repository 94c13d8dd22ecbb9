"""Furniture and small things of rooms. ``y`` is the row a thing stands on; colours come lit."""

import math
from collections.abc import Callable

import numpy as np

from models.draft.painter.colour import Colour, darker, lighter, mix, pick, rgb
from models.draft.painter.stage import Stage

Lit = Callable[[Stage, Colour], Colour]


def curtain(stage: Stage, x: float, y: float, width: float, height: float, colour: Colour) -> None:
    """Hangs around ``x`` from its top ``y``."""
    folds = 5
    for index in range(folds):
        left = x - width / 2 + width * index / folds
        shade = lighter(colour, 0.14) if index % 2 else darker(colour, 0.22)
        sway = width * 0.05 * math.sin(index * 2.1)
        stage.canvas.polygon(
            [
                (left, y),
                (left + width / folds + 1, y),
                (left + width / folds + sway + 1, y + height),
                (left + sway, y + height),
            ],
            shade,
        )


def picture(stage: Stage, x: float, y: float, width: float, height: float, frame: Colour) -> None:
    rng, canvas = stage.place_rng, stage.canvas
    canvas.rect(x, y, width, height, frame)
    edge = width * 0.09
    sky, land = pick(rng, ("#e8c49a", "#a9c6d9", "#d9a08a")), pick(rng, ("#5f7a5a", "#4d6078", "#8a6a4c"))
    canvas.rect(x + edge, y + edge, width - 2 * edge, height - 2 * edge, mix(rgb(sky), frame, 0.2))
    canvas.smooth(
        [
            (x + edge, y + height * 0.6),
            (x + width * 0.4, y + height * 0.45),
            (x + width * 0.7, y + height * 0.62),
            (x + width - edge, y + height * 0.5),
            (x + width - edge, y + height - edge),
            (x + edge, y + height - edge),
        ],
        mix(rgb(land), frame, 0.2),
    )


def sofa(stage: Stage, x: float, y: float, width: float, colour: Colour) -> None:
    canvas, h = stage.canvas, width * 0.44
    with canvas.at(stage.nearness(y)):
        canvas.rect(x - width / 2, y - h, width, h * 0.75, darker(colour, 0.18), 1.0, h * 0.18)
        canvas.rect(x - width * 0.44, y - h * 0.52, width * 0.88, h * 0.34, lighter(colour, 0.12), 1.0, h * 0.1)
        canvas.rect(x - width * 0.46, y - h * 0.3, width * 0.92, h * 0.3, colour)
        for side in (-1, 1):
            canvas.rect(
                x + side * width * 0.48 - width * 0.07,
                y - h * 0.62,
                width * 0.14,
                h * 0.62,
                lighter(colour, 0.05),
                1.0,
                h * 0.14,
            )
    canvas.line([(x, y - h * 0.5), (x, y - h * 0.2)], max(1.0, h * 0.02), darker(colour, 0.3))
    for dx, code in ((-0.26, "#e8b04a"), (0.27, "#e6dccb")):
        canvas.rect(
            x + dx * width - h * 0.15, y - h * 0.76, h * 0.3, h * 0.28, mix(rgb(code), colour, 0.25), 1.0, h * 0.06
        )


def shelf(stage: Stage, x: float, y: float, width: float, height: float, wood: Colour) -> None:
    """A bookcase full of books."""
    canvas, rng = stage.canvas, stage.place_rng
    with canvas.at(stage.nearness(y)):
        canvas.rect(x - width / 2, y - height, width, height, wood)
    rows = max(3, round(height / (width * 0.42)))
    cell = height / rows
    lamp = sum(wood) / 255
    for row in range(rows):
        top = y - height + row * cell + cell * 0.1
        canvas.rect(x - width * 0.45, top, width * 0.9, cell * 0.8, darker(wood, 0.5))
        px = x - width * 0.43
        while px < x + width * 0.38:
            w = width * float(rng.uniform(0.045, 0.085))
            h = cell * float(rng.uniform(0.5, 0.76))
            code = pick(rng, ("#a8443c", "#3f6a8a", "#c99a4a", "#5a7f56", "#7a5488", "#d8cbb0", "#39434f"))
            tone = mix(rgb(code), (30, 20, 20), 0.45 - min(0.35, lamp * 0.22))
            if rng.random() > 0.08:
                canvas.rect(px, top + cell * 0.8 - h, w, h, tone)
                canvas.rect(px, top + cell * 0.8 - h * 0.75, w, h * 0.08, lighter(tone, 0.4))
            px += w * 1.06


def books(stage: Stage, x: float, y: float, width: float) -> None:
    for index, code in enumerate(("#3f6a8a", "#a8443c", "#c99a4a")):
        stage.canvas.rect(
            x - width / 2 + index * width * 0.06, y - (index + 1) * width * 0.17, width * 0.9, width * 0.16, rgb(code)
        )


def floor_lamp(stage: Stage, x: float, y: float, height: float) -> None:
    canvas = stage.canvas
    with canvas.at(stage.nearness(y)):
        canvas.line([(x, y), (x, y - height)], height * 0.018, (62, 50, 44))
        canvas.ellipse(x, y, height * 0.11, height * 0.025, (62, 50, 44))
    _shade(stage, x, y - height, height * 0.3)


def table_lamp(stage: Stage, x: float, y: float, height: float) -> None:
    canvas = stage.canvas
    canvas.smooth(
        [
            (x - height * 0.16, y),
            (x - height * 0.07, y - height * 0.3),
            (x, y - height * 0.5),
            (x + height * 0.07, y - height * 0.3),
            (x + height * 0.16, y),
        ],
        (150, 106, 72),
    )
    _shade(stage, x, y - height * 0.55, height * 0.62)


def _shade(stage: Stage, x: float, y: float, size: float) -> None:
    lit = stage.light.lamps
    cloth = mix(rgb("#d9c39a"), rgb("#ffe0a0"), min(1.0, lit * 1.4))
    stage.canvas.polygon(
        [
            (x - 0.3 * size, y - 0.5 * size),
            (x + 0.3 * size, y - 0.5 * size),
            (x + 0.5 * size, y + 0.16 * size),
            (x - 0.5 * size, y + 0.16 * size),
        ],
        cloth,
    )
    if lit > 0.15:
        stage.canvas.glow(x, y, size * 3.4, rgb("#ffb95c"), 0.7 * lit)


def bed(stage: Stage, x: float, y: float, width: float, cloth: Colour, wood: Colour) -> None:
    canvas, h = stage.canvas, width * 0.36
    with canvas.at(stage.nearness(y)):
        canvas.rect(x - width * 0.52, y - h * 1.5, width * 0.1, h * 1.5, wood, 1.0, h * 0.1)
        canvas.rect(x - width * 0.5, y - h * 0.55, width * 1.05, h * 0.5, wood)
        canvas.rect(x - width * 0.46, y - h * 0.85, width, h * 0.42, lighter(cloth, 0.65), 1.0, h * 0.12)
        canvas.smooth(
            [
                (x - width * 0.14, y - h * 0.92),
                (x + width * 0.2, y - h * 0.98),
                (x + width * 0.56, y - h * 0.84),
                (x + width * 0.57, y - h * 0.2),
                (x + width * 0.2, y - h * 0.16),
                (x - width * 0.12, y - h * 0.22),
            ],
            cloth,
        )
    canvas.line([(x - width * 0.1, y - h * 0.75), (x + width * 0.5, y - h * 0.7)], h * 0.03, darker(cloth, 0.25), 0.7)
    canvas.rect(x - width * 0.4, y - h * 1.1, width * 0.24, h * 0.34, lighter(cloth, 0.8), 1.0, h * 0.14)


def cupboard(stage: Stage, x: float, y: float, width: float, height: float, wood: Colour) -> None:
    canvas = stage.canvas
    canvas.rect(x, y, width, height, wood)
    edge = width * 0.08
    canvas.rect(x + edge, y + edge, width - 2 * edge, height - 2 * edge, lighter(wood, 0.12))
    canvas.line([(x, y), (x, y + height)], max(1.0, width * 0.015), darker(wood, 0.4))
    canvas.ellipse(x + width * 0.84, y + height * 0.5, width * 0.035, width * 0.035, rgb("#d9b56a"))


def pot(stage: Stage, x: float, y: float, size: float, colour: Colour) -> None:
    canvas = stage.canvas
    canvas.rect(x - size, y - size * 0.95, 2 * size, size * 0.95, colour, 1.0, size * 0.25)
    canvas.rect(x - size * 1.1, y - size * 1.1, 2.2 * size, size * 0.2, darker(colour, 0.25), 1.0, size * 0.1)
    canvas.ellipse(x, y - size * 1.2, size * 0.16, size * 0.12, darker(colour, 0.4))
    canvas.rect(x - size * 0.8, y - size * 0.8, size * 0.22, size * 0.55, lighter(colour, 0.4), 0.5, size * 0.1)


def jar(stage: Stage, x: float, y: float, size: float, code: str, lit: Lit) -> None:
    colour = lit(stage, rgb(code))
    stage.canvas.rect(x - size * 0.6, y - size * 1.4, size * 1.2, size * 1.4, colour, 1.0, size * 0.3)
    stage.canvas.rect(x - size * 0.4, y - size * 1.7, size * 0.8, size * 0.35, darker(colour, 0.35))
    stage.canvas.rect(x - size * 0.4, y - size * 1.2, size * 0.2, size * 0.8, lighter(colour, 0.5), 0.5)


def desk(stage: Stage, x: float, y: float, width: float, wood: Colour) -> None:
    canvas, h = stage.canvas, width * 0.62
    for side in (-0.44, 0.44):
        canvas.line([(x + side * width, y - h), (x + side * width, y)], width * 0.05, darker(wood, 0.5))
    canvas.polygon(
        [
            (x - width * 0.46, y - h * 1.1),
            (x + width * 0.46, y - h * 1.1),
            (x + width * 0.53, y - h * 0.86),
            (x - width * 0.53, y - h * 0.86),
        ],
        lighter(wood, 0.12),
    )
    canvas.rect(x - width * 0.53, y - h * 0.86, width * 1.06, h * 0.1, darker(wood, 0.2))
    canvas.polygon(
        [
            (x - width * 0.2, y - h * 1.04),
            (x + width * 0.1, y - h * 1.04),
            (x + width * 0.12, y - h * 0.92),
            (x - width * 0.2, y - h * 0.92),
        ],
        (238, 234, 222),
        0.9,
    )


def table(stage: Stage, x: float, y: float, width: float, wood: Colour) -> None:
    canvas, h = stage.canvas, width * 0.42
    for side in (-0.42, 0.42):
        canvas.line([(x + side * width, y - h), (x + side * width, y)], width * 0.055, darker(wood, 0.4))
    canvas.rect(x - width * 0.5, y - h, width, h * 0.2, darker(wood, 0.15))
    canvas.polygon(
        [
            (x - width * 0.44, y - h * 1.18),
            (x + width * 0.44, y - h * 1.18),
            (x + width * 0.5, y - h),
            (x - width * 0.5, y - h),
        ],
        lighter(wood, 0.15),
    )


def round_table(stage: Stage, x: float, y: float, width: float, wood: Colour, china: Colour) -> None:
    canvas, h = stage.canvas, width * 0.6
    canvas.line([(x, y - h), (x, y)], width * 0.07, darker(wood, 0.4))
    canvas.ellipse(x, y, width * 0.24, width * 0.05, darker(wood, 0.5))
    canvas.ellipse(x, y - h + width * 0.03, width * 0.5, width * 0.11, darker(wood, 0.3))
    canvas.ellipse(x, y - h, width * 0.5, width * 0.11, lighter(wood, 0.1))
    for dx in (-0.2, 0.22):
        cup(stage, x + dx * width, y - h, width * 0.07, china)


def cup(stage: Stage, x: float, y: float, size: float, china: Colour) -> None:
    canvas = stage.canvas
    canvas.ellipse(x, y, size * 1.5, size * 0.4, darker(china, 0.12))
    canvas.rect(x - size * 0.8, y - size * 1.3, size * 1.6, size * 1.3, china, 1.0, size * 0.4)
    canvas.ellipse(x, y - size * 1.25, size * 0.75, size * 0.2, (96, 62, 40))
    for step in range(3):
        canvas.ellipse(
            x + size * 0.2 * (-1) ** step, y - size * (2.0 + 0.7 * step), size * 0.2, size * 0.36, (255, 255, 255), 0.22
        )


def work_desk(stage: Stage, x: float, y: float, width: float, lit: Lit) -> None:
    wood = lit(stage, rgb("#b08d6a"))
    table(stage, x, y, width, wood)
    top = y - width * 0.46
    screen = lit(stage, rgb("#2d333b"))
    canvas = stage.canvas
    canvas.rect(x - width * 0.03, top - width * 0.08, width * 0.06, width * 0.1, screen)
    canvas.rect(x - width * 0.22, top - width * 0.34, width * 0.44, width * 0.28, screen, 1.0, width * 0.015)
    canvas.rect(x - width * 0.2, top - width * 0.32, width * 0.4, width * 0.24, (110, 170, 215))
    canvas.glow(x, top - width * 0.2, width * 0.5, (120, 180, 230), 0.35)
    for row in range(4):
        canvas.rect(
            x - width * 0.17,
            top - width * (0.29 - 0.05 * row),
            width * (0.26 - 0.05 * (row % 2)),
            width * 0.018,
            (235, 245, 252),
            0.8,
        )


def plant(stage: Stage, x: float, y: float, height: float, leaf: Colour) -> None:
    canvas = stage.canvas
    with canvas.at(stage.nearness(y)):
        canvas.polygon(
            [
                (x - 0.17 * height, y - 0.32 * height),
                (x + 0.17 * height, y - 0.32 * height),
                (x + 0.12 * height, y),
                (x - 0.12 * height, y),
            ],
            rgb("#b4643f"),
        )
        for angle in (-155, -130, -110, -90, -70, -50, -25):
            a = math.radians(angle)
            tip = (x + 0.42 * height * math.cos(a), y - 0.3 * height + 0.68 * height * math.sin(a))
            middle = ((x + tip[0]) / 2 - 0.05 * height, (y - 0.3 * height + tip[1]) / 2)
            canvas.smooth(
                [(x, y - 0.3 * height), middle, tip, (middle[0] + 0.11 * height, middle[1])],
                lighter(leaf, 0.15) if angle % 20 else darker(leaf, 0.15),
            )


def clock(stage: Stage, x: float, y: float, radius: float) -> None:
    canvas = stage.canvas
    canvas.ellipse(x, y, radius, radius, (70, 60, 56))
    canvas.ellipse(x, y, radius * 0.86, radius * 0.86, (246, 242, 232))
    canvas.line([(x, y), (x, y - radius * 0.6)], radius * 0.09, (40, 36, 36))
    canvas.line([(x, y), (x + radius * 0.42, y + radius * 0.15)], radius * 0.09, (40, 36, 36))


def console(stage: Stage, x: float, y: float, width: float, height: float) -> None:
    """A cabinet of instruments with screens and lights."""
    canvas, rng = stage.canvas, stage.place_rng
    steel = (72.0, 84.0, 100.0)
    with canvas.at(stage.nearness(y)):
        canvas.rect(x - width / 2, y - height, width, height, steel, 1.0, width * 0.05)
    for row in range(3):
        top = y - height * (0.92 - 0.3 * row)
        colour = rgb(pick(rng, ("#1f6f8a", "#1f7a5a", "#6a4f9c")))
        canvas.rect(x - width * 0.42, top, width * 0.5, height * 0.2, darker(colour, 0.4), 1.0, width * 0.02)
        xs = np.linspace(x - width * 0.39, x + width * 0.05, 12)
        ys = top + height * (0.1 + 0.06 * rng.uniform(-1, 1, 12))
        canvas.line(np.column_stack([xs, ys]), max(1.0, width * 0.012), lighter(colour, 0.6))
        canvas.glow(x - width * 0.17, top + height * 0.1, width * 0.4, colour, 0.5)
        for index in range(6):
            lamp = rgb(pick(rng, ("#ff6b5a", "#7cff8e", "#ffd24f", "#4fd6ff")))
            canvas.ellipse(
                x + width * (0.17 + 0.1 * (index % 3)),
                top + height * (0.05 + 0.09 * (index // 3)),
                width * 0.025,
                width * 0.025,
                lamp,
            )


def flask(stage: Stage, x: float, y: float, height: float, code: str) -> None:
    canvas = stage.canvas
    glass = [
        (x - 0.1 * height, y - height),
        (x + 0.1 * height, y - height),
        (x + 0.1 * height, y - 0.65 * height),
        (x + 0.36 * height, y),
        (x - 0.36 * height, y),
        (x - 0.1 * height, y - 0.65 * height),
    ]
    canvas.polygon(glass, (214, 232, 240), 0.55)
    canvas.polygon(
        [
            (x - 0.2 * height, y - 0.4 * height),
            (x + 0.2 * height, y - 0.4 * height),
            (x + 0.35 * height, y - 1),
            (x - 0.35 * height, y - 1),
        ],
        rgb(code),
        0.9,
    )
    canvas.glow(x, y - 0.25 * height, height * 0.8, rgb(code), 0.35)


def column(stage: Stage, x: float, top: float, foot: float, width: float, stone: Colour, trim: Colour) -> None:
    canvas = stage.canvas
    canvas.rect(x - width / 2, top, width, foot - top, stone)
    for index, share in enumerate((0.12, 0.34, 0.56, 0.78)):
        canvas.rect(
            x - width / 2 + width * share, top, width * 0.08, foot - top, darker(stone, 0.12 + 0.07 * index), 0.8
        )
    canvas.rect(x - width * 0.68, foot - width * 0.4, width * 1.36, width * 0.4, mix(stone, trim, 0.4))
    canvas.rect(x - width * 0.62, foot - width * 0.55, width * 1.24, width * 0.16, trim)
