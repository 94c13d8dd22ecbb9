"""Streets in perspective, and the market in one."""

import numpy as np

from models.draft.painter.canvas import curve
from models.draft.painter.colour import Colour, darker, lighter, mix, pick, rgb, vary
from models.draft.painter.places import scenery
from models.draft.painter.places.town import LIT, neon_sign, reflect, skyline
from models.draft.painter.sky import paint_sky
from models.draft.painter.stage import Stage


def street(stage: Stage) -> None:
    """Down a street between two rows of fronts that draw together at the vanishing point."""
    canvas, light, rng = stage.canvas, stage.light, stage.place_rng
    stage.horizon = stage.height * 0.55
    paint_sky(stage)
    skyline(stage, stage.horizon + 3, 0.25, 1)
    w, h, vx, vy = stage.width, stage.height, stage.width * 0.5, stage.horizon
    paving = light.on(rgb("#77736f"))
    canvas.down(vy, h, [(0, mix(paving, light.haze, 0.4)), (1, darker(paving, 0.25))], (0.16, 0.85))
    fronts = ("#b8785c", "#c9a27a", "#8a8f9c", "#a35d56", "#7d8a78", "#b0a08c", "#5f6f86")
    edges = [1.0, 0.72, 0.52, 0.38, 0.28, 0.2, 0.14]
    for side in (-1, 1):
        for far, near in zip(edges[1:][::-1], edges[:-1][::-1], strict=True):
            wall = light.on(vary(rgb(pick(rng, fronts)), rng, 10), 0.75 * (1 - near))
            if side > 0:
                wall = darker(wall, 0.14)
            roof = float(rng.uniform(0.8, 1.15))
            x_near, x_far = vx + side * near * w * 0.58, vx + side * far * w * 0.58
            top_near, top_far = vy - near * h * 0.62 * roof, vy - far * h * 0.62 * roof
            foot_near, foot_far = vy + near * h * 0.3, vy + far * h * 0.3
            with canvas.at(0.12 + 0.6 * near):
                canvas.polygon([(x_far, top_far), (x_near, top_near), (x_near, foot_near), (x_far, foot_far)], wall)
                canvas.polygon(
                    [
                        (x_far, top_far),
                        (x_near, top_near),
                        (x_near, top_near + 0.03 * near * h),
                        (x_far, top_far + 0.03 * far * h),
                    ],
                    darker(wall, 0.35),
                )
            _front(stage, side, (x_far, top_far, foot_far), (x_near, top_near, foot_near), wall)
    wet = stage.reading.weather in {"rain", "storm"}
    if wet or light.lamps > 0.5:
        reflect(stage, h * 0.72, 0.3 if wet else 0.12)
    for depth in (0.3, 0.5, 0.85):
        for side in (-1, 1):
            y = vy + depth * h * 0.32
            with canvas.at(stage.nearness(y)):
                scenery.lamp_post(stage, vx + side * depth * w * 0.5, y, depth * h * 0.42)
    stage.floor = 0.94


