"""What travels, floats and flies."""

import math

import numpy as np

from models.draft.painter.canvas import curve
from models.draft.painter.colour import darker, mix, pick, rgb
from models.draft.painter.props.spots import WATER, Crowd, row_of, spot
from models.draft.painter.stage import Stage


def boat(stage: Stage, crowd: Crowd) -> None:
    canvas, light = stage.canvas, stage.light
    on_water = stage.reading.place in WATER
    y = row_of(stage, 0.26 if stage.reading.place in {"beach", "river"} else 0.45) if on_water else row_of(stage, 0.75)
    s = stage.size * (0.13 if on_water else 0.2)
    x = spot(stage, crowd, s, None)
    hull, trim = light.on(rgb("#8a4b32"), 0.15), light.on(rgb("#f0e4cc"), 0.1)
    if on_water:
        canvas.polygon(
            [(x - s, y), (x + s, y), (x + 0.5 * s, y + 0.5 * s), (x - 0.4 * s, y + 0.5 * s)], darker(hull, 0.5), 0.35
        )
    with canvas.at(stage.nearness(y)):
        canvas.smooth(
            [
                (x - 1.05 * s, y - 0.34 * s),
                (x - 0.6 * s, y - 0.2 * s),
                (x + 0.6 * s, y - 0.2 * s),
                (x + 1.15 * s, y - 0.4 * s),
                (x + 0.75 * s, y + 0.08 * s),
                (x, y + 0.12 * s),
                (x - 0.75 * s, y + 0.08 * s),
            ],
            hull,
        )
        canvas.line([(x, y - 0.2 * s), (x, y - 1.75 * s)], 0.05 * s, light.on(rgb("#5b4130"), 0.15))
        canvas.smooth(
            [
                (x + 0.06 * s, y - 1.65 * s),
                (x + 0.75 * s, y - 0.75 * s),
                (x + 0.85 * s, y - 0.42 * s),
                (x + 0.06 * s, y - 0.4 * s),
            ],
            trim,
        )
        canvas.polygon(
            [(x - 0.06 * s, y - 1.5 * s), (x - 0.06 * s, y - 0.42 * s), (x - 0.62 * s, y - 0.46 * s)],
            light.on(rgb("#d9573f"), 0.1),
        )
    canvas.line(
        [
            (x - 1.0 * s, y - 0.31 * s),
            (x - 0.6 * s, y - 0.18 * s),
            (x + 0.6 * s, y - 0.18 * s),
            (x + 1.1 * s, y - 0.37 * s),
        ],
        0.06 * s,
        trim,
    )


def car(stage: Stage, crowd: Crowd) -> None:
    canvas, light = stage.canvas, stage.light
    y = row_of(stage, 0.7)
    s = stage.size * 0.3 * max(0.5, stage.scale(y) + 0.2)
    x = spot(stage, crowd, s * 0.6, None)
    paint = light.on(rgb(pick(stage.shot_rng, ("#c9403c", "#3f73b5", "#e0b03c", "#e8e4dc"))))
    canvas.ellipse(x, y, 0.58 * s, 0.05 * s, (15, 15, 25), 0.35)
    with canvas.at(stage.nearness(y)):
        canvas.smooth(
            [
                (x - 0.3 * s, y - 0.2 * s),
                (x - 0.2 * s, y - 0.37 * s),
                (x + 0.13 * s, y - 0.38 * s),
                (x + 0.28 * s, y - 0.2 * s),
            ],
            darker(paint, 0.1),
        )
        canvas.smooth(
            [
                (x - 0.54 * s, y - 0.09 * s),
                (x - 0.5 * s, y - 0.2 * s),
                (x - 0.28 * s, y - 0.23 * s),
                (x + 0.28 * s, y - 0.23 * s),
                (x + 0.5 * s, y - 0.19 * s),
                (x + 0.55 * s, y - 0.07 * s),
                (x, y - 0.05 * s),
            ],
            paint,
        )
        for dx in (-0.3, 0.32):
            canvas.ellipse(x + dx * s, y - 0.06 * s, 0.09 * s, 0.09 * s, (30, 30, 36))
            canvas.ellipse(x + dx * s, y - 0.06 * s, 0.045 * s, 0.045 * s, (170, 174, 180))
    glass = mix(light.sky[2], (40, 60, 80), 0.4)
    canvas.polygon(
        [
            (x - 0.23 * s, y - 0.22 * s),
            (x - 0.15 * s, y - 0.34 * s),
            (x - 0.03 * s, y - 0.345 * s),
            (x - 0.03 * s, y - 0.22 * s),
        ],
        glass,
    )
    canvas.polygon(
        [
            (x + 0.0 * s, y - 0.22 * s),
            (x + 0.0 * s, y - 0.345 * s),
            (x + 0.11 * s, y - 0.34 * s),
            (x + 0.21 * s, y - 0.22 * s),
        ],
        glass,
    )
    if light.lamps > 0.3:
        canvas.glow(x + 0.54 * s, y - 0.15 * s, 0.3 * s, (255, 236, 180), 0.9)
        canvas.glow(x - 0.54 * s, y - 0.15 * s, 0.16 * s, (255, 70, 60), 0.9)


