"""Open country: forest, mountains, fields, gardens, desert, snow, roads, villages."""

import math

import numpy as np

from models.draft.painter.canvas import curve
from models.draft.painter.colour import Colour, darker, lighter, mix, pick, rgb, vary
from models.draft.painter.places import scenery
from models.draft.painter.sky import paint_sky
from models.draft.painter.stage import Stage


def hills(stage: Stage, near_colour: str, far_colour: str, layers: int = 3, lift: float = 0.07) -> Colour:
    """Rolling ground from the horizon to the lower edge; returns the colour of the nearest."""
    rng, light = stage.place_rng, stage.light
    colour = light.on(rgb(far_colour), 0.6)
    for layer in range(layers):
        share = layer / layers
        y = stage.horizon + (stage.height - stage.horizon) * share**1.3
        colour = light.on(mix(rgb(far_colour), rgb(near_colour), (layer + 1) / layers), 0.55 * (1 - share))
        xs = np.linspace(-0.05, 1.05, 8) * stage.width
        ys = y - rng.uniform(-0.2, 1.0, 8) * stage.height * lift * (0.5 + share)
        edge = curve(np.column_stack([xs, ys]), closed=False)
        with stage.canvas.at(stage.nearness(y)):
            stage.canvas.polygon(np.vstack([edge, [(xs[-1], stage.height + 9), (xs[0], stage.height + 9)]]), colour)
        stage.canvas.line(edge, max(1.0, stage.size * 0.006), lighter(colour, 0.35), 0.5)
    _slope_depth(stage)
    return colour


def _slope_depth(stage: Stage) -> None:
    """The ground comes nearer evenly, whatever the shapes it was painted with."""
    depth = stage.canvas.depth
    top = int(stage.horizon) // 2
    levels = np.linspace(stage.nearness(stage.horizon), 0.84, depth.shape[0] - top) * 255
    part = depth[top:]
    ground = part >= int(0.1 * 255)
    part[ground] = np.broadcast_to(levels[:, None].astype(np.uint8), part.shape)[ground]


def forest(stage: Stage) -> None:
    canvas, light, rng = stage.canvas, stage.light, stage.place_rng
    stage.horizon = stage.height * 0.6
    paint_sky(stage, clouds=False)
    glow = mix(light.sky[3], rgb("#dff0b8"), 0.35) if not light.moon else light.sky[3]
    canvas.glow(stage.width * 0.5, stage.horizon * 0.8, stage.size * 0.8, glow, 0.6)
    hills(stage, "#4a6a36", "#5c7d4a", 3, 0.04)
    for layer in range(4):
        share = layer / 3
        foot = stage.horizon + (stage.height - stage.horizon) * (0.02 + 0.42 * share)
        leaf = light.on(mix(rgb("#3d7a52"), rgb("#1f4a34"), share), 0.8 * (1 - share))
        count = (16, 11, 8, 4)[layer]
        height = stage.height * (0.5 + 0.32 * share)
        with canvas.at(0.14 + 0.16 * layer):
            for index in range(count):
                x = stage.width * ((index + float(rng.uniform(0.1, 0.9))) / count)
                if layer == 3 and 0.24 < x / stage.width < 0.76:
                    x = stage.width * (0.02 if index % 2 else 0.98)
                if (index + layer) % 2 or layer == 0:
                    scenery.pine(stage, x, foot, height * float(rng.uniform(0.75, 1.1)), vary(leaf, rng, 5))
                else:
                    _tall_tree(stage, x, foot, height, leaf)
        if layer < 3:
            canvas.polygon(
                [
                    (0, foot),
                    (stage.width, foot),
                    (stage.width, foot - stage.height * 0.12),
                    (0, foot - stage.height * 0.12),
                ],
                light.haze,
                0.16,
            )
    if light.sun_height > 0.05 and light.cover < 0.7:
        for index in range(5):
            x = stage.width * (0.15 + 0.17 * index)
            lean = stage.width * 0.12
            canvas.polygon(
                [
                    (x, -5),
                    (x + stage.width * 0.05, -5),
                    (x + lean + stage.width * 0.1, stage.height * 0.8),
                    (x + lean, stage.height * 0.8),
                ],
                lighter(light.sun, 0.2),
                0.1,
            )
    scenery.grass(stage, stage.height * 0.72, light.on(rgb("#54763a")), 110)
    stage.floor = 0.93


