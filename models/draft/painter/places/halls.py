"""Rooms that are open to others, and those that travel."""

import numpy as np

from models.draft.painter.colour import darker, pick, rgb, vary
from models.draft.painter.places import furniture, scenery, street
from models.draft.painter.places.interior import ceiling_lamp, indoor, shell, window
from models.draft.painter.stage import Stage


def cafe(stage: Stage) -> None:
    rng = stage.place_rng
    shell(stage, pick(rng, ("#8a6a52", "#6f7a6a", "#7a5650")), "#7d5a3e")
    w, h, size = stage.width, stage.height, stage.size
    window(stage, w * 0.5 - size * 0.62, h * 0.15, size * 0.78, h * 0.38, "city", "#4a3226")
    shelf = indoor(stage, rgb("#5b3d2a"))
    for row in range(3):
        y = h * (0.2 + 0.11 * row)
        x0 = w * 0.5 + size * 0.34
        stage.canvas.rect(x0, y, size * 0.5, size * 0.016, shelf)
        for index in range(6):
            furniture.jar(
                stage,
                x0 + size * (0.05 + 0.08 * index),
                y,
                size * 0.035,
                pick(rng, ("#d99a4a", "#f0e6d2", "#8fae9a", "#b8584a")),
                indoor,
            )
    for x in (-0.5, 0.02, 0.52):
        ceiling_lamp(stage, w * 0.5 + x * size, 0.06)
    for x, y, scale in ((-0.62, 0.82, 0.34), (0.66, 0.84, 0.36)):
        with stage.canvas.at(0.5):
            furniture.round_table(
                stage,
                w * 0.5 + x * size,
                h * y,
                size * scale,
                indoor(stage, rgb("#a06a42")),
                indoor(stage, rgb("#f4efe6")),
            )
    furniture.plant(stage, w * 0.5 - size * 0.95, stage.horizon + size * 0.1, size * 0.3, indoor(stage, rgb("#4a7f4f")))


def teahouse(stage: Stage) -> None:
    """Lattice windows on a garden, low square tables, lanterns, a scroll, tea."""
    shell(stage, "#c9a878", "#7a5236")
    w, h, size, canvas = stage.width, stage.height, stage.size, stage.canvas
    wood, red = indoor(stage, rgb("#5b3524")), indoor(stage, rgb("#8f3a2c"))
    for dx in (-0.78, 0.3):
        x, y, width, height = w * 0.5 + dx * size, h * 0.17, size * 0.48, h * 0.36
        window(stage, x, y, width, height, "bamboo", "#5b3524", bars=False)
        for share in np.linspace(0.0, 1.0, 7):
            canvas.line([(x + share * width, y), (x + share * width, y + height)], size * 0.008, wood)
        for share in (0.2, 0.34, 0.66, 0.8):
            canvas.line([(x, y + share * height), (x + width, y + share * height)], size * 0.008, wood)
    canvas.rect(-5, h * 0.08, w + 10, h * 0.045, red)
    for dx in (-0.88, -0.2, 0.2, 0.88):
        with canvas.at(0.22):
            canvas.rect(w * 0.5 + (dx - 0.025) * size, -5, size * 0.05, stage.horizon + 5, red)
    paper = indoor(stage, rgb("#efe6d0"))
    canvas.rect(w * 0.5 - size * 0.09, h * 0.16, size * 0.18, h * 0.36, paper)
    ink = indoor(stage, rgb("#4a4a48"))
    canvas.smooth(
        [
            (w * 0.5 - size * 0.08, h * 0.44),
            (w * 0.5 - size * 0.03, h * 0.3),
            (w * 0.5 + size * 0.02, h * 0.38),
            (w * 0.5 + size * 0.05, h * 0.33),
            (w * 0.5 + size * 0.08, h * 0.45),
        ],
        ink,
        0.6,
    )
    for dx in (-0.54, 0.54):
        scenery.lantern(stage, w * 0.5 + dx * size, h * 0.13, size * 0.05)
    for dx, y, scale in ((-0.66, 0.78, 0.4), (0.66, 0.79, 0.4)):
        x, foot = w * 0.5 + dx * size, h * y
        with canvas.at(0.5):
            furniture.table(stage, x, foot, size * scale, indoor(stage, rgb("#7a4a30")))
            top = foot - size * scale * 0.46
            china = indoor(stage, rgb("#e8e4d6"))
            canvas.ellipse(x, top - size * 0.035, size * 0.045, size * 0.04, indoor(stage, rgb("#8a4a34")))
            canvas.line(
                [(x + size * 0.035, top - size * 0.03), (x + size * 0.075, top - size * 0.06)],
                size * 0.012,
                indoor(stage, rgb("#8a4a34")),
            )
            for cup in (-0.1, 0.11):
                furniture.cup(stage, x + cup * size, top, size * 0.022, china)
        for stool in (-0.3, 0.3):
            canvas.rect(x + (stool - 0.05) * size, foot - size * 0.09, size * 0.1, size * 0.1, wood, 1.0, size * 0.01)


