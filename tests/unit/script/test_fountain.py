import pytest

from models.draft.script.check import check_source
from models.draft.script.fountain import Kind, parse
from models.interfaces import UserInputError
from models.specs import Emotion, Transition
from tests.unit.script.flow import break_down

SCREENPLAY = """Title: *Night* Bus
Author: Somebody
    and another

# Act one

= She misses the bus.

INT. BUS STATION - NIGHT #12A#

Rain. [[why rain?]] The LAST BUS leaves.

MIRA (V.O.)
(quietly)
I am late
again.

/* cut
this
scene */

.A DREAM

@McAvoy
Hello.

BRICK
Screw retirement.

STEEL ^
Screw retirement.

!SCREAMING is action here.

~A song about rain

CUT TO:

> Burn to pink.

===

> THE END <
"""


def _kinds(text: str) -> list[tuple[Kind, str, int]]:
    return [(element.kind, element.text, element.line) for element in parse(text, "en").elements]


def test_every_element_of_the_syntax_is_recognised_with_its_line() -> None:
    screenplay = parse(SCREENPLAY, "en")
    assert screenplay.title_page == {"title": "Night Bus", "author": "Somebody and another"}
    assert _kinds(SCREENPLAY) == [
        (Kind.SECTION, "Act one", 5),
        (Kind.SYNOPSIS, "She misses the bus.", 7),
        (Kind.HEADING, "INT. BUS STATION - NIGHT", 9),
        (Kind.ACTION, "Rain.  The LAST BUS leaves.", 11),
        (Kind.CUE, "MIRA", 13),
        (Kind.PARENTHETICAL, "quietly", 14),
        (Kind.DIALOGUE, "I am late", 15),
        (Kind.DIALOGUE, "again.", 16),
        (Kind.HEADING, "A DREAM", 22),
        (Kind.CUE, "McAvoy", 24),
        (Kind.DIALOGUE, "Hello.", 25),
        (Kind.CUE, "BRICK", 27),
        (Kind.DIALOGUE, "Screw retirement.", 28),
        (Kind.CUE, "STEEL", 30),
        (Kind.DIALOGUE, "Screw retirement.", 31),
        (Kind.ACTION, "SCREAMING is action here.", 33),
        (Kind.LYRICS, "A song about rain", 35),
        (Kind.TRANSITION, "CUT TO", 37),
        (Kind.TRANSITION, "Burn to pink.", 39),
        (Kind.PAGE_BREAK, "", 41),
        (Kind.CENTERED, "THE END", 43),
    ]
    cues = [element for element in screenplay.elements if element.kind == Kind.CUE]
    assert [cue.dual for cue in cues] == [False, False, False, True]
    assert cues[0].extension == "V.O."


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("EXT. BEACH - DAY", Kind.HEADING),
        ("int house - day", Kind.HEADING),
        ("INT./EXT. CAR - NIGHT", Kind.HEADING),
        ("I/E. CAR - NIGHT", Kind.HEADING),
        ("内景 客厅 - 夜", Kind.HEADING),
        ("外景 海滩 黄昏", Kind.HEADING),
        ("第一场：外景 天台 夜", Kind.HEADING),
        (".天台", Kind.HEADING),
        ("...and then nothing.", Kind.ACTION),
        ("淡出。", Kind.TRANSITION),
        ("FADE OUT.", Kind.TRANSITION),
        ("International trade grows.", Kind.ACTION),
        ("雨下了整整一夜，街上一个人也没有。", Kind.ACTION),
        ("\\*not bold\\*", Kind.ACTION),
    ],
)
def test_one_line_is_what_it_looks_like(line: str, kind: Kind) -> None:
    assert [found for found, _, _ in _kinds(f"{line}\n")] == [kind]


def test_chinese_cues_speak() -> None:
    script = break_down("外景 天台 夜\n\n林晓雨\n（低声）\n有人吗？\n\n@老陈\n我在。\n", "script")
    lines = [line for shot in script.shots for line in shot.dialogue]
    assert [(line.character, line.text, line.emotion) for line in lines] == [
        ("林晓雨", "有人吗？", Emotion.WHISPER),
        ("老陈", "我在。", Emotion.NEUTRAL),
    ]
    assert [scene.name for scene in script.scenes] == ["夜晚的天台"]


def test_headings_are_scenes_and_a_heading_come_back_to_is_the_same_scene() -> None:
    text = "INT. ATTIC - NIGHT\n\nANN\nHi.\n\nEXT. GARDEN - DAY\n\nANN\nHo.\n\nINT. ATTIC - NIGHT\n\nANN\nBye.\n"
    script = break_down(text, "script")
    assert [scene.name for scene in script.scenes] == ["Attic at night", "Garden by day"]
    assert [shot.scene for shot in script.shots] == ["Attic at night", "Garden by day", "Attic at night"]
    assert [scene.scene_type for scene in script.scenes] == ["indoor", "outdoor"]


def test_action_is_shown_and_not_heard_and_a_narrator_is_heard() -> None:
    text = "INT. ATTIC - NIGHT\n\nDust dances in the light.\n\nNARRATOR\nLong ago.\n\nANN\nHello.\n"
    script = break_down(text, "script")
    assert script.heard.split() == ["Long", "ago.", "Hello."]
    assert "Dust dances" in script.shots[0].description
    assert [character.name for character in script.characters] == ["Ann"]


def test_transitions_are_kept() -> None:
    text = "INT. ATTIC - NIGHT\n\nANN\nHi.\n\nDISSOLVE TO:\n\nEXT. GARDEN - DAY\n\nANN\nHo.\n\n> FADE TO WHITE\n"
    shots = break_down(text, "script").shots
    assert [shot.transition for shot in shots] == [Transition.CROSSFADE, Transition.FADE_WHITE]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("INT. A - DAY\n\nWalks.\n\n/* never closed\n\nMore.", 5),
        ("INT. A - DAY\n\nWalks. [[never closed\n\nMore.", 3),
        ("INT. A - DAY\n\n@ANN\n\nWalks.", 3),
        ("INT. A - DAY\n\nANN\n(sighs)\n\nWalks.", 3),
        ("\n\nJust a story that is told\nin two lines.", 3),
    ],
)
def test_broken_input_says_the_line(text: str, line: int) -> None:
    with pytest.raises(UserInputError, match=rf"line {line}\b"):
        check_source("script", text)


def test_errors_speak_the_language_of_the_text() -> None:
    with pytest.raises(UserInputError, match="第 3 行：批注"):
        check_source("script", "内景 房间 夜\n\n他走进来。[[没有结束")


@pytest.mark.parametrize(
    "text", ["[[" * 25_000 + "a", "/*" * 25_000 + "a", "INT. A\n\n" + "*a" * 25_000, "A\n" * 25_000]
)
def test_hostile_text_ends(text: str) -> None:
    try:
        check_source("script", text)
    except UserInputError as error:
        assert "line" in str(error)