def _tall_tree(stage: Stage, x: float, foot: float, height: float, leaf: Colour) -> None:
    trunk = darker(mix(leaf, stage.light.on(rgb("#5a4030")), 0.7), 0.25)
    width = height * 0.055
    stage.canvas.line(
        [(x, foot + width), (x + width * 0.3, foot - height * 0.55), (x, foot - height * 1.2)],
        [width * 1.5, width, width * 0.6],
        trunk,
    )
    for dx, dy, r in ((-0.16, 0.78, 0.17), (0.15, 0.86, 0.18), (0.0, 1.0, 0.22), (-0.1, 1.12, 0.18)):
        stage.canvas.ellipse(x + dx * height, foot - dy * height, r * height, 0.7 * r * height, leaf)
        stage.canvas.ellipse(
            x + (dx - 0.03) * height,
            foot - (dy + 0.03) * height,
            0.6 * r * height,
            0.35 * r * height,
            lighter(leaf, 0.22),
            0.6,
        )


def mountain(stage: Stage) -> None:
    stage.horizon = stage.height * 0.62
    paint_sky(stage)
    scenery.mountains(stage, 4, 0.46, "#5c6f88", snow=True)
    scenery.tree_line(stage, stage.horizon + 4, 0.07, 0.5, "#35594a")
    ground = hills(stage, "#5f7f45", "#6d8a5a", 3, 0.06)
    rng = stage.place_rng
    with stage.canvas.at(0.4):
        for index in range(9):
            x = stage.width * (index + float(rng.uniform(0, 1))) / 9
            if 0.3 < x / stage.width < 0.7:
                continue
            y = stage.height * float(rng.uniform(0.7, 0.8))
            leaf = stage.light.on(rgb("#2f5940"), 0.25)
            scenery.pine(stage, x, y, stage.size * float(rng.uniform(0.12, 0.2)), leaf)
    scenery.rocks(stage, stage.width * 0.12, stage.height * 0.9, stage.size * 0.09)
    scenery.grass(stage, stage.height * 0.82, ground, 70)
    stage.floor = 0.93


def field(stage: Stage) -> None:
    light = stage.light
    stage.horizon = stage.height * 0.5
    paint_sky(stage)
    scenery.mountains(stage, 2, 0.12)
    scenery.tree_line(stage, stage.horizon + 3, 0.06, 0.6)
    ground = hills(stage, "#a8a84a", "#8fae62", 4, 0.05)
    rng = stage.place_rng
    for y in np.sort(rng.uniform(stage.height * 0.72, stage.height * 1.04, 150)):
        x, scale = float(rng.uniform(0, stage.width)), stage.scale(float(y))
        h = stage.size * 0.12 * scale
        lean = h * float(rng.uniform(0.05, 0.3))
        ear = light.on(vary(rgb("#d9b95a"), rng, 12))
        stage.canvas.line([(x, float(y)), (x + lean, float(y) - h)], max(0.8, h * 0.03), darker(ear, 0.25))
        stage.canvas.ellipse(x + lean, float(y) - h, h * 0.035, h * 0.13, ear, tilt=15)
    scenery.trees(stage, [(0.14, 0.64), (0.86, 0.6)])
    scenery.grass(stage, stage.height * 0.8, ground, 40)
    stage.floor = 0.93


def garden(stage: Stage) -> None:
    light = stage.light
    stage.horizon = stage.height * 0.5
    paint_sky(stage)
    scenery.tree_line(stage, stage.horizon + 8, 0.16, 0.45, "#4d8452")
    lawn = hills(stage, "#6fa04c", "#83b060", 2, 0.03)
    path(stage, light.on(rgb("#d9c7a0")))
    scenery.trees(stage, [(0.08, 0.66), (0.24, 0.57), (0.8, 0.58), (0.94, 0.68)], "#5a9650")
    scenery.grass(stage, stage.height * 0.7, lawn, 60)
    scenery.flowers(stage, stage.height * 0.62, 90, ("#e8557a", "#f2b33d", "#f6f2ea", "#9a6bd0", "#e86a4a"))
    stage.floor = 0.92