def shop(stage: Stage) -> None:
    rng = stage.place_rng
    shell(stage, "#c9a878", "#8a6446")
    w, h, size = stage.width, stage.height, stage.size
    wood = indoor(stage, rgb("#6b4830"))
    for column in range(-2, 3):
        x = w * 0.5 + column * size * 0.44
        for row in range(4):
            y = h * (0.2 + 0.12 * row)
            stage.canvas.rect(x - size * 0.2, y, size * 0.4, size * 0.015, wood)
            for index in range(5):
                furniture.jar(
                    stage,
                    x + size * (-0.15 + 0.075 * index),
                    y,
                    size * float(rng.uniform(0.03, 0.05)),
                    pick(rng, ("#d9643c", "#f0c75a", "#5a9a8a", "#8a6ac0", "#f2e6d0", "#c9405a")),
                    indoor,
                )
    for x in (-0.6, 0.0, 0.6):
        scenery.lantern(stage, w * 0.5 + x * size, h * 0.12, size * 0.04, "#f0a03c")
    top = stage.horizon + size * 0.02
    with stage.canvas.at(0.4):
        stage.canvas.rect(w * 0.5 - size * 0.95, top, size * 0.72, size * 0.26, indoor(stage, rgb("#8f5f3a")))
        stage.canvas.rect(
            w * 0.5 - size * 0.98, top - size * 0.025, size * 0.78, size * 0.035, indoor(stage, rgb("#b9834f"))
        )
    furniture.table_lamp(stage, w * 0.5 - size * 0.8, top - size * 0.02, size * 0.15)


def hospital(stage: Stage) -> None:
    shell(stage, "#e4eef0", "#bccdd2", planks=False)
    w, h, size = stage.width, stage.height, stage.size
    window(stage, w * 0.5 + size * 0.2, h * 0.14, size * 0.42, h * 0.32, "city", "#ffffff")
    furniture.bed(
        stage,
        w * 0.5 - size * 0.6,
        stage.horizon + size * 0.16,
        size * 0.62,
        indoor(stage, rgb("#8fc4cc")),
        indoor(stage, rgb("#b4bfc6")),
    )
    stage.canvas.rect(-5, h * 0.5, w + 10, h * 0.02, indoor(stage, rgb("#6fb0b5")))
    x = w * 0.5 - size * 0.75
    stage.canvas.line([(x, h * 0.22), (x, stage.horizon + size * 0.1)], size * 0.01, indoor(stage, rgb("#9aa6ae")))
    stage.canvas.rect(
        x - size * 0.035, h * 0.22, size * 0.07, size * 0.11, indoor(stage, rgb("#cfe6f2")), 0.9, size * 0.02
    )


