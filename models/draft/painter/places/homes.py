"""Rooms where people live, learn and work."""

import numpy as np

from models.draft.painter.colour import darker, pick, rgb, vary
from models.draft.painter.places import furniture
from models.draft.painter.places.interior import ceiling_lamp, indoor, shell, window
from models.draft.painter.stage import Stage


def room(stage: Stage) -> None:
    rng = stage.place_rng
    shell(stage, pick(rng, ("#d9c3a4", "#b9c6b6", "#c8b4b4", "#b4bfcc")), "#9a6b45")
    w, h, size = stage.width, stage.height, stage.size
    window(stage, w * 0.5 - size * 0.26, h * 0.16, size * 0.52, h * 0.32, "city" if stage.light.moon else "field")
    curtain = indoor(stage, rgb(pick(rng, ("#b8584a", "#4d7a86", "#c79a4a"))))
    for side in (-1, 1):
        furniture.curtain(stage, w * 0.5 + side * size * 0.33, h * 0.11, size * 0.14, h * 0.44, curtain)
    furniture.picture(stage, w * 0.5 - size * 0.62, h * 0.22, size * 0.16, size * 0.2, indoor(stage, rgb("#6b4a33")))
    ground = stage.horizon + size * 0.06
    furniture.sofa(
        stage,
        w * 0.5 - size * 0.56,
        ground,
        size * 0.44,
        indoor(stage, rgb(pick(rng, ("#7d8f6a", "#56708f", "#a65f4c")))),
    )
    furniture.shelf(
        stage,
        w * 0.5 + size * 0.68,
        stage.horizon + size * 0.02,
        size * 0.26,
        size * 0.55,
        indoor(stage, rgb("#6f4c34")),
    )
    furniture.floor_lamp(stage, w * 0.5 - size * 0.88, ground, size * 0.55)
    stage.canvas.ellipse(w * 0.5, h * 0.86, size * 0.62, size * 0.09, indoor(stage, rgb("#b5564a")), 0.8)
    stage.canvas.ellipse(w * 0.5, h * 0.86, size * 0.52, size * 0.07, indoor(stage, rgb("#e0c398")), 0.7)
    ceiling_lamp(stage, w * 0.5 + size * 0.42, 0.08)


def bedroom(stage: Stage) -> None:
    rng = stage.place_rng
    shell(stage, pick(rng, ("#a9b4c9", "#c9b2bd", "#b8c4b4")), "#8f6a4c")
    w, h, size = stage.width, stage.height, stage.size
    window(stage, w * 0.5 - size * 0.2, h * 0.14, size * 0.46, h * 0.32, "city" if stage.light.moon else "field")
    cloth = indoor(stage, rgb(pick(rng, ("#5a6f9c", "#9c5a6c", "#5d8a78"))))
    for x in (-0.27, 0.33):
        furniture.curtain(stage, w * 0.5 + size * x, h * 0.1, size * 0.12, h * 0.46, cloth)
    furniture.bed(
        stage, w * 0.5 - size * 0.58, stage.horizon + size * 0.16, size * 0.62, cloth, indoor(stage, rgb("#6f4b34"))
    )
    x = w * 0.5 + size * 0.66
    wood = indoor(stage, rgb("#7a5238"))
    stage.canvas.rect(x - size * 0.1, stage.horizon - size * 0.1, size * 0.2, size * 0.18, wood)
    furniture.table_lamp(stage, x, stage.horizon - size * 0.1, size * 0.17)
    furniture.picture(stage, w * 0.5 - size * 0.6, h * 0.2, size * 0.15, size * 0.18, wood)


