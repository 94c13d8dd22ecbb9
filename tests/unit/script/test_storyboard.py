import json

import pytest

from models.draft.script.check import check_source
from models.draft.script.columns import BY_HEADER, COLUMNS
from models.interfaces import UserInputError
from models.specs import CameraMovement, ShotType, Transition
from tests.unit.script.flow import SAMPLES, break_down

CSV = """镜号,景别,场景,画面,角色,旁白,对白,时长,运镜,转场
1,远景,海边,日落的海边,,太阳落下去了。,,4,左摇,叠化
2,特写,海边,小雨抬头,小雨,,小雨（低声）：你听。,2.5秒,推,切
"""


def test_what_the_author_wrote_is_kept() -> None:
    script = break_down(CSV, "storyboard")
    one, two = script.shots
    assert (one.shot_type, one.duration_s, one.camera_movement, one.transition) == (
        ShotType.WIDE,
        4.0,
        CameraMovement.PAN_LEFT,
        Transition.CROSSFADE,
    )
    assert (two.shot_type, two.duration_s, two.camera_movement, two.transition) == (
        ShotType.CLOSE_UP,
        2.5,
        CameraMovement.PUSH_IN,
        Transition.CUT,
    )
    assert one.narration == "太阳落下去了。"
    assert [(line.character, line.text, line.emotion) for line in two.dialogue] == [("小雨", "你听。", "whisper")]
    assert [scene.name for scene in script.scenes] == ["海边"]
    assert [character.name for character in script.characters] == ["小雨"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_any_separator_is_read(separator: str) -> None:
    text = "shot,description,duration\n1,A beach at sunset,3\n2,A lighthouse,4\n".replace(",", separator)
    assert [shot.duration_s for shot in break_down(text, "storyboard").shots] == [3, 4]


def test_a_cell_may_hold_separators_and_lines() -> None:
    text = 'description,dialogue,duration\n"A street, at night","Ann: Hi.\nBob: Ho.",3\n'
    shot = break_down(text, "storyboard").shots[0]
    assert "A street, at night" in shot.description
    assert [(line.character, line.text) for line in shot.dialogue] == [("Ann", "Hi."), ("Bob", "Ho.")]


def test_a_markdown_table() -> None:
    header = "| Shot | Description | Duration | Camera |\n|---|:-:|---|---|\n"
    text = header + "| 1 | A beach | 3 | zoom in |\n| 2 | A town | 2 | |\n"
    shots = break_down(text, "storyboard").shots
    assert [shot.duration_s for shot in shots] == [3, 2]
    assert shots[0].camera_movement == CameraMovement.PUSH_IN


@pytest.mark.parametrize("wrapped", [True, False])
def test_json(wrapped: bool) -> None:
    shots = [
        {"description": "A beach", "duration": 3, "characters": ["Ann"]},
        {
            "画面": "一座灯塔",
            "dialogue": [{"character": "Ann", "text": "Look!", "emotion": "excited"}],
            "camera": "orbit",
        },
    ]
    script = break_down(json.dumps({"shots": shots} if wrapped else shots), "storyboard")
    assert script.shots[0].duration_s == 3
    assert script.shots[0].characters == ["Ann"]
    assert script.shots[1].camera_movement == CameraMovement.ORBIT
    assert script.shots[1].dialogue[0].model_dump() == {"character": "Ann", "text": "Look!", "emotion": "excited"}


def test_durations_scale_to_the_film_asked_for() -> None:
    script = break_down(CSV, "storyboard", target_duration_s=13)
    assert [shot.duration_s for shot in script.shots] == [8.0, 5.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("画面,时长\n海,abc\n", "第 2 行“时长”列"),
        ("画面,时长\n海,3\n\n山,-1\n", "第 4 行“时长”列"),
        ('画面,旁白\n"海\n边",一\n山,二,三\n', "第 4 行有 3 列"),
        ('画面,旁白\n海,"没有结束\n', "第 2 行"),
        ("画面,运镜\n海,飞起来\n", "第 2 行“运镜”列"),
        ("description,transition\nsea,explode\n", "line 2, column 'transition'"),
        ("description,shot_type\nsea,huge\n", "line 2, column 'shot_type'"),
        ("descripton,duration\nsea,3\n", "did you mean 'description'"),
        ("foo,bar\n1,2\n", "line 1 should be the header"),
        ("description,description\na,b\n", "line 1: the column 'description' is there twice"),
        ("description,duration\nsea,3\n,4\n", "line 3 has no description"),
        ("description,duration\n", "no shots"),
        ("description\n" + "sea\n" * 1001, "line 1002: a storyboard has at most 1000 shots"),
        ("| description | duration |\n|---|---|\n| a | 1 | 2 |\n", "line 3 is not a row"),
        ('[{"description": "sea"},\n {"description" "x"}]', "line 2, column 17"),
        ('[{"description": "sea"}, {"description": "x", "duration": "soon"}]', "shot 2, column 'duration'"),
        ('[{"description": "sea", "duration": true}]', "shot 1, column 'duration'"),
        ('[{"description": "sea"}, "words"]', "shot 2 should be an object"),
        ('{"scenes": [{"description": "sea"}]}', "expected a list of shots"),
        ('[{"description": "sea", "dialogue": [{"text": ""}]}]', "shot 1, column 'dialogue'"),
        ("[" * 40_000 + '"a"', "nested too deeply"),
    ],
)
def test_errors_say_where(text: str, message: str) -> None:
    with pytest.raises(UserInputError) as caught:
        check_source("storyboard", text)
    assert message in str(caught.value)


