"""Whoever is known by what they are looks like it, unless the text says otherwise."""

import pytest

from models.specs import Character, ScriptStep
from tests.unit.script.flow import write


def _cast(text: str) -> dict[str, Character]:
    return {character.name: character for character in write(ScriptStep.CHARACTERS, text).characters}


@pytest.mark.parametrize(
    ("text", "name", "worn"),
    [
        ("The king waits on his throne. The king sighs.", "King", ["gold crown", "red robe"]),
        ("A fisherman named Tom waves. Tom laughs.", "Tom", ["straw hat", "navy sweater"]),
        ("Anna, a young nurse, smiles. Anna nods.", "Anna", ["white hat", "light blue dress"]),
        ("Tom is an astronaut. Tom floats.", "Tom", ["white spacesuit"]),
        ("站长老周提着一盏红灯。老周笑了。", "老周", ["藏青鸭舌帽", "藏青大衣"]),
        ("厨师老王端上面。老王是好人。", "老王", ["白色帽子"]),
        ("国王走进大厅。国王叹了口气。", "国王", ["金色王冠", "红色长袍"]),
    ],
)
def test_a_role_is_seen(text: str, name: str, worn: list[str]) -> None:
    appearance = _cast(text)[name].appearance
    assert all(thing in appearance for thing in worn)


def test_what_the_text_says_of_clothes_outweighs_the_role() -> None:
    tom = _cast("A fisherman named Tom in a green coat waves. Tom laughs.")["Tom"].appearance
    queen = _cast("女王阿月穿着蓝色旗袍。阿月笑了。")["阿月"].appearance
    assert "green coat" in tom
    assert "navy sweater" not in tom
    assert "蓝色旗袍" in queen
    assert "紫色长裙" not in queen


@pytest.mark.parametrize(
    ("text", "name", "thing"),
    [
        ("Ben asks the doctor for help. Ben cries.", "Ben", "white coat"),
        ("Anna loves the king. Anna waits.", "Anna", "crown"),
        ("小满看着站长。小满笑了。", "小满", "鸭舌帽"),
    ],
)
def test_nobody_wears_what_another_is(text: str, name: str, thing: str) -> None:
    assert thing not in _cast(text)[name].appearance


@pytest.mark.parametrize(
    ("text", "name", "look"),
    [
        ("A rusty robot walks across the sand. The robot stops.", "Robot", "a brown robot with a brown metal body"),
        ("The robot opens the door. The robot waits.", "Robot", "a silver robot with a silver metal body"),
        ("一个生锈的机器人走来。机器人说：“你好。”", "机器人", "棕色机器人，棕色金属外壳"),
        ("白色的机器人走来。机器人说：“你好。”", "机器人", "白色机器人，白色金属外壳"),
    ],
)
def test_a_robot_is_of_metal(text: str, name: str, look: str) -> None:
    assert _cast(text)[name].appearance == look