def kitchen(stage: Stage) -> None:
    shell(stage, "#e6d8ba", "#b9a184", planks=False)
    w, h, size = stage.width, stage.height, stage.size
    canvas = stage.canvas
    tile = indoor(stage, rgb("#f2ece0"))
    canvas.rect(-5, h * 0.36, w + 10, stage.horizon - h * 0.36, tile)
    for x in np.arange(0, w, size * 0.07):
        canvas.line([(x, h * 0.36), (x, stage.horizon)], 1.2, darker(tile, 0.15), 0.7)
    for y in np.arange(h * 0.36, stage.horizon, size * 0.07):
        canvas.line([(0, y), (w, y)], 1.2, darker(tile, 0.15), 0.7)
    window(stage, w * 0.5 - size * 0.17, h * 0.12, size * 0.36, h * 0.24, "field")
    wood = indoor(stage, rgb("#5f8a86"))
    for x in (-0.86, -0.6, 0.3, 0.56):
        furniture.cupboard(stage, w * 0.5 + x * size, h * 0.08, size * 0.25, h * 0.2, wood)
    top = stage.horizon - size * 0.1
    with canvas.at(0.32):
        canvas.rect(-5, top, w + 10, stage.horizon - top + size * 0.1, wood)
        canvas.rect(-5, top - size * 0.03, w + 10, size * 0.035, indoor(stage, rgb("#8a5f40")))
    for x in np.arange(-0.9, 1.0, 0.26):
        furniture.cupboard(
            stage, w * 0.5 + x * size, top + size * 0.02, size * 0.24, stage.horizon - top + size * 0.06, wood
        )
    x = w * 0.5 + size * 0.42
    iron = indoor(stage, rgb("#3b3f46"))
    canvas.rect(x - size * 0.14, top - size * 0.05, size * 0.28, size * 0.025, iron)
    furniture.pot(stage, x, top - size * 0.05, size * 0.075, indoor(stage, rgb("#c25a3e")))
    for step in range(5):
        canvas.ellipse(
            x + size * 0.012 * (step % 2),
            top - size * (0.17 + 0.045 * step),
            size * (0.02 + 0.006 * step),
            size * 0.022,
            (250, 250, 250),
            0.22 - 0.03 * step,
        )
    for index, x in enumerate((-0.72, -0.62, -0.5)):
        furniture.jar(
            stage,
            w * 0.5 + x * size,
            top - size * 0.03,
            size * (0.05 + 0.012 * index),
            ("#d99a4a", "#8fae5a", "#c9584a")[index],
            indoor,
        )
    ceiling_lamp(stage, w * 0.5, 0.02)


def classroom(stage: Stage) -> None:
    shell(stage, "#dfe3cf", "#b08a5e")
    w, h, size = stage.width, stage.height, stage.size
    canvas = stage.canvas
    board = indoor(stage, rgb("#2f5a48"))
    canvas.rect(w * 0.5 - size * 0.52, h * 0.16, size * 0.9, h * 0.3, indoor(stage, rgb("#8a5f3c")))
    canvas.rect(w * 0.5 - size * 0.5, h * 0.18, size * 0.86, h * 0.26, board)
    rng = stage.place_rng
    for row in range(4):
        y = h * (0.22 + 0.05 * row)
        x = w * 0.5 - size * 0.44
        while x < w * 0.5 + size * (0.12 + 0.15 * float(rng.random())):
            length = size * float(rng.uniform(0.02, 0.08))
            canvas.line(
                [(x, y), (x + length, y + size * float(rng.uniform(-0.006, 0.006)))],
                size * 0.006,
                (232, 238, 230),
                0.75,
            )
            x += length + size * 0.02
    window(stage, w * 0.5 + size * 0.5, h * 0.14, size * 0.34, h * 0.34, "field")
    furniture.clock(stage, w * 0.5 - size * 0.68, h * 0.2, size * 0.055)
    wood = indoor(stage, rgb("#c08a52"))
    for row, (y, scale) in enumerate(((0.72, 0.55), (0.83, 0.78), (0.98, 1.1))):
        for column in range(-2, 3):
            if row == 2 and column == 0:
                continue
            with canvas.at(0.35 + 0.2 * row):
                furniture.desk(
                    stage, w * 0.5 + column * size * 0.42 * scale, h * y, size * 0.26 * scale, vary(wood, rng, 4)
                )


