"""What stands about in the open: rocks, trees, grass, mountains, houses, fish."""

import math
from collections.abc import Sequence

import numpy as np

from models.draft.painter.canvas import curve
from models.draft.painter.colour import Colour, darker, lighter, mix, rgb, vary
from models.draft.painter.sky import paint_ridge, ridge
from models.draft.painter.stage import Stage


def mountains(stage: Stage, layers: int, height: float, colour: str = "#4f6a72", *, snow: bool = False) -> None:
    """Ranges one behind the other, the farthest the palest; ``height`` as a share of the picture's height."""
    light = stage.light
    base = rgb(colour)
    for layer in range(layers):
        share = layer / max(1, layers)
        distance = 0.85 - 0.55 * share
        line = ridge(stage.place_rng, stage.width, stage.horizon + 2, stage.height * height * (1 - 0.4 * share), 0.6)
        shade = light.on(vary(mix(base, rgb("#3f6a48"), share * 0.7), stage.place_rng, 6), distance)
        near = 0.06 + 0.08 * share
        paint_ridge(stage, line, shade, near, stage.horizon + 4)
        if snow and layer == 0:
            _snow_caps(stage, line, height)


def _snow_caps(stage: Stage, line: np.ndarray, height: float) -> None:
    cap = stage.light.on(rgb("#fbfcff"), 0.25)
    limit = stage.horizon - stage.height * height * 0.52
    rng = stage.place_rng
    jag = limit + rng.normal(0, stage.size * 0.018, len(line))
    lower = np.maximum(line[:, 1], np.minimum(jag, line[:, 1] + stage.size * 0.12))
    above = line[:, 1] < jag
    start = None
    for index, snowy in enumerate([*above, False]):
        if snowy and start is None:
            start = index
        elif not snowy and start is not None:
            if index - start > 2:
                upper = line[start:index]
                under = np.column_stack([line[start:index, 0], lower[start:index]])[::-1]
                stage.canvas.polygon(np.vstack([upper, under]), cap)
            start = None


def tree_line(stage: Stage, foot: float, height: float, distance: float, colour: str = "#3d6b44") -> None:
    """A far wood as one ragged band."""
    rng = stage.place_rng
    shade = stage.light.on(rgb(colour), distance)
    count = 46
    xs = np.linspace(-0.02, 1.02, count) * stage.width
    tops = foot - stage.size * height * rng.uniform(0.45, 1.0, count)
    points = curve(np.column_stack([xs, tops]), 4, closed=False)
    with stage.canvas.at(0.13):
        stage.canvas.polygon(np.vstack([points, [(xs[-1], foot + 3), (xs[0], foot + 3)]]), shade)


def rocks(stage: Stage, x: float, y: float, size: float) -> None:
    rng, light = stage.place_rng, stage.light
    for dx, scale in ((-0.8, 0.6), (0.9, 0.5), (0.0, 1.0)):
        base = light.on(vary(rgb("#6d6a6c"), rng, 8))
        s = size * scale
        cx = x + dx * size
        with stage.canvas.at(stage.nearness(y)):
            stage.canvas.smooth(
                [
                    (cx - s, y),
                    (cx - 0.8 * s, y - 0.5 * s),
                    (cx - 0.2 * s, y - 0.85 * s),
                    (cx + 0.5 * s, y - 0.6 * s),
                    (cx + s, y),
                    (cx, y + 0.12 * s),
                ],
                base,
            )
        stage.canvas.smooth(
            [
                (cx - 0.7 * s, y - 0.42 * s),
                (cx - 0.2 * s, y - 0.78 * s),
                (cx + 0.3 * s, y - 0.6 * s),
                (cx - 0.1 * s, y - 0.4 * s),
            ],
            lighter(base, 0.35),
            0.8,
        )


def grass(stage: Stage, top: float, colour: Colour, count: int) -> None:
    """Tufts from a row to the lower edge, larger towards us."""
    rng = stage.place_rng
    for y in np.sort(rng.uniform(top, stage.height * 1.02, count)):
        x = float(rng.uniform(0, stage.width))
        h = stage.size * 0.05 * max(0.25, stage.scale(float(y))) * float(rng.uniform(0.6, 1.3))
        lean = float(rng.normal(0, 0.35)) * h
        shade = vary(lighter(colour, 0.15) if rng.random() < 0.5 else darker(colour, 0.3), rng, 6)
        for spread in (-0.3, 0.0, 0.3):
            tip = (x + lean + spread * h, float(y) - h * (1 - abs(spread) * 0.5))
            stage.canvas.polygon([(x - h * 0.06, float(y)), tip, (x + h * 0.06, float(y))], shade)


