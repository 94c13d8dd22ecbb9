"""Places that one great thing makes: harbour, castle, church, an old town's lane."""

import numpy as np

from models.draft.painter.canvas import curve
from models.draft.painter.colour import Colour, darker, lighter, mix, pick, rgb, vary
from models.draft.painter.places import land, scenery, water
from models.draft.painter.sky import paint_sky
from models.draft.painter.stage import Stage


def harbour(stage: Stage) -> None:
    """Houses and moored boats round a basin, seen from the quay."""
    canvas, light, rng = stage.canvas, stage.light, stage.place_rng
    stage.horizon = stage.height * 0.46
    paint_sky(stage)
    w, h, size = stage.width, stage.height, stage.size
    water.far_coast(stage)
    water.paint_water(stage, stage.horizon, h * 0.76, (0.1, 0.5))
    base = stage.horizon + size * 0.05
    stone = light.on(rgb("#8d8478"), 0.3)
    side = int(rng.choice([0, 1]))
    for index in range(6):
        x = abs(side - 0.035 - 0.075 * index) * w
        height = size * float(rng.uniform(0.13, 0.2)) * (1 - 0.06 * index)
        with canvas.at(0.2):
            wall = pick(rng, ("#d8b48c", "#c9745a", "#e6dcc8", "#8fa3a8", "#d9a34f"))
            scenery.house(stage, x, base, height * 0.9, wall, pick(rng, ("#8c4a3a", "#5b5f6e")), 0.25)
    with canvas.at(0.2):
        end = abs(side - 0.5) * w
        canvas.polygon(
            [(side * w, base - 2), (end, base - 2), (end, base + size * 0.02), (side * w, base + size * 0.035)], stone
        )
    for x, y, scale in ((0.3, 0.57, 0.07), (0.55, 0.55, 0.055), (0.72, 0.62, 0.1), (0.16, 0.66, 0.12)):
        with canvas.at(stage.nearness(y * h)):
            moored_boat(stage, abs(side - x) * w, y * h, size * scale)
    quay = light.on(rgb("#9a8d7c"))
    top = h * 0.74
    canvas.down(top, h, [(0, lighter(quay, 0.15)), (1, darker(quay, 0.15))], (0.6, 0.86))
    canvas.rect(-5, top, w + 10, size * 0.03, darker(quay, 0.35))
    for row in range(1, 5):
        y = top + (h - top) * (row / 5) ** 1.3
        canvas.line([(0, y), (w, y)], size * 0.004, darker(quay, 0.3), 0.6)
        for x in np.arange((row % 2) * 0.08, 1.0, 0.16):
            canvas.line([(x * w, y), (x * w - size * 0.02, y + (h - top) * 0.16)], size * 0.004, darker(quay, 0.3), 0.6)
    for x in (0.1, 0.37, 0.66, 0.92):
        with canvas.at(0.62):
            canvas.rect(
                x * w - size * 0.018, top - size * 0.04, size * 0.036, size * 0.06, darker(quay, 0.6), 1.0, size * 0.012
            )
    stage.floor = 0.93


def moored_boat(stage: Stage, x: float, y: float, s: float) -> None:
    canvas, light, rng = stage.canvas, stage.light, stage.place_rng
    hull = light.on(rgb(pick(rng, ("#b5483c", "#3f6f9c", "#3f7f6c", "#e6dcc8"))), 0.15)
    canvas.polygon(
        [(x - s, y), (x + s, y), (x + 0.6 * s, y + 0.4 * s), (x - 0.6 * s, y + 0.4 * s)], darker(hull, 0.5), 0.3
    )
    canvas.line(
        [(x - 0.1 * s, y - 0.2 * s), (x - 0.1 * s, y - 1.7 * s)], max(1.0, 0.05 * s), light.on(rgb("#5b4130"), 0.15)
    )
    canvas.smooth(
        [
            (x - 1.05 * s, y - 0.36 * s),
            (x, y - 0.24 * s),
            (x + 1.1 * s, y - 0.4 * s),
            (x + 0.75 * s, y + 0.1 * s),
            (x - 0.75 * s, y + 0.1 * s),
        ],
        hull,
    )
    canvas.rect(x + 0.05 * s, y - 0.65 * s, 0.5 * s, 0.42 * s, light.on(rgb("#f0ead8"), 0.15))
    canvas.rect(
        x + 0.15 * s, y - 0.57 * s, 0.3 * s, 0.16 * s, rgb("#ffd98a") if light.lamps > 0.3 else light.on(rgb("#6f8fa3"))
    )


