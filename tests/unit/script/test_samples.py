import pytest

from models.draft.script.check import check_source
from models.specs import Emotion
from tests.unit.script.flow import SAMPLES, Script, break_down, sample

KINDS = {".txt": "text", ".fountain": "script", ".csv": "storyboard", ".json": "storyboard"}


def _sample(name: str) -> Script:
    return break_down(sample(name), KINDS["." + name.rsplit(".", 1)[1]])


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.rglob("*") if path.suffix in KINDS))
def test_every_sample_is_a_film_of_at_most_a_minute(name: str) -> None:
    check_source(KINDS["." + name.rsplit(".", 1)[1]], sample(name))  # type: ignore[arg-type]
    script = _sample(name)
    assert 25 <= script.duration_s <= 60
    assert len(script.shots) >= 6
    assert any(shot.dialogue for shot in script.shots)


def test_the_seaside_is_a_girl_and_a_fisherman_on_a_beach_from_sunset_to_night() -> None:
    script = _sample("seaside.txt")
    assert script.storyline.title == "海边的贝壳"
    girl, fisherman = script.characters
    assert (girl.name, girl.gender, girl.age, girl.character_type) == ("林晓雨", "female", "child", "protagonist")
    assert (fisherman.name, fisherman.gender, fisherman.age) == ("老渔夫", "male", "elder")
    assert "红色裙子" in girl.appearance
    assert "白色胡子" in fisherman.appearance
    assert [scene.name for scene in script.scenes] == ["黄昏的海滩", "夜晚的海滩"]
    lines = [(line.character, line.text) for shot in script.shots for line in shot.dialogue]
    assert lines[:2] == [("老渔夫", "小姑娘，你在找什么？"), ("林晓雨", "我在找会唱歌的贝壳。")]
    assert ("林晓雨", "是海浪！") in lines


def test_the_lantern_city_is_a_night_of_two_people() -> None:
    script = _sample("lantern_city.txt")
    assert script.storyline.title == "The Lantern Maker"
    assert [character.name for character in script.characters] == ["Mira", "Old Lantern Maker"]
    assert "yellow raincoat" in script.character("Mira").appearance
    assert (script.character("Old Lantern Maker").gender, script.character("Old Lantern Maker").age) == (
        "male",
        "elder",
    )
    assert script.scenes[0].name == "City at night"
    assert "Rooftop at night" in [scene.name for scene in script.scenes]
    whisper = [line for shot in script.shots for line in shot.dialogue if line.emotion == Emotion.WHISPER]
    assert [line.character for line in whisper] == ["Old Lantern Maker"]


def test_the_rooftop_keeps_its_scenes_and_voices() -> None:
    script = _sample("rooftop.fountain")
    assert [scene.name for scene in script.scenes] == ["Rooftop at night", "Stairwell at night", "Rooftop at dawn"]
    assert [character.name for character in script.characters] == ["Mira", "Jonah"]
    assert "white beard" in script.character("Jonah").appearance
    assert "third character" not in script.heard
    assert "flashback" not in script.heard


def test_the_rain_keeps_its_shots() -> None:
    script = _sample("rain.csv")
    assert [shot.duration_s for shot in script.shots] == [4, 4.5, 3.5, 5, 6, 4.5, 5]
    assert [character.name for character in script.characters] == ["安安", "陈伯"]
    assert script.character("安安").age == "child"