def reeds(stage: Stage, y: float) -> None:
    rng = stage.place_rng
    for side in (0.02, 0.9):
        for _ in range(12):
            x = (side + float(rng.uniform(0, 0.09))) * stage.width
            h = stage.size * float(rng.uniform(0.1, 0.2))
            tip = (x + float(rng.normal(0, 0.12)) * h, y - h)
            with stage.canvas.at(0.74):
                stage.canvas.line([(x, y + 0.06 * stage.size), tip], stage.size * 0.005, stage.light.on(rgb("#4d6b3a")))
                stage.canvas.ellipse(
                    tip[0], tip[1], stage.size * 0.006, stage.size * 0.022, stage.light.on(rgb("#6b4a30"))
                )


def flowers(stage: Stage, top: float, count: int, colours: Sequence[str]) -> None:
    rng = stage.place_rng
    for y in np.sort(rng.uniform(top, stage.height, count)):
        x = float(rng.uniform(0, stage.width))
        s = stage.size * 0.02 * max(0.2, stage.scale(float(y)))
        petal = stage.light.on(rgb(colours[int(rng.integers(len(colours)))]))
        stage.canvas.line([(x, float(y)), (x, float(y) - 2.2 * s)], s * 0.25, stage.light.on(rgb("#4d7a3c")))
        for angle in range(0, 360, 72):
            a = math.radians(angle)
            stage.canvas.ellipse(
                x + 0.55 * s * math.cos(a), float(y) - 2.2 * s + 0.5 * s * math.sin(a), 0.42 * s, 0.38 * s, petal
            )
        stage.canvas.ellipse(x, float(y) - 2.2 * s, 0.3 * s, 0.28 * s, stage.light.on(rgb("#f4cf55")))


def trees(stage: Stage, places: Sequence[tuple[float, float]], colour: str = "#4b8046") -> None:
    """Round trees whose feet stand at shares of width and height."""
    for x, y in sorted(places, key=lambda place: place[1]):
        row = y * stage.height
        height = stage.size * (0.16 + 0.55 * stage.scale(row))
        with stage.canvas.at(stage.nearness(row)):
            round_tree(stage, x * stage.width, row, height, rgb(colour), 0.6 * (1 - stage.scale(row)))


def round_tree(stage: Stage, x: float, y: float, height: float, leaf: Colour, distance: float = 0.0) -> None:
    canvas, rng, light = stage.canvas, stage.place_rng, stage.light
    trunk = light.on(rgb("#5b4334"), distance)
    canvas.line([(x, y), (x + 0.01 * height, y - 0.5 * height)], [0.085 * height, 0.05 * height], trunk)
    canvas.line([(x, y - 0.38 * height), (x + 0.14 * height, y - 0.58 * height)], 0.03 * height, trunk)
    leaf = light.on(vary(leaf, rng, 8), distance)
    blobs = [(0.0, 0.66, 0.27), (-0.2, 0.58, 0.2), (0.2, 0.6, 0.2), (-0.1, 0.8, 0.2), (0.12, 0.82, 0.18)]
    for dx, dy, r in blobs:
        canvas.ellipse(x + dx * height, y - dy * height, r * height, 0.88 * r * height, darker(leaf, 0.35))
    for dx, dy, r in blobs:
        canvas.ellipse(x + (dx - 0.025) * height, y - (dy + 0.035) * height, 0.82 * r * height, 0.72 * r * height, leaf)
    for dx, dy, r in blobs[1:]:
        canvas.ellipse(
            x + (dx - 0.06) * height,
            y - (dy + 0.08) * height,
            0.42 * r * height,
            0.34 * r * height,
            lighter(leaf, 0.3),
            0.7,
        )


