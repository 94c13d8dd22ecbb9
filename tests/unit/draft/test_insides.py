"""Churches, castles and temples: from outside, or inside where the words are."""

import pytest

from models.draft.buildings import is_inside
from models.draft.painter.reading import read
from models.specs import Framing, Place
from tests.unit.draft.pictures import difference, paint, spec
from tests.unit.script.flow import break_down

ROOMS = {"nave", "palace", "temple_hall"}


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("inside the old church an organ plays", "nave"),
        ("a wedding in the little white chapel", "nave"),
        ("rows of pews in a cathedral", "nave"),
        ("教堂里，一束光落在地上", "nave"),
        ("她走进那座古老的教堂", "nave"),
        ("礼拜堂的彩色玻璃窗下，孩子们在唱歌", "nave"),
        ("the queen dances in the castle", "palace"),
        ("城堡大厅里的宴会", "palace"),
        ("骑士冲进城堡", "palace"),
        ("a monk prays inside the mountain temple", "temple_hall"),
        ("古寺里香烟缭绕", "temple_hall"),
    ],
)
def test_words_inside_a_building_are_painted_inside(words: str, place: str) -> None:
    reading = read(spec(words))
    assert (reading.place, reading.indoor) == (place, True)


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("a church on a green hill", "church"),
        ("children play in front of the church", "church"),
        ("she waits in the church yard", "church"),
        ("bells ring in the church tower", "church"),
        ("村口的教堂", "church"),
        ("教堂前的广场上，鸽子飞起", "church"),
        ("她走进教堂的院子", "church"),
        ("a castle in the mist", "castle"),
        ("flags over the castle", "castle"),
        ("远处的城堡亮起了灯", "castle"),
        ("an old temple above stone steps", "temple"),
        ("小和尚在古寺前扫落叶", "temple"),
    ],
)
def test_a_building_that_is_only_seen_is_painted_from_outside(words: str, place: str) -> None:
    reading = read(spec(words))
    assert (reading.place, reading.indoor) == (place, False)


def test_an_indoor_scene_is_inside_whatever_the_shot_says() -> None:
    church = Place(name="Church", scene_type="indoor", description="Church by day")
    assert read(spec("Church, Anna looks up", place=church)).place == "nave"
    outside = church.model_copy(update={"scene_type": "outdoor"})
    assert read(spec("Church, Anna looks up", place=outside)).place == "church"
    assert read(spec("Church, Anna kneels inside the church", place=outside)).place == "nave"


@pytest.mark.parametrize("size", [(480, 270), (270, 480)])
@pytest.mark.parametrize(
    ("outside", "inside"),
    [("a church", "inside the church"), ("a castle", "in the castle"), ("a temple", "inside the temple")],
)
def test_inside_looks_unlike_outside_and_unlike_other_rooms(outside: str, inside: str, size: tuple[int, int]) -> None:
    def picture(words: str) -> object:
        return paint(spec(words, framing=Framing.SCENE, width=size[0], height=size[1])).pixels

    within = picture(inside)
    assert difference(within, picture(outside)) > 30  # type: ignore[arg-type]
    assert difference(within, picture("a living room")) > 20  # type: ignore[arg-type]
    assert difference(within, picture(inside)) == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("story", "kinds"),
    [
        (
            "Anna walks through the village at noon. The old church stands on the hill.\n\n"
            "She goes into the church and kneels before the altar.\n\nShe waits in front of the church.",
            ["outdoor", "indoor", "outdoor"],
        ),
        ("Anna walks through the village. Then she goes into the church and kneels.", ["outdoor", "indoor"]),
        ("A castle stands above the forest. The king walks through the castle hall.", ["outdoor", "indoor"]),
        ("清晨，阿宁在古寺前扫落叶。\n\n她走进古寺，点上一炷香。", ["outdoor", "indoor"]),
        ("林晓雨来到教堂。\n\n教堂里很安静，她坐下来。\n\n她走出教堂，天已经黑了。", ["outdoor", "indoor", "outdoor"]),
    ],
)
def test_a_story_goes_into_a_building_and_out_again(story: str, kinds: list[str]) -> None:
    script = break_down(story)
    by_name = {scene.name: scene.scene_type for scene in script.scenes}
    seen = [by_name[shot.scene] for shot in script.shots]
    assert [kind for index, kind in enumerate(seen) if not index or seen[index - 1] != kind] == kinds


@pytest.mark.parametrize(
    ("heading", "kind", "look"),
    [("INT. CHURCH - DAY", "indoor", "pews"), ("EXT. CHURCH - DAY", "outdoor", "steeple")],
)
def test_a_heading_decides_where_a_screenplay_is(heading: str, kind: str, look: str) -> None:
    (scene,) = break_down(f"{heading}\n\nAnna waits.\n\nANNA\nHello?", "script").scenes
    assert (scene.name, scene.scene_type) == ("Church by day", kind)
    assert look in scene.description


def test_a_word_for_a_part_of_the_house_says_nothing_of_its_rooms() -> None:
    text = "the castle walls"
    assert not is_inside(text, 4, 10)
