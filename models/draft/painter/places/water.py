"""Places at the water: sea, beach, river, lake, waterfall, bridge, the sea's ground."""

import math

import numpy as np

from models.draft.painter.canvas import curve
from models.draft.painter.colour import Colour, darker, lighter, mix, rgb, times, vary
from models.draft.painter.places import scenery
from models.draft.painter.sky import paint_ridge, paint_sky, ridge
from models.draft.painter.stage import Stage


def paint_water(stage: Stage, top: float, bottom: float, near: tuple[float, float] = (0.1, 0.6)) -> None:
    """Open water between two rows, mirroring the sky, with the sun's path and glints that grow towards us."""
    canvas, light = stage.canvas, stage.light
    far = mix(light.sky[3], light.water, 0.35)
    canvas.down(top, bottom, [(0, far), (0.25, mix(far, light.water, 0.6)), (1, darker(light.water, 0.35))], near)
    rng = stage.shot_rng
    span = bottom - top
    crest, trough = mix(light.sky[2], light.water, 0.25), darker(light.water, 0.3)
    for _ in range(110):
        depth = float(rng.random()) ** 1.6
        y = top + span * depth
        length = stage.size * (0.02 + 0.16 * depth) * float(rng.uniform(0.5, 1.4))
        x = float(rng.uniform(-0.05, 1.05)) * stage.width
        thick = max(0.7, stage.size * 0.0065 * depth)
        colour = crest if rng.random() < 0.55 else trough
        _ripple(stage, x, y, length, thick, colour, 0.16 + 0.24 * (1 - depth))
    if stage.sun is not None and light.cover < 0.8:
        _sun_path(stage, top, bottom)


def _sun_path(stage: Stage, top: float, bottom: float) -> None:
    if stage.sun is None:
        return
    rng, light = stage.shot_rng, stage.light
    x0 = stage.sun[0]
    low = light.sun_height < 0.2 or light.moon
    shine = lighter(light.sun, 0.25) if not light.moon else (214, 224, 250)
    stage.canvas.glow(x0, top, stage.size * 0.5, shine, 0.3 if low else 0.15)
    for _ in range(120 if low else 60):
        depth = float(rng.random()) ** 1.3
        y = top + (bottom - top) * depth
        spread = stage.size * (0.03 + 0.2 * depth)
        x = x0 + float(rng.normal(0, 0.45)) * spread
        length = stage.size * (0.012 + 0.06 * depth) * float(rng.uniform(0.4, 1.2))
        _ripple(stage, x, y, length, max(0.8, stage.size * 0.006 * depth), shine, 0.75 if low else 0.4)


def _ripple(stage: Stage, x: float, y: float, length: float, thick: float, colour: Colour, opacity: float) -> None:
    stage.canvas.polygon(
        [(x - length / 2, y), (x - length * 0.15, y - thick), (x + length / 2, y), (x + length * 0.1, y + thick)],
        colour,
        opacity,
    )


def far_coast(stage: Stage) -> None:
    """A headland in the haze, on one side, so that the water has an end."""
    side = 1 if stage.place_rng.random() < 0.5 else -1
    line = ridge(stage.place_rng, round(stage.width * 0.5), stage.horizon, stage.size * 0.09, 0.5, 7)
    xs = line[:, 0] if side < 0 else stage.width - line[:, 0]
    fall = 1 - np.clip(line[:, 0] / (stage.width * 0.5), 0, 1) ** 1.5
    points = np.column_stack([xs, stage.horizon - (stage.horizon - line[:, 1]) * fall])
    paint_ridge(stage, points, stage.light.on(rgb("#4d6178"), 0.75), 0.08, stage.horizon + 2, 0)