def pine(stage: Stage, x: float, y: float, height: float, leaf: Colour) -> None:
    canvas = stage.canvas
    canvas.rect(x - 0.02 * height, y - 0.15 * height, 0.04 * height, 0.16 * height, darker(leaf, 0.6))
    for step in range(4):
        foot = y - (0.08 + 0.2 * step) * height
        half = (0.24 - 0.045 * step) * height
        tip = foot - 0.36 * height
        canvas.smooth(
            [
                (x - half, foot),
                (x - 0.3 * half, foot - 0.12 * height),
                (x, tip),
                (x, tip),
                (x + 0.3 * half, foot - 0.12 * height),
                (x + half, foot),
                (x, foot - 0.03 * height),
            ],
            mix(leaf, lighter(leaf, 0.2), step / 6),
        )


def palm(stage: Stage, x: float, y: float, height: float) -> None:
    canvas, light = stage.canvas, stage.light
    lean = height * 0.16 * (1 if x < stage.width / 2 else -1)
    trunk = curve([(x, y), (x + 0.2 * lean, y - 0.4 * height), (x + lean, y - height)], closed=False)
    canvas.line(trunk, np.linspace(0.05, 0.03, len(trunk)) * height, light.on(rgb("#7a5a3c")))
    top = (x + lean, y - height)
    for angle in (-170, -140, -110, -70, -40, -10, 20, 160):
        a = math.radians(angle)
        tip = (top[0] + 0.36 * height * math.cos(a), top[1] + 0.22 * height * math.sin(a) + 0.12 * height)
        bend = (top[0] + 0.22 * height * math.cos(a), top[1] + 0.24 * height * math.sin(a))
        leaf = curve([top, bend, tip], closed=False)
        width = np.sin(np.linspace(0.25, math.pi, len(leaf))) * 0.055 * height
        canvas.line(leaf, width, light.on(rgb("#3d7a45") if angle % 20 else rgb("#4f9152")))


def house(stage: Stage, x: float, y: float, width: float, wall: str, roof: str, distance: float = 0.0) -> None:
    """A small house standing on a row, its windows lit when lamps are."""
    canvas, light = stage.canvas, stage.light
    height = width * 0.62
    wall_colour, roof_colour = light.on(rgb(wall), distance), light.on(rgb(roof), distance)
    canvas.rect(x - width / 2, y - height, width, height, wall_colour)
    canvas.rect(x, y - height, width / 2, height, darker(wall_colour, 0.3), 0.5)
    canvas.polygon(
        [
            (x - 0.62 * width, y - height),
            (x - 0.36 * width, y - 1.55 * height),
            (x + 0.36 * width, y - 1.55 * height),
            (x + 0.62 * width, y - height),
        ],
        roof_colour,
    )
    for step in range(1, 4):
        row = y - height - 0.14 * height * step
        half = width * (0.62 - 0.065 * step)
        canvas.line([(x - half, row), (x + half, row)], max(0.8, width * 0.008), darker(roof_colour, 0.3), 0.6)
    canvas.rect(x + 0.2 * width, y - 1.75 * height, 0.1 * width, 0.4 * height, darker(wall_colour, 0.35))
    canvas.rect(x - 0.08 * width, y - 0.55 * height, 0.17 * width, 0.55 * height, light.on(rgb("#6b4630"), distance))
    for dx in (-0.36, 0.2):
        window(stage, x + dx * width, y - 0.72 * height, 0.17 * width, 0.26 * height, distance)


def window(stage: Stage, x: float, y: float, width: float, height: float, distance: float = 0.0) -> None:
    light = stage.light
    lit = light.lamps > 0.3
    glass = rgb("#ffd98a") if lit else light.on(rgb("#7fa6bc"), distance)
    stage.canvas.rect(x, y, width, height, glass)
    bar = light.on(rgb("#5b4536"), distance)
    stage.canvas.line([(x + width / 2, y), (x + width / 2, y + height)], max(0.8, width * 0.08), bar)
    stage.canvas.line([(x, y + height / 2), (x + width, y + height / 2)], max(0.8, width * 0.08), bar)
    if lit:
        stage.canvas.glow(x + width / 2, y + height / 2, width * 2.4, rgb("#ffb454"), 0.5 * light.lamps)


