"""Changing a picture: its composition stays; hour, weather, colours and things are what the prompt asks."""

from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.draft.painter.canvas import Canvas, mix_into
from models.draft.painter.colour import generator, rgb
from models.draft.painter.grade import grey_of, saturate, towards_palette
from models.draft.painter.light import light_of
from models.draft.painter.props import paint_props
from models.draft.painter.reading import Reading, words
from models.draft.painter.references import reframed
from models.draft.painter.stage import Stage
from models.draft.painter.weather import paint_lightning, paint_weather
from models.specs import ImageSpec

if TYPE_CHECKING:
    from models.interfaces import RGB, Grey


def repaint_scene(spec: ImageSpec, reading: Reading, source: "RGB") -> Canvas:
    """``source`` has the spec's size. The depth is a guess: what is low in the picture is near."""
    rng = generator("repaint", spec.seed, spec.prompt)
    canvas = Canvas(spec.width, spec.height)
    canvas.rgb = reframed(source, rng)
    canvas.depth = _guessed_depth(canvas)
    stage = Stage(
        canvas=canvas,
        light=light_of(reading.time, reading.weather),
        reading=reading,
        place_rng=rng,
        shot_rng=generator("repaint shot", spec.seed, spec.prompt),
        horizon=spec.height * 0.5,
        indoor=reading.indoor,
    )
    if reading.time_said:
        _set_hour(stage)
    asked = words().own["colours"].find(spec.prompt)
    if asked:
        canvas.rgb = towards_palette(canvas.rgb, [rgb(match.id) for match in asked[-3:]], 0.22)
    if reading.weather == "storm" and not reading.indoor:
        paint_lightning(canvas, stage.horizon, stage.shot_rng)
    if reading.weather in {"cloudy", "rain", "storm", "fog"}:
        canvas.rgb = saturate(cv2.convertScaleAbs(canvas.rgb, alpha=0.9), 0.72)
    paint_props(stage, set(), [(spec.width * 0.36, spec.width * 0.64)])
    paint_weather(canvas, reading.weather, stage.light, stage.shot_rng)
    return canvas


def _guessed_depth(canvas: Canvas) -> "Grey":
    ramp = np.clip((np.arange(canvas.depth.shape[0]) / canvas.depth.shape[0] - 0.42) / 0.58, 0, 1) * 190 + 15
    return np.repeat(ramp.astype(np.uint8)[:, None], canvas.depth.shape[1], axis=1)


def _set_hour(stage: Stage) -> None:
    """Light the picture as the hour does: everything by its ambient light, what is bright and high as its sky. A
    dark picture is not darkened again."""
    canvas, light = stage.canvas, stage.light
    bright = float(grey_of(canvas.rgb).mean()) / 255
    strength = 1.0 if sum(light.ambient) > 2.4 else min(1.0, bright / 0.42)
    factors = [1 + (channel - 1) * strength for channel in light.ambient]
    canvas.rgb = cv2.transform(canvas.rgb, np.diag(factors))
    height, width = canvas.height, canvas.width
    rows = np.linspace(0, 1, height)
    stops = np.array(light.sky)
    sky = np.stack([np.interp(rows, (0, 0.3, 0.5, 0.62), stops[:, channel]) for channel in range(3)], axis=1)
    fade = np.clip(1.15 - rows * 1.9, 0, 0.8)[:, None].astype(np.float32)
    grey = grey_of(canvas.rgb).astype(np.float32) / 255
    level = float(np.quantile(grey[: height // 2], 0.6))
    open_sky = np.clip((grey - level * 0.75) / 0.25, 0, 1) * fade
    colours = np.repeat(sky.astype(np.uint8)[:, None, :], width, axis=1)
    mix_into(canvas.rgb, colours, open_sky.astype(np.float32))
