"""Plants, animals and what the sky shows."""

import math

import numpy as np

from models.draft.painter.canvas import curve
from models.draft.painter.colour import darker, lighter, mix, pick, rgb, vary
from models.draft.painter.places import furniture, scenery, wild
from models.draft.painter.props.spots import WATER, Crowd, row_of, spot
from models.draft.painter.stage import Stage


def tree(stage: Stage, crowd: Crowd) -> None:
    y = row_of(stage, 0.6)
    x = spot(stage, crowd, stage.size * 0.14, 0.18)
    blossom = "flower" in stage.reading.props
    with stage.canvas.at(stage.nearness(y)):
        scenery.round_tree(stage, x, y, stage.size * 0.62, rgb("#f0a8bc") if blossom else rgb("#4b8046"))


def palm(stage: Stage, crowd: Crowd) -> None:
    for share, scale in ((0.1, 0.62), (0.9, 0.5)):
        y = row_of(stage, 0.72)
        with stage.canvas.at(stage.nearness(y)):
            scenery.palm(stage, share * stage.width, y, stage.size * scale)


def earth(stage: Stage, crowd: Crowd) -> None:
    """The blue planet, where space is all around."""
    if stage.reading.place == "space":
        wild.earth(stage, stage.width * 0.3, stage.height * 0.3, stage.size * 0.2)


def bird(stage: Stage, crowd: Crowd) -> None:
    rng = stage.shot_rng
    colour = (
        mix(stage.light.on(rgb("#f4f4f0")), stage.light.sky[0], 0.1)
        if stage.reading.place in WATER
        else darker(stage.light.sky[0], 0.65)
    )
    for _ in range(7):
        x, y = float(rng.uniform(0.1, 0.9)) * stage.width, stage.horizon * float(rng.uniform(0.15, 0.7))
        s = stage.size * float(rng.uniform(0.014, 0.03))
        with stage.canvas.at(0.12):
            wings = curve(
                [
                    (x - s, y - 0.35 * s),
                    (x - 0.45 * s, y - 0.5 * s),
                    (x, y),
                    (x + 0.45 * s, y - 0.5 * s),
                    (x + s, y - 0.35 * s),
                ],
                closed=False,
            )
            width = np.interp(np.linspace(0, 1, len(wings)), [0, 0.5, 1], [0.06, 0.24, 0.06]) * s
            stage.canvas.line(wings, np.maximum(width, 1.0), colour)


def fish(stage: Stage, crowd: Crowd) -> None:
    if stage.reading.place not in WATER:
        return
    x, y, s = spot(stage, crowd, stage.size * 0.06), row_of(stage, 0.3), stage.size * 0.05
    with stage.canvas.at(stage.nearness(y)):
        scenery.fish(stage, x, y - s, s, 1)
    for dx in (-0.8, 0.8):
        stage.canvas.ellipse(x + dx * s, y + 0.2 * s, 0.12 * s, 0.2 * s, stage.light.on(rgb("#ffffff")), 0.8)


def flower(stage: Stage, crowd: Crowd) -> None:
    if stage.indoor:
        furniture.plant(
            stage,
            spot(stage, crowd, stage.size * 0.1),
            row_of(stage, 0.5),
            stage.size * 0.3,
            stage.light.on(rgb("#4d8a56")),
        )
        return
    scenery.flowers(stage, row_of(stage, 0.55), 60, ("#e8557a", "#f2b33d", "#f6f2ea", "#9a6bd0"))


def fireworks(stage: Stage, crowd: Crowd) -> None:
    canvas, rng = stage.canvas, stage.shot_rng
    for code in ("#ff6b6b", "#ffd166", "#6be3ff", "#c792ff"):
        x, y = float(rng.uniform(0.12, 0.88)) * stage.width, stage.horizon * float(rng.uniform(0.15, 0.55))
        s = stage.size * float(rng.uniform(0.09, 0.17))
        colour = rgb(code)
        canvas.glow(x, y, s * 1.5, colour, 0.45)
        for ring in (1.0, 0.62):
            for a in np.linspace(0, math.tau, 22, endpoint=False):
                dx, dy = math.cos(a + ring), math.sin(a + ring)
                canvas.line(
                    [
                        (x + 0.45 * ring * s * dx, y + 0.45 * ring * s * dy),
                        (x + ring * s * dx, y + ring * s * dy + 0.08 * s),
                    ],
                    [0.6, max(1.4, s * 0.03)],
                    lighter(colour, 0.3),
                    0.9,
                )


def firefly(stage: Stage, crowd: Crowd) -> None:
    rng = stage.shot_rng
    for _ in range(34):
        x, y = float(rng.uniform(0, 1)) * stage.width, float(rng.uniform(0.35, 0.95)) * stage.height
        s = stage.size * float(rng.uniform(0.012, 0.03))
        stage.canvas.glow(x, y, s, rgb("#e8ff8a"), 0.9)
        stage.canvas.ellipse(x, y, s * 0.1, s * 0.1, (255, 255, 210))


def rainbow(stage: Stage, crowd: Crowd) -> None:
    centre, radius = stage.width * 0.55, stage.width * 0.42
    for index, code in enumerate(("#e5484d", "#f08a3c", "#f2d34e", "#5fb35a", "#3f8fd6", "#7a58b8")):
        r = radius - index * stage.size * 0.014
        arc = [
            (centre + r * math.cos(a), stage.horizon + 0.8 * r * math.sin(a))
            for a in np.linspace(math.pi, math.tau, 60)
        ]
        stage.canvas.line(arc, stage.size * 0.015, rgb(code), 0.36)


def leaves(stage: Stage, crowd: Crowd) -> None:
    rng = stage.shot_rng
    for _ in range(45):
        x, y = float(rng.uniform(0, 1)) * stage.width, float(rng.uniform(0, 1)) * stage.height
        s = stage.size * float(rng.uniform(0.006, 0.018))
        colour = stage.light.on_skin(vary(rgb(pick(rng, ("#d9702f", "#c9483c", "#e8b440"))), rng, 10))
        stage.canvas.ellipse(x, y, s, s * 0.5, colour, tilt=float(rng.uniform(0, 180)))