def path(stage: Stage, colour: Colour) -> None:
    w, h, top = stage.width, stage.height, stage.horizon
    bend = float(stage.place_rng.choice([-1, 1]))
    spine = [
        (0.5 + 0.06 * bend, 0.02, 0.008),
        (0.5 - 0.05 * bend, 0.2, 0.03),
        (0.5 + 0.04 * bend, 0.5, 0.08),
        (0.5, 1.05, 0.2),
    ]
    rows = [top + (h - top) * y for _, y, _ in spine]
    left = curve([((x - half) * w, y) for (x, _, half), y in zip(spine, rows, strict=True)], closed=False)
    right = curve([((x + half) * w, y) for (x, _, half), y in zip(spine, rows, strict=True)], closed=False)
    stage.canvas.polygon(np.vstack([left, right[::-1]]), colour)
    stage.canvas.line(left, stage.size * 0.006, darker(colour, 0.35), 0.6)
    stage.canvas.line(right, stage.size * 0.006, darker(colour, 0.35), 0.6)
    _slope_depth(stage)


def desert(stage: Stage) -> None:
    canvas, light, rng = stage.canvas, stage.light, stage.place_rng
    stage.horizon = stage.height * 0.52
    paint_sky(stage)
    for layer in range(5):
        share = layer / 5
        y = stage.horizon + (stage.height - stage.horizon) * share**1.2
        lit = light.on(mix(rgb("#edc487"), rgb("#e0a860"), share), 0.6 * (1 - share))
        shade = darker(lit, 0.38)
        peak_x = stage.width * float(rng.uniform(0.15, 0.85))
        peak_y = y - stage.height * float(rng.uniform(0.05, 0.12)) * (1 + 0.3 * share)
        crest = curve(
            [
                (-0.1 * stage.width, y),
                (peak_x * 0.5, (y + peak_y) / 2),
                (peak_x, peak_y),
                ((peak_x + stage.width) / 2, (y + peak_y) / 2 + stage.size * 0.02),
                (1.1 * stage.width, y),
            ],
            closed=False,
        )
        body = np.vstack([crest, [(1.1 * stage.width, stage.height + 9), (-0.1 * stage.width, stage.height + 9)]])
        with canvas.at(stage.nearness(y)):
            canvas.polygon(body, lit)
            after = crest[crest[:, 0] >= peak_x]
            fold = curve(
                [
                    (peak_x, peak_y),
                    (peak_x + stage.size * 0.05, (peak_y + y) / 2),
                    (peak_x - stage.size * 0.06, y),
                    (peak_x + stage.size * 0.12, stage.height + 9),
                ],
                closed=False,
            )
            canvas.polygon(np.vstack([after, [(1.1 * stage.width, stage.height + 9)], fold[::-1]]), shade, 0.75)
    _slope_depth(stage)
    for _ in range(30):
        y = float(rng.uniform(stage.height * 0.8, stage.height))
        x = float(rng.uniform(0, stage.width))
        length = stage.size * 0.12
        canvas.line(
            curve([(x, y), (x + length / 2, y - 3), (x + length, y)], closed=False), 1.2, light.on(rgb("#f6dcae")), 0.35
        )
    stage.floor = 0.92


def snowfield(stage: Stage) -> None:
    light, rng = stage.light, stage.place_rng
    stage.horizon = stage.height * 0.54
    paint_sky(stage)
    scenery.mountains(stage, 3, 0.3, "#7f93b0", snow=True)
    hills(stage, "#f3f7fc", "#dbe6f2", 3, 0.05)
    for index in range(12):
        x = stage.width * (index + float(rng.uniform(0.1, 0.9))) / 12
        y = stage.height * float(rng.uniform(0.6, 0.72))
        if 0.35 < x / stage.width < 0.65:
            y = stage.height * 0.58
        height = stage.size * (0.1 + 0.35 * stage.scale(y))
        with stage.canvas.at(stage.nearness(y)):
            leaf = light.on(rgb("#4a6a62"), 0.5)
            scenery.pine(stage, x, y, height, leaf)
            scenery.pine(stage, x - 0.012 * height, y - 0.05 * height, height * 0.9, light.on(rgb("#eef4fa"), 0.3))
    for step in range(12):
        y = stage.height * (0.62 + 0.036 * step)
        side = 1 if step % 2 else -1
        x = stage.width * (0.44 + 0.02 * math.sin(step)) + side * stage.size * 0.02 * stage.scale(y)
        stage.canvas.ellipse(
            x,
            y,
            stage.size * 0.012 * stage.scale(y) * 1.6,
            stage.size * 0.006 * stage.scale(y) * 1.6,
            light.on(rgb("#b5c6dd")),
            0.8,
        )
    stage.floor = 0.93


