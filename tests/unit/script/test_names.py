"""Who is found, under what name, and that one person is one character."""

import re

import pytest

from models.draft.script.looks import look_in
from models.draft.script.names import one_spelling
from models.draft.script.people import find_people
from tests.unit.script.flow import break_down


def _told(text: str, language: str) -> list[str]:
    ends = r"(?<=[。！？])" if language == "zh" else r"(?<=[.!?]) "
    return [part for part in re.split(ends, text) if part]


def _names(text: str, language: str) -> set[str]:
    return {person.name for person in find_people(_told(text, language), language)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("站长老周提着一盏红灯，独自站在月台上。", {"老周"}),
        ("老周摇摇头，笑着说：", {"老周"}),
        ("老周说：", {"老周"}),
        ("灯亮了，老秦站起来。", {"老秦"}),
        ("老李和小王坐在船上。", {"老李", "小王"}),
        ("老孙递给小韩一把伞。", {"老孙", "小韩"}),
        ("小陈打开电脑。", {"小陈"}),
        ("小满轻轻地唱起一首歌。", {"小满"}),
        ("同学小宋递来一封信。", {"小宋"}),
        ("村长老郑敲响了钟。", {"老郑"}),
        ("护士小何轻声说：", {"小何"}),
        ("女子阿月倒茶。", {"阿月"}),
        ("卖花的阿秀笑着问：", {"阿秀"}),
        ("妈妈带着阿宝去看病。", {"妈妈", "阿宝"}),
        ("莲儿低着头，轻声问：", {"莲儿"}),
        ("婉儿哭了。", {"婉儿"}),
        ("何叔推着车，何婶跟在后面。", {"何叔", "何婶"}),
        ("王婶端来一碗面。", {"王婶"}),
        ("张爷爷坐在门口。", {"张爷爷"}),
        ("林师傅修好了钟。", {"林师傅"}),
        ("李医生推开门，问：", {"李医生"}),
        ("陈老师走进教室。老师笑了。", {"陈老师"}),
        ("老吴师傅抬起头。", {"老吴师傅"}),
        ("老赵头敲了敲烟斗，说：", {"老赵头"}),
        ("柱子喊：", {"柱子"}),
        ("明叔放下锄头，叹道：", {"明叔"}),
        ("孙小虎跳起来喊：", {"孙小虎"}),
        ("小雨笑着说：", {"小雨"}),
    ],
)
def test_a_chinese_name_is_found_whatever_the_tagger_takes_it_for(text: str, names: set[str]) -> None:
    assert _names(text, "zh") == names


@pytest.mark.parametrize(
    "text",
    [
        "老家的门前有一棵树。",
        "小心，地上滑。",
        "小时候的夏天很长。",
        "周末大家去爬山。",
        "老路走不通了。",
        "老钟敲了十二下。",
        "小雨下个不停。",
        "小雪飘落下来。小雪越下越大。",
        "小河流过村子。",
        "小船漂走了，小路弯弯。",
        "老马识途，老马慢慢走着。",
        "老虎走了过来。",
        "小狗汪汪叫。",
        "月亮爬上来，风儿轻轻吹。",
        "大家齐声喊：",
        "小提琴响起。",
        "老方法不管用。",
        "阿拉伯的夜空繁星点点。",
    ],
)
def test_what_only_looks_like_a_name_is_nobody(text: str) -> None:
    assert _names(text, "zh") == set()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("老师走进教室，说：", "老师"),
        ("阿姨走过来，问：", "阿姨"),
        ("老板笑着说：", "老板"),
        ("那时老师走进教室。", "老师"),
    ],
)
def test_a_role_stays_a_role(text: str, name: str) -> None:
    (person,) = find_people(_told(text, "zh"), "zh")
    assert (person.name, person.is_role) == (name, True)


def test_a_line_is_said_by_the_person_in_front_of_it() -> None:
    text = "站长老周提着一盏红灯。\n\n小满跑来，喘着气说：“火车走了吗？”\n\n老周摇摇头，笑着说：“还没有呢。”"
    script = break_down(text)
    assert [(line.character, line.text) for shot in script.shots for line in shot.dialogue] == [
        ("小满", "火车走了吗？"),
        ("老周", "还没有呢。"),
    ]
    assert script.character("老周").gender == "male"


