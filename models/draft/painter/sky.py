"""Skies: the gradient of the hour, sun or moon, stars, clouds."""

import cv2
import numpy as np

from models.draft.painter.canvas import Canvas, mix_into
from models.draft.painter.colour import Colour, lighter, mix
from models.draft.painter.light import Light
from models.draft.painter.stage import Stage


def paint_sky(stage: Stage, *, clouds: bool = True) -> None:
    """The sky down to a little below the horizon. Sets ``stage.sun`` where a sun or a moon stands."""
    canvas, light = stage.canvas, stage.light
    a, b, c, d = light.sky
    canvas.down(0, stage.horizon + 4, [(0, a), (0.42, b), (0.78, c), (1, d)], (0.0, 0.03))
    if stage.horizon < stage.height - 4:
        canvas.down(stage.horizon + 4, stage.height, [(0, d), (1, d)], (0.03, 0.03))
    stars = light.stars if "stars" not in stage.reading.props else max(0.9, light.stars)
    if stars > 0.05 and light.moon | (stars > 0.3):
        _stars(stage, stars)
    _sun_or_moon(stage)
    if clouds and light.cover > 0.05:
        paint_clouds(canvas, light, stage.shot_rng, 0, stage.horizon, light.cover)


def _stars(stage: Stage, amount: float) -> None:
    canvas, rng = stage.canvas, stage.place_rng
    count = int(amount * 220 * max(0.5, canvas.width / canvas.height / 1.6))
    xs = rng.uniform(0, canvas.width, count)
    ys = stage.horizon * 0.95 * rng.uniform(0, 1, count) ** 1.3
    sizes = stage.size / 720 * (0.6 + 1.3 * rng.random(count) ** 4)
    for x, y, size in zip(xs, ys, sizes, strict=True):
        shine = 0.9 - 0.6 * y / max(1.0, stage.horizon)
        canvas.polygon([(x - size, y), (x, y - size), (x + size, y), (x, y + size)], (240, 244, 255), shine)
    for x, y in zip(xs[:7], ys[:7], strict=True):
        canvas.glow(x, y, stage.size * 0.018, (190, 210, 255), 0.8)


def _sun_or_moon(stage: Stage) -> None:
    canvas, light, size = stage.canvas, stage.light, stage.size
    veiled = light.cover > 0.7
    show_moon = light.moon or ("moon" in stage.reading.props and stage.reading.time in {"dusk", "dawn"})
    x = canvas.width * float(stage.place_rng.uniform(0.18, 0.82))
    if 0.4 < x / canvas.width < 0.6:
        x += canvas.width * 0.16
    if show_moon:
        y = stage.horizon * 0.3
        stage.sun = (x, y)
        if veiled and "moon" not in stage.reading.props:
            canvas.glow(x, y, size * 0.3, (120, 140, 180), 0.35)
            return
        radius = size * (0.058 if "moon" in stage.reading.props else 0.045)
        canvas.glow(x, y, size * 0.42, (120, 150, 220), 0.5)
        canvas.glow(x, y, size * 0.14, (190, 205, 245), 0.6)
        canvas.ellipse(x, y, radius, radius, (243, 242, 228))
        for dx, dy, r in ((-0.3, -0.2, 0.24), (0.25, 0.3, 0.3), (0.3, -0.35, 0.14)):
            canvas.ellipse(x + dx * radius, y + dy * radius, r * radius, r * radius, (216, 216, 210), 0.7)
        return
    y = stage.horizon * (1 - light.sun_height) * 0.95 - size * 0.01
    stage.sun = (x, y)
    if veiled:
        canvas.glow(x, y, size * 0.5, lighter(light.sun, 0.3), 0.25)
        return
    low = light.sun_height < 0.2
    canvas.glow(x, y, size * (1.25 if low else 0.8), light.sun if low else (255, 250, 225), 0.55)
    canvas.glow(x, y, size * 0.3, lighter(light.sun, 0.3), 0.65)
    radius = size * (0.085 if low else 0.05)
    canvas.ellipse(x, y, radius, radius, lighter(light.sun, 0.35 if low else 0.7))


