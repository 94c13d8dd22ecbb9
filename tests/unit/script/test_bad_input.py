import pytest

from models.draft.script.check import check_source
from models.interfaces import UserInputError
from models.specs import ScriptStep
from tests.unit.script.flow import break_down, write


@pytest.mark.parametrize("text", ["", "  \n\t", "😀🎬🌊", "。！？……", "\u200b\ufeff", "1️⃣2️⃣"])
@pytest.mark.parametrize("kind", ["text", "script", "storyboard"])
def test_nothing_to_tell_is_refused(text: str, kind: str) -> None:
    with pytest.raises(UserInputError) as caught:
        check_source(kind, text)  # type: ignore[arg-type]
    assert caught.value.field == "content"
    with pytest.raises(UserInputError):
        write(ScriptStep.STORYLINE, text, kind)


def test_right_to_left_text_becomes_a_film() -> None:
    script = break_down("مرحبا بالعالم. هذا يوم جميل، والشمس مشرقة فوق البحر. قال أحمد: «أين أنت؟»")
    assert script.storyline.language == "en"
    assert script.heard.split()[:2] == ["مرحبا", "بالعالم."]
    assert "أين أنت؟" in script.heard


def test_control_characters_change_nothing() -> None:
    assert break_down("The se\x07a is ca\u200blm.\r\nRain.").shots == break_down("The sea is calm.\nRain.").shots


def test_a_text_without_an_end_mark_is_cut_into_shots() -> None:
    script = break_down("海浪一层一层涌上来" * 60)
    assert len(script.shots) > 5
    assert max(shot.duration_s for shot in script.shots) <= 15


def test_documents_join_the_text() -> None:
    script = break_down("Anna walks.", documents=["Clara waits in the library.", "  "])
    assert "Clara waits" in script.heard
    assert "Clara" in [character.name for character in script.characters]


def test_a_storyboard_takes_people_from_its_documents() -> None:
    plain = break_down("description\nAnna waits\n", "storyboard")
    told = break_down("description\nAnna waits\n", "storyboard", documents=["Anna wears a purple coat. Anna is old."])
    assert "purple coat" in told.character("Anna").appearance
    assert "purple coat" not in plain.character("Anna").appearance
