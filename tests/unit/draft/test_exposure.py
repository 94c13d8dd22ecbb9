"""Every picture can be made out: bounds of its brightness and of the faces in it."""

import numpy as np
import pytest

from models.draft.painter import DraftPainter
from models.draft.painter.figures.looks import look_of
from models.draft.painter.reading import read
from models.draft.painter.scene import paint_scene
from models.draft.painter.style import TECHNIQUES
from models.specs import ShotType, Subject
from tests.unit.draft.pictures import paint, spec, style

_LUMA = np.array([0.2126, 0.7152, 0.0722])
_PLACES = ("a city", "a station platform", "a forest", "a snowfield", "a bedroom", "a cave", "the beach")
PAIR = [
    Subject(name="Tom", appearance="a red sweater", gender="male", age="young", seed=2),
    Subject(name="Mei", appearance="long black hair, a yellow coat", gender="female", age="young", seed=5),
]


@pytest.mark.parametrize("technique", TECHNIQUES)
@pytest.mark.parametrize("hour", ["at night", "at noon"])
def test_pictures_and_faces_keep_their_bounds_in_every_style(technique: str, hour: str):
    for place in _PLACES:
        for shot in (ShotType.WIDE, ShotType.CLOSE_UP):
            picture = spec(
                f"{place} {hour}, dark, rain",
                style=style(technique),
                subjects=PAIR,
                shot_type=shot,
                width=640,
                height=360,
            )
            pixels = paint(picture).pixels
            assert 45 <= (pixels @ _LUMA).mean() <= 238, (place, shot)
            faces = paint_scene(picture, read(picture), {}).canvas.faces
            assert len(faces) == 2
            for x, y, r in faces:
                face = pixels[int(y - 0.5 * r) : int(y + 0.75 * r), int(x - 0.6 * r) : int(x + 0.6 * r)]
                assert 70 <= (face @ _LUMA).mean() <= 232, (place, shot)


def test_a_gloomy_cyberpunk_night_is_dark_but_not_black():
    from models.specs import ArtStyle

    gloomy = ArtStyle(
        style_name="Cyberpunk",
        visual_keywords=["neon"],
        description="dark, gloomy",
        palette=["#050510", "#101030", "#402060"],
    )
    night, day = (paint(spec(f"a street {hour}", style=gloomy)).pixels.mean() for hour in ("at night", "at noon"))
    assert 42 <= night < day


@pytest.mark.parametrize("technique", ["comic", "anime", "ink", "storybook"])
def test_snow_is_white_over_a_face_in_styles_that_draw_contours(technique: str):
    snowy = spec(
        "a village, snow", style=style(technique), subjects=PAIR[:1], shot_type=ShotType.CLOSE_UP, width=640, height=360
    )
    shown = paint(snowy).pixels.astype(int)
    stage = paint_scene(snowy, read(snowy), {})
    assert stage.canvas.falling is not None
    flakes = stage.canvas.falling[..., 0] > 200
    (x, y, r) = stage.canvas.faces[0]
    face = np.zeros(flakes.shape, bool)
    face[int(y - 0.4 * r) : int(y + 0.8 * r), int(x - 0.6 * r) : int(x + 0.6 * r)] = True
    assert (flakes & face).sum() > 20
    assert (shown[flakes & face] @ _LUMA).min() > 150
    # Round a flake nothing is darker than without it.
    dry = DraftPainter().paint(snowy.model_copy(update={"negative_prompt": "snow"}), {}, lambda fraction: None).pixels
    dark = (shown @ _LUMA < 60) & face
    assert dark.sum() < ((dry @ _LUMA < 60) & face).sum() + 0.02 * face.sum()


def test_a_wish_for_other_clothes_changes_the_clothes_alone():
    for seed in range(12):
        plain = Subject(name="Mei", appearance="long hair, a yellow coat", gender="female", age="young", seed=seed)
        before = look_of(plain)
        for wish in (
            "wear a green hat and a red dress",
            "穿黑色西装，戴眼镜",
            "an old brown coat",
            "a young lady's kimono in blue",
        ):
            after = look_of(plain.model_copy(update={"appearance": f"{plain.appearance}. {wish}"}))
            for trait in ("skin", "eyes", "hair", "hair_colour", "build", "heads", "age", "gender", "species"):
                assert getattr(after, trait) == getattr(before, trait), (wish, trait)
            assert after != before


def test_clothes_said_to_be_old_make_nobody_old_but_people_said_to_be_old_are():
    def age(text: str) -> str:
        return look_of(Subject(name="x", appearance=text)).age

    assert age("an old brown coat") == age("穿着老旧的大衣") == "adult"
    assert age("an old man in a coat") == age("老人，棕色大衣") == "elder"


def test_the_ground_of_a_reference_is_not_what_somebody_wears():
    from models.draft.painter.figures.looks import dressed_like, foreground_colours

    # Sky and grass, both strong colours, behind a grey figure.
    picture = np.zeros((120, 120, 3), np.uint8)
    picture[:60] = (60, 140, 230)
    picture[60:] = (60, 180, 60)
    assert foreground_colours(picture) == []
    look = look_of(Subject(name="Ann", appearance="a coat", gender="female"))
    assert dressed_like(look, picture, {}) == look
    picture[30:116, 45:75] = (150, 60, 60)
    dressed = dressed_like(look, picture, {})
    assert dressed.top_colour[0] > dressed.top_colour[1] + 50
    assert dressed_like(look, picture, {"coat": look.top_colour}).top_colour == look.top_colour