def noise(rng: np.random.Generator, rows: int, columns: int, cells: int, octaves: int = 4) -> np.ndarray:
    """Soft noise of about 0 to 1, (rows, columns) float32; ``cells`` is how many patches the coarsest octave has
    across the longer side."""
    total = np.zeros((rows, columns), np.float32)
    weight, sum_of_weights = 1.0, 0.0
    longer = max(rows, columns)
    for octave in range(octaves):
        count = cells * 2**octave
        grid = rng.random((max(2, round(count * rows / longer) + 2), max(2, round(count * columns / longer) + 2)))
        total += weight * cv2.resize(grid.astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC)
        sum_of_weights += weight
        weight *= 0.52
    return total / sum_of_weights


def paint_clouds(
    canvas: Canvas, light: Light, rng: np.random.Generator, top: float, bottom: float, cover: float
) -> None:
    """Flat-bottomed clouds, smaller towards the horizon, shaded from below."""
    first, last = max(0, int(top)), min(canvas.height, int(bottom))
    if last - first < 8:
        return
    rows, columns = max(8, (last - first) // 4), max(8, canvas.width // 4)
    soft = noise(rng, rows * 2, columns, 5, 5)
    # Rows are drawn together towards the horizon, as a layer of clouds is seen at a slant.
    lookup = np.linspace(0, 1, rows, dtype=np.float32) ** 0.75 * (rows * 2 - 1)
    map_y = np.repeat(lookup[:, None], columns, axis=1)
    map_x = np.repeat(np.arange(columns, dtype=np.float32)[None, :], rows, axis=0)
    field = cv2.remap(soft, map_x, map_y, cv2.INTER_LINEAR)
    edge = float(np.quantile(field, 1 - min(0.97, cover)))
    opacity = np.clip((field - edge) / 0.11, 0, 1)
    opacity = opacity * opacity * (3 - 2 * opacity)
    # Light from above: a place is bright where less cloud lies over it.
    above = np.roll(cv2.blur(field, (5, 5)), max(1, rows // 18), axis=0)
    lit = np.clip(0.55 + (field - above) * 4.5, 0, 1)[..., None]
    colour = np.array(light.cloud_shade) * (1 - lit) + np.array(light.cloud) * lit
    size = (canvas.width, last - first)
    colours = cv2.resize(np.clip(colour, 0, 255).astype(np.uint8), size, interpolation=cv2.INTER_LINEAR)
    fade = np.clip(np.linspace(1.15, 0.25, rows), 0, 0.94)[:, None] if cover < 0.7 else 0.9
    mask = cv2.resize((opacity * fade).astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    mix_into(canvas.rgb[first:last], colours, mask)


def ridge(
    rng: np.random.Generator, width: int, base: float, height: float, rough: float, points: int = 9
) -> np.ndarray:
    """A mountain line across the picture: (n, 2) points from left to right; ``height`` above ``base`` in pixels."""
    xs = np.linspace(-0.05 * width, 1.05 * width, points)
    ys = rng.uniform(0.15, 1.0, points)
    ys[::2] *= 0.55
    for _ in range(4):
        middle_x, middle_y = (xs[:-1] + xs[1:]) / 2, (ys[:-1] + ys[1:]) / 2
        middle_y = middle_y + rng.normal(0, rough * np.abs(np.diff(xs)) / width, len(middle_y))
        xs = np.insert(xs, np.arange(1, len(xs)), middle_x)
        ys = np.insert(ys, np.arange(1, len(ys)), middle_y)
    return np.column_stack([xs, base - height * np.clip(ys, 0, 1.3)])


def paint_ridge(stage: Stage, line: np.ndarray, colour: Colour, near: float, foot: float, mist: float = 0.35) -> None:
    """A ridge down to its foot; mist gathers at the bottom."""
    canvas = stage.canvas
    shape = np.vstack([line, [(line[-1, 0], foot), (line[0, 0], foot)]])
    with canvas.at(near):
        canvas.polygon(shape, colour)
    if mist > 0:
        top = float(line[:, 1].mean())
        for share, opacity in ((0.55, 0.3), (0.75, 0.4), (0.9, 0.5)):
            y = top + (foot - top) * share
            lower = np.maximum(line[:, 1], y)
            band = np.vstack([np.column_stack([line[:, 0], lower]), [(line[-1, 0], foot), (line[0, 0], foot)]])
            canvas.polygon(band, mix(colour, stage.light.haze, 0.8), opacity * mist)