def office(stage: Stage) -> None:
    shell(stage, "#c9d2d9", "#7f868f", planks=False)
    w, h, size = stage.width, stage.height, stage.size
    window(stage, -size * 0.1, h * 0.1, w + size * 0.2, h * 0.42, "city", "#4d5660", bars=False)
    canvas = stage.canvas
    for x in np.arange(0.0, w, size * 0.4):
        canvas.rect(x, h * 0.1, size * 0.014, h * 0.42, indoor(stage, rgb("#4d5660")))
    for side, scale in ((-0.62, 1.0), (0.6, 1.0)):
        with canvas.at(0.42):
            furniture.work_desk(stage, w * 0.5 + side * size, stage.horizon + size * 0.2, size * 0.46 * scale, indoor)
    furniture.plant(
        stage, w * 0.5 + size * 0.95, stage.horizon + size * 0.12, size * 0.34, indoor(stage, rgb("#4d8a56"))
    )
    for x in (0.3, 0.7):
        canvas.rect(w * x - size * 0.16, h * 0.03, size * 0.32, h * 0.015, (250, 250, 245))
        canvas.glow(w * x, h * 0.04, size * 0.5, (235, 240, 250), 0.3)


def library(stage: Stage) -> None:
    shell(stage, "#7a5a42", "#6f4a32")
    w, h, size = stage.width, stage.height, stage.size
    wood = indoor(stage, rgb("#5f3f2a"))
    x = w * 0.5 - size * 1.1
    while x < w + size * 0.2:
        if abs(x + size * 0.17 - w * 0.5) > size * 0.2:
            furniture.shelf(stage, x + size * 0.17, stage.horizon + size * 0.01, size * 0.34, h * 0.6, wood)
        x += size * 0.36
    window(stage, w * 0.5 - size * 0.13, h * 0.1, size * 0.26, h * 0.4, "field", "#5f3f2a")
    with stage.canvas.at(0.4):
        furniture.table(
            stage, w * 0.5 + size * 0.5, stage.horizon + size * 0.2, size * 0.5, indoor(stage, rgb("#8a5a38"))
        )
    furniture.table_lamp(stage, w * 0.5 + size * 0.44, stage.horizon + size * 0.005, size * 0.15)
    furniture.books(stage, w * 0.5 + size * 0.62, stage.horizon + size * 0.003, size * 0.12)
    ceiling_lamp(stage, w * 0.5 - size * 0.35, 0.05)


def stairwell(stage: Stage) -> None:
    """A flight of steps up to a landing, its railing, a lamp on the wall."""
    shell(stage, pick(stage.place_rng, ("#9aa0a0", "#a8a08c", "#8f9aa6")), "#7d766c", planks=False, line=0.7)
    w, h, size, canvas = stage.width, stage.height, stage.size, stage.canvas
    stone, dark = indoor(stage, rgb("#b5aea2")), indoor(stage, rgb("#5f5a54"))
    iron, count = indoor(stage, rgb("#3f3a3a")), 9
    left, foot = w * 0.5 - size * 0.5, stage.horizon + size * 0.05
    run, rise = size * 0.13, (foot - h * 0.16) / count
    window(stage, w * 0.5 - size * 0.78, h * 0.12, size * 0.26, h * 0.24, "city")
    with canvas.at(0.26):
        for step in range(count):
            x, top = left + step * run, foot - (step + 1) * rise
            canvas.rect(x, top, w - x + 5, foot - top, darker(stone, 0.08 * (step % 2)))
            canvas.rect(x, top, run, rise, dark)
            canvas.rect(x, top, w - x + 5, rise * 0.22, stone)
    for step in range(count + 1):
        x, y = left + (step - 0.3) * run, foot - step * rise
        canvas.line([(x, y), (x, y - size * 0.2)], size * 0.008, iron)
    ends = [(left - 0.5 * run, foot - size * 0.2), (left + (count - 0.3) * run, foot - count * rise - size * 0.2)]
    canvas.line(ends, size * 0.022, indoor(stage, rgb("#7a5238")))
    ceiling_lamp(stage, w * 0.5 - size * 0.3, 0.07)
