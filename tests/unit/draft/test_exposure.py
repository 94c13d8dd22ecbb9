"""Every picture can be made out: bounds of its brightness and of the faces in it."""

from collections.abc import Sequence

import numpy as np
import pytest

from models.draft.painter import adapter, scene
from models.draft.painter.canvas import Face
from models.draft.painter.exposure import exposed
from models.draft.painter.figures.looks import look_of
from models.draft.painter.style import TECHNIQUES
from models.specs import ArtStyle, ShotType, Subject
from tests.unit.draft.pictures import paint, spec, style

_LUMA = np.array([0.2126, 0.7152, 0.0722])
_PLACES = ("a city", "a station platform", "a forest", "a snowfield", "a cave")
PAIR = [
    Subject(name="Tom", appearance="a red sweater", gender="male", age="young", seed=2),
    Subject(name="Mei", appearance="long black hair, a yellow coat", gender="female", age="young", seed=5),
]


@pytest.mark.parametrize("technique", TECHNIQUES)
@pytest.mark.parametrize(
    ("hour", "shots"), [("at night", (ShotType.WIDE, ShotType.CLOSE_UP)), ("at noon", (ShotType.WIDE,))]
)
def test_pictures_and_faces_keep_their_bounds_in_every_style(
    technique: str, hour: str, shots: tuple[ShotType, ...], monkeypatch: pytest.MonkeyPatch
):
    seen: list[Sequence[Face]] = []
    monkeypatch.setattr(
        adapter, "exposed", lambda image, name, faces: seen.append(faces) or exposed(image, name, faces)
    )
    for place in _PLACES:
        for shot in shots:
            picture = spec(f"{place} {hour}, dark, rain", style=style(technique), subjects=PAIR, shot_type=shot)
            pixels = paint(picture).pixels
            assert 45 <= (pixels @ _LUMA).mean() <= 238, (place, shot)
            assert len(seen[-1]) == 2
            for x, y, r in seen[-1]:
                face = pixels[int(y - 0.5 * r) : int(y + 0.75 * r), int(x - 0.6 * r) : int(x + 0.6 * r)]
                assert 70 <= (face @ _LUMA).mean() <= 232, (place, shot)


def test_a_gloomy_cyberpunk_night_is_dark_but_not_black():
    gloomy = ArtStyle(
        style_name="Cyberpunk",
        visual_keywords=["neon"],
        description="dark, gloomy",
        palette=["#050510", "#101030", "#402060"],
    )
    night, day = (paint(spec(f"a street {hour}", style=gloomy)).pixels.mean() for hour in ("at night", "at noon"))
    assert 42 <= night < day


@pytest.mark.parametrize("technique", ["comic", "anime", "ink", "storybook"])
def test_snow_darkens_nothing_in_styles_that_draw_contours(technique: str, monkeypatch: pytest.MonkeyPatch):
    picture = spec("a village, snow", style=style(technique), subjects=PAIR[:1], shot_type=ShotType.CLOSE_UP)
    snowy = paint(picture).pixels @ _LUMA
    monkeypatch.setattr(scene, "paint_weather", lambda *_: None)
    clear = paint(picture).pixels @ _LUMA
    assert (snowy > clear + 60).mean() > 0.002
    assert (snowy < clear - 20).mean() < 0.001


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
