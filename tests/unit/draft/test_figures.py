"""Figures in themselves: beards that leave a face, laps, umbrellas over heads."""

from dataclasses import replace

import numpy as np
import pytest

from models.draft.painter.canvas import Canvas
from models.draft.painter.colour import Colour, rgb
from models.draft.painter.figures.figure import draw_figure
from models.draft.painter.figures.looks import Look, look_of
from models.draft.painter.figures.poses import POSES, Pose
from models.draft.painter.light import light_of
from models.specs import ShotType, Subject
from tests.unit.draft.pictures import paint, spec

WHITE, DARK = rgb("#f3f1ea"), rgb("#8d5a3a")
DAY = light_of("day", "clear")


def _look(appearance: str, **fields: object) -> Look:
    given = {"name": "Old Chen", "gender": "male", "age": "elder", "appearance": appearance, **fields}
    return look_of(Subject.model_validate(given))


def _head(look: Look, pose: Pose, held: str | None = None) -> tuple[np.ndarray, float, float, float]:
    """A large figure's picture, its head's centre and half-height."""
    canvas = Canvas(520, 700)
    draw_figure(canvas, look, pose, DAY, x=260, y=690, size=480, near=0.9, held=held)
    x, y, r = canvas.faces[0]
    return canvas.rgb, x, y, r


def _mean(pixels: np.ndarray, x: float, y: float, reach: float) -> np.ndarray:
    part = pixels[round(y - reach) : round(y + reach) + 1, round(x - reach) : round(x + reach) + 1]
    return part.reshape(-1, 3).astype(float).mean(axis=0)


def _is_nearer(seen: np.ndarray, one: Colour, other: Colour) -> bool:
    return bool(np.abs(seen - np.array(one)).sum() < np.abs(seen - np.array(other)).sum())


@pytest.mark.parametrize("pose", [POSES["stand"], replace(POSES["stand"], turn=0.25)])
@pytest.mark.parametrize("skin", ["#8d5a3a", "#b67a4d"])
def test_a_white_beard_leaves_cheeks_and_lips(pose: Pose, skin: str) -> None:
    look = replace(_look("bald, white beard, blue coat"), skin=rgb(skin))
    pixels, x, y, r = _head(look, pose)
    lit_skin, lit_beard = DAY.on_skin(rgb(skin)), DAY.on_skin(WHITE)
    for side in (-1, 1):
        cheek = _mean(pixels, x + (0.45 * side + 0.2 * pose.turn) * r, y + 0.4 * r, 0.04 * r)
        assert _is_nearer(cheek, lit_skin, lit_beard)
    chin = _mean(pixels, x + 0.2 * pose.turn * r, y + 1.02 * r, 0.1 * r)
    assert _is_nearer(chin, lit_beard, lit_skin)


@pytest.mark.parametrize("age", ["child", "young", "adult", "elder"])
@pytest.mark.parametrize("pose", ["stand", "sit", "walk", "hold", "wave"])
def test_an_umbrella_hides_no_face(age: str, pose: str) -> None:
    look = replace(_look("short hair, blue coat", age=age), skin=rgb("#eec39c"))
    bare, x, y, r = _head(look, POSES[pose])
    under, *_ = _head(look, POSES[pose], held="umbrella")
    top, left = round(y - 0.6 * r), round(x - 0.5 * r)
    face = slice(top, round(y + 0.8 * r)), slice(left, round(x + 0.5 * r))
    assert np.abs(bare[face].astype(int) - under[face].astype(int)).mean() < 2
    assert np.abs(bare[: round(y - 1.1 * r)].astype(int) - under[: round(y - 1.1 * r)].astype(int)).mean() > 2


@pytest.mark.parametrize(
    ("where", "is_open"),
    [
        ("a street in the rain", True),
        ("雪夜的街道，下雪", True),
        ("a street on a sunny day", False),
        ("a bedroom on a rainy night", False),
        ("教室里", False),
    ],
)
def test_somebody_s_umbrella_is_open_only_where_something_falls_on_it(where: str, is_open: bool) -> None:
    owner = Subject(name="Jonah", appearance="grey hair, navy coat, black pants, purple umbrella", gender="male")
    bare = owner.model_copy(update={"appearance": owner.appearance.replace(", purple umbrella", "")})
    with_it, without = (paint(spec(where, subjects=[who])).pixels.astype(int) for who in (owner, bare))
    changed = np.abs(with_it - without).max(axis=2) > 24
    columns = np.flatnonzero(changed.any(axis=0))
    across = (columns.max() - columns.min()) / 270
    assert (across > 0.25) == is_open


@pytest.mark.parametrize("size", [(480, 270), (270, 480)])
@pytest.mark.parametrize(
    ("age", "clothes"),
    [("child", "white shirt, purple shorts"), ("adult", "white shirt, purple pants"), ("young", "purple dress")],
)
def test_a_lap_is_seen_above_the_subtitles(age: str, clothes: str, size: tuple[int, int]) -> None:
    width, height = size
    who = Subject(name="Ann", appearance=f"short black hair, {clothes}", gender="female", age=age)
    for words in ("Ann sits in the kitchen", "安坐在厨房里"):
        sitting = spec(words, subjects=[who], shot_type=ShotType.MEDIUM, width=width, height=height)
        red, green, blue = np.moveaxis(paint(sitting).pixels.astype(int), 2, 0)
        purple = (blue > green + 40) & (red > green + 15)
        broad = np.flatnonzero(purple.sum(axis=1) >= 0.9 * purple.sum(axis=1).max())
        assert purple.sum(axis=1).max() > 0.1 * width
        assert broad.max() < 0.82 * height


def test_a_robot_wears_metal_unless_the_text_dresses_it() -> None:
    robot = _look("a brown robot with a brown metal body", name="Robot", gender="other", age="adult")
    dressed = _look("a silver robot in a red dress and a straw hat", name="Robot", gender="other", age="adult")
    assert (robot.species, robot.top, robot.top_colour, robot.accessories) == ("robot", "armor", robot.skin, {})
    assert (dressed.top, dressed.top_colour) == ("dress", rgb("#d8413c"))
    assert set(dressed.accessories) == {"straw_hat"}
