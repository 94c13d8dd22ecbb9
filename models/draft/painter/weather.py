"""What the weather lays over a picture: rain, snow, fog, wind, lightning."""

import math

import cv2
import numpy as np

from models.draft.painter.canvas import Canvas, curve, mix_into
from models.draft.painter.colour import lighter, mix
from models.draft.painter.light import Light
from models.draft.painter.sky import noise

_ON_PEOPLE = 217  # of the depth map: nearer than any ground


def paint_lightning(canvas: Canvas, horizon: float, rng: np.random.Generator) -> None:
    """Behind what stands in the foreground."""
    x, y = float(rng.uniform(0.25, 0.75)) * canvas.width, 0.0
    canvas.glow(x, horizon * 0.3, canvas.height * 0.8, (190, 200, 255), 0.5)
    points = [(x, y)]
    while y < horizon:
        x += float(rng.normal(0, 0.025)) * canvas.width
        y += horizon * float(rng.uniform(0.08, 0.16))
        points.append((x, min(y, horizon)))
    canvas.line(points, canvas.height * 0.008, (220, 226, 255))
    canvas.line(points, canvas.height * 0.003, (255, 255, 255))
    fork = points[len(points) // 2]
    branch = [
        fork,
        (fork[0] + canvas.width * 0.05, fork[1] + horizon * 0.14),
        (fork[0] + canvas.width * 0.06, fork[1] + horizon * 0.26),
    ]
    canvas.line(branch, canvas.height * 0.004, (230, 234, 255))


def cover_with_snow(canvas: Canvas, horizon: float, light: Light, rng: np.random.Generator) -> None:
    """Snow that lies on the ground, thicker towards us, with patches left open; before anyone stands on it."""
    top = max(0, int(horizon))
    rows, columns = max(4, (canvas.height - top) // 8), max(4, canvas.width // 8)
    if canvas.height - top < 8:
        return
    patches = noise(rng, rows, columns, 7, 3)
    opacity = np.clip((patches - 0.3) * 3.5, 0, 1) * np.linspace(0.55, 0.86, rows, dtype=np.float32)[:, None]
    full = cv2.resize(opacity.astype(np.float32), (canvas.width, canvas.height - top), interpolation=cv2.INTER_LINEAR)
    mix_into(canvas.rgb[top:], np.array([[light.on((240.0, 245.0, 252.0))]], np.uint8), full)


def paint_weather(canvas: Canvas, weather: str, light: Light, rng: np.random.Generator) -> None:
    """Over everything, figures included; what falls is kept apart (``Canvas.falling``)."""
    if weather in {"rain", "storm"}:
        _rain(canvas, light, rng, 1.0 if weather == "rain" else 1.6)
    elif weather == "snow":
        _snow(canvas, rng)
    elif weather == "fog":
        _fog(canvas, light, rng)
    elif weather == "wind":
        _wind(canvas, rng)


def _rain(canvas: Canvas, light: Light, rng: np.random.Generator, force: float) -> None:
    """Streaks drawn once on a sheet and added, since thousands of translucent strokes would cost too much."""
    sheet = np.zeros((canvas.height, canvas.width), np.uint8)
    count = int(420 * force)
    slant = 0.12 * force
    xs = rng.uniform(-0.1, 1.1, count) * canvas.width
    ys = rng.uniform(-0.1, 1.0, count) * canvas.height
    lengths = canvas.height * rng.uniform(0.03, 0.1, count)
    shine = rng.integers(60, 170, count)
    for x, y, length, level in zip(xs, ys, lengths, shine, strict=True):
        ends = np.rint(np.array([(x, y), (x - slant * length, y + length)]) * 16).astype(int)
        cv2.line(
            sheet, tuple(ends[0]), tuple(ends[1]), int(level), 1 if length < canvas.height * 0.07 else 2, cv2.LINE_AA, 4
        )
    veil = lighter(light.haze, 0.55)
    canvas.falling = cv2.merge([cv2.convertScaleAbs(sheet, alpha=0.62 * channel / 255) for channel in veil])
    for _ in range(int(36 * force)):
        x, y = float(rng.uniform(0, 1)) * canvas.width, float(rng.uniform(0.72, 1.0)) * canvas.height
        r = canvas.height * float(rng.uniform(0.006, 0.016))
        if canvas.depth[int(y) // 2, int(x) // 2] > _ON_PEOPLE:
            continue
        ring = [(x + r * math.cos(a), y + 0.3 * r * math.sin(a)) for a in np.linspace(0, math.tau, 12)]
        canvas.line(ring, 1.2, veil, 0.45)


def _snow(canvas: Canvas, rng: np.random.Generator) -> None:
    sheet = np.zeros((canvas.height, canvas.width), np.uint8)
    for _ in range(420):
        size = float(rng.random()) ** 3
        radius = max(1, round(canvas.height * (0.0016 + 0.0065 * size) * 16))
        x, y = rng.uniform(0, 1, 2)
        centre = (round(float(x) * canvas.width * 16), round(float(y) * canvas.height * 16))
        cv2.circle(sheet, centre, radius, int(150 + 105 * float(rng.random())), -1, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(sheet, (0, 0), max(0.6, canvas.height / 720))
    canvas.falling = cv2.merge([soft] * 3)


def _fog(canvas: Canvas, light: Light, rng: np.random.Generator) -> None:
    """Thicker with distance, in drifting banks."""
    rows, columns = max(8, canvas.height // 8), max(8, canvas.width // 8)
    banks = noise(rng, rows, columns, 3, 4)
    far = 1 - cv2.resize(canvas.depth, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    opacity = np.clip(far * 0.85 * (0.55 + 0.8 * banks), 0, 0.86)
    full = cv2.resize(opacity, (canvas.width, canvas.height), interpolation=cv2.INTER_LINEAR)
    mix_into(canvas.rgb, np.array([[mix(light.haze, light.sky[3], 0.3)]], np.uint8), full)


def _wind(canvas: Canvas, rng: np.random.Generator) -> None:
    for _ in range(9):
        x, y = float(rng.uniform(-0.1, 0.8)) * canvas.width, float(rng.uniform(0.1, 0.85)) * canvas.height
        length = canvas.width * float(rng.uniform(0.14, 0.3))
        rise = canvas.height * 0.02
        line = curve(
            [(x, y), (x + 0.3 * length, y - rise), (x + 0.7 * length, y + rise * 0.6), (x + length, y - rise * 0.4)],
            closed=False,
        )
        width = np.sin(np.linspace(0, math.pi, len(line))) * canvas.height * 0.004 + 0.4
        canvas.line(line, width, (255, 255, 255), 0.32)
