from itertools import pairwise

import pytest

from models.draft.script.text import speech_seconds
from models.specs import Character, Scene, ScriptStep, Shot
from tests.unit.script.flow import break_down, sample, write

STORY = sample("seaside.txt")


def _speech_s(shot: Shot) -> float:
    return speech_seconds(shot.narration) + sum(speech_seconds(line.text) for line in shot.dialogue)


@pytest.mark.parametrize("mode", ["general", "professional"])
def test_a_smart_film_gives_every_shot_time_for_its_words(mode: str) -> None:
    for shot in break_down(STORY, input_mode=mode).shots:
        assert shot.duration_s >= max(2.5, _speech_s(shot) + 0.4) - 1e-6
        assert shot.duration_s <= max(2.5, _speech_s(shot) + 0.4) + 0.1


@pytest.mark.parametrize("mode", ["general", "professional"])
@pytest.mark.parametrize("target_s", [1.5, 5, 10, 15, 30, 60, 90, 300])
def test_the_film_lasts_as_long_as_asked(mode: str, target_s: float) -> None:
    shots = break_down(STORY, input_mode=mode, target_duration_s=target_s).shots
    assert sum(shot.duration_s for shot in shots) == pytest.approx(target_s, rel=0.05)
    assert all(1.5 - 1e-9 <= shot.duration_s <= 12 for shot in shots)


@pytest.mark.parametrize("target_s", [10, 20, 30])
def test_a_condensed_film_has_time_for_what_it_kept(target_s: float) -> None:
    shots = break_down(STORY, target_duration_s=target_s).shots
    assert len(shots) > 1
    assert all(_speech_s(shot) <= shot.duration_s + 0.5 for shot in shots)


@pytest.mark.parametrize("target_s", [None, 5, 20, 200])
def test_professional_loses_no_word(target_s: float | None) -> None:
    script = break_down(STORY, input_mode="professional", target_duration_s=target_s)
    story = STORY.split("\n", 1)[1]
    letters = sorted(character for character in story if character.isalnum())
    assert sorted(character for character in script.heard if character.isalnum()) == letters


def test_professional_is_finer_than_general() -> None:
    general, professional = break_down(STORY), break_down(STORY, input_mode="professional")
    assert len(professional.shots) > len(general.shots)


def test_general_drops_he_said_and_professional_keeps_it() -> None:
    text = '"We are home," said Anna. "At last," Tom replied.'
    assert "said" not in break_down(text).heard
    assert "said Anna." in break_down(text, input_mode="professional").heard


def test_words_are_heard_in_the_order_of_the_text() -> None:
    script = break_down(STORY)
    order = [
        script.heard.index(words) for words in ("夕阳", "补网", "你在找什么", "我在找", "放下渔网", "我听见了", "灯塔")
    ]
    assert order == sorted(order)


def test_a_wish_for_haste_shortens_what_is_not_spoken() -> None:
    text = "EXT. BEACH - DAY\n\nWaves roll in over and over on the wide and empty sand.\n\nANN\nHi.\n"
    plain, slow = (break_down(text, "script", instruction=wish).duration_s for wish in ("", "slower please"))
    assert slow > plain


@pytest.mark.parametrize("wish", ["more close-ups", "推镜头", "夜晚"])
def test_a_wish_changes_the_shots(wish: str) -> None:
    assert write(ScriptStep.STORYBOARD, STORY, instruction=wish).shots != write(ScriptStep.STORYBOARD, STORY).shots


def test_shots_name_only_the_scenes_and_characters_of_the_lists() -> None:
    scenes = [Scene(name="月球基地", scene_type="indoor")]
    cast = [Character(name="老渔夫", character_type="protagonist")]
    shots = write(ScriptStep.STORYBOARD, STORY, scenes=scenes, characters=cast).shots
    assert {shot.scene for shot in shots} == {"月球基地"}
    assert {name for shot in shots for name in shot.characters} == {"老渔夫"}
    assert {line.character for shot in shots for line in shot.dialogue} == {"老渔夫"}
    assert "我在找会唱歌的贝壳" in "".join(shot.narration for shot in shots)


def test_a_renamed_character_keeps_their_part() -> None:
    cast = write(ScriptStep.CHARACTERS, STORY).characters
    cast[0] = cast[0].model_copy(update={"name": "阿珠"})
    shots = write(ScriptStep.STORYBOARD, STORY, characters=cast).shots
    assert "阿珠" in {line.character for shot in shots for line in shot.dialogue}
    assert not any("林晓雨" in shot.description for shot in shots)


def test_the_film_is_cut_like_a_film() -> None:
    shots = break_down(STORY).shots
    assert shots[0].shot_type == "establishing"
    assert shots[-1].transition == "fade_black"
    assert len({shot.shot_type for shot in shots}) >= 3
    assert len({shot.camera_movement for shot in shots}) >= 3
    for one, two in pairwise(shots):
        if one.scene != two.scene:
            assert one.transition == "crossfade"
        assert one.camera_movement != two.camera_movement or one.dialogue