def laboratory(stage: Stage) -> None:
    shell(stage, "#4a5a6b", "#39424d", planks=False)
    w, h, size = stage.width, stage.height, stage.size
    for column in range(-2, 3):
        furniture.console(stage, w * 0.5 + column * size * 0.42, stage.horizon + size * 0.02, size * 0.38, h * 0.5)
    with stage.canvas.at(0.45):
        stage.canvas.rect(-5, stage.horizon + size * 0.1, w * 0.36, size * 0.18, indoor(stage, rgb("#c9d2d8")))
        stage.canvas.rect(w * 0.66, stage.horizon + size * 0.1, w * 0.4, size * 0.18, indoor(stage, rgb("#c9d2d8")))
    for index, x in enumerate((0.06, 0.13, 0.2, 0.78, 0.86)):
        furniture.flask(
            stage,
            w * x,
            stage.horizon + size * 0.1,
            size * 0.11,
            ("#4fd6c2", "#f0a64a", "#c86bd6", "#6bd65a", "#5aa0f0")[index],
        )


def train(stage: Stage) -> None:
    shell(stage, "#c9b48a", "#6b5a4c", line=0.7)
    w, h, size = stage.width, stage.height, stage.size
    view = "city" if stage.light.moon else "field"
    for x in (-0.82, -0.24, 0.34, 0.92):
        window(stage, w * 0.5 + x * size - size * 0.05, h * 0.16, size * 0.46, h * 0.32, view, "#8a6f4a", bars=False)
    canvas = stage.canvas
    rail = indoor(stage, rgb("#b9bfc4"))
    canvas.rect(-5, h * 0.1, w + 10, size * 0.014, rail)
    for x in np.arange(-0.9, 1.0, 0.2):
        px = w * 0.5 + x * size
        canvas.line([(px, h * 0.11), (px, h * 0.16)], size * 0.008, indoor(stage, rgb("#5b4a3c")))
        canvas.ellipse(px, h * 0.185, size * 0.026, size * 0.026, rail)
        canvas.ellipse(px, h * 0.185, size * 0.017, size * 0.017, indoor(stage, rgb("#c9b48a")))
    seat = indoor(stage, rgb(pick(stage.place_rng, ("#3f6f5f", "#7a3f4a", "#3f5a8a"))))
    for x in (-0.72, 0.7):
        furniture.sofa(stage, w * 0.5 + x * size, stage.horizon + size * 0.12, size * 0.56, seat)


def subway_station(stage: Stage) -> None:
    """An underground platform: tiled wall, the train at it, lamps along the ceiling."""
    shell(stage, "#b9c4c8", "#9a9c9e", planks=False, line=0.64)
    w, h, size, canvas = stage.width, stage.height, stage.size, stage.canvas
    canvas.rect(-5, -5, w + 10, h * 0.1 + 5, indoor(stage, rgb("#5b6268")))
    for x in np.arange(0.1, 1.0, 0.2):
        canvas.rect(w * x - size * 0.13, h * 0.075, size * 0.26, h * 0.022, (250, 252, 248))
        canvas.glow(w * x, h * 0.09, size * 0.45, rgb("#eaf2ff"), 0.35)
    body, top, foot = indoor(stage, rgb("#d5dade")), h * 0.22, stage.horizon + size * 0.015
    with canvas.at(0.3):
        canvas.rect(-5, top, w + 10, foot - top, body)
        canvas.rect(-5, top + (foot - top) * 0.7, w + 10, (foot - top) * 0.1, indoor(stage, rgb("#2f7fc4")))
    for index, x in enumerate(np.arange(-0.95, 1.0, 0.38)):
        px = w * 0.5 + x * size
        if index % 2:
            for leaf in (0, 1):
                canvas.rect(
                    px + leaf * size * 0.125, top + h * 0.04, size * 0.12, foot - top - h * 0.04, darker(body, 0.2)
                )
                canvas.rect(px + (0.02 + leaf * 0.125) * size, top + h * 0.07, size * 0.08, h * 0.17, rgb("#ffeec4"))
        else:
            canvas.rect(px, top + h * 0.06, size * 0.26, h * 0.16, rgb("#ffeec4"), 1.0, size * 0.02)
            canvas.rect(px, top + h * 0.16, size * 0.26, h * 0.06, rgb("#b58a5a"), 0.7)
    canvas.rect(-5, foot, w + 10, size * 0.03, indoor(stage, rgb("#2c3036")))
    canvas.rect(-5, foot + size * 0.05, w + 10, size * 0.022, indoor(stage, rgb("#f0c63c")))
    sign = rgb("#1f5fa8")
    canvas.rect(w * 0.5 - size * 0.26, h * 0.125, size * 0.52, h * 0.06, sign, 1.0, size * 0.01)
    for x in np.arange(-0.2, 0.21, 0.08):
        canvas.rect(w * 0.5 + (x - 0.025) * size, h * 0.142, size * 0.05, h * 0.025, (245, 248, 252), 0.9)
    for side in (-0.72, 0.72):
        with canvas.at(0.45):
            canvas.rect(w * 0.5 + (side - 0.05) * size, -5, size * 0.1, h * 0.8, indoor(stage, rgb("#e2e4e0")))
            canvas.rect(w * 0.5 + (side - 0.05) * size, h * 0.3, size * 0.1, h * 0.03, indoor(stage, rgb("#2f7fc4")))


