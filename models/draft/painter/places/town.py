"""Built places under the sky: city, rooftop, station, temple."""

import numpy as np

from models.draft.painter.canvas import curve
from models.draft.painter.colour import Colour, darker, lighter, mix, pick, rgb, times, vary
from models.draft.painter.places import scenery
from models.draft.painter.sky import paint_sky
from models.draft.painter.stage import Stage

LIT = ("#ffd27a", "#ffe3a6", "#ffbf6b", "#bfe3ff")


_SIGNS = ("#ff4f7b", "#38d6ff", "#ffd23f", "#7cff8e", "#c06bff")


def block(stage: Stage, x: float, y: float, width: float, height: float, wall: Colour, lit_share: float) -> None:
    """A building front with rows of windows; ``y`` is its foot."""
    canvas, rng = stage.canvas, stage.place_rng
    canvas.rect(x, y - height, width, height, wall)
    left, top, right, bottom = round(x), round(y - height), round(x + width), min(canvas.height, round(y))
    cell_w = max(4, round(stage.size * 0.019))
    cell_h = max(5, round(stage.size * 0.027))
    columns, rows = (right - left - cell_w // 2) // cell_w, (bottom - top - cell_h) // cell_h
    if columns < 1 or rows < 1:
        return
    dark = times(mix(wall, rgb("#8fb4d0"), 0.3), (0.8, 0.85, 0.95))
    lit = rng.random((rows, columns)) < lit_share
    hues = np.array([rgb(code) for code in LIT])[rng.integers(0, len(LIT), (rows, columns))]
    hues *= rng.uniform(0.7, 1.0, (rows, columns, 1))
    panes = np.where(lit[..., None], hues, np.array(dark))
    grid = np.repeat(np.repeat(panes, cell_h, axis=0), cell_w, axis=1).astype(np.uint8)
    inside = np.outer(
        np.arange(rows * cell_h) % cell_h < cell_h * 0.62, np.arange(columns * cell_w) % cell_w < cell_w * 0.6
    )
    px, py = left + (right - left - columns * cell_w) // 2 + max(1, cell_w // 5), top + cell_h // 2
    x0, y0 = max(0, px), max(0, py)
    x1, y1 = min(canvas.width, px + grid.shape[1]), min(canvas.height, py + grid.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    part = canvas.rgb[y0:y1, x0:x1]
    mask = inside[y0 - py : y1 - py, x0 - px : x1 - px]
    part[mask] = grid[y0 - py : y1 - py, x0 - px : x1 - px][mask]


def skyline(stage: Stage, foot: float, tallest: float, layers: int = 3) -> None:
    """Ranges of buildings from pale and far to dark and close; heights as shares of the picture's height."""
    canvas, light, rng = stage.canvas, stage.light, stage.place_rng
    for layer in range(layers):
        share = (layer + 1) / layers
        distance = 0.9 - 0.75 * share
        x = -0.03 * stage.width
        with canvas.at(0.06 + 0.12 * share):
            while x < stage.width * 1.02:
                width = stage.size * float(rng.uniform(0.07, 0.15)) * (0.6 + 0.5 * share)
                height = stage.height * tallest * float(rng.uniform(0.4, 1.0)) * (1.1 - 0.35 * share)
                wall = light.on(vary(rgb(pick(rng, ("#5d6b84", "#6d6478", "#4d5a70", "#7a7480"))), rng, 8), distance)
                block(stage, x, foot, width, height, wall, light.lamps * (0.25 + 0.35 * share))
                canvas.rect(x, foot - height, width * 0.16, height, lighter(wall, 0.3), 0.35)
                roof = rng.random()
                if roof < 0.3:
                    canvas.line(
                        [(x + width / 2, foot - height), (x + width / 2, foot - height * 1.14)],
                        max(1.0, width * 0.03),
                        wall,
                    )
                    if light.lamps > 0.4:
                        canvas.glow(x + width / 2, foot - height * 1.14, stage.size * 0.02, (255, 70, 60), 1.0)
                elif roof < 0.55:
                    canvas.rect(x + width * 0.25, foot - height * 1.05, width * 0.5, height * 0.06, wall)
                x += width * float(rng.uniform(1.0, 1.25))
        if layer < layers - 1:
            canvas.polygon(
                [
                    (0, foot),
                    (stage.width, foot),
                    (stage.width, foot - stage.height * tallest * 0.35),
                    (0, foot - stage.height * tallest * 0.35),
                ],
                light.haze,
                0.22,
            )


def city(stage: Stage) -> None:
    canvas, light, rng = stage.canvas, stage.light, stage.place_rng
    stage.horizon = stage.height * 0.68
    paint_sky(stage)
    if light.lamps > 0.4:
        canvas.glow(stage.width / 2, stage.horizon, stage.size * 1.1, rgb("#b8668a"), 0.28 * light.lamps)
    skyline(stage, stage.horizon + 2, 0.52, 3)
    ground = light.on(rgb("#5d6068"))
    canvas.down(
        stage.horizon, stage.height, [(0, mix(ground, light.haze, 0.4)), (1, darker(ground, 0.35))], (0.25, 0.85)
    )
    reflect(stage, stage.horizon, 0.5 if stage.reading.weather in {"rain", "storm"} else 0.25)
    for step in range(7):
        share = (step / 7) ** 1.7
        y = stage.horizon + (stage.height - stage.horizon) * (0.12 + 0.85 * share)
        x = stage.width * (0.5 + 0.015 * (1 - share))
        canvas.polygon(
            [
                (x - stage.size * 0.012 * (0.2 + share), y),
                (x + stage.size * 0.012 * (0.2 + share), y),
                (x + stage.size * 0.02 * (0.2 + share), y + stage.size * 0.05 * (0.2 + share)),
                (x - stage.size * 0.02 * (0.2 + share), y + stage.size * 0.05 * (0.2 + share)),
            ],
            light.on(rgb("#d8d4c4")),
            0.7,
        )
    if light.lamps > 0.4:
        _traffic(stage)
    for x in (0.1, 0.9):
        with canvas.at(0.62):
            scenery.lamp_post(stage, x * stage.width, stage.height * 0.86, stage.size * 0.4)
    if light.lamps > 0.4:
        for _ in range(5):
            neon_sign(
                stage,
                float(rng.uniform(0.06, 0.94)) * stage.width,
                stage.horizon * float(rng.uniform(0.72, 0.93)),
                stage.size * float(rng.uniform(0.03, 0.05)),
            )
    stage.floor = 0.95


def neon_sign(stage: Stage, x: float, y: float, size: float) -> None:
    """A neon sign: a glowing frame with strokes that read as writing."""
    canvas, rng = stage.canvas, stage.place_rng
    colour = rgb(pick(rng, _SIGNS))
    tall = rng.random() < 0.6
    w, h = (size * 0.8, size * 2.4) if tall else (size * 2.6, size)
    canvas.glow(x, y, max(w, h) * 1.6, colour, 0.7)
    canvas.rect(x - w / 2, y - h / 2, w, h, mix(colour, (10, 10, 25), 0.75), 1.0, size * 0.15)
    cells = 3 if tall else 4
    for index in range(cells):
        cx = x if tall else x - w / 2 + (index + 0.5) * w / cells
        cy = y - h / 2 + (index + 0.5) * h / cells if tall else y
        s = size * 0.24
        for _ in range(3):
            a, b = rng.uniform(-s, s, 2), rng.uniform(-s, s, 2)
            canvas.line([(cx + a[0], cy + a[1]), (cx + b[0], cy + b[1])], max(1.0, size * 0.07), lighter(colour, 0.5))


def reflect(stage: Stage, row: float, strength: float) -> None:
    """Wet ground mirrors what is above it, drawn out downwards."""
    canvas = stage.canvas
    top = int(row)
    span = canvas.height - top
    take = min(span, top)
    above = canvas.rgb[top - take : top][::-1]
    fade = np.linspace(strength, 0.04, take)[:, None, None]
    part = canvas.rgb[top : top + take]
    part[:] = np.clip(part + above * fade, 0, 255).astype(np.uint8)


def _traffic(stage: Stage) -> None:
    """Head and tail lights down the road."""
    rng = stage.shot_rng
    for _ in range(14):
        share = float(rng.random()) ** 1.5
        y = stage.horizon + (stage.height - stage.horizon) * (0.1 + 0.6 * share)
        side = 1 if rng.random() < 0.5 else -1
        x = stage.width * 0.5 + side * stage.size * (0.06 + 0.4 * share) * float(rng.uniform(0.7, 1.1))
        colour = rgb("#ff5548") if side > 0 else rgb("#fff1c4")
        for dx in (-1, 1):
            px = x + dx * stage.size * 0.013 * (0.3 + share)
            stage.canvas.glow(px, y, stage.size * 0.03 * (0.4 + share), colour, 0.9)
        stage.canvas.line(
            [(x, y), (x, y + stage.size * 0.06 * (0.3 + share))], stage.size * 0.012 * (0.3 + share), colour, 0.18
        )


def rooftop(stage: Stage) -> None:
    canvas, light = stage.canvas, stage.light
    stage.horizon = stage.height * 0.66
    paint_sky(stage)
    if light.lamps > 0.4:
        canvas.glow(stage.width / 2, stage.horizon, stage.size, rgb("#b0688c"), 0.25 * light.lamps)
    if stage.reading.urban is False:
        scenery.mountains(stage, 3, 0.3)
        scenery.tree_line(stage, stage.horizon + 4, 0.1, 0.5)
    else:
        skyline(stage, stage.horizon + 4, 0.36, 3)
    w, h = stage.width, stage.height
    deck = light.on(rgb("#8a8580"))
    canvas.down(stage.horizon, h, [(0, darker(deck, 0.2)), (1, deck)], (0.42, 0.86))
    for step in range(1, 6):
        y = stage.horizon + (h - stage.horizon) * (step / 5) ** 1.5
        canvas.line([(0, y), (w, y)], stage.size * 0.003, darker(deck, 0.35), 0.5)
    for x in np.linspace(-0.6, 1.6, 12):
        canvas.line(
            [(w * 0.5 + (x - 0.5) * w * 0.5, stage.horizon), (x * w, h)], stage.size * 0.003, darker(deck, 0.35), 0.5
        )
    rail = light.on(rgb("#4a4e57"))
    with canvas.at(0.42):
        top = stage.horizon - stage.size * 0.11
        canvas.rect(-5, stage.horizon - stage.size * 0.02, w + 10, stage.size * 0.03, darker(deck, 0.3))
        for y in (top, top + stage.size * 0.045):
            canvas.line([(-5, y), (w + 5, y)], stage.size * 0.009, rail)
        for x in np.arange(0, w + 1, stage.size * 0.09):
            canvas.line([(x, top), (x, stage.horizon)], stage.size * 0.007, rail)
    x = w * 0.83
    with canvas.at(0.5):
        s = stage.size * 0.17
        y = stage.horizon + stage.size * 0.08
        for dx in (-0.4, 0.4):
            canvas.line([(x + dx * s, y), (x + dx * s * 0.8, y - 0.9 * s)], s * 0.05, rail)
        canvas.rect(x - 0.5 * s, y - 1.9 * s, s, 1.1 * s, light.on(rgb("#7d5b44")), 1.0, s * 0.06)
        canvas.polygon(
            [(x - 0.56 * s, y - 1.88 * s), (x, y - 2.3 * s), (x + 0.56 * s, y - 1.88 * s)], light.on(rgb("#5d4336"))
        )
    stage.floor = 0.93


def station(stage: Stage) -> None:
    canvas, light = stage.canvas, stage.light
    stage.horizon = stage.height * 0.5
    paint_sky(stage)
    if stage.reading.urban:
        skyline(stage, stage.horizon + 3, 0.16, 2)
    else:
        _country_halt(stage)
    w, h, vx, vy = stage.width, stage.height, stage.width * 0.42, stage.horizon
    canvas.down(vy, h, [(0, light.on(rgb("#7a756e"), 0.5)), (1, light.on(rgb("#5d5850")))], (0.15, 0.85))
    for step in range(16):
        share = (step / 16) ** 2
        y = vy + (h - vy) * share
        half = 0.012 + 0.24 * share
        canvas.rect(
            vx - (half * 1.25 + 0.1 * share) * w,
            y,
            half * 2.1 * w,
            max(1.0, stage.size * 0.02 * share),
            light.on(rgb("#4a3a30")),
        )
    for offset in (-1.0, 0.35):
        canvas.polygon(
            [
                (vx, vy),
                (vx + 2, vy),
                (vx + (offset * 0.24 + 0.0) * w + stage.size * 0.014, h + 5),
                (vx + offset * 0.24 * w - stage.size * 0.004, h + 5),
            ],
            light.on(rgb("#b9c0c6")),
        )
    slab = light.on(rgb("#b5aca0"))
    with canvas.at(0.6):
        canvas.polygon([(vx + 4, vy), (w + 5, vy + h * 0.02), (w + 5, h + 5), (vx + 0.24 * w, h + 5)], slab)
        canvas.polygon(
            [(vx + 4, vy), (vx + 6, vy), (vx + 0.3 * w, h + 5), (vx + 0.26 * w, h + 5)], light.on(rgb("#f0c63c"))
        )
    pole = light.on(rgb("#3f4a52"))
    for depth in (0.2, 0.36, 0.65):
        x, y = vx + depth * w * 0.62, vy + depth * h * 0.42
        with canvas.at(stage.nearness(y)):
            canvas.line([(x, y), (x, vy - depth * h * 0.55)], stage.size * 0.035 * depth, pole)
        canvas.glow(x, vy - depth * h * 0.5, stage.size * 0.4 * depth, rgb("#ffdf9c"), 0.7 * light.lamps)
    roof = light.on(rgb("#4d5a62"))
    with canvas.at(0.55):
        canvas.polygon(
            [(vx + 6, vy - h * 0.03), (w + 5, vy - h * 0.52), (w + 5, vy - h * 0.43), (vx + 6, vy - h * 0.02)], roof
        )
        canvas.polygon(
            [(vx + 6, vy - h * 0.02), (w + 5, vy - h * 0.43), (w + 5, vy - h * 0.40), (vx + 6, vy - h * 0.015)],
            darker(roof, 0.4),
        )
    stage.floor = 0.93


def _country_halt(stage: Stage) -> None:
    """What a small station stands among: mountains, a wood, its own little house across the rails."""
    scenery.mountains(stage, 3, 0.34, snow=stage.reading.weather == "snow")
    scenery.tree_line(stage, stage.horizon + 4, 0.09, 0.5, "#35594a")
    x, y = stage.width * 0.14, stage.horizon + stage.size * 0.13
    with stage.canvas.at(0.2):
        stage.canvas.polygon(
            [
                (-5, stage.horizon),
                (stage.width * 0.41, stage.horizon),
                (stage.width * 0.2, stage.height + 5),
                (-5, stage.height + 5),
            ],
            stage.light.on(rgb("#6f8a55"), 0.3),
        )
        scenery.house(stage, x, y, stage.size * 0.26, "#d9c7a4", "#7a4436", 0.15)


def temple(stage: Stage) -> None:
    canvas, light = stage.canvas, stage.light
    stage.horizon = stage.height * 0.6
    paint_sky(stage)
    scenery.mountains(stage, 3, 0.3)
    scenery.tree_line(stage, stage.horizon + 6, 0.14, 0.4, "#3d6a4a")
    stone = light.on(rgb("#a8a096"))
    canvas.down(stage.horizon, stage.height, [(0, mix(stone, light.haze, 0.3)), (1, darker(stone, 0.15))], (0.2, 0.85))
    x, size = stage.width * 0.5, stage.size
    base = stage.horizon + size * 0.07
    red, tile = light.on(rgb("#a33b2e"), 0.12), light.on(rgb("#3f4d50"), 0.12)
    with canvas.at(0.34):
        for step in range(4):
            half = size * (0.5 + 0.05 * step)
            canvas.rect(
                x - half,
                base - size * 0.02 + step * size * 0.022,
                2 * half,
                size * 0.024,
                mix(stone, (255, 255, 255), 0.12 - 0.05 * step),
            )
        foot = base - size * 0.02
        for tier, (half, wall) in enumerate(((0.4, 0.17), (0.27, 0.13))):
            top = foot - wall * size
            canvas.rect(x - half * size, top, 2 * half * size, wall * size, mix(red, (30, 12, 10), 0.25))
            for post in np.linspace(-half * 0.94, half * 0.94, 6 - tier):
                canvas.rect(x + post * size - size * 0.013, top, size * 0.026, wall * size, red)
            for bay in np.linspace(-half * 0.75, half * 0.75, 5 - tier):
                glass = rgb("#ffcf7a") if light.lamps > 0.3 else light.on(rgb("#6b3a2a"))
                canvas.rect(
                    x + bay * size - size * 0.03, top + wall * size * 0.35, size * 0.06, wall * size * 0.6, glass, 0.85
                )
            eave = half + 0.14
            rise = 0.14 - 0.02 * tier
            left = curve(
                [
                    (x - eave * size, top - 0.045 * size),
                    (x - half * size, top + 0.012 * size),
                    (x, top + 0.015 * size),
                    (x + half * size, top + 0.012 * size),
                    (x + eave * size, top - 0.045 * size),
                ],
                closed=False,
            )
            right = curve(
                [
                    (x + eave * size, top - 0.05 * size),
                    (x + half * 0.8 * size, top - rise * 0.45 * size),
                    (x + half * 0.5 * size, top - rise * size),
                    (x - half * 0.5 * size, top - rise * size),
                    (x - half * 0.8 * size, top - rise * 0.45 * size),
                    (x - eave * size, top - 0.05 * size),
                ],
                closed=False,
            )
            canvas.polygon(np.vstack([left, right]), tile)
            for ribs in np.linspace(-0.9, 0.9, 15):
                canvas.line(
                    [(x + ribs * half * 0.52 * size, top - rise * size), (x + ribs * half * size, top)],
                    max(0.8, size * 0.004),
                    darker(tile, 0.35),
                    0.7,
                )
            canvas.line(left, size * 0.012, light.on(rgb("#c9953c")))
            foot = top - rise * size + 0.005 * size
        canvas.ellipse(x, foot - size * 0.012, size * 0.014, size * 0.022, light.on(rgb("#d9a83c")))
    for step in range(8):
        share = step / 8
        y = base + size * 0.07 + (stage.height - base - size * 0.07) * share**1.2
        half = size * (0.16 + 0.26 * share)
        canvas.rect(x - half, y, 2 * half, max(2.0, size * 0.02 * (0.5 + share)), lighter(stone, 0.25), 0.7)
    for dx in (-0.33, 0.33):
        with canvas.at(0.5):
            scenery.lantern(stage, x + dx * size, base - size * 0.08, size * 0.024)
    scenery.trees(stage, [(0.05, 0.74), (0.95, 0.74)], "#44734a")
    stage.floor = 0.94
