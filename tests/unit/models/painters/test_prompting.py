"""What a spec says is in the words that a model gets, in the language of its prompt."""

from typing import Any

import pytest

from models.diffusion.prompting import language_of, prompt_of
from models.diffusion.sizes import fitted, working_size
from models.diffusion.wording import FRAMINGS, SHOTS
from models.specs import ArtStyle, Framing, ImageSpec, Place, ShotType, Subject
from tests.unit.models.painters.conftest import picture

pytestmark = pytest.mark.xdist_group("torch")

STYLE = ArtStyle(
    style_name="Watercolor",
    description="wet paper",
    prompt_template="{prompt}, loose washes",
    visual_keywords=["soft edges", "loose washes"],
    palette=["#2f6fb3", "#f7f5f0"],
)
PLACE = Place(
    name="the old mill", scene_type="indoor", description="beams and sacks", atmosphere="dusty", lighting="low sun"
)
LIN = Subject(name="Lin", appearance="red coat", gender="female", age="young", seed=1)


def spec_of(**fields: Any) -> ImageSpec:
    usual = {
        "prompt": "She lifts a sack.",
        "width": 64,
        "height": 64,
        "style": STYLE,
        "place": PLACE,
        "subjects": [LIN],
    }
    return ImageSpec.model_validate(usual | fields)


def words(**fields: Any) -> str:
    return prompt_of(spec_of(**fields)).positive


def test_a_prompt_has_all_that_the_spec_says() -> None:
    text = words()
    for said in (
        "She lifts a sack", "Medium shot", "Lin: a young woman, red coat", "the old mill", "interior",
        "beams and sacks", "dusty", "low sun", "loose washes", "Watercolor", "wet paper", "soft edges", "blue", "white",
    ):  # fmt: skip
        assert said in text, said
    assert text.count("loose washes") == 1
    assert text == words()


@pytest.mark.parametrize(
    "fields",
    [
        {"shot_type": ShotType.WIDE},
        {"framing": Framing.SCENE},
        {"subjects": [LIN.model_copy(update={"age": "elder"})]},
        {"subjects": [LIN.model_copy(update={"gender": "male"})]},
        {"subjects": [LIN.model_copy(update={"seed": 2})]},
        {"subjects": []},
        {"place": PLACE.model_copy(update={"scene_type": "outdoor"})},
        {"place": PLACE.model_copy(update={"seed": 3})},
        {"place": None},
        {"style": STYLE.model_copy(update={"palette": ["#c8352b"]})},
        {"style": STYLE.model_copy(update={"visual_keywords": []})},
        {"style": STYLE.model_copy(update={"prompt_template": "bold outlines"})},
    ],
    ids=str,
)
def test_every_field_changes_the_words(fields: dict[str, Any]) -> None:
    assert words(**fields) != words()


@pytest.mark.parametrize("framing", list(Framing))
def test_a_sheet_is_asked_for_by_its_kind(framing: Framing) -> None:
    for prompt, language in (("a miller", "en"), ("磨坊主", "zh")):
        text = prompt_of(spec_of(prompt=prompt, framing=framing)).positive
        asked = SHOTS[ShotType.MEDIUM] if framing is Framing.SHOT else FRAMINGS[framing]
        assert text.startswith(asked[language])


@pytest.mark.parametrize("framing", [Framing.FRONT_VIEW, Framing.THREE_VIEW, Framing.DETAIL])
def test_a_sheet_of_a_person_is_on_plain_ground(framing: Framing) -> None:
    text = words(framing=framing)
    assert "plain light grey background" in text
    assert "mill" not in text
    assert "red coat" in text


def test_a_chinese_prompt_stays_chinese() -> None:
    style = ArtStyle(style_name="水墨", prompt_template="{prompt}，留白", palette=["#c8352b"])
    place = Place(name="书院", description="竹林小院", lighting="晨光")
    subject = Subject(name="林冲", appearance="红色长袍", gender="male", age="adult")
    prompt = prompt_of(spec_of(prompt="林冲推门而入", style=style, place=place, subjects=[subject]))
    assert not any(letter.isascii() and letter.isalpha() for letter in prompt.positive + prompt.negative)
    for said in ("林冲推门而入", "红色长袍", "成年男子", "书院", "晨光", "室外", "留白", "水墨风格", "红色"):
        assert said in prompt.positive


@pytest.mark.parametrize(
    ("prompt", "language"),
    [
        ("a fox", "en"),
        ("一只狐狸", "zh"),
        ("狐狸 in the deep dark woods", "en"),
        ("Lin 推开了沉重的木门", "zh"),
        ("", "en"),
    ],
)
def test_the_language_is_that_of_the_prompt(prompt: str, language: str) -> None:
    assert language_of(spec_of(prompt=prompt)) == language


def test_without_words_the_language_is_that_of_what_is_shown() -> None:
    assert language_of(spec_of(prompt="123", subjects=[], place=Place(description="竹林小院"))) == "zh"


def test_negative_words_are_the_users_and_the_usual_ones() -> None:
    assert prompt_of(spec_of(negative_prompt="cats")).negative.startswith("cats, low quality")
    assert "people" in prompt_of(spec_of(framing=Framing.SCENE)).negative
    assert "people" not in prompt_of(spec_of()).negative


def test_a_model_without_negative_prompts_is_told_what_to_leave_out() -> None:
    prompt = prompt_of(spec_of(negative_prompt="cats"), negated=False)
    assert prompt.positive.endswith("Leave out: cats")
    assert prompt.negative == ""
    assert "Leave out" not in prompt_of(spec_of(), negated=False).positive


def test_pictures_that_go_with_the_prompt_are_named_in_order() -> None:
    text = prompt_of(spec_of(), ["Lin", ""]).positive
    assert text.index("Image 1 shows Lin") < text.index("Image 2 guides")
    changed = prompt_of(spec_of(), ["Lin"], changes=True).positive
    assert changed.startswith("Change image 1")
    assert "Image 2 shows Lin" in changed


def test_a_sheet_shows_the_face_that_words_would_describe() -> None:
    sheet = LIN.model_copy(update={"reference_keys": ["key"]})
    assert len(words(subjects=[sheet])) < len(words())


@pytest.mark.parametrize(
    ("size", "multiple_of", "max_pixels", "expected"),
    [
        ((1280, 720), 16, 2048 * 2048, (1280, 720)),
        ((1920, 1080), 16, 2048 * 2048, (1920, 1088)),
        ((100, 70), 16, 2048 * 2048, (112, 80)),
        ((4096, 4096), 16, 1024 * 1024, (1024, 1024)),
        ((3840, 2160), 32, 1024 * 1024, (1344, 768)),
    ],
)
def test_a_size_that_can_be_painted(
    size: tuple[int, int], multiple_of: int, max_pixels: int, expected: tuple[int, int]
) -> None:
    assert working_size(*size, multiple_of=multiple_of, max_pixels=max_pixels) == expected


def test_a_picture_is_fitted_without_being_stretched() -> None:
    square = picture(1, 64, 64)
    assert fitted(square, 64, 32).tobytes() == square[16:48].tobytes()
    assert fitted(square, 128, 128).shape == (128, 128, 3)
    assert fitted(square, 30, 20).shape == (20, 30, 3)