def sea(stage: Stage) -> None:
    stage.horizon = stage.height * 0.5
    paint_sky(stage)
    far_coast(stage)
    paint_water(stage, stage.horizon, stage.height, (0.1, 0.7))
    rng, light = stage.shot_rng, stage.light
    # Waves that roll in front: pointed crests with foam on them, or they would be hills.
    deep = light.on(rgb("#2f6f86"))
    for step, share in enumerate((0.4, 0.58, 0.8)):
        y = stage.horizon + (stage.height - stage.horizon) * share
        wave = stage.size * 0.026 * (1 + step)
        xs = np.linspace(-0.05, 1.05, 240) * stage.width
        turn = xs / stage.size * math.pi * (2.3 - 0.45 * step) + float(rng.uniform(0, 6))
        rise = 1 - np.abs(np.sin(turn + 0.45 * np.cos(2 * turn)))
        ys = y - wave * rise**1.4 + 0.3 * wave * np.sin(0.37 * turn)
        crest = np.column_stack([xs, ys])
        body = np.vstack([crest, [(xs[-1], stage.height + 9), (xs[0], stage.height + 9)]])
        with stage.canvas.at(stage.nearness(y)):
            stage.canvas.polygon(body, mix(light.water, deep, 0.2 + 0.14 * step), 0.7 + 0.15 * step)
        foam = lighter(light.on(rgb("#eef6f6")), 0.15)
        capped = np.flatnonzero(rise > 0.12)
        for cap in np.split(capped, np.flatnonzero(np.diff(capped) > 1) + 1):
            if len(cap) > 2:
                thick = stage.size * 0.012 * (1 + 0.7 * step) * (rise[cap] - 0.1)
                stage.canvas.line(crest[cap] + np.array([0.0, 0.12 * wave]), thick, foam, 0.75)
        for _ in range(9):
            x, down = float(rng.uniform(0, 1)) * stage.width, float(rng.uniform(0.4, 2.2)) * wave
            long = stage.size * float(rng.uniform(0.03, 0.07)) * (1 + step)
            at = float(np.interp(x, xs, ys)) + down
            stage.canvas.line([(x - long, at), (x, at + 0.1 * wave), (x + long, at)], stage.size * 0.003, foam, 0.4)
    stage.floor = 0.95