def bicycle(stage: Stage, crowd: Crowd) -> None:
    s = stage.size * 0.28
    draw_bicycle(stage, spot(stage, crowd, s * 0.6), row_of(stage, 0.9), s)


def draw_bicycle(stage: Stage, x: float, y: float, s: float) -> None:
    canvas, light = stage.canvas, stage.light
    frame = light.on(rgb("#c2483f"))
    with canvas.at(stage.nearness(y)):
        for dx in (-0.33, 0.33):
            ring = [
                (x + dx * s + 0.22 * s * math.cos(a), y - 0.22 * s + 0.22 * s * math.sin(a))
                for a in np.linspace(0, math.tau, 28)
            ]
            canvas.line(ring, 0.025 * s, (38, 38, 44))
            for a in np.linspace(0, math.pi, 5)[:-1]:
                canvas.line(
                    [
                        (x + dx * s - 0.2 * s * math.cos(a), y - 0.22 * s - 0.2 * s * math.sin(a)),
                        (x + dx * s + 0.2 * s * math.cos(a), y - 0.22 * s + 0.2 * s * math.sin(a)),
                    ],
                    1.0,
                    (120, 120, 126),
                    0.7,
                )
        joints = {
            "rear": (-0.33, 0.22),
            "pedal": (-0.04, 0.22),
            "seat": (-0.13, 0.55),
            "bar": (0.24, 0.56),
            "front": (0.33, 0.22),
        }
        for a, b in (
            ("rear", "pedal"),
            ("pedal", "seat"),
            ("seat", "bar"),
            ("bar", "front"),
            ("pedal", "bar"),
            ("rear", "seat"),
        ):
            (ax, ay), (bx, by) = joints[a], joints[b]
            canvas.line([(x + ax * s, y - ay * s), (x + bx * s, y - by * s)], 0.028 * s, frame)
        canvas.rect(x - 0.22 * s, y - 0.6 * s, 0.17 * s, 0.05 * s, (40, 34, 34), 1.0, 0.02 * s)
        canvas.line(
            [(x + 0.24 * s, y - 0.56 * s), (x + 0.22 * s, y - 0.68 * s), (x + 0.34 * s, y - 0.68 * s)],
            0.028 * s,
            (50, 46, 48),
        )


def balloon(stage: Stage, crowd: Crowd) -> None:
    canvas, light = stage.canvas, stage.light
    for x_share, y_share, scale in ((0.25, 0.4, 0.11), (0.66, 0.25, 0.075), (0.84, 0.55, 0.05)):
        x, y, s = x_share * stage.width, y_share * stage.horizon, scale * stage.size
        colours = [light.on(rgb(code), 0.2) for code in ("#d9483f", "#f2c14e", "#3f8f9c")]
        with canvas.at(0.14 + scale):
            canvas.smooth(
                [
                    (x, y - s),
                    (x + s, y - 0.15 * s),
                    (x + 0.25 * s, y + 1.1 * s),
                    (x - 0.25 * s, y + 1.1 * s),
                    (x - s, y - 0.15 * s),
                ],
                colours[0],
            )
            for share, colour in ((0.66, colours[1]), (0.3, colours[2])):
                canvas.smooth(
                    [
                        (x, y - s),
                        (x + share * s, y - 0.15 * s),
                        (x + 0.2 * share * s, y + 1.1 * s),
                        (x - 0.2 * share * s, y + 1.1 * s),
                        (x - share * s, y - 0.15 * s),
                    ],
                    colour,
                )
            canvas.rect(x - 0.2 * s, y + 1.45 * s, 0.4 * s, 0.28 * s, light.on(rgb("#8a5a38"), 0.2))
        for dx in (-0.2, 0.2):
            canvas.line(
                [(x + dx * s, y + 1.05 * s), (x + dx * 0.9 * s, y + 1.46 * s)], max(0.8, 0.02 * s), (80, 60, 50)
            )


