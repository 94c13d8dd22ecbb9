"""One element written again: what it is stays, the wish is read."""

from typing import Any

import pytest

from models.language.writer import LanguageModelWriter
from models.specs import DialogueLine, Scene, ScriptResult, ScriptStep, Shot
from tests.unit.models.language.told import BEACH, EN, MIRA, SHOT, STORYLINE, STYLE, Told, known, spec

pytestmark = pytest.mark.xdist_group("torch")

ELEMENTS = [
    ("storyline", STORYLINE, "storyline"),
    ("artstyle", STYLE, "art_style"),
    ("characters", MIRA, "characters"),
    ("scenes", BEACH, "scenes"),
    ("storyboard", SHOT, "shots"),
]


def rewrite(writer: LanguageModelWriter, step: str, element: Any, content: str = EN, **fields: Any) -> ScriptResult:
    return writer.write(spec(step, content, rewrite=element, **known(**fields)), Told())


@pytest.mark.parametrize(("step", "element", "field"), ELEMENTS)
def test_the_element_alone_comes_back_changed_and_checked(
    writer: LanguageModelWriter, step: str, element: Any, field: str
) -> None:
    from control_plane.materials.elements import parts_of

    report = Told()
    asked = spec(step, EN, rewrite=element, instruction="make it stormy", **known())
    result = writer.write(asked, report)
    (part,) = parts_of(ScriptStep(step), result)
    assert type(part) is type(element)
    assert part != element
    assert result.model_fields_set == {field}
    assert "make it stormy" in report.prompts[0]
    known_words = element.description if hasattr(element, "description") else element.summary
    assert known_words in report.prompts[0] or not known_words
    other = writer.write(asked.model_copy(update={"take": 1}), Told())
    assert other != result
    assert writer.write(asked, Told()) == result


def test_names_and_numbers_stay_unless_the_wish_names_others(writer: LanguageModelWriter) -> None:
    assert rewrite(writer, "characters", MIRA, instruction="older").characters[0].name == "Mira"
    assert rewrite(writer, "scenes", BEACH).scenes[0].name == "Beach at dusk"
    assert rewrite(writer, "storyboard", SHOT, instruction="closer").shots[0].shot_number == 3
    assert rewrite(writer, "characters", MIRA, instruction="rename her to Nova").characters[0].name == "Nova"
    assert rewrite(writer, "characters", MIRA, instruction="older").characters[0].character_type == "protagonist"
    wished = rewrite(writer, "storyline", STORYLINE, instruction='change the title to "Tide"').storyline
    assert wished is not None
    assert wished.title == "Tide"


@pytest.mark.parametrize("mode", ["general", "professional"])
def test_a_faithful_shot_keeps_its_words_unless_the_wish_quotes_others(writer: LanguageModelWriter, mode: str) -> None:
    shot = SHOT.model_copy(update={"dialogue": [DialogueLine(character="Mira", text="A shell that sings.")]})
    heard = [(s.narration, [line.text for line in s.dialogue]) for s in [shot]]
    kept = rewrite(writer, "storyboard", shot, input_mode=mode, instruction="warmer light").shots
    assert ([(s.narration, [line.text for line in s.dialogue]) for s in kept] == heard) is (mode == "professional")
    wish = 'change the narration to "The tide turned." and the line to "Listen!"'
    (quoted,) = rewrite(writer, "storyboard", shot, input_mode=mode, instruction=wish).shots
    assert quoted.narration == "The tide turned."
    assert [line.text for line in quoted.dialogue] == ["Listen!"]


def test_a_rewritten_shot_has_time_for_its_words_and_known_people(writer: LanguageModelWriter) -> None:
    long = "word " * 40
    (shot,) = rewrite(writer, "storyboard", SHOT, instruction=f'change the narration to "{long.strip()}"').shots
    assert shot.duration_s >= 15
    for seed in range(8):
        (shot,) = rewrite(writer, "storyboard", SHOT, seed=seed).shots
        assert shot.scene in {"Beach at dusk", "Pier"}
        assert {"Mira", "Fisherman"}.issuperset(shot.characters)
        assert shot.description
        assert Shot.model_validate(shot.model_dump()) == shot


def test_a_screenplays_text_is_not_rewritten(writer: LanguageModelWriter) -> None:
    script = "INT. PIER - NIGHT\n\nANNA\nHello.\n"
    told = STORYLINE.model_copy(update={"content": script})
    fields = known(storyline=told)
    result = writer.write(spec("storyline", script, "script", rewrite=told, instruction="darker", **fields), Told())
    assert result.storyline is not None
    assert result.storyline.content == script


def test_a_name_with_marks_of_json_survives(writer: LanguageModelWriter) -> None:
    scene = Scene(name='The "Old" \\ Pier]', scene_type="outdoor", description="wood")
    assert rewrite(writer, "scenes", scene).scenes[0].name == scene.name