def car(stage: Stage) -> None:
    canvas = stage.canvas
    w, h, size = stage.width, stage.height, stage.size
    street.street(stage)
    stage.indoor = True
    body = indoor(stage, rgb("#2c3038"))
    with canvas.at(0.7):
        canvas.polygon(
            [(-5, -5), (w + 5, -5), (w + 5, h * 0.1), (w * 0.86, h * 0.12), (w * 0.14, h * 0.12), (-5, h * 0.1)], body
        )
        for side in (0, 1):
            canvas.polygon(
                [(side * w, 0), (abs(side - 0.16) * w, h * 0.1), (abs(side - 0.06) * w, h * 0.66), (side * w, h * 0.7)],
                body,
            )
        canvas.smooth(
            [
                (-9, h * 0.62),
                (w * 0.2, h * 0.6),
                (w * 0.5, h * 0.585),
                (w * 0.8, h * 0.6),
                (w + 9, h * 0.62),
                (w + 9, h * 1.1),
                (-9, h * 1.1),
            ],
            body,
        )
        canvas.rect(w * 0.5 - size * 0.11, h * 0.1, size * 0.22, h * 0.075, darker(body, 0.5), 1.0, size * 0.02)
        canvas.line(
            [
                (w * 0.24 + size * 0.17 * np.cos(a), h * 0.86 + size * 0.17 * np.sin(a))
                for a in np.linspace(0, 6.283, 40)
            ],
            size * 0.025,
            darker(body, 0.55),
        )
    for x, colour in ((0.44, "#4fd6ff"), (0.5, "#ffb84f"), (0.56, "#7cff8e")):
        canvas.glow(w * x, h * 0.72, size * 0.06, rgb(colour), 0.8)
    stage.floor = 0.98


def palace(stage: Stage) -> None:
    shell(stage, "#a8763c", "#8a3030", planks=False)
    w, h, size = stage.width, stage.height, stage.size
    canvas = stage.canvas
    carpet = indoor(stage, rgb("#b02a35"))
    canvas.polygon(
        [
            (w * 0.5 - size * 0.16, stage.horizon),
            (w * 0.5 + size * 0.16, stage.horizon),
            (w * 0.5 + size * 0.55, h + 5),
            (w * 0.5 - size * 0.55, h + 5),
        ],
        carpet,
    )
    gold = indoor(stage, rgb("#e8bd58"))
    for side in (-1, 1):
        canvas.line(
            [(w * 0.5 + side * size * 0.15, stage.horizon), (w * 0.5 + side * size * 0.52, h + 5)], size * 0.012, gold
        )
    for dx in (-0.28, 0.28):
        window(stage, w * 0.5 + dx * size - size * 0.075, h * 0.16, size * 0.15, h * 0.36, "mountain", "#e8bd58")
    canvas.rect(w * 0.5 - size * 0.12, stage.horizon - size * 0.34, size * 0.24, size * 0.34, gold, 1.0, size * 0.04)
    canvas.rect(w * 0.5 - size * 0.09, stage.horizon - size * 0.3, size * 0.18, size * 0.24, carpet, 1.0, size * 0.03)
    marble = indoor(stage, rgb("#ead9b8"))
    for depth in (0.5, 0.75, 1.15):
        for side in (-1, 1):
            x = w * 0.5 + side * depth * size * 0.72
            with canvas.at(0.2 + 0.3 * depth):
                furniture.column(stage, x, -5, stage.horizon + depth * size * 0.14, size * 0.13 * depth, marble, gold)
    ceiling_lamp(stage, w * 0.5, 0.05)


