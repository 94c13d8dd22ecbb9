"""Country of one kind of plant: a bamboo grove, an oasis, rice terraces; and open country that no word names."""

import numpy as np

from models.draft.painter.canvas import curve
from models.draft.painter.colour import Colour, darker, lighter, mix, rgb, vary
from models.draft.painter.places import land, scenery
from models.draft.painter.sky import paint_sky
from models.draft.painter.stage import Stage


def bamboo(stage: Stage) -> None:
    canvas, light, rng = stage.canvas, stage.light, stage.place_rng
    stage.horizon = stage.height * 0.6
    paint_sky(stage, clouds=False)
    w, h, size = stage.width, stage.height, stage.size
    mist = mix(light.sky[3], light.on(rgb("#cfe3a8")), 0.6)
    canvas.down(0, stage.horizon + 4, [(0, mix(light.sky[1], mist, 0.5)), (1, mist)], (0.02, 0.05))
    land.hills(stage, "#5f7f3c", "#87a25a", 3, 0.03)
    land.path(stage, light.on(rgb("#b9a878")))
    for layer in range(4):
        share = layer / 3
        foot = stage.horizon + (h - stage.horizon) * (0.04 + 0.5 * share)
        stalk = light.on(mix(rgb("#8fb35a"), rgb("#4f8a36"), share), 0.75 * (1 - share))
        count, thick = (30, 20, 13, 8)[layer], size * (0.009, 0.015, 0.024, 0.04)[layer]
        with canvas.at(0.14 + 0.16 * layer):
            for index in range(count):
                x = w * (index + float(rng.uniform(0.1, 0.9))) / count
                if layer > 1 and abs(x / w - 0.5) < 0.1 + 0.09 * layer:
                    x = w * float(rng.uniform(0.0, 0.2)) if index % 2 else w * float(rng.uniform(0.8, 1.0))
                _stalk(stage, x, foot, h * (0.75 + 0.3 * share), thick, vary(stalk, rng, 7))
        if layer < 3:
            canvas.polygon([(0, foot), (w, foot), (w, foot - h * 0.16), (0, foot - h * 0.16)], mist, 0.2)
    scenery.grass(stage, h * 0.74, light.on(rgb("#5f8a3c")), 60)
    stage.floor = 0.93


def _stalk(stage: Stage, x: float, foot: float, height: float, thick: float, colour: Colour) -> None:
    """A cane with its joints, and sprays of narrow leaves in its upper half."""
    canvas, rng = stage.canvas, stage.place_rng
    lean = float(rng.uniform(-0.03, 0.03)) * height
    canvas.line([(x, foot), (x + lean, foot - height)], [thick, thick * 0.8], colour)
    canvas.line(
        [(x - thick * 0.2, foot), (x + lean - thick * 0.2, foot - height)], thick * 0.2, lighter(colour, 0.5), 0.6
    )
    for joint in np.arange(0.08, 1.0, 0.11):
        cx, y = x + lean * joint, foot - height * joint
        canvas.line([(cx - thick * 0.62, y), (cx + thick * 0.62, y)], max(1.0, thick * 0.2), darker(colour, 0.35))
    leaf = lighter(colour, 0.12)
    for joint in (0.55, 0.66, 0.77, 0.88):
        cx, y = x + lean * joint, foot - height * joint
        for side in (-1, 1):
            reach = side * thick * float(rng.uniform(2.6, 4.4))
            for drop in (0.0, 1.0, 2.0):
                tip = (cx + reach * (1 - 0.2 * drop), y + thick * (0.4 + drop))
                middle = (cx + reach * 0.45, y + thick * (0.1 + 0.4 * drop))
                canvas.polygon(
                    [(cx, y), (middle[0], middle[1] - thick * 0.3), tip, (middle[0], middle[1] + thick * 0.3)], leaf
                )


