"""Pure decisions of a generation."""

from control_plane.materials.rules import (
    assign_references,
    cast_voices,
    narrator,
    package_progress,
    shot_prompt,
    step_progress,
    with_wish,
)
from models.catalog_file import load_catalog
from models.specs import Character, Scene, Shot, ShotType

VOICES = load_catalog().default_for("speech").voice
LIN = Character(name="林晓雨", character_type="protagonist", gender="female", age="young")
OLD = Character(name="老渔夫", character_type="supporting", gender="male", age="elder")
BEACH = Scene(name="海滩", scene_type="outdoor")
TOWN = Scene(name="小镇", scene_type="outdoor")


def test_a_step_is_not_at_100_before_it_is_over() -> None:
    assert step_progress(8, 8, "in_progress") == 99
    assert step_progress(8, 8, "completed") == 100
    assert step_progress(0, 0, "pending") == 0
    assert package_progress([100, 100, 50, 0, 0]) == 50


def test_labels_give_pictures_to_whom_they_name() -> None:
    references = assign_references(
        [("老渔夫的设计图", "a"), ("海滩", "b"), ("角色设计图", "c"), ("场景参考", "d"), (None, "e")],
        [LIN, OLD],
        [BEACH, TOWN],
    )
    assert references.by_character == {"老渔夫": ["a"], "林晓雨": ["c"]}
    assert references.by_scene == {"海滩": ["b", "d"], "小镇": ["d"]}
    assert references.general == ["e"]


def test_voices_fit_gender_and_age_and_are_not_shared() -> None:
    second = LIN.model_copy(update={"name": "小红"})
    cast = cast_voices([LIN, OLD, second], VOICES, "zh")
    assert [voice.language for voice in cast if voice] == ["zh"] * 3
    assert cast[0] and cast[0].gender == "female"
    assert cast[1] and cast[1].age_range == "elder"
    assert len({voice.id for voice in cast if voice}) == 3


def test_a_child_does_not_get_an_adults_voice() -> None:
    child = Character(name="小明", character_type="extras", gender="male", age="child")
    (voice,) = cast_voices([child], VOICES, "zh")
    assert voice and voice.age_range == "child"


def test_the_narrator_speaks_the_films_language() -> None:
    for language in ("zh", "en"):
        voice = narrator(VOICES, language)
        assert voice and voice.language == language and voice.use == "narration"


def test_a_shots_prompt_says_nothing_twice() -> None:
    shot = Shot(
        shot_number=1,
        shot_type=ShotType.WIDE,
        scene="海滩",
        description="海滩上，林晓雨跑过沙滩",
        action="跑过沙滩",
        duration_s=3,
    )
    assert shot_prompt(shot, BEACH) == "海滩. 海滩上，林晓雨跑过沙滩"


def test_a_wish_comes_last() -> None:
    assert with_wish("a girl in red", "in blue").endswith("in blue")
    assert with_wish("a girl in red", "") == "a girl in red"
