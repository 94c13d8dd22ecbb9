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


@pytest.mark.parametrize(
    "noise",
    ["\x1b[31m", "\x1b[1;38;5;208m", "\x1b[0K", "\x1b]0;a title\x07", "\x1b]8;;http://a\x1b\\", "\x1b(B", "\x9b0m"],
)
def test_an_escape_sequence_goes_as_a_whole(noise: str) -> None:
    assert break_down(f"The {noise}sea is calm.\nRain{noise}.").shots == break_down("The sea is calm.\nRain.").shots
    shots = f'[{{"description": "The sea", "narration": "{noise}Calm"}}]'.replace("\x1b\\", "\x1b\\\\")
    spelt = shots.replace("\x1b", "\\u001b").replace("\x07", "\\u0007").replace("\x9b", "\\u009b")
    plain = break_down('[{"description": "The sea", "narration": "Calm"}]', "storyboard").shots
    assert break_down(spelt, "storyboard").shots == plain


@pytest.mark.parametrize("text", ["Note [3] and [m] stay.", "第[31]页。"])
def test_brackets_are_no_escape_sequences(text: str) -> None:
    assert break_down(text).heard == text


@pytest.mark.parametrize(
    ("kind", "text", "zh", "en"),
    [
        ("text", "", "内容为空", "the content is empty"),
        ("text", "😀", "内容里没有可以讲述的文字", "nothing to tell"),
        ("text", "a\nb\0c", "第 2 行含有 NUL", "line 2 contains a NUL"),
        ("script", "内景 房间 夜\n\n[[没有结束", "第 3 行：批注", "line 3: the note"),
        ("script", "INT. A - DAY\n\n@ANN\n\nWalks.", "第 3 行：角色“ANN”", "line 3: the cue 'ANN'"),
        ("script", "Just a story.", "从第 1 行起", "no scene heading"),
    ],
)
def test_a_refusal_is_there_in_both_languages(kind: str, text: str, zh: str, en: str) -> None:
    with pytest.raises(UserInputError) as caught:
        check_source(kind, text)  # type: ignore[arg-type]
    assert caught.value.zh.startswith(zh)
    assert caught.value.en.startswith(en)


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
