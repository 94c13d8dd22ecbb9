"""Places off the ground: space, the sky above the clouds, caves, and what no word names."""

import math

import numpy as np

from models.draft.painter.canvas import curve
from models.draft.painter.colour import darker, hsv, lighter, mix, rgb
from models.draft.painter.places import scenery
from models.draft.painter.sky import noise, paint_clouds, paint_ridge, paint_sky, ridge
from models.draft.painter.stage import Stage


def space(stage: Stage) -> None:
    import cv2

    canvas, rng = stage.canvas, stage.place_rng
    stage.horizon = stage.height * 0.8
    w, h, size = stage.width, stage.height, stage.size
    canvas.down(0, h, [(0, rgb("#05060f")), (0.6, rgb("#0b0d24")), (1, rgb("#141433"))], (0.0, 0.05))
    rows, columns = h // 6 + 2, w // 6 + 2
    for colour, gain in (
        (hsv(float(rng.uniform(0.7, 0.95)), 0.75, 1.0), 0.85),
        (hsv(float(rng.uniform(0.48, 0.62)), 0.7, 1.0), 0.7),
    ):
        cloud = np.clip((noise(rng, rows, columns, 3, 5) - 0.47) * 3.2, 0, 1) ** 1.6 * gain
        small = (cloud[..., None] * np.array(colour)).astype(np.uint8)
        cv2.add(canvas.rgb, cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR), dst=canvas.rgb)
    for _ in range(240):
        x, y = float(rng.uniform(0, w)), float(rng.uniform(0, h))
        s = size / 720 * (0.6 + 1.6 * float(rng.random()) ** 4)
        canvas.polygon([(x - s, y), (x, y - s), (x + s, y), (x, y + s)], (235, 240, 255), 0.85)
    for _ in range(8):
        canvas.glow(float(rng.uniform(0, w)), float(rng.uniform(0, h * 0.8)), size * 0.035, (200, 215, 255), 0.9)
    side = 0.25 if rng.random() < 0.5 else 0.75
    x, y, r = side * w, h * 0.36, size * 0.23
    base = hsv(float(rng.uniform(0.03, 0.62)), 0.55, 0.85)
    canvas.glow(x, y, r * 1.5, lighter(base, 0.2), 0.5)
    with canvas.at(0.12):
        canvas.ellipse(x, y, r, r, base)
    for band in range(6):
        dy = (band - 2.5) / 3 * r
        half = math.sqrt(max(0.0, r * r - dy * dy)) * 0.985
        canvas.ellipse(x, y + dy, half, r * 0.06, darker(base, 0.3) if band % 2 else lighter(base, 0.3), 0.5)
    shade = [(x + r * math.cos(a), y + r * math.sin(a)) for a in np.linspace(-1.2, 1.95, 30)]
    inner = [(x + r * 0.5 * math.cos(a) + 0.08 * r, y + r * 0.95 * math.sin(a)) for a in np.linspace(1.95, -1.2, 30)]
    canvas.polygon(shade + inner, (5, 6, 18), 0.55)
    ring = [(x + 1.75 * r * math.cos(a), y + 0.4 * r * math.sin(a)) for a in np.linspace(-0.35, math.pi + 0.35, 50)]
    canvas.line(ring, r * 0.1, lighter(base, 0.5), 0.8)
    canvas.line([(px, py - r * 0.06) for px, py in ring], r * 0.04, lighter(base, 0.2), 0.6)
    ground = rgb("#5f5a70")
    xs = np.linspace(-0.05, 1.05, 10) * w
    ys = h * 0.86 - rng.uniform(0, 0.05, 10) * h
    edge = curve(np.column_stack([xs, ys]), closed=False)
    with canvas.at(0.6):
        canvas.polygon(np.vstack([edge, [(xs[-1], h + 9), (xs[0], h + 9)]]), darker(ground, 0.3))
    canvas.line(edge, size * 0.008, lighter(base, 0.3), 0.7)
    for _ in range(10):
        cx, cy, cr = float(rng.uniform(0, w)), float(rng.uniform(h * 0.9, h)), size * float(rng.uniform(0.015, 0.05))
        canvas.ellipse(cx, cy, cr, cr * 0.3, darker(ground, 0.55), 0.8)
        canvas.ellipse(cx, cy + cr * 0.08, cr * 0.9, cr * 0.22, darker(ground, 0.4), 0.8)
    stage.floor = 0.95