def theater(stage: Stage) -> None:
    shell(stage, "#33242c", "#7a4f34", line=0.7)
    w, h, size = stage.width, stage.height, stage.size
    canvas = stage.canvas
    red = rgb("#a3242f")
    for index in range(12):
        x = w * index / 11
        furniture.curtain(stage, x, -5, w * 0.1, stage.horizon + 5, darker(red, 0.45))
    canvas.polygon(
        [(w * 0.47, -5), (w * 0.53, -5), (w * 0.5 + size * 0.42, h * 0.9), (w * 0.5 - size * 0.42, h * 0.9)],
        (255, 240, 200),
        0.2,
    )
    canvas.ellipse(w * 0.5, h * 0.89, size * 0.44, size * 0.07, (255, 236, 190), 0.5)
    with canvas.at(0.7):
        for side in (0, 1):
            for index in range(3):
                furniture.curtain(
                    stage, abs(side - 0.03 - 0.055 * index) * w, -5, w * 0.075, h * 1.05, vary(red, stage.place_rng, 8)
                )
        for index in range(9):
            x = w * (index / 8)
            canvas.ellipse(x, 0, w * 0.075, h * 0.13, darker(red, 0.1 if index % 2 else 0.25))
        canvas.rect(-5, h * 0.125, w + 10, 0.1, rgb("#e8bd58"))


def space_station(stage: Stage) -> None:
    shell(stage, "#5d6b7d", "#3d4652", planks=False, line=0.72)
    w, h, size = stage.width, stage.height, stage.size
    canvas = stage.canvas
    window(stage, w * 0.5 - size * 0.55, h * 0.12, size * 1.1, h * 0.4, "space", "#8a97a6", bars=False)
    hull = indoor(stage, rgb("#6f7f92"))
    for x in (-0.2, 0.2):
        canvas.polygon(
            [
                (w * 0.5 + x * size - size * 0.015, h * 0.12),
                (w * 0.5 + x * size + size * 0.015, h * 0.12),
                (w * 0.5 + x * 1.2 * size + size * 0.015, h * 0.52),
                (w * 0.5 + x * 1.2 * size - size * 0.015, h * 0.52),
            ],
            hull,
        )
    for side in (-1, 1):
        furniture.console(stage, w * 0.5 + side * size * 0.78, stage.horizon + size * 0.02, size * 0.36, h * 0.5)
    with canvas.at(0.42):
        canvas.polygon(
            [
                (w * 0.5 - size * 0.6, stage.horizon),
                (w * 0.5 + size * 0.6, stage.horizon),
                (w * 0.5 + size * 0.52, stage.horizon - size * 0.13),
                (w * 0.5 - size * 0.52, stage.horizon - size * 0.13),
            ],
            hull,
        )
    rng = stage.place_rng
    for _ in range(34):
        x, y = w * 0.5 + size * float(rng.uniform(-0.5, 0.5)), stage.horizon - size * float(rng.uniform(0.02, 0.11))
        colour = rgb(pick(rng, ("#4fd6ff", "#ff6b5a", "#7cff8e", "#ffd24f")))
        canvas.rect(x, y, size * 0.016, size * 0.008, colour)
        canvas.glow(x, y, size * 0.03, colour, 0.5)
    canvas.rect(-5, 0, w + 10, h * 0.03, (225, 240, 250))
    canvas.glow(w * 0.5, h * 0.02, size * 0.6, (180, 215, 240), 0.35)
    stage.floor = 0.95