@pytest.mark.parametrize("column", ["notes", "备注", "Author"])
def test_notes_may_have_a_column_of_their_own(column: str) -> None:
    check_source("storyboard", f"description,{column}\nsea,7 am\n")
    check_source("storyboard", json.dumps([{"description": "sea", column: "7 am"}]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("description,crew call\nsea,7 am\n", "line 1: no column is called 'crew call'; use shot, shot_type, scene,"),
        (
            "\n| 画面 | 天气预报 |\n|---|---|\n| 海 | 晴 |\n",
            "第 2 行：没有“天气预报”这一列；可用：镜号、景别、场景、画面",
        ),
        ('[{"description": "sea"}, {"description": "x", "sound": "y"}]', "shot 2: no column is called 'sound'"),
        ('{"shots": [{"description": "sea"}], "budget": 3}', "the storyboard: no key is called 'budget'; use shots,"),
        ('{"shots": [{"description": "sea"}], "title": 3}', "'title' should be a text"),
        ('{"shots": [{"description": "sea"}], "title": "A", "标题": "B"}', "says again"),
        (
            '{"shots": [{"description": "sea"}], "characters": [{"about": "x"}]}',
            "character 1: no key is called 'about'",
        ),
        ('{"shots": [{"description": "sea"}], "characters": [{"description": "x"}]}', "character 1 should be a name"),
        ("{", "line 1, column 2: not valid JSON"),
        ('[\n{"description": "sea"},', "line 2, column 24: not valid JSON"),
        ("[]", "the storyboard has no shots"),
        ('{"shots": []}', "the storyboard has no shots"),
        ("[" * 50_000, "line 1: the JSON is nested too deeply"),
        ('[\n"[[[[",\n' + "[{" * 50_000, "line 3: the JSON is nested too deeply"),
        ('{"a":' * 50_000, "line 1: the JSON is nested too deeply"),
        ('[{"description": "😀"}]', "shot 1 has no description"),
    ],
)
def test_what_cannot_be_used_is_named(text: str, message: str) -> None:
    with pytest.raises(UserInputError) as caught:
        check_source("storyboard", text)
    assert message in str(caught.value)
    with pytest.raises(UserInputError) as again:
        break_down(text, "storyboard")
    assert str(again.value) == str(caught.value)


@pytest.mark.parametrize(
    ("content", "zh", "en"),
    [
        ("画面,时长\n海,abc\n", "第 2 行“时长”列：“abc”", "line 2, column '时长': 'abc'"),
        (
            "description,transition\nsea,explode\n",
            "第 2 行“transition”列：不认识“explode”；可用：cut",
            "line 2, column",
        ),
        ("{", "第 1 行第 2 列：不是有效的 JSON", "line 1, column 2: not valid JSON"),
        ("sea,hill\n1,2\n", "第 1 行应是表头", "line 1 should be the header"),
    ],
)
def test_an_error_is_there_in_both_languages(content: str, zh: str, en: str) -> None:
    with pytest.raises(UserInputError) as caught:
        check_source("storyboard", content)
    assert caught.value.zh.startswith(zh)
    assert caught.value.en.startswith(en)
    assert not any("\u4e00" <= letter <= "\u9fff" for letter in caught.value.en.replace("时长", ""))


def test_the_documentation_names_every_column_by_names_that_are_read() -> None:
    text = (SAMPLES.parent / "docs" / "storyboard.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    named = [(column.strip("`"), other.split(";")[0].replace("`", "").split(", ")) for column, other in rows]
    assert {BY_HEADER[column] for column, _ in named} == set(COLUMNS)
    for column, others in named:
        assert {BY_HEADER[name] for name in others} == {BY_HEADER[column]}
    assert all(note in text for note in ("备注", "说明", "作者", "`notes`", "`comments`", "`remarks`", "`date`"))


def test_an_object_says_more_of_the_film() -> None:
    shots = [{"画面": "茶馆里，阿月倒茶"}, {"画面": "竹林里有一只熊猫"}]
    text = {
        "title": "月球茶馆",
        "style": "像素",
        "characters": [{"name": "阿月", "appearance": "紫色旗袍，短发"}, "老周"],
        "shots": shots,
    }
    script = break_down(json.dumps(text, ensure_ascii=False), "storyboard")
    assert script.storyline.title == "月球茶馆"
    assert script.art_style.visual_keywords[0] == "pixel"
    assert {character.name for character in script.characters} == {"阿月", "老周"}
    assert "紫色旗袍" in script.character("阿月").appearance
    plain = break_down(json.dumps({"shots": shots}, ensure_ascii=False), "storyboard")
    assert plain.storyline.title != "月球茶馆"
    assert plain.art_style.visual_keywords[0] != "pixel"