def castle(stage: Stage) -> None:
    """Towers and walls on a hill, flags up."""
    canvas, light, rng = stage.canvas, stage.light, stage.place_rng
    stage.horizon = stage.height * 0.58
    paint_sky(stage)
    scenery.mountains(stage, 3, 0.26)
    w, h, size = stage.width, stage.height, stage.size
    x, base = w * 0.5, stage.horizon + size * 0.06
    stone = light.on(rgb("#b0a698"), 0.12)
    hill = light.on(rgb("#6f8f4c"), 0.15)
    with canvas.at(0.2):
        canvas.smooth(
            [
                (x - size, base + size * 0.12),
                (x - 0.6 * size, base - 0.02 * size),
                (x, base - 0.05 * size),
                (x + 0.6 * size, base - 0.02 * size),
                (x + size, base + size * 0.12),
            ],
            hill,
        )
    ground = land.hills(stage, "#6f914a", "#82a35c", 2, 0.02)
    roof = light.on(rgb(pick(rng, ("#3f5a8a", "#8a3f3f", "#4f6a5a"))), 0.1)
    with canvas.at(0.3):
        for dx, tall, wide, pointed in ((-0.17, 0.3, 0.1, True), (0.17, 0.28, 0.1, True), (0.0, 0.36, 0.12, True)):
            _tower(
                stage, x + dx * size, base - 0.02 * size, size * tall, size * wide, darker(stone, 0.12), roof, pointed
            )
        canvas.rect(x - 0.42 * size, base - 0.17 * size, 0.84 * size, 0.19 * size, stone)
        for step in range(17):
            canvas.rect(x + (-0.42 + 0.05 * step) * size, base - 0.2 * size, 0.028 * size, 0.035 * size, stone)
        for row in range(4):
            for column in range(9):
                px = x + (-0.38 + 0.088 * column + 0.04 * (row % 2)) * size
                canvas.rect(
                    px, base + (-0.145 + 0.04 * row) * size, 0.035 * size, 0.014 * size, darker(stone, 0.25), 0.6
                )
        for dx in (-0.42, 0.42):
            _tower(stage, x + dx * size, base + 0.02 * size, size * 0.28, size * 0.13, stone, roof, pointed=False)
        gate = curve(
            [
                (x - 0.07 * size, base + 0.02 * size),
                (x - 0.07 * size, base - 0.08 * size),
                (x, base - 0.13 * size),
                (x + 0.07 * size, base - 0.08 * size),
                (x + 0.07 * size, base + 0.02 * size),
            ],
            closed=False,
        )
        canvas.polygon(gate, light.on(rgb("#4a3426"), 0.1))
    land.path(stage, light.on(rgb("#cdb68c")))
    scenery.trees(stage, [(0.05, 0.7), (0.95, 0.7), (0.16, 0.62), (0.85, 0.62)])
    scenery.grass(stage, h * 0.78, ground, 50)
    stage.floor = 0.92