def oasis(stage: Stage) -> None:
    """A pool under palms among the dunes."""
    land.desert(stage)
    canvas, light, size = stage.canvas, stage.light, stage.size
    w, h = stage.width, stage.height
    y = h * 0.68
    x = w * 0.5
    green = light.on(rgb("#6f9a48"))
    with canvas.at(0.45):
        canvas.ellipse(x, y, 0.62 * size, 0.1 * size, green)
        canvas.ellipse(x, y + 0.005 * size, 0.54 * size, 0.075 * size, darker(light.water, 0.1))
    canvas.ellipse(x - 0.1 * size, y - 0.012 * size, 0.38 * size, 0.04 * size, light.sky[2], 0.55)
    for _ in range(9):
        px = x + size * float(stage.place_rng.uniform(-0.4, 0.4))
        py = y + size * float(stage.place_rng.uniform(-0.04, 0.05))
        canvas.line([(px - 0.04 * size, py), (px + 0.04 * size, py)], 1.4, lighter(light.water, 0.6), 0.5)
    for dx, dy, scale in (
        (-0.62, -0.02, 0.42),
        (-0.44, -0.06, 0.34),
        (0.5, -0.06, 0.36),
        (0.66, 0.0, 0.46),
        (0.38, -0.08, 0.26),
    ):
        with canvas.at(0.42 + dy):
            scenery.palm(stage, x + dx * size, y + dy * size, size * scale)
    for dx in (-0.56, -0.36, 0.44, 0.58):
        for lean in (-0.3, 0.0, 0.3):
            px = x + dx * size
            canvas.polygon(
                [(px - 3, y + 0.06 * size), (px + lean * 0.08 * size, y - 0.01 * size), (px + 3, y + 0.06 * size)],
                green,
            )
    stage.floor = 0.92


def terraces(stage: Stage) -> None:
    """Flooded steps down a hillside, each with its rim of green."""
    canvas, light, rng = stage.canvas, stage.light, stage.place_rng
    stage.horizon = stage.height * 0.4
    paint_sky(stage)
    scenery.mountains(stage, 3, 0.24)
    w, h, size = stage.width, stage.height, stage.size
    bend = float(rng.choice([-1, 1]))
    steps = 11
    for step in range(steps):
        share = step / steps
        y = stage.horizon + (h - stage.horizon) * (share**1.25) - size * 0.01
        deep = (h - stage.horizon) * (0.03 + 0.1 * share)
        xs = np.linspace(-0.05, 1.05, 12)
        wave = bend * np.sin(xs * 5.2 + 0.9 * step + float(rng.uniform(-0.3, 0.3))) * size * (0.022 + 0.04 * share)
        rim = curve(np.column_stack([xs * w, y + wave - np.abs(xs - 0.5) * size * 0.14 * (1 - share)]), closed=False)
        body = np.vstack([rim, [(1.05 * w, h + 9), (-0.05 * w, h + 9)]])
        green = light.on(vary(mix(rgb("#8fb05a"), rgb("#5f8f3c"), share), rng, 6), 0.5 * (1 - share))
        with canvas.at(stage.nearness(y)):
            canvas.polygon(body, darker(green, 0.3))
            lower = rim + np.array([0.0, deep * 0.24])
            canvas.polygon(np.vstack([lower, [(1.05 * w, h + 9), (-0.05 * w, h + 9)]]), green)
            pool = rim + np.array([0.0, deep * 0.42])
            water = mix(light.sky[2], green, 0.25 if step % 3 else 0.75)
            canvas.polygon(np.vstack([pool, [(1.05 * w, h + 9), (-0.05 * w, h + 9)]]), water)
        canvas.line(rim, max(1.0, size * 0.004), lighter(green, 0.4), 0.8)
        for _ in range(12):
            x, dy = float(rng.uniform(0, w)), deep * float(rng.uniform(0.6, 0.95))
            at = float(np.interp(x, rim[:, 0], rim[:, 1])) + dy
            tuft = size * 0.03 * (0.25 + share)
            canvas.polygon([(x - tuft * 0.14, at), (x, at - tuft), (x + tuft * 0.14, at)], darker(green, 0.1))
    ground = light.on(rgb("#6f8f45"))
    edge = curve([(-0.05 * w, h * 0.8), (0.3 * w, h * 0.755), (0.7 * w, h * 0.76), (1.05 * w, h * 0.8)], closed=False)
    with canvas.at(0.74):
        canvas.polygon(np.vstack([edge, [(1.05 * w, h + 9), (-0.05 * w, h + 9)]]), ground)
    scenery.grass(stage, h * 0.8, ground, 60)
    stage.floor = 0.92


def country(stage: Stage) -> None:
    """Green hills with a path, for a place out of doors that no word names."""
    stage.horizon = stage.height * 0.5
    paint_sky(stage)
    scenery.mountains(stage, 2, 0.14)
    scenery.tree_line(stage, stage.horizon + 4, 0.08, 0.6)
    green = ("#7f9a4c", "#6f9450", "#8a9a52")[int(stage.place_rng.integers(3))]
    ground = land.hills(stage, green, "#93ad68", 3, 0.05)
    land.path(stage, stage.light.on(rgb("#cbb68e")))
    scenery.trees(stage, [(0.1, 0.66), (0.26, 0.57), (0.78, 0.57), (0.92, 0.68)])
    scenery.grass(stage, stage.height * 0.76, ground, 60)
    stage.floor = 0.93
