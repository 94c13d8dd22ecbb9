"""A whole picture before its style: the place in its light, what stands in it, the people, the weather."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.draft.painter import fauna
from models.draft.painter.canvas import Canvas
from models.draft.painter.cast import FRAMINGS, arrange, crowd_of, draw_cast, in_the_background
from models.draft.painter.colour import generator
from models.draft.painter.figures.held import PORTABLE
from models.draft.painter.figures.looks import Look, in_a_spacesuit, looks_of
from models.draft.painter.light import light_of
from models.draft.painter.people import company_of
from models.draft.painter.places import PLACES
from models.draft.painter.props import paint_props
from models.draft.painter.props.nature import bird as flock
from models.draft.painter.props.vehicles import draw_bicycle
from models.draft.painter.reading import Reading, place_text, words
from models.draft.painter.stage import Stage
from models.draft.painter.weather import cover_with_snow, paint_lightning, paint_weather
from models.specs import Framing, ImageSpec, ShotType

if TYPE_CHECKING:
    from models.interfaces import RGB

# Places whose lower half is no ground that snow could lie on.
_NO_GROUND = frozenset(
    {"sea", "lake", "river", "bridge", "waterfall", "sky", "space", "snowfield", "market", "moon_surface"}
)


AIRLESS = frozenset({"space", "moon_surface"})


def paint_scene(spec: ImageSpec, reading: Reading, images: "Mapping[str, RGB]") -> Stage:
    """A shot, or the place alone where the framing asks for a scene."""
    stage = _ground(spec, reading)
    shot = spec.shot_type if spec.framing == Framing.SHOT else ShotType.ESTABLISHING
    subjects = spec.subjects if spec.framing == Framing.SHOT else []
    if reading.weather == "snow" and not stage.indoor and reading.place not in _NO_GROUND:
        cover_with_snow(stage.canvas, stage.horizon, stage.light, stage.place_rng)
    if reading.weather == "storm" and not stage.indoor:
        paint_lightning(stage.canvas, stage.horizon, stage.shot_rng)
    looks = looks_of(subjects, images)
    if reading.place in AIRLESS and {"astronaut"} & set(words().own["people"].ids(f"{spec.prompt}")):
        looks = [in_a_spacesuit(look) for look in looks]
    populate(stage, spec, shot, looks, looks_of(company_of(spec), images))
    return stage


def populate(stage: Stage, spec: ImageSpec, shot: ShotType, looks: list[Look], company: list[Look]) -> None:
    """Things, people, animals and weather, in front of a ground that is there already. ``company`` stands behind the
    characters; where there are none it is whom the picture shows."""
    distant = FRAMINGS[shot].head is None
    seen = {look.species for look in (*looks, *company)}
    stage.reading = replace(stage.reading, animals=tuple(pair for pair in stage.reading.animals if pair[0] not in seen))
    shown = spec.framing == Framing.SHOT
    mounted = distant and bool(fauna.ridden(stage.reading, spec.prompt))
    cycling = distant and fauna.rides("bicycle", stage.reading.props, spec.prompt)
    planned = arrange(stage, shot, looks or company, lift=0.36 if mounted else 0.13 if cycling else 0.0)
    behind = in_the_background(stage, planned, company) if looks and company else []
    animals: list[fauna.Animal] = []
    if planned:
        close = shot in {ShotType.CLOSE_UP, ShotType.EXTREME_CLOSE_UP, ShotType.OVER_SHOULDER}
        if not close:
            feet = [(part.x, part.y, part.size) for part in planned]
            animals = fauna.beside(stage, feet, spec.prompt, close=not distant)
        if mounted:
            animals.append(fauna.under(stage, planned[-1].x, planned[-1].y, planned[-1].size, spec.prompt))
    elif shown:
        animals = fauna.alone(stage, shot, spec.prompt)
    held = {part.held for part in planned if part.held}
    if planned:
        # What is said to be in a hand stands nowhere, even if that hand is not in the picture.
        held |= PORTABLE.intersection(stage.reading.carried) | ({"bicycle"} if cycling else set())
    crowd = crowd_of([*planned, *behind]) if distant else [(stage.width * 0.36, stage.width * 0.64)]
    crowd += [(one.x - one.size * 0.7, one.x + one.size * 0.7) for one in animals]
    if fauna.overhead(stage.reading, spec.prompt) or (not shown and stage.reading.animals):
        held.discard("bird")
        flock(stage, crowd)
    paint_props(stage, held, crowd)
    if not planned and not animals:
        # Nobody to look at: the place itself is the subject and stays sharp.
        _draw_in(stage, 1.0 if distant else 1.0 + (FRAMINGS[shot].ground_zoom - 1) * 0.7, 0.0)
    else:
        _draw_in(stage, FRAMINGS[shot].ground_zoom, FRAMINGS[shot].blur)
        draw_cast(stage, behind)
        if mounted:
            fauna.draw_animals(stage, animals[-1:])
            animals = animals[:-1]
        if cycling and planned:
            draw_bicycle(stage, planned[-1].x, planned[-1].y + 0.13 * planned[-1].size, 0.95 * planned[-1].size)
        draw_cast(stage, planned)
        fauna.draw_animals(stage, animals)
    if not stage.indoor:
        paint_weather(stage.canvas, stage.reading.weather, stage.light, stage.shot_rng)


def _ground(spec: ImageSpec, reading: Reading) -> Stage:
    place = spec.place
    kind = reading.place or ("room" if reading.indoor else "country" if place or spec.subjects else "abstract")
    if place and place.scene_type == "abstract" and not reading.place:
        kind = "abstract"
    # What the place looks like must not depend on the shot: the prompt counts only where no place is given.
    same: tuple[object, ...] = (place.seed, place_text(place)) if place else (spec.seed, spec.prompt)
    stage = Stage(
        canvas=Canvas(spec.width, spec.height),
        # No hour and no weather reach where there is no air.
        light=light_of("day", "clear") if kind in AIRLESS else light_of(reading.time, reading.weather),
        reading=reading,
        place_rng=generator("place", kind, *same),
        shot_rng=generator("shot", spec.seed, spec.prompt),
        horizon=spec.height * 0.5,
    )
    PLACES[kind](stage)
    return stage


def _draw_in(stage: Stage, zoom: float, blur: float) -> None:
    """Go nearer to the ground, a little off the middle by the shot's dice, and throw it out of focus."""
    canvas, rng = stage.canvas, stage.shot_rng
    zoom *= 1.02 + 0.06 * float(rng.random())
    width, height = canvas.width / zoom, canvas.height / zoom
    left = (canvas.width - width) * float(rng.uniform(0.15, 0.85))
    # Keep the lower edge where it is: the ground under the feet belongs to the picture.
    top = (canvas.height - height) * (0.75 if zoom < 1.15 else 0.45)
    if stage.landmark is not None:
        # A camera that moves takes a little more off the edges.
        rim = 0.04 * canvas.width
        x0, y0, x1, _ = stage.landmark
        left = min(max(left, x1 + rim - width, 0.0), max(0.0, x0 - rim), canvas.width - width)
        top = min(top, max(0.0, y0 - 0.5 * rim))
        stage.landmark = tuple((at - (left, top)[i % 2]) * zoom for i, at in enumerate(stage.landmark))  # type: ignore[assignment]
    canvas.rgb = window_of(canvas.rgb, left, top, zoom, cv2.INTER_LINEAR)
    canvas.depth = window_of(canvas.depth, left / 2, top / 2, zoom, cv2.INTER_NEAREST)
    stage.horizon = (stage.horizon - top) * zoom
    if stage.sun is not None:
        stage.sun = ((stage.sun[0] - left) * zoom, (stage.sun[1] - top) * zoom)
    if blur > 0:
        canvas.rgb = _out_of_focus(canvas.rgb, blur * canvas.height)


def window_of(pixels: np.ndarray, left: float, top: float, zoom: float, method: int) -> np.ndarray:
    """The part of a picture from (left, top) that is 1 / zoom as wide and high, at the full size."""
    matrix = np.array([[1 / zoom, 0.0, left], [0.0, 1 / zoom, top]])
    size = (pixels.shape[1], pixels.shape[0])
    return cv2.warpAffine(pixels, matrix, size, flags=method | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)


def _out_of_focus(pixels: "RGB", radius: float) -> "RGB":
    """Blurred at a reduced size: a large blur holds no detail that would need more."""
    factor = 1 if radius < 2 else 2 if radius < 5 else 4
    size = (max(2, pixels.shape[1] // factor), max(2, pixels.shape[0] // factor))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if factor > 1 else pixels
    small = cv2.GaussianBlur(small, (0, 0), max(0.5, radius / factor))
    if factor == 1:
        return small
    return cv2.resize(small, (pixels.shape[1], pixels.shape[0]), interpolation=cv2.INTER_LINEAR)