def _tower(
    stage: Stage, x: float, y: float, height: float, width: float, stone: Colour, roof: Colour, pointed: bool
) -> None:
    canvas, light = stage.canvas, stage.light
    canvas.rect(x - width / 2, y - height, width, height, stone)
    canvas.rect(x + width * 0.12, y - height, width * 0.38, height, darker(stone, 0.3), 0.5)
    if pointed:
        canvas.polygon(
            [(x - width * 0.62, y - height), (x, y - height - width * 1.35), (x + width * 0.62, y - height)], roof
        )
        canvas.line(
            [(x, y - height - width * 1.3), (x, y - height - width * 1.8)], max(1.0, width * 0.04), darker(stone, 0.5)
        )
        canvas.polygon(
            [
                (x, y - height - width * 1.8),
                (x + width * 0.4, y - height - width * 1.65),
                (x, y - height - width * 1.5),
            ],
            light.on(rgb("#d2473c")),
        )
    else:
        canvas.rect(x - width * 0.6, y - height, width * 1.2, width * 0.2, stone)
        for step in range(4):
            canvas.rect(x + (-0.6 + 0.33 * step) * width, y - height - width * 0.2, width * 0.2, width * 0.22, stone)
    for share in (0.75, 0.45):
        glass = rgb("#ffd98a") if light.lamps > 0.3 else darker(stone, 0.6)
        canvas.rect(x - width * 0.07, y - height * share, width * 0.14, width * 0.32, glass, 1.0, width * 0.07)


def church(stage: Stage) -> None:
    """A white church with its steeple on a green."""
    canvas, light = stage.canvas, stage.light
    stage.horizon = stage.height * 0.54
    paint_sky(stage)
    scenery.mountains(stage, 2, 0.16)
    scenery.tree_line(stage, stage.horizon + 5, 0.1, 0.5)
    ground = land.hills(stage, "#76984f", "#8aa862", 3, 0.02)
    land.path(stage, light.on(rgb("#cdb68c")))
    x, y, size = stage.width * 0.5, stage.horizon + stage.size * 0.1, stage.size
    wall, roof = light.on(rgb("#ece4d4"), 0.1), light.on(rgb("#6b4a44"), 0.1)
    glass = rgb("#ffd27a") if light.lamps > 0.3 else light.on(rgb("#5a7f9c"), 0.1)
    with canvas.at(0.35):
        canvas.rect(x - 0.02 * size, y - 0.22 * size, 0.4 * size, 0.22 * size, darker(wall, 0.1))
        canvas.polygon(
            [
                (x - 0.02 * size, y - 0.22 * size),
                (x + 0.06 * size, y - 0.36 * size),
                (x + 0.34 * size, y - 0.36 * size),
                (x + 0.42 * size, y - 0.22 * size),
            ],
            roof,
        )
        canvas.rect(x - 0.12 * size, y - 0.4 * size, 0.17 * size, 0.4 * size, wall)
        canvas.polygon(
            [
                (x - 0.145 * size, y - 0.4 * size),
                (x - 0.035 * size, y - 0.62 * size),
                (x + 0.075 * size, y - 0.4 * size),
            ],
            roof,
        )
        canvas.line([(x - 0.035 * size, y - 0.6 * size), (x - 0.035 * size, y - 0.7 * size)], size * 0.01, roof)
        canvas.line([(x - 0.065 * size, y - 0.67 * size), (x - 0.005 * size, y - 0.67 * size)], size * 0.01, roof)
        for dx in (0.1, 0.2, 0.3):
            canvas.rect(x + dx * size, y - 0.17 * size, 0.04 * size, 0.1 * size, glass, 1.0, 0.02 * size)
        canvas.ellipse(x - 0.035 * size, y - 0.31 * size, 0.035 * size, 0.035 * size, glass)
        canvas.rect(
            x - 0.075 * size, y - 0.12 * size, 0.08 * size, 0.12 * size, light.on(rgb("#6b4630")), 1.0, 0.02 * size
        )
    scenery.trees(stage, [(0.06, 0.7), (0.2, 0.6), (0.9, 0.66)])
    scenery.grass(stage, stage.height * 0.76, ground, 60)
    stage.floor = 0.92


