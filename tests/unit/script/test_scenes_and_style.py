import pytest

from models.specs import ArtStyle, ScriptStep, Storyline
from tests.unit.script.flow import break_down, write


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("傍晚，海面一片金色。女孩跑过沙滩。第二天早上，她走进教室。", ["黄昏的海滩", "早晨的教室"]),
        (
            "At night she walked through the forest. At dawn she reached a village.",
            ["Forest at night", "Village at dawn"],
        ),
        ("他在厨房里做饭。他想念海边的日子。", ["厨房"]),
        ("她走进图书馆。她走出图书馆，来到公园里。", ["图书馆", "公园"]),
        ("Nothing is anywhere.", ["Open stage"]),
    ],
)
def test_a_scene_begins_where_place_or_time_changes(text: str, names: list[str]) -> None:
    assert [scene.name for scene in write(ScriptStep.SCENES, text).scenes] == names


def test_scene_kind_light_and_weather_come_from_the_words() -> None:
    street, cafe = write(ScriptStep.SCENES, "深夜，街道上下着大雨。他走进咖啡馆，坐下来。").scenes
    assert (street.scene_type, cafe.scene_type) == ("outdoor", "indoor")
    assert "下雨" in street.description
    assert "夜" in street.lighting


@pytest.mark.parametrize("said", ["“我想去海边看日落。”她说。", "“明天我们去海边看日落。”"])
def test_a_dialogue_does_not_move_the_story(said: str) -> None:
    script = break_down(f"教室里很安静。{said}")
    assert [scene.name for scene in script.scenes] == ["教室"]


def test_weather_ends_when_the_text_says_so() -> None:
    script = break_down("Rain falls on the street. Anna waits. The rain has stopped. Anna walks along the street.")
    assert "rain" not in script.shots[-1].description.lower().replace("the rain has stopped", "")


@pytest.mark.parametrize("wish", ["夜晚", "下雪", "更温暖一点"])
def test_a_wish_changes_the_scenes(wish: str) -> None:
    text = "早上，女孩走进森林里。"
    assert write(ScriptStep.SCENES, text, instruction=wish).scenes != write(ScriptStep.SCENES, text).scenes


def test_night_as_a_wish_is_a_night() -> None:
    scene = write(ScriptStep.SCENES, "早上，女孩走进森林里。", instruction="夜晚").scenes[0]
    assert "夜" in scene.lighting
    assert scene.description.startswith("夜晚的森林")


@pytest.mark.parametrize(
    ("text", "technique"),
    [
        ("The detective found a clue. The murder case was a secret.", "noir"),
        ("机器人走进飞船。宇航员看着星球。", "neon"),
        ("一个水彩画风的故事，水彩般的森林。", "watercolor"),
        ("皇帝召见将军。剑客走入江湖。", "ink"),
    ],
)
def test_the_style_suits_the_story(text: str, technique: str) -> None:
    style = write(ScriptStep.ARTSTYLE, text).art_style
    assert style is not None
    assert style.visual_keywords[0] == technique
    assert len(style.palette) == 5
    assert "{prompt}" in style.prompt_template


def test_a_fixed_style_is_taken_over_and_a_wish_is_added_to_it() -> None:
    fixed = ArtStyle(style_name="Mine", palette=["#112233"], visual_keywords=["oil"], prompt_template="{prompt}, mine")
    assert write(ScriptStep.ARTSTYLE, "A story.", fixed_style=fixed).art_style == fixed
    wished = write(ScriptStep.ARTSTYLE, "A story.", fixed_style=fixed, instruction="more red").art_style
    assert wished is not None
    assert wished != fixed
    assert wished.style_name == "Mine"


def test_a_wish_names_the_style() -> None:
    style = write(ScriptStep.ARTSTYLE, "女孩走进森林。", instruction="改成像素风格").art_style
    assert style is not None
    assert style.visual_keywords[0] == "pixel"


@pytest.mark.parametrize(
    ("text", "title"),
    [("《归途》\n他回家了。", "归途"), ("# The Kite\nA kite rose.", "The Kite"), ("标题：归途\n他回家了。", "归途")],
)
def test_a_heading_is_the_title_and_is_not_told(text: str, title: str) -> None:
    script = break_down(text)
    assert script.storyline.title == title
    assert title not in script.heard


def test_a_wish_for_more_fun_is_a_comedy() -> None:
    plain = write(ScriptStep.STORYLINE, "Anna was alone and cried.").storyline
    funny = write(ScriptStep.STORYLINE, "Anna was alone and cried.", instruction="make it funnier").storyline
    assert plain is not None
    assert funny is not None
    assert (plain.tone, funny.tone) == ("melancholic", "joyful")


def test_an_edited_storyline_is_the_film() -> None:
    edited = Storyline(
        title="T", content="Clara walks into a library.", summary="", genre="family", tone="calm", language="en"
    )
    script = write(ScriptStep.STORYBOARD, "Tom sails the sea.", storyline=edited)
    assert script.shots[0].narration == "Clara walks into a library."


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_is_generated_is_in_the_language_asked_for(language: str) -> None:
    script = break_down("At night Anna walks along the street. Anna smiles.", language=language)
    has_chinese = any("\u4e00" <= character <= "\u9fff" for character in script.scenes[0].model_dump_json())
    assert has_chinese == (language == "zh")
