"""What people build and put up out of doors."""

import numpy as np

from models.draft.painter.canvas import curve
from models.draft.painter.colour import darker, lighter, rgb
from models.draft.painter.places import furniture, scenery
from models.draft.painter.props.spots import Crowd, row_of, spot
from models.draft.painter.stage import Stage


def lighthouse(stage: Stage, crowd: Crowd) -> None:
    canvas, light = stage.canvas, stage.light
    y = stage.horizon + stage.size * 0.03
    # Its top stays in the picture, and so does its foot, however the camera moves.
    s = min(stage.size * 0.4, (y - stage.height * 0.1) / 1.1)
    x = spot(stage, crowd, s * 0.6, 0.8)
    stage.landmark = (x - 0.3 * s, y - 1.1 * s, x + 0.3 * s, y + 0.03 * s)
    with canvas.at(0.16):
        canvas.smooth(
            [
                (x - 0.55 * s, y + 0.03 * s),
                (x - 0.35 * s, y - 0.08 * s),
                (x, y - 0.14 * s),
                (x + 0.4 * s, y - 0.07 * s),
                (x + 0.6 * s, y + 0.03 * s),
            ],
            light.on(rgb("#5f6358"), 0.4),
        )
        for band in range(5):
            a, b = band / 5, (band + 1) / 5
            wa, wb = 0.13 - 0.045 * a, 0.13 - 0.045 * b
            code = "#f4efe6" if band % 2 else "#d2473c"
            canvas.polygon(
                [
                    (x - wa * s, y - (0.1 + 0.75 * a) * s),
                    (x + wa * s, y - (0.1 + 0.75 * a) * s),
                    (x + wb * s, y - (0.1 + 0.75 * b) * s),
                    (x - wb * s, y - (0.1 + 0.75 * b) * s),
                ],
                light.on(rgb(code), 0.2),
            )
        top = y - 0.85 * s
        canvas.rect(x - 0.11 * s, top - 0.02 * s, 0.22 * s, 0.03 * s, light.on(rgb("#3a3f48"), 0.2))
        canvas.rect(x - 0.06 * s, top - 0.13 * s, 0.12 * s, 0.11 * s, rgb("#ffe9a8"))
        canvas.polygon(
            [(x - 0.09 * s, top - 0.13 * s), (x, top - 0.23 * s), (x + 0.09 * s, top - 0.13 * s)],
            light.on(rgb("#c23d35"), 0.2),
        )
    if light.lamps > 0.2:
        canvas.glow(x, top - 0.08 * s, 0.7 * s, (255, 232, 160), 0.9)
        side = -1 if x > stage.width / 2 else 1
        canvas.polygon(
            [(x, top - 0.08 * s), (x + side * stage.width, top - 0.3 * s), (x + side * stage.width, top + 0.12 * s)],
            (255, 240, 190),
            0.16,
        )


# Rooms where a floor lamp may stand; others have lights of their own.
_LIVED_IN = frozenset({None, "room", "bedroom", "office", "cafe", "library"})


def lamp(stage: Stage, crowd: Crowd) -> None:
    if stage.indoor:
        if stage.reading.place not in _LIVED_IN:
            return
        furniture.floor_lamp(stage, spot(stage, crowd, stage.size * 0.08), row_of(stage, 0.35), stage.size * 0.5)
        return
    y = row_of(stage, 0.75)
    with stage.canvas.at(stage.nearness(y)):
        scenery.lamp_post(stage, spot(stage, crowd, stage.size * 0.05), y, stage.size * 0.5)


def lantern(stage: Stage, crowd: Crowd) -> None:
    """Lanterns on a string; those that rise into the sky are said to."""
    xs = np.linspace(0.1, 0.9, 7)
    ys = 0.1 + 0.05 * (1 - ((xs - 0.5) / 0.4) ** 2)
    rope = [(float(x) * stage.width, float(y) * stage.height) for x, y in zip(xs, ys, strict=True)]
    stage.canvas.line(curve(rope, closed=False), max(1.0, stage.size * 0.003), (60, 44, 40))
    for x, y in rope:
        with stage.canvas.at(0.45):
            scenery.lantern(stage, x, y + stage.size * 0.035, stage.size * 0.028)