def rocket(stage: Stage, crowd: Crowd) -> None:
    canvas = stage.canvas
    x, y, s = spot(stage, crowd, stage.size * 0.12, 0.62), stage.height * 0.42, stage.size * 0.2
    canvas.glow(x, y + 0.85 * s, 0.8 * s, rgb("#ff9a3c"), 0.9)
    with canvas.at(0.4):
        canvas.smooth([(x - 0.12 * s, y + 0.6 * s), (x, y + 1.25 * s), (x + 0.12 * s, y + 0.6 * s)], rgb("#ffc64f"))
        for side in (-1, 1):
            canvas.polygon(
                [
                    (x + side * 0.2 * s, y + 0.15 * s),
                    (x + side * 0.45 * s, y + 0.65 * s),
                    (x + side * 0.15 * s, y + 0.55 * s),
                ],
                rgb("#d2473c"),
            )
        canvas.smooth(
            [
                (x, y - 0.85 * s),
                (x + 0.25 * s, y - 0.2 * s),
                (x + 0.2 * s, y + 0.6 * s),
                (x - 0.2 * s, y + 0.6 * s),
                (x - 0.25 * s, y - 0.2 * s),
            ],
            rgb("#e8ebf0"),
        )
        canvas.smooth(
            [(x, y - 0.85 * s), (x + 0.17 * s, y - 0.42 * s), (x, y - 0.38 * s), (x - 0.17 * s, y - 0.42 * s)],
            rgb("#d2473c"),
        )
        canvas.ellipse(x, y - 0.1 * s, 0.1 * s, 0.1 * s, rgb("#3f6f9c"))
        canvas.ellipse(x - 0.02 * s, y - 0.12 * s, 0.06 * s, 0.06 * s, rgb("#9cd0f0"))


def train(stage: Stage, crowd: Crowd) -> None:
    canvas, light = stage.canvas, stage.light
    y, s = row_of(stage, 0.18), stage.size * 0.11
    body = light.on(rgb("#3f7f6c"), 0.3)
    with canvas.at(0.2):
        canvas.line([(-5, y + 0.05 * s), (stage.width + 5, y + 0.05 * s)], 0.1 * s, light.on(rgb("#5b5048"), 0.3))
        for car in range(5):
            x = stage.width * 0.1 + car * 2.3 * s
            canvas.rect(x, y - s, 2.2 * s, 0.85 * s, body, 1.0, 0.12 * s)
            canvas.rect(x, y - 0.42 * s, 2.2 * s, 0.1 * s, light.on(rgb("#f0e0b8"), 0.3))
            for pane in range(4):
                glass = rgb("#ffe0a0") if light.lamps > 0.3 else light.on(rgb("#a9cfe0"), 0.3)
                canvas.rect(x + (0.2 + 0.48 * pane) * s, y - 0.82 * s, 0.36 * s, 0.3 * s, glass)
            for wheel in (0.4, 1.8):
                canvas.ellipse(x + wheel * s, y - 0.08 * s, 0.14 * s, 0.14 * s, (40, 40, 46))


def kite(stage: Stage, crowd: Crowd) -> None:
    canvas = stage.canvas
    x, y, s = stage.width * float(stage.shot_rng.choice([0.3, 0.68])), stage.horizon * 0.35, stage.size * 0.07
    string = curve(
        [(x, y + s), (x + 0.8 * s, y + 3 * s), (stage.width * 0.5, stage.floor * stage.height * 0.8)], closed=False
    )
    canvas.line(string, max(1.0, stage.size * 0.002), (240, 240, 240), 0.8)
    with canvas.at(0.3):
        for points, code in (
            ([(0, -1.2), (0.75, 0), (0, 0)], "#e5484d"),
            ([(0.75, 0), (0, 1.2), (0, 0)], "#f2b33d"),
            ([(0, 1.2), (-0.75, 0), (0, 0)], "#3f8fd6"),
            ([(-0.75, 0), (0, -1.2), (0, 0)], "#5fb35a"),
        ):
            canvas.polygon([(x + u * s, y + v * s) for u, v in points], rgb(code))
    tail = curve(
        [(x, y + 1.2 * s), (x - 0.4 * s, y + 1.9 * s), (x + 0.2 * s, y + 2.5 * s), (x - 0.3 * s, y + 3.2 * s)],
        closed=False,
    )
    canvas.line(tail, 0.08 * s, rgb("#e5484d"))