def old_town(stage: Stage) -> None:
    """A paved lane between low tiled houses, red lanterns over the doors."""
    canvas, light, rng = stage.canvas, stage.light, stage.place_rng
    stage.horizon = stage.height * 0.52
    paint_sky(stage)
    scenery.mountains(stage, 2, 0.12)
    w, h, vx, vy = stage.width, stage.height, stage.width * 0.5, stage.horizon
    paving = light.on(rgb("#8f8a82"))
    canvas.down(vy, h, [(0, mix(paving, light.haze, 0.35)), (1, darker(paving, 0.15))], (0.16, 0.85))
    for row in range(9):
        y = vy + (h - vy) * ((row + 1) / 10) ** 1.6
        canvas.line([(0, y), (w, y)], stage.size * 0.004, darker(paving, 0.3), 0.5)
        for x in np.linspace(-0.3, 1.3, 13) + 0.06 * (row % 2):
            lower = vy + (h - vy) * ((row + 2) / 10) ** 1.6
            canvas.line(
                [(vx + (x - 0.5) * w * (y - vy) / (h - vy), y), (vx + (x - 0.5) * w * (lower - vy) / (h - vy), lower)],
                stage.size * 0.003,
                darker(paving, 0.3),
                0.4,
            )
    edges = [1.02, 0.7, 0.48, 0.33, 0.23, 0.16]
    walls = ("#e6ddc8", "#d2c4a8", "#b58a63", "#c9b79a", "#a8735a")
    for side in (-1, 1):
        for far, near in zip(edges[1:][::-1], edges[:-1][::-1], strict=True):
            wall = light.on(vary(rgb(pick(rng, walls)), rng, 6), 0.7 * (1 - near))
            _lane_house(stage, side, far, near, wall, float(rng.uniform(0.86, 1.1)))
    stage.floor = 0.94


def _lane_house(stage: Stage, side: int, far: float, near: float, wall: Colour, tall: float) -> None:
    canvas, light = stage.canvas, stage.light
    w, h, vx, vy = stage.width, stage.height, stage.width * 0.5, stage.horizon

    def at(share: float, up: float, out: float = 0.0) -> tuple[float, float]:
        depth = far + (near - far) * share
        return vx + side * (depth * w * 0.55 - out * depth * w), vy + depth * h * (0.28 - up * tall)

    tile = light.on(rgb("#4b5158"), 0.6 * (1 - near))
    wood = light.on(rgb("#6b4630"), 0.5 * (1 - near))
    lit = light.lamps > 0.3
    with canvas.at(0.12 + 0.6 * near):
        canvas.polygon([at(0, 0.6), at(1, 0.6), at(1, 0.0), at(0, 0.0)], darker(wall, 0.12) if side > 0 else wall)
        canvas.polygon([at(0, 0.56, 0.06), at(1, 0.56, 0.06), at(1, 0.78), at(0, 0.78)], tile)
        canvas.polygon(
            [at(0, 0.53, 0.065), at(1, 0.53, 0.065), at(1, 0.57, 0.065), at(0, 0.57, 0.065)], darker(tile, 0.45)
        )
        for share in np.linspace(0.1, 0.9, 6):
            canvas.line(
                [at(share, 0.57, 0.06), at(share, 0.77)], max(1.0, near * stage.size * 0.004), darker(tile, 0.35), 0.7
            )
        canvas.polygon([at(0.36, 0.34), at(0.64, 0.34), at(0.64, 0.0), at(0.36, 0.0)], darker(wood, 0.15))
        for left in (0.1, 0.72):
            pane = rgb("#ffd48a") if lit else light.on(rgb("#7f8f94"), 0.5 * (1 - near))
            canvas.polygon([at(left, 0.38), at(left + 0.2, 0.38), at(left + 0.2, 0.16), at(left, 0.16)], wood)
            canvas.polygon(
                [at(left + 0.02, 0.365), at(left + 0.18, 0.365), at(left + 0.18, 0.18), at(left + 0.02, 0.18)], pane
            )
            canvas.line([at(left + 0.1, 0.37), at(left + 0.1, 0.17)], max(1.0, near * stage.size * 0.006), wood)
        if near > 0.2:
            x, y = at(0.5, 0.44, 0.05)
            scenery.lantern(stage, x, y, near * stage.size * 0.034)