@pytest.mark.parametrize(
    "text",
    [
        "雨落在屋顶上。阿强抱着一只又大又胖的橘猫，望着窗外的街道，轻轻地说：“下雨了。”",
        "大海很安静。老宋推开木屋的门走进来，拍拍身上的雪，问：“有人在吗？”",
        "Rain falls on the roof. Clara opens the old wooden door of the house and says softly: “It is late.”",
        "The sea is calm. Bruno climbs down the ladder of the lighthouse, and asks, “Is anybody there?”",
    ],
)
@pytest.mark.parametrize("mode", ["general", "professional"])
def test_a_summary_does_not_end_in_the_air(text: str, mode: str) -> None:
    script = break_down(text, input_mode=mode)
    assert script.storyline.summary.endswith(("。", "."))
    assert not re.search(r"(?:说|问|says|says softly|asks)[：:，,]?[。.]$", script.storyline.summary)
    for words in (c.description for c in script.characters):
        assert not words.endswith(("：", ":", "，", ","))
    for shot in script.shots:
        assert not re.search("[：:][，,]|[：:，,]$", shot.description)


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Martha, an old woman in a green coat, climbs the stairs. Martha smiles.", ("Martha", "female", "elder")),
        ("An old woman, Martha, climbs the stairs.", ("Martha", "female", "elder")),
        ("Bram, the baker, opens the shop. The baker waves.", ("Bram", "male", "adult")),
        ("In the kitchen old Bertha stirs the soup. Bertha hums.", ("Bertha", "female", "elder")),
        ("Xanthe, the tall young lighthouse keeper, lights the lamp.", ("Xanthe", "other", "young")),
        ("We saw Yvaine, a girl in a blue dress, by the gate.", ("Yvaine", "female", "child")),
        ("A young fisherman by the name of Olaf rows home.", ("Olaf", "male", "young")),
        ("Bram, a retired sailor with a grey beard, looks out. The sailor waits.", ("Bram", "male", "adult")),
    ],
)
def test_a_name_beside_a_role_is_one_person(text: str, person: tuple[str, str, str]) -> None:
    found = find_people(_told(text, "en"), "en")
    assert [(p.name, p.gender, p.age) for p in found] == [person]


@pytest.mark.parametrize(
    "text", ["Paris, the city of light, wakes up.", "Winter, the coldest season, came.", "Spot, a small dog, barks."]
)
def test_what_is_no_person_beside_a_noun_is_nobody(text: str) -> None:
    assert _names(text, "en") == set()


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (["ROBOT", "ROBOT (V.O.)", "Robot", "THE ROBOT", "ROBOT CONT'D"], "Robot"),
        (["IRIS", "CAPTAIN IRIS", "Iris (CONT’D)"], "Iris"),
        (["Iris Chen", "Iris"], "Iris"),
        (["老周", "老周（画外音）", "老周 画外音"], "老周"),
    ],
)
def test_spellings_of_one_name(written: list[str], name: str) -> None:
    assert set(one_spelling(written).values()) == {name}


def test_different_people_keep_their_names() -> None:
    written = ["GUARD", "GUARD TWO", "GUARD #1", "MR. LIN", "MRS. LIN", "ANN", "ANNA", "小周", "老周"]
    assert len(set(one_spelling(written).values())) == len(written)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            "EXT. DESERT - DAY\n\nA rusty ROBOT walks.\n\nROBOT\nWater.\n\nThe robot kneels.\n\nROBOT (V.O.)\nRain.\n",
            {"Robot"},
        ),
        ("INT. SHIP - DAY\n\nCaptain IRIS waits.\n\nIRIS\nHello.\n\nCAPTAIN IRIS (CONT'D)\nHo.\n", {"Iris"}),
        ("INT. HALL - DAY\n\nAn old WITCH nods.\n\nTHE WITCH\nCome.\n\nWITCH\nCloser.\n", {"Witch"}),
        ("内景 车站 夜\n\n一个机器人走来。\n\n机器人\n你好。\n\n机器人（画外音）\n再见。\n", {"机器人"}),
    ],
)
def test_a_cue_and_the_action_speak_of_one_character(text: str, names: set[str]) -> None:
    script = break_down(text, "script")
    assert [character.name for character in script.characters] == list(names)
    assert {line.character for shot in script.shots for line in shot.dialogue} == names


