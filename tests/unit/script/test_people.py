import pytest

from models.draft.script.people import find_people
from models.specs import Character, ScriptStep
from tests.unit.script.flow import break_down, write


def _who(told: list[str], language: str) -> dict[str, tuple[str | None, str | None]]:
    return {person.name: (person.gender, person.age) for person in find_people(told, language)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "people"),
    [
        (["小女孩林晓雨跑过沙滩。", "老渔夫看着她。"], {"林晓雨": ("female", "child"), "老渔夫": ("male", "elder")}),
        (["小雨低声说。", "阿明点点头，他笑了。", "阿明走了。"], {"小雨": ("female", "young"), "阿明": ("male", None)}),
        (["王阿姨打开门。", "王阿姨笑着说。"], {"王阿姨": ("female", "adult")}),
        (["夕阳落下。", "贝壳躺在沙滩上。", "有人指着灯塔说。"], {}),
        (["老渔夫坐下。", "渔夫叹气。", "老人不说话。"], {"老渔夫": ("male", "elder")}),
        (["人工智能可以帮助医生诊断疾病。"], {}),
    ],
)
def test_chinese_people(told: list[str], people: dict[str, tuple[str | None, str | None]]) -> None:
    assert _who(told, "zh") == people


@pytest.mark.parametrize(
    ("told", "people"),
    [
        (
            ["Mira ran home.", "The old fisherman waved."],
            {"Mira": ("female", None), "Old Fisherman": ("male", "elder")},
        ),
        (["Mr. Lin sat down.", "He opened a letter."], {"Mr Lin": ("male", None)}),
        (["A girl named Zara laughed.", "Zara ran, and Zara fell."], {"Zara": ("female", "child")}),
        (["We flew to Paris.", "Rain fell on Monday.", "Steam curls upward."], {}),
        (["Quill was late, but Quill smiled.", "She never ran."], {"Quill": ("female", None)}),
    ],
)
def test_english_people(told: list[str], people: dict[str, tuple[str | None, str | None]]) -> None:
    assert _who(told, "en") == people


def test_what_the_text_says_of_looks_is_kept_and_the_rest_is_completed() -> None:
    cast = write(
        ScriptStep.CHARACTERS,
        "Tom, a boy with curly hair, wore a green coat and a straw hat. Anna wore a red dress. Anna smiled at Tom.",
    ).characters
    looks = {character.name: character.appearance for character in cast}
    assert "curly hair" in looks["Tom"]
    assert "green coat" in looks["Tom"]
    assert "straw hat" in looks["Tom"]
    assert "trousers" in looks["Tom"] or "jeans" in looks["Tom"]
    assert "red dress" in looks["Anna"]
    assert "green" not in looks["Anna"]


def test_people_the_text_does_not_describe_look_different() -> None:
    cast = write(ScriptStep.CHARACTERS, "Anna met Clara. Clara met Emma. Emma met Nora. Anna laughed.").characters
    tops = [character.appearance.split(", ")[2] for character in cast]
    assert len(cast) >= 3
    assert len(set(tops)) == len(tops)


def test_the_seed_changes_what_the_text_leaves_open() -> None:
    text = "Anna met Clara. Clara smiled. Anna laughed."
    seeds = {write(ScriptStep.CHARACTERS, text, seed=seed).characters[0].appearance for seed in range(8)}
    assert len(seeds) > 1


def test_a_text_without_people_has_none() -> None:
    assert write(ScriptStep.CHARACTERS, "The sea is calm. Waves roll in.").characters == []


def test_a_wish_changes_the_person_it_names_and_nobody_else() -> None:
    text = "小女孩林晓雨穿着红裙子。老渔夫坐在船边。老渔夫笑了。林晓雨说：“你好。”"
    before = {c.name: c for c in write(ScriptStep.CHARACTERS, text).characters}
    after = {c.name: c for c in write(ScriptStep.CHARACTERS, text, instruction="林晓雨换成蓝色裙子，短发").characters}
    assert "红色裙子" in before["林晓雨"].appearance
    assert "蓝色裙子" in after["林晓雨"].appearance
    assert "红色裙子" not in after["林晓雨"].appearance
    assert "短发" in after["林晓雨"].appearance
    assert after["老渔夫"] == before["老渔夫"]


def test_a_fixed_protagonist_takes_the_main_part_in_every_step() -> None:
    hero = Character(name="小红", character_type="extras", appearance="紫色斗篷", gender="female", age="young")
    text = "林晓雨跑过沙滩。林晓雨说：“爷爷！”老渔夫笑着说：“慢点。”"
    script = break_down(text, fixed_protagonist=hero)
    assert [c.name for c in script.characters] == ["小红", "老渔夫"]
    assert script.characters[0].appearance == "紫色斗篷"
    assert script.characters[0].character_type == "protagonist"
    words = "".join(shot.model_dump_json() for shot in script.shots)
    assert "林晓雨" not in words
    assert "小红" in words


def test_a_fixed_protagonist_appears_in_a_text_without_people() -> None:
    hero = Character(name="Ada", character_type="protagonist")
    script = break_down("The sea is calm. Waves roll over the beach.", fixed_protagonist=hero)
    assert any("Ada" in shot.characters for shot in script.shots)


@pytest.mark.parametrize(
    ("text", "name", "worn"),
    [
        ('"You are late," the old baker says, stroking his beard. He opens the box.', "Old Baker", "beard"),
        ("“你来晚了。”老木匠摸着白胡子说。他打开盒子。", "老木匠", "白色胡子"),
    ],
)
def test_how_somebody_speaks_tells_of_looks_though_it_is_not_narrated(text: str, name: str, worn: str) -> None:
    script = break_down(text)
    assert worn in script.character(name).appearance
    assert worn not in script.heard


@pytest.mark.parametrize("seed", range(4))
def test_an_old_man_has_a_beard_or_a_moustache(seed: int) -> None:
    for text in ("The old carpenter sits down. He smiles.", "老木匠坐下来。他笑了笑。"):
        (man,) = write(ScriptStep.CHARACTERS, text, seed=seed).characters
        assert (man.gender, man.age) == ("male", "elder")
        assert any(word in man.appearance for word in ("beard", "moustache", "胡"))


@pytest.mark.parametrize("seed", range(6))
def test_nobody_is_given_the_colour_that_another_wears(seed: int) -> None:
    text = "Mira, a courier in a yellow raincoat, meets Tom. Tom smiles. Mira laughs."
    cast = write(ScriptStep.CHARACTERS, text, seed=seed).characters
    assert "yellow raincoat" in cast[0].appearance
    assert "yellow" not in cast[1].appearance


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ("cries Nora in a red scarf, out of breath.", "Nora cries in a red scarf, out of breath."),
        ("said the old lantern maker with a smile for the child.", "The old lantern maker said with a smile for the"),
        ("said Mary Ann from behind the heavy door.", "Mary Ann said from behind the heavy door."),
    ],
)
def test_who_speaks_stands_before_the_verb_when_it_is_narrated(after: str, told: str) -> None:
    assert told in break_down(f'Nora waits. "At last!" {after} The train stops.').heard