def beach(stage: Stage) -> None:
    canvas, light = stage.canvas, stage.light
    stage.horizon = stage.height * 0.46
    paint_sky(stage)
    far_coast(stage)
    shore = stage.height * 0.7
    paint_water(stage, stage.horizon, shore + stage.size * 0.1, (0.1, 0.4))
    slope = float(stage.place_rng.uniform(-0.05, 0.05)) * stage.height
    sand = light.on(rgb("#e8cf9c"))
    wet = mix(times(sand, (0.72, 0.7, 0.72)), light.sky[3], 0.3)
    foam = light.on(rgb("#fbfbf4"))
    for lift, colour, opacity in ((-0.055, foam, 0.55), (-0.03, wet, 1.0), (-0.018, foam, 0.85), (0.0, wet, 1.0)):
        _shore(stage, shore + lift * stage.size, slope, colour, opacity)
    _shore(stage, shore + 0.06 * stage.size, slope * 1.1, sand, 1.0)
    _shore(stage, shore + 0.19 * stage.size, slope * 1.5, lighter(sand, 0.12), 0.5)
    levels = np.linspace(stage.nearness(shore), 0.85, canvas.height - int(shore))
    half = levels[::2]
    part = canvas.depth[int(shore) // 2 :][: len(half)]
    part[:] = np.maximum(part, (half[: len(part), None] * 255).astype(np.uint8))
    rng = stage.place_rng
    for _ in range(46):
        x, y = float(rng.uniform(0, stage.width)), float(rng.uniform(shore + 0.1 * stage.size, stage.height))
        r = stage.size * 0.004 * stage.scale(y) * float(rng.uniform(0.5, 1.6))
        canvas.ellipse(x, y, 2 * r, r, darker(sand, 0.35), 0.5)
    for _ in range(9):
        y = float(rng.uniform(shore + 0.12 * stage.size, stage.height))
        x = float(rng.uniform(0, stage.width))
        length = stage.size * 0.16 * stage.scale(y)
        canvas.line(
            curve([(x, y), (x + length / 2, y - length * 0.05), (x + length, y)], closed=False),
            max(1.0, length * 0.03),
            darker(sand, 0.2),
            0.35,
        )
    scenery.rocks(stage, stage.width * (0.08 if slope > 0 else 0.93), shore + 0.02 * stage.size, stage.size * 0.11)
    stage.floor = 0.9


def _shore(stage: Stage, y: float, slope: float, colour: Colour, opacity: float) -> None:
    xs = np.linspace(-0.05, 1.05, 13) * stage.width
    phase = float(stage.shot_rng.uniform(0, 6))
    wobble = np.sin(xs / stage.width * 9 + phase) + 0.5 * np.sin(xs / stage.width * 21 + 2 * phase)
    ys = y + slope * (xs / stage.width - 0.5) * 2 + wobble * stage.size * 0.009
    edge = curve(np.column_stack([xs, ys]), closed=False)
    body = np.vstack([edge, [(xs[-1], stage.height + 9), (xs[0], stage.height + 9)]])
    with stage.canvas.at(stage.nearness(y)):
        stage.canvas.polygon(body, colour, opacity)


def lake(stage: Stage) -> None:
    stage.horizon = stage.height * 0.5
    paint_sky(stage)
    scenery.mountains(stage, 3, 0.26)
    _mirror(stage, stage.horizon)
    _bank(stage, stage.height * 0.76)
    scenery.reeds(stage, stage.height * 0.8)
    stage.floor = 0.94


def _mirror(stage: Stage, row: float) -> None:
    """Still water: what stands above the row, upside down, drawn together, darker and broken by ripples."""
    canvas, light = stage.canvas, stage.light
    top = int(row)
    span = canvas.height - top
    source = canvas.rgb[max(0, top - span) : top][::-1]
    water = np.zeros((span, canvas.width, 3), np.uint8)
    water[: len(source)] = source
    if len(source) < span:
        water[len(source) :] = source[-1]
    rows = np.arange(span)
    phase = float(stage.shot_rng.uniform(0, 6))
    shift = np.sin(rows * 0.55 / (1 + rows / span * 4) + phase) * (rows / span) * stage.size * 0.012
    columns = (np.arange(canvas.width)[None, :] + shift[:, None]).astype(int).clip(0, canvas.width - 1)
    water = np.take_along_axis(water, columns[..., None], axis=1)
    tint = np.array(light.water)
    share = np.linspace(0.25, 0.55, span)[:, None, None]
    canvas.rgb[top:] = (water * (1 - share) + tint * share).astype(np.uint8)
    levels = np.linspace(0.12, 0.6, (span + 1) // 2)
    part = canvas.depth[top // 2 :][: len(levels)]
    part[:] = (levels[: len(part), None] * 255).astype(np.uint8)
    rng = stage.shot_rng
    for _ in range(50):
        depth = float(rng.random())
        _ripple(
            stage,
            float(rng.uniform(0, stage.width)),
            top + span * depth,
            stage.size * 0.14 * (0.2 + depth),
            max(0.8, stage.size * 0.003 * depth),
            lighter(light.water, 0.6),
            0.25,
        )
    if stage.sun is not None and light.cover < 0.8:
        _sun_path(stage, top, canvas.height)


def _bank(stage: Stage, y: float) -> None:
    light = stage.light
    xs = np.linspace(-0.05, 1.05, 9) * stage.width
    ys = y + stage.place_rng.uniform(-0.03, 0.03, 9) * stage.size + np.abs(xs / stage.width - 0.5) * -0.06 * stage.size
    edge = curve(np.column_stack([xs, ys]), closed=False)
    grass = light.on(rgb("#5d8a48"))
    with stage.canvas.at(0.72):
        stage.canvas.polygon(np.vstack([edge, [(xs[-1], stage.height + 9), (xs[0], stage.height + 9)]]), grass)
    stage.canvas.line(edge, stage.size * 0.012, darker(grass, 0.4), 0.6)
    scenery.grass(stage, y + 0.03 * stage.size, grass, 60)


def river(stage: Stage) -> None:
    canvas, light = stage.canvas, stage.light
    stage.horizon = stage.height * 0.44
    paint_sky(stage)
    scenery.mountains(stage, 2, 0.2)
    scenery.tree_line(stage, stage.horizon + 3, 0.09, 0.65)
    meadow = light.on(rgb("#6f9a50"))
    canvas.down(stage.horizon, stage.height, [(0, light.on(rgb("#8aa864"), 0.6)), (1, meadow)], (0.14, 0.84))
    side = 1 if stage.place_rng.random() < 0.5 else -1
    w, h = stage.width, stage.height
    path = [
        (0.5 + 0.05 * side, 0.0, 0.012),
        (0.5 - 0.06 * side, 0.12, 0.035),
        (0.5 + 0.1 * side, 0.32, 0.09),
        (0.5 - 0.05 * side, 0.62, 0.2),
        (0.5 - 0.24 * side, 1.06, 0.42),
    ]
    rows = [stage.horizon + (h - stage.horizon) * y for _, y, _ in path]
    left = curve([((x - half) * w, y) for (x, _, half), y in zip(path, rows, strict=True)], closed=False)
    right = curve([((x + half) * w, y) for (x, _, half), y in zip(path, rows, strict=True)], closed=False)
    edge = np.array([stage.size * 0.012, 0.0])
    rim = np.vstack([left - edge, (right + edge)[::-1]])
    canvas.polygon(rim, darker(meadow, 0.45))
    outline = np.vstack([left, right[::-1]])
    water = mix(light.water, light.sky[2], 0.4)
    canvas.polygon(outline, water)
    canvas.polygon(np.vstack([left, (left * 0.7 + right * 0.3)[::-1]]), light.sky[3], 0.25)
    rng = stage.shot_rng
    for _ in range(60):
        index = int(rng.integers(3, len(left) - 1))
        share = float(rng.uniform(0.12, 0.88))
        x, y = left[index] * (1 - share) + right[index] * share
        span = right[index, 0] - left[index, 0]
        _ripple(stage, x, y, span * 0.16, max(0.7, span * 0.006), lighter(water, 0.6), 0.45)
    scenery.grass(stage, stage.height * 0.8, meadow, 90)
    scenery.trees(stage, [(0.1, 0.62), (0.9, 0.66), (0.2, 0.53), (0.83, 0.52)])
    stage.floor = 0.92
    # The bank opposite the bend is dry: there people stand.
    stage.centre = 0.5 + 0.25 * side


def waterfall(stage: Stage) -> None:
    canvas, light = stage.canvas, stage.light
    stage.horizon = stage.height * 0.62
    paint_sky(stage)
    w, h = stage.width, stage.height
    rock = light.on(rgb("#6b6f70"), 0.25)
    rng = stage.place_rng
    for side in (0, 1):
        xs = np.linspace(0, 0.4, 6)
        ys = 0.1 + 0.1 * rng.random(6)
        cliff = [(abs(side - x) * w, y * h) for x, y in zip(xs, ys, strict=True)]
        cliff += [(abs(side - 0.43) * w, 0.4 * h), (abs(side - 0.4) * w, 0.75 * h), (side * w, 0.8 * h)]
        with canvas.at(0.3):
            canvas.polygon(cliff, vary(rock, rng, 6))
        for _ in range(14):
            x, y = float(rng.uniform(0, 0.38)), float(rng.uniform(0.2, 0.68))
            canvas.polygon(
                [
                    (abs(side - x) * w, y * h),
                    (abs(side - x - 0.04) * w, (y + 0.02) * h),
                    (abs(side - x - 0.02) * w, (y + 0.09) * h),
                ],
                darker(rock, 0.5),
                0.4,
            )
    back = darker(rock, 0.35)
    with canvas.at(0.25):
        canvas.polygon([(0.36 * w, 0.19 * h), (0.64 * w, 0.19 * h), (0.66 * w, 0.74 * h), (0.34 * w, 0.74 * h)], back)
        canvas.polygon(
            [(0.42 * w, 0.19 * h), (0.58 * w, 0.19 * h), (0.61 * w, 0.74 * h), (0.39 * w, 0.74 * h)],
            light.on(rgb("#cfe4ee"), 0.2),
        )
    for _ in range(46):
        x = float(stage.shot_rng.uniform(0.41, 0.59))
        y = float(stage.shot_rng.uniform(0.2, 0.6))
        canvas.line(
            [(x * w, y * h), (0.5 * w + (x - 0.5) * w * 1.12, (y + 0.14) * h)],
            stage.size * 0.005,
            light.on(rgb("#ffffff")),
            0.5,
        )
    paint_water(stage, 0.72 * h, h, (0.3, 0.75))
    for x in (0.4, 0.46, 0.54, 0.6):
        canvas.glow(x * w, 0.73 * h, stage.size * 0.16, light.on(rgb("#f4fafc")), 0.5)
    _bank(stage, 0.8 * h)
    scenery.rocks(stage, 0.22 * w, 0.84 * h, stage.size * 0.13)
    scenery.rocks(stage, 0.86 * w, 0.9 * h, stage.size * 0.16)
    scenery.trees(stage, [(0.06, 0.78), (0.95, 0.76)])
    stage.floor = 0.95


def bridge(stage: Stage) -> None:
    """A stone bridge across the river, its arch and its mirror image."""
    canvas, light = stage.canvas, stage.light
    stage.horizon = stage.height * 0.52
    paint_sky(stage)
    scenery.mountains(stage, 2, 0.18)
    scenery.tree_line(stage, stage.horizon + 2, 0.1, 0.6)
    _mirror(stage, stage.horizon)
    w, size = stage.width, stage.size
    base = stage.height * 0.66
    stone = light.on(rgb("#a79c8c"), 0.1)
    xs = np.linspace(-0.02, 1.02, 25)
    top = base - size * (0.1 + 0.17 * np.sin(np.clip(xs, 0, 1) * math.pi))
    radius = size * 0.2
    arch = [(0.5 * w + radius * math.cos(a), base - radius * 0.95 * math.sin(a)) for a in np.linspace(math.pi, 0, 25)]
    for flip, shade, opacity in ((-1, 0.45, 0.45), (1, 0.0, 1.0)):
        deck = [(x * w, base + flip * (y - base)) for x, y in zip(xs, top, strict=True)]
        arch_side = [(x, base + flip * (y - base)) for x, y in arch]
        outline = [*deck, (1.02 * w, base), *reversed(arch_side), (-0.02 * w, base)]
        with canvas.at(0.5):
            canvas.polygon(outline, darker(stone, shade), opacity)
        if flip > 0:
            canvas.line(arch_side, size * 0.018, darker(stone, 0.3))
            rail = [(x, y - size * 0.055) for x, y in deck]
            for (x0, y0), (x1, y1) in zip(deck[::2], rail[::2], strict=True):
                canvas.line([(x0, y0), (x1, y1)], size * 0.012, darker(stone, 0.15))
            canvas.line(rail, size * 0.014, lighter(stone, 0.2))
            canvas.line(deck, size * 0.012, lighter(stone, 0.3))
    _bank(stage, stage.height * 0.78)
    stage.floor = 0.96


def underwater(stage: Stage) -> None:
    canvas = stage.canvas
    stage.horizon = stage.height * 0.6
    dim = 0.55 if stage.light.moon else 1.0
    top, middle, low = (times(rgb(c), (dim, dim, dim)) for c in ("#59d0e0", "#1b86b4", "#083a66"))
    canvas.down(0, stage.height, [(0, top), (0.45, middle), (1, low)], (0.0, 0.3))
    w, h, size, rng = stage.width, stage.height, stage.size, stage.shot_rng
    for _ in range(8):
        x = float(rng.uniform(-0.1, 1.0))
        spread = float(rng.uniform(0.03, 0.09))
        lean = float(rng.uniform(0.05, 0.3))
        canvas.polygon(
            [
                (x * w, -5),
                ((x + spread) * w, -5),
                ((x + spread * 3 + lean) * w, h * 0.85),
                ((x + spread + lean) * w, h * 0.85),
            ],
            (200, 245, 250),
            0.09,
        )
    place = stage.place_rng
    for layer, (y, shade) in enumerate(((0.74, 0.55), (0.84, 0.25), (0.93, 0.0))):
        xs = np.linspace(-0.05, 1.05, 9) * w
        ys = h * y - place.uniform(0, 0.09, 9) * size
        floor = mix(rgb("#d8c490"), low, 0.35 + shade * 0.7)
        with canvas.at(0.3 + layer * 0.22):
            canvas.smooth(np.vstack([np.column_stack([xs, ys]), [(1.1 * w, h * 1.2), (-0.1 * w, h * 1.2)]]), floor)
            scenery.corals(stage, h * (y + 0.02), 5 + layer * 2, shade)
    for _ in range(16):
        x, y = float(rng.uniform(0.05, 0.95)) * w, float(rng.uniform(0.15, 0.7)) * h
        with canvas.at(0.4):
            scenery.fish(stage, x, y, size * float(rng.uniform(0.012, 0.035)), 1 if rng.random() < 0.7 else -1)
    for _ in range(30):
        r = size * float(rng.uniform(0.002, 0.008))
        x, y = float(rng.uniform(0, 1)) * w, float(rng.uniform(0, 1)) * h
        canvas.ellipse(x, y, r, r, (225, 248, 252), 0.4)
    stage.floor = 0.94
    stage.indoor = True