def road(stage: Stage) -> None:
    canvas, light = stage.canvas, stage.light
    stage.horizon = stage.height * 0.5
    paint_sky(stage)
    scenery.mountains(stage, 3, 0.2)
    scenery.tree_line(stage, stage.horizon + 3, 0.07, 0.6)
    ground = hills(stage, "#7f9450", "#94a868", 2, 0.02)
    w, h, top = stage.width, stage.height, stage.horizon
    tarmac = light.on(rgb("#5a5c62"))
    canvas.polygon([(0.49 * w, top), (0.51 * w, top), (0.86 * w, h + 5), (0.14 * w, h + 5)], tarmac)
    canvas.polygon([(0.49 * w, top), (0.491 * w, top), (0.17 * w, h + 5), (0.14 * w, h + 5)], light.on(rgb("#e6e2d6")))
    canvas.polygon([(0.51 * w, top), (0.509 * w, top), (0.83 * w, h + 5), (0.86 * w, h + 5)], light.on(rgb("#e6e2d6")))
    for step in range(9):
        a, b = (step / 9) ** 2, ((step + 0.5) / 9) ** 2
        half_a, half_b = 0.001 + 0.011 * a, 0.001 + 0.011 * b
        ya, yb = top + (h - top) * a, top + (h - top) * b
        canvas.polygon(
            [((0.5 - half_a) * w, ya), ((0.5 + half_a) * w, ya), ((0.5 + half_b) * w, yb), ((0.5 - half_b) * w, yb)],
            light.on(rgb("#f0dc9a")),
        )
    _slope_depth(stage)
    scenery.trees(stage, [(0.27, 0.56), (0.72, 0.56), (0.1, 0.68), (0.92, 0.68)])
    scenery.grass(stage, h * 0.75, ground, 20)
    stage.floor = 0.93


def village(stage: Stage) -> None:
    light, rng = stage.light, stage.place_rng
    stage.horizon = stage.height * 0.48
    paint_sky(stage)
    scenery.mountains(stage, 3, 0.24)
    scenery.tree_line(stage, stage.horizon + 5, 0.09, 0.55)
    ground = hills(stage, "#79984f", "#8aa862", 3, 0.03)
    path(stage, light.on(rgb("#cdb68c")))
    spots = [(0.32, 0.56, 0.11), (0.66, 0.55, 0.1), (0.14, 0.63, 0.2), (0.86, 0.64, 0.21), (0.5, 0.535, 0.07)]
    walls, roofs = ("#e9ddc4", "#d8c3a0", "#efe6d6"), ("#8c4a3a", "#5b5f6e", "#a0643c")
    for x, y, width in sorted(spots, key=lambda spot: spot[1]):
        with stage.canvas.at(stage.nearness(y * stage.height)):
            scenery.house(
                stage,
                x * stage.width,
                y * stage.height,
                width * stage.size * 1.35,
                pick(rng, walls),
                pick(rng, roofs),
                0.4 * (1 - width * 4),
            )
    for x, y in ((0.14, 0.44), (0.86, 0.45)):
        for step in range(5):
            stage.canvas.ellipse(
                x * stage.width + step * stage.size * 0.012,
                y * stage.height - step * stage.size * 0.03,
                stage.size * (0.012 + 0.005 * step),
                stage.size * (0.012 + 0.004 * step),
                light.cloud,
                0.3 - 0.05 * step,
            )
    scenery.trees(stage, [(0.02, 0.7), (0.98, 0.7), (0.42, 0.55)])
    scenery.grass(stage, stage.height * 0.76, ground, 80)
    stage.floor = 0.92