def _front(
    stage: Stage, side: int, far: tuple[float, float, float], near: tuple[float, float, float], wall: Colour
) -> None:
    """Windows in rows and a shop window below, in perspective."""
    canvas, light, rng = stage.canvas, stage.light, stage.place_rng
    (xf, tf, ff), (xn, tn, fn) = far, near

    def at(u: float, v: float) -> tuple[float, float]:
        x = xf + (xn - xf) * u
        top, foot = tf + (tn - tf) * u, ff + (fn - ff) * u
        return x, top + (foot - top) * v

    for row in range(4):
        for column in range(2):
            u, v = 0.14 + 0.44 * column, 0.1 + 0.155 * row
            lit = rng.random() < light.lamps * 0.6
            pane = rgb(pick(rng, LIT)) if lit else mix(darker(wall, 0.5), light.sky[2], 0.3)
            canvas.polygon([at(u, v), at(u + 0.28, v), at(u + 0.28, v + 0.1), at(u, v + 0.1)], pane)
            canvas.polygon(
                [at(u, v + 0.1), at(u + 0.28, v + 0.1), at(u + 0.28, v + 0.112), at(u, v + 0.112)], lighter(wall, 0.3)
            )
    glass = rgb("#ffdc9c") if light.lamps > 0.3 else mix(light.sky[2], darker(wall, 0.4), 0.5)
    canvas.polygon([at(0.1, 0.78), at(0.62, 0.78), at(0.62, 0.96), at(0.1, 0.96)], glass)
    canvas.polygon([at(0.7, 0.78), at(0.9, 0.78), at(0.9, 1.0), at(0.7, 1.0)], darker(wall, 0.55))
    awning = rgb(pick(rng, ("#c94f4f", "#3f7f8c", "#d9a441", "#5b7a4c")))
    out = side * -0.06
    a, b, c, d = at(0.05, 0.72), at(0.95, 0.72), at(0.95, 0.79), at(0.05, 0.79)
    shift = abs(xn - xf) * out
    canvas.polygon([a, b, (c[0] + shift, c[1]), (d[0] + shift, d[1])], light.on(awning, 0.1))
    if light.lamps > 0.3:
        x, y = at(0.4, 0.88)
        canvas.glow(x, y, abs(xn - xf) * 1.1, rgb("#ffb75c"), 0.45 * light.lamps)
    if light.lamps > 0.6 and rng.random() < 0.7:
        x, y = at(0.5, 0.6)
        neon_sign(stage, x, y, abs(xn - xf) * 0.17)


def market(stage: Stage) -> None:
    canvas, light, rng = stage.canvas, stage.light, stage.place_rng
    street(stage)
    w, h, vy = stage.width, stage.height, stage.horizon
    for depth in (0.35, 0.55, 0.9):
        for side in (-1, 1):
            x, y, s = w * 0.5 + side * depth * w * 0.42, vy + depth * h * 0.34, depth * stage.size * 0.34
            cloth = rgb(pick(rng, ("#d8503f", "#e3a93c", "#3c8f86", "#7a5bb0")))
            with canvas.at(stage.nearness(y)):
                canvas.rect(x - s * 0.5, y - s * 0.38, s, s * 0.38, light.on(rgb("#8a5f3c")))
                canvas.rect(x - s * 0.5, y - s * 0.42, s, s * 0.07, light.on(rgb("#b98a58")))
                for dx in (-0.47, 0.47):
                    canvas.line([(x + dx * s, y), (x + dx * s, y - 0.95 * s)], s * 0.035, light.on(rgb("#5b3f2a")))
                for strip in range(6):
                    colour = light.on(cloth if strip % 2 else rgb("#f2e8d4"))
                    u, v = -0.58 + strip * 1.16 / 6, -0.58 + (strip + 1) * 1.16 / 6
                    canvas.polygon(
                        [
                            (x + u * s * 0.8, y - 1.12 * s),
                            (x + v * s * 0.8, y - 1.12 * s),
                            (x + v * s, y - 0.86 * s),
                            (x + u * s, y - 0.86 * s),
                        ],
                        colour,
                    )
                for index in range(7):
                    goods = light.on(rgb(pick(rng, ("#e0523f", "#f0a63c", "#7fae45", "#f3e3b0", "#a45bb8"))))
                    canvas.ellipse(x + (index - 3) * s * 0.13, y - 0.46 * s, s * 0.07, s * 0.06, goods)
            canvas.glow(x, y - 0.6 * s, s * 0.9, rgb("#ffb45c"), 0.5 * light.lamps)
    for row, (y, sag, size) in enumerate(((0.12, 0.07, 0.034), (0.24, 0.05, 0.022), (0.33, 0.035, 0.015))):
        half = 0.52 - 0.13 * row
        xs = np.linspace(0.5 - half, 0.5 + half, 9)
        ys = y + sag * (1 - ((xs - 0.5) / half) ** 2)
        rope = [(px * w, py * h) for px, py in zip(xs, ys, strict=True)]
        canvas.line(curve(rope, closed=False), max(1.0, stage.size * 0.003), (50, 36, 34))
        with canvas.at(0.5 - 0.1 * row):
            for px, py in rope:
                scenery.lantern(stage, px, py + stage.size * size, stage.size * size)
