"""What a screenplay, a storyboard or a faithful text says is kept to the letter."""

import pytest

from models.draft.script.writer import read_source
from models.language.writer import LanguageModelWriter
from models.specs import Emotion
from tests.unit.models.language.told import BEACH, EN, FISHERMAN, MIRA, PIER, ZH, Told, break_down, heard, known, spec

pytestmark = pytest.mark.xdist_group("torch")

SCREENPLAY = """Title: Rooftop Signal

EXT. ROOFTOP - NIGHT

Rain beads on an old antenna.

MIRA
(whispering)
Come on. One more star.

JONAH
You have been up here since sunset.

INT. STAIRWELL - NIGHT

Jonah closes the door behind him.

NARRATOR (V.O.)
Nobody saw the light.

MIRA
It answered!
"""
TABLE = """镜号,景别,场景,画面,旁白,对白,角色,时长,运镜,转场
1,远景,雨夜的街道,霓虹灯倒映在积水里,雨下了整整一夜。,,,4,向右摇,
2,,雨夜的街道,,安安在路灯下等了很久。,,安安,,,
3,特写,面包店,安安低头看着小猫,,安安：别怕，我带你回家。,安安、陈伯,3.5,,淡出
"""


def test_a_screenplays_words_people_and_places_stay(writer: LanguageModelWriter) -> None:
    made = break_down(writer, SCREENPLAY, "script")
    assert made.storyline is not None
    assert made.storyline.title == "Rooftop Signal"
    assert made.storyline.content == SCREENPLAY
    assert {c.name for c in made.characters} == {"Mira", "Jonah"}
    assert [s.name for s in made.scenes] == ["Rooftop at night", "Stairwell at night"]
    assert [s.scene_type for s in made.scenes] == ["outdoor", "indoor"]
    lines = [(line.character, line.text) for shot in made.shots for line in shot.dialogue]
    assert lines == [
        ("Mira", "Come on. One more star."),
        ("Jonah", "You have been up here since sunset."),
        ("Mira", "It answered!"),
    ]
    assert made.shots[1].dialogue[0].emotion is Emotion.WHISPER
    assert [shot.narration for shot in made.shots if shot.narration] == ["Nobody saw the light."]
    assert "Rain beads on an old antenna." in made.shots[0].action
    assert made.shots[0].scene == "Rooftop at night"
    assert made.shots[-1].scene == "Stairwell at night"


def test_a_screenplays_people_have_the_names_the_user_gave_them(writer: LanguageModelWriter) -> None:
    cast = [MIRA.model_copy(update={"name": "Nova"}), FISHERMAN.model_copy(update={"name": "Jonah"})]
    shots = writer.write(spec("storyboard", SCREENPLAY, "script", characters=cast, scenes=[BEACH, PIER]), Told()).shots
    assert {line.character for shot in shots for line in shot.dialogue} == {"Nova", "Jonah"}


def test_every_cell_of_a_storyboard_stays_and_gaps_are_filled(writer: LanguageModelWriter) -> None:
    made = break_down(writer, TABLE, "storyboard")
    assert {c.name for c in made.characters} == {"安安", "陈伯"}
    assert [s.name for s in made.scenes] == ["雨夜的街道", "面包店"]
    one, two, three = made.shots
    assert (one.description, one.narration, one.shot_type, one.duration_s) == (
        "霓虹灯倒映在积水里",
        "雨下了整整一夜。",
        "wide",
        4,
    )
    assert one.camera_movement == "pan_right"
    assert (two.narration, two.characters, two.scene) == ("安安在路灯下等了很久。", ["安安"], "雨夜的街道")
    assert two.description not in {"", two.narration}
    assert (three.description, three.shot_type, three.transition, three.duration_s) == (
        "安安低头看着小猫",
        "close_up",
        "fade_black",
        3.5,
    )
    assert [(line.character, line.text) for line in three.dialogue] == [("安安", "别怕，我带你回家。")]


def test_a_storyboard_that_says_everything_needs_no_model(writer: LanguageModelWriter) -> None:
    table = (
        "description,action,shot_type,camera,transition,duration,narration\n"
        "The sea at night,Waves roll in,wide,static,cut,3,The sea slept.\n"
    )
    report = Told()
    (shot,) = writer.write(spec("storyboard", table, "storyboard"), report).shots
    assert report.prompts == []
    assert (shot.description, shot.action, shot.duration_s) == ("The sea at night", "Waves roll in", 3)


def test_a_storyboards_style_and_title_and_documents_are_used(writer: LanguageModelWriter) -> None:
    board = '{"title": "Night Bus", "style": "charcoal sketch", "shots": [{"description": "A bus in the rain"}]}'
    report = Told()
    storyline = writer.write(spec("storyline", board, "storyboard"), Told()).storyline
    assert storyline is not None
    assert storyline.title == "Night Bus"
    writer.write(spec("artstyle", board, "storyboard", documents=["The driver is called Ada."]), report)
    assert "charcoal sketch" in report.prompts[0]
    assert "The driver is called Ada." in report.prompts[0]


@pytest.mark.parametrize("content", [ZH, EN])
def test_a_faithful_film_says_every_sentence_and_the_texts_own_dialogue(
    writer: LanguageModelWriter, content: str
) -> None:
    fields = known(storyline=None, input_mode="professional", target_duration_s=None)
    shots = writer.write(spec("storyboard", content, **fields), Told()).shots
    source = read_source(spec("storyboard", content, input_mode="professional"))
    narrated = [beat.narration for beat in source.beats if beat.narration]
    spoken = [line.text for beat in source.beats for line in beat.lines]
    assert len(narrated) > 3
    assert len(spoken) >= 2
    told = "".join(shot.narration for shot in shots)
    assert all(sentence in told for sentence in narrated)
    assert [line.text for shot in shots for line in shot.dialogue] == spoken
    assert {line.character for shot in shots for line in shot.dialogue} <= {"Mira", "Fisherman"}
    assert all(words.rstrip(".。") in content for words in [*narrated, *spoken])  # a quotation ends in a full stop


def test_a_faithful_film_without_a_cast_narrates_what_is_said(writer: LanguageModelWriter) -> None:
    shots = writer.write(spec("storyboard", EN, input_mode="professional", target_duration_s=10), Told()).shots
    assert "A shell that sings" in heard(shots)
    assert not any(shot.dialogue for shot in shots)


def test_a_free_film_is_told_in_the_models_words(writer: LanguageModelWriter) -> None:
    shots = writer.write(spec("storyboard", EN, **known(storyline=None)), Told()).shots
    assert "An old fisherman mended his net." not in heard(shots)


def test_a_short_faithful_film_loses_no_words(writer: LanguageModelWriter) -> None:
    fields = known(storyline=None, input_mode="professional", target_duration_s=6)
    shots = writer.write(spec("storyboard", EN, **fields), Told()).shots
    assert len(shots) <= 4
    assert "An old fisherman mended his net." in heard(shots)
    assert "Night fell, and the first star rose over the water." in heard(shots)