def test_a_storyboard_may_spell_a_name_in_two_ways() -> None:
    text = "description,characters,dialogue\nA robot walks,ROBOT,\nIt stops,Robot,The Robot: Water.\n"
    script = break_down(text, "storyboard")
    assert [character.name for character in script.characters] == ["Robot"]
    assert [shot.characters for shot in script.shots] == [["Robot"], ["Robot"]]


@pytest.mark.parametrize(
    ("text", "worn", "hair"),
    [
        ("Tom in a red sweater ties up his boat.", {"top": "red sweater"}, ("", "")),
        ("She ties the rope and caps the jar.", {}, ("", "")),
        ("Bob dresses quickly; blue suits him.", {}, ("", "")),
        ("He wore a red tie and a hat.", {"neck": "red tie", "hat": "hat"}, ("", "")),
        ("Anna, in a long red coat and blue scarf, waits.", {"top": "red coat", "neck": "blue scarf"}, ("", "")),
        ("He has a red boat and a coat.", {"top": "coat"}, ("", "")),
        ("a boy with a red kite, a jacket", {"top": "jacket"}, ("", "")),
        ("a woman with short white hair and a blue uniform", {"top": "blue uniform"}, ("short hair", "white")),
        ("a girl with long, wavy brown hair", {}, ("curly hair", "brown")),
        ("a red-haired boy in a green coat", {"top": "green coat"}, ("", "red")),
        ("a short-haired girl in a yellow dress", {"dress": "yellow dress"}, ("short hair", "")),
        ("短短的白发，蓝色制服", {"top": "蓝色制服"}, ("短发", "white")),
        ("长长的金色头发", {}, ("长发", "golden")),
        ("他提着红灯和大衣", {"top": "大衣"}, ("", "")),
        ("穿着一件红色格子大衣，戴着黑帽子", {"top": "红色大衣", "hat": "黑色帽子"}, ("", "")),
    ],
)
def test_a_quality_is_that_of_the_noun_after_it(text: str, worn: dict[str, str], hair: tuple[str, str]) -> None:
    look = look_in(text, "en" if text.isascii() else "zh")
    assert (look.worn, (look.hair, look.hair_colour)) == (worn, hair)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_worn_does_not_colour_the_hair(seed: int) -> None:
    tom = break_down("Tom in a red sweater rows home. Tom smiles.", seed=seed).character("Tom").appearance
    assert "red" not in tom.replace("red sweater", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("小满走进候车室。老周跟在后面。\n\n两人坐在炉火旁，喝着热茶。", ["小满", "老周"]),
        ("阿强和莲儿走在街道上。\n\n他们来到海滩上，望着海浪。", ["阿强", "莲儿"]),
        ("Tom meets Martha in the street.\n\nThey walk through the market at noon.", ["Martha", "Tom"]),
        (
            "Anna sits in the kitchen. Clara pours tea. Otto laughs.\n\nThey wait for the rain to end.",
            ["Anna", "Clara", "Otto"],
        ),
        ("Anna sits in the kitchen. Clara pours tea. Otto laughs.\n\nBoth drink.", ["Clara", "Otto"]),
    ],
)
def test_several_are_all_of_the_scene_so_far(text: str, shown: list[str]) -> None:
    assert sorted(break_down(text, input_mode="professional").shots[-1].characters) == sorted(shown)


def test_they_in_a_screenplay_are_its_people_too() -> None:
    text = "EXT. FOREST - DAY\n\nANN\nHi.\n\nBEN\nHo.\n\nThey walk away together over the hill.\n"
    assert set(break_down(text, "script").shots[-1].characters) == {"Ann", "Ben"}