def sky_lantern(stage: Stage, crowd: Crowd) -> None:
    """Paper lanterns that rise with their light."""
    if stage.indoor:
        return
    rng = stage.shot_rng
    for _ in range(16):
        share = float(rng.random())
        size = stage.size * (0.008 + 0.024 * share**2)
        x, y = float(rng.uniform(0.04, 0.96)) * stage.width, stage.horizon * float(rng.uniform(0.12, 0.9))
        with stage.canvas.at(0.1 + 0.3 * share):
            stage.canvas.glow(x, y, size * 4, rgb("#ff9a4a"), 0.7)
            stage.canvas.polygon(
                [
                    (x - size, y - 1.3 * size),
                    (x + size, y - 1.3 * size),
                    (x + 0.75 * size, y + size),
                    (x - 0.75 * size, y + size),
                ],
                rgb("#ffb25c"),
            )
            stage.canvas.ellipse(x, y + 0.6 * size, 0.6 * size, 0.5 * size, rgb("#fff0b8"))


def parasol(stage: Stage, crowd: Crowd) -> None:
    canvas, light = stage.canvas, stage.light
    y, s = row_of(stage, 0.7), stage.size * 0.34
    x = spot(stage, crowd, s * 0.5)
    with canvas.at(stage.nearness(y)):
        canvas.line([(x, y), (x + 0.06 * s, y - s)], 0.03 * s, light.on(rgb("#efe6d6")))
        for strip in range(6):
            a, b = -0.6 + 0.2 * strip, -0.4 + 0.2 * strip
            rim = [
                (x + 0.06 * s + u * s, y - 0.72 * s + 0.12 * s * (1 - abs(u) / 0.6) * -1) for u in (a, (a + b) / 2, b)
            ]
            canvas.polygon(
                [(x + 0.06 * s, y - 1.08 * s), *rim], light.on(rgb("#e0503f") if strip % 2 else rgb("#f6efe2"))
            )


def bench(stage: Stage, crowd: Crowd) -> None:
    canvas, wood = stage.canvas, stage.light.on(rgb("#8a5c3a"))
    y, s = row_of(stage, 0.72), stage.size * 0.36
    x = spot(stage, crowd, s * 0.55)
    with canvas.at(stage.nearness(y)):
        for dx in (-0.42, 0.42):
            canvas.line([(x + dx * s, y), (x + dx * s, y - 0.46 * s)], 0.04 * s, darker(wood, 0.5))
        for v in (0.22, 0.34, 0.44):
            canvas.rect(x - 0.5 * s, y - v * s, s, 0.06 * s, wood if v > 0.3 else lighter(wood, 0.15), 1.0, 0.02 * s)


def tent(stage: Stage, crowd: Crowd) -> None:
    canvas, light = stage.canvas, stage.light
    y, s = row_of(stage, 0.62), stage.size * 0.3
    x = spot(stage, crowd, s * 0.7)
    cloth = light.on(rgb("#d9853c"))
    with canvas.at(stage.nearness(y)):
        canvas.polygon([(x - 0.65 * s, y), (x, y - 0.75 * s), (x + 0.65 * s, y)], cloth)
        canvas.polygon(
            [(x, y - 0.75 * s), (x + 0.65 * s, y), (x + 0.85 * s, y - 0.1 * s), (x + 0.25 * s, y - 0.72 * s)],
            darker(cloth, 0.3),
        )
        canvas.polygon(
            [(x - 0.2 * s, y), (x, y - 0.6 * s), (x + 0.2 * s, y)],
            rgb("#ffdf9a") if light.lamps > 0.3 else darker(cloth, 0.6),
        )


def house(stage: Stage, crowd: Crowd) -> None:
    y = row_of(stage, 0.4)
    with stage.canvas.at(stage.nearness(y)):
        scenery.house(
            stage, spot(stage, crowd, stage.size * 0.2, 0.8), y, stage.size * 0.34, "#e6d9c0", "#9a4a38", 0.15
        )


def campfire(stage: Stage, crowd: Crowd) -> None:
    canvas = stage.canvas
    y, s = row_of(stage, 0.92), stage.size * 0.13
    x = spot(stage, crowd, s)
    canvas.glow(x, y - 0.4 * s, s * 4.5, rgb("#ff9a3c"), 0.7)
    with canvas.at(stage.nearness(y)):
        for lean in (-0.6, 0.6):
            canvas.line([(x - lean * s, y), (x + lean * s, y - 0.22 * s)], 0.16 * s, (84, 56, 40))
        for scale, code in ((1.0, "#ff6a2c"), (0.7, "#ffad33"), (0.4, "#fff0a8")):
            canvas.smooth(
                [
                    (x - 0.4 * scale * s, y - 0.15 * s),
                    (x - 0.32 * scale * s, y - 0.65 * scale * s),
                    (x - 0.05 * s, y - 1.35 * scale * s),
                    (x + 0.2 * scale * s, y - 0.8 * scale * s),
                    (x + 0.42 * scale * s, y - 0.2 * s),
                    (x, y - 0.02 * s),
                ],
                rgb(code),
            )