def fish(stage: Stage, x: float, y: float, size: float, facing: int) -> None:
    colour = vary(rgb(("#f29a4a", "#f4d35e", "#e8eef2", "#e46a6a")[int(stage.shot_rng.integers(4))]), stage.shot_rng, 8)
    f = facing
    stage.canvas.smooth(
        [
            (x + f * size, y),
            (x, y - 0.42 * size),
            (x - 0.8 * f * size, y - 0.05 * size),
            (x - 0.8 * f * size, y + 0.05 * size),
            (x, y + 0.42 * size),
        ],
        colour,
    )
    stage.canvas.polygon(
        [(x - 0.7 * f * size, y), (x - 1.3 * f * size, y - 0.4 * size), (x - 1.3 * f * size, y + 0.4 * size)],
        darker(colour, 0.2),
    )
    stage.canvas.ellipse(x + 0.6 * f * size, y - 0.1 * size, 0.09 * size, 0.09 * size, (20, 20, 30))


def corals(stage: Stage, y: float, count: int, shade: float) -> None:
    rng = stage.place_rng
    for _ in range(count):
        x = float(rng.uniform(0, 1)) * stage.width
        h = stage.size * float(rng.uniform(0.05, 0.14))
        colour = mix(rgb(("#e8647c", "#f0a04b", "#8e6bd0", "#45b08c")[int(rng.integers(4))]), (8, 58, 102), shade)
        if rng.random() < 0.5:
            for lean in (-0.5, -0.15, 0.2, 0.55):
                stalk = curve(
                    [(x, y), (x + lean * h * 0.5, y - h * 0.5), (x + lean * h, y - h * (1 - abs(lean) * 0.3))],
                    closed=False,
                )
                stage.canvas.line(stalk, np.linspace(0.14, 0.06, len(stalk)) * h, colour)
        else:
            xs = x + 0.12 * h * np.sin(np.linspace(0, 9, 9) + float(rng.uniform(0, 6)))
            weed = curve(np.column_stack([xs, np.linspace(y, y - 1.6 * h, 9)]), 3, closed=False)
            stage.canvas.line(weed, np.linspace(0.14, 0.03, len(weed)) * h, mix(rgb("#3f9a5c"), (8, 58, 102), shade))


def lamp_post(stage: Stage, x: float, y: float, height: float) -> None:
    canvas, light = stage.canvas, stage.light
    iron = light.on(rgb("#2c3038"))
    canvas.line([(x, y), (x, y - height)], height * 0.028, iron)
    canvas.rect(x - 0.05 * height, y - 0.03 * height, 0.1 * height, 0.03 * height, iron)
    canvas.polygon(
        [
            (x - 0.05 * height, y - height),
            (x - 0.035 * height, y - 1.1 * height),
            (x + 0.035 * height, y - 1.1 * height),
            (x + 0.05 * height, y - height),
        ],
        rgb("#ffe2a0") if light.lamps > 0.2 else light.on(rgb("#d8dcd8")),
    )
    canvas.polygon(
        [(x - 0.06 * height, y - 1.1 * height), (x, y - 1.15 * height), (x + 0.06 * height, y - 1.1 * height)], iron
    )
    if light.lamps > 0.2:
        canvas.glow(x, y - 1.05 * height, height * 0.55, rgb("#ffbe5c"), 0.75 * light.lamps)
        canvas.ellipse(x, y, height * 0.32, height * 0.05, rgb("#ffcf7a"), 0.22 * light.lamps)


def lantern(stage: Stage, x: float, y: float, size: float, colour: str = "#e2452f") -> None:
    """A round paper lantern hanging from (x, y - size)."""
    canvas = stage.canvas
    lit = max(0.35, stage.light.lamps)
    canvas.glow(x, y, size * 3.4, rgb("#ff8a3c"), 0.6 * lit)
    canvas.line([(x, y - 1.3 * size), (x, y - 0.8 * size)], max(0.8, size * 0.07), (60, 40, 30))
    canvas.ellipse(x, y, size, 0.82 * size, mix(rgb(colour), (255, 190, 90), 0.25 * lit))
    canvas.ellipse(x, y, size * 0.55, 0.8 * size, (255, 196, 110), 0.4 * lit)
    for dy in (-0.82, 0.72):
        canvas.rect(x - 0.38 * size, y + dy * size, 0.76 * size, 0.12 * size, rgb("#e8b84a"))
    canvas.line([(x, y + 0.84 * size), (x, y + 1.4 * size)], max(0.8, size * 0.1), rgb("#e8b84a"))