def moon_surface(stage: Stage) -> None:
    """Grey dust and craters under a black sky in which the Earth stands."""
    canvas, rng = stage.canvas, stage.place_rng
    w, h, size = stage.width, stage.height, stage.size
    stage.horizon = h * 0.56
    canvas.down(0, h, [(0, rgb("#04050c")), (1, rgb("#0c0e1a"))], (0.0, 0.04))
    for _ in range(170):
        x, y = float(rng.uniform(0, w)), float(rng.uniform(0, stage.horizon))
        s = size / 720 * (0.6 + 1.5 * float(rng.random()) ** 4)
        canvas.polygon([(x - s, y), (x, y - s), (x + s, y), (x, y + s)], (235, 240, 255), 0.85)
    earth(stage, w * (0.27 if rng.random() < 0.5 else 0.73), h * 0.24, size * 0.14)
    dust = rgb("#b4b2b0")
    for layer in range(4):
        share = layer / 4
        y = stage.horizon + (h - stage.horizon) * share**1.2
        line = ridge(rng, w, y + size * 0.02, size * (0.13 - 0.02 * layer), 0.16, 7)
        edge = curve(line[:: max(1, len(line) // 12)], closed=False)
        tone = mix(darker(dust, 0.5), dust, 0.35 + 0.65 * share)
        with canvas.at(0.14 + 0.2 * layer):
            canvas.polygon(np.vstack([edge, [(edge[-1, 0], h + 9), (edge[0, 0], h + 9)]]), tone)
        canvas.line(edge, max(1.0, size * 0.005), lighter(tone, 0.5), 0.6)
    canvas.down(h * 0.78, h, [(0, mix(darker(dust, 0.5), dust, 0.86)), (1, lighter(dust, 0.1))], (0.7, 0.86))
    for _ in range(16):
        share = float(rng.random())
        x, y = float(rng.uniform(0, w)), h * (0.62 + 0.36 * share)
        r = size * float(rng.uniform(0.02, 0.06)) * (0.4 + share)
        canvas.ellipse(x, y, r, r * 0.3, lighter(dust, 0.35), 0.9)
        canvas.ellipse(x, y + r * 0.05, r * 0.88, r * 0.24, darker(dust, 0.45), 0.9)
        canvas.ellipse(x + r * 0.1, y + r * 0.1, r * 0.7, r * 0.16, darker(dust, 0.2), 0.9)
    stage.floor = 0.93


def earth(stage: Stage, x: float, y: float, r: float) -> None:
    """The blue planet, its lands, its clouds, its night side."""
    canvas = stage.canvas
    canvas.glow(x, y, r * 1.6, (110, 170, 255), 0.6)
    with canvas.at(0.05):
        canvas.ellipse(x, y, r, r, (38, 104, 190))
    for points in (
        [(-0.55, -0.5), (-0.1, -0.65), (0.05, -0.3), (-0.2, -0.1), (-0.5, -0.15)],
        [(-0.3, 0.1), (0.05, 0.05), (0.12, 0.35), (-0.1, 0.7), (-0.28, 0.4)],
        [(0.35, -0.45), (0.7, -0.3), (0.75, 0.15), (0.5, 0.35), (0.3, 0.0)],
    ):
        canvas.smooth([(x + u * r, y + v * r) for u, v in points], (86, 156, 84))
    for u, v, length in ((-0.2, -0.35, 0.5), (0.2, 0.2, 0.6), (-0.35, 0.45, 0.4), (0.25, -0.7, 0.35), (0.0, 0.78, 0.4)):
        canvas.ellipse(x + u * r, y + v * r, length * r * 0.8, 0.07 * r, (250, 252, 255), 0.8, tilt=-12)
    shade = [(x + r * math.cos(a), y + r * math.sin(a)) for a in np.linspace(-1.2, 1.95, 30)]
    inner = [(x + r * 0.55 * math.cos(a) + 0.1 * r, y + r * 0.95 * math.sin(a)) for a in np.linspace(1.95, -1.2, 30)]
    canvas.polygon(shade + inner, (4, 6, 20), 0.5)


def sky(stage: Stage) -> None:
    canvas, light, rng = stage.canvas, stage.light, stage.place_rng
    stage.horizon = stage.height * 0.72
    paint_sky(stage)
    paint_clouds(canvas, light, rng, stage.height * 0.45, stage.height, 0.9)
    for layer in range(4):
        y = stage.height * (0.66 + 0.1 * layer)
        shade = mix(light.cloud_shade, light.cloud, 0.25 + 0.22 * layer)
        with canvas.at(0.12 + 0.2 * layer):
            for index in range(15):
                x = stage.width * (index / 14) + float(rng.normal(0, 0.02)) * stage.width
                r = stage.size * float(rng.uniform(0.06, 0.12)) * (0.6 + 0.3 * layer)
                canvas.ellipse(x, y + r * 0.5, r, r * 0.8, shade)
                canvas.ellipse(x - r * 0.15, y + r * 0.32, r * 0.72, r * 0.5, lighter(shade, 0.25), 0.6)
            canvas.rect(-5, y + stage.size * 0.04, stage.width + 10, stage.height, shade)
    stage.floor = 0.93


def cave(stage: Stage) -> None:
    canvas, rng = stage.canvas, stage.place_rng
    w, h, size, light = stage.width, stage.height, stage.size, stage.light
    stage.horizon = h * 0.62
    paint_sky(stage)
    scenery.mountains(stage, 2, 0.12)
    rock = rgb("#3b3a44")
    canvas.glow(w * 0.5, h * 0.45, size * 0.6, light.sky[3], 0.6)
    for layer in range(4):
        spread = 0.16 + 0.1 * layer
        hole = []
        for a in np.linspace(0, math.tau, 26, endpoint=False):
            wobble = 1 + float(rng.normal(0, 0.07))
            hole.append(
                (w * 0.5 + spread * w * wobble * math.cos(a), h * 0.5 + spread * 1.25 * h * wobble * math.sin(a))
            )
        inner = curve(hole, 4)
        outer = np.array(
            [
                (w * 0.5 + 3 * w * math.cos(a), h * 0.5 + 3 * h * math.sin(a))
                for a in np.linspace(0, math.tau, len(inner))
            ]
        )
        colour = mix(mix(rock, light.sky[3], 0.28 - 0.07 * layer), (0, 0, 0), 0.12 * layer)
        with canvas.at(0.15 + 0.18 * layer):
            for index in range(0, len(inner), 4):
                ring = np.vstack([inner[index : index + 5], outer[index : index + 5][::-1]])
                canvas.polygon(ring, colour)
            canvas.polygon(np.vstack([inner[-4:], inner[:1], outer[:1], outer[-4:][::-1]]), colour)
    floor = mix(rock, light.sky[3], 0.16)
    canvas.down(h * 0.82, h, [(0, floor), (1, darker(floor, 0.6))], (0.45, 0.85))
    for side in (-1, 1):
        for index in range(6):
            x = w * (0.5 + side * (0.16 + 0.07 * index))
            length = size * float(rng.uniform(0.08, 0.2))
            canvas.polygon([(x - size * 0.02, 0), (x + size * 0.02, 0), (x, length)], (26, 25, 32))
    lean = size * 0.15
    canvas.polygon(
        [(w * 0.44, h * 0.2), (w * 0.56, h * 0.2), (w * 0.66 + lean, h * 0.95), (w * 0.4, h * 0.95)],
        lighter(light.sky[3], 0.3),
        0.14,
    )
    stage.floor = 0.93
    stage.indoor = True


def abstract(stage: Stage) -> None:
    """A landscape of the seed's own colours, for a place that no word names."""
    canvas, light, rng = stage.canvas, stage.light, stage.place_rng
    stage.horizon = stage.height * 0.58
    paint_sky(stage)
    hue = float(rng.random())
    for layer in range(5):
        share = layer / 4
        colour = light.on(hsv(hue + 0.06 * layer, 0.35 + 0.1 * share, 0.75 - 0.3 * share), 0.8 * (1 - share))
        y = stage.horizon + (stage.height - stage.horizon) * share * 0.75
        line = ridge(rng, stage.width, y, stage.height * (0.2 - 0.03 * layer), 0.12, 6)
        smooth = curve(line[:: max(1, len(line) // 14)], closed=False)
        paint_ridge(stage, smooth, colour, 0.1 + 0.16 * layer, stage.height + 9, 0.0)
        canvas.line(smooth, max(1.0, stage.size * 0.005), lighter(colour, 0.4), 0.6)
    canvas.depth[int(stage.height * 0.85) // 2 :] = int(0.8 * 255)
    stage.floor = 0.93
