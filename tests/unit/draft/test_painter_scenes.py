"""Where a picture is and who and what is in it, as its words say."""

from dataclasses import replace

import numpy as np
import pytest

from models.draft.painter import DraftPainter, fauna
from models.draft.painter.cast import arrange
from models.draft.painter.figures.figure import height_of
from models.draft.painter.figures.looks import look_of
from models.draft.painter.people import company_of
from models.draft.painter.props import paint_props
from models.draft.painter.reading import read
from models.draft.painter.scene import paint_scene
from models.specs import Framing, Place, ShotType, Subject
from tests.unit.draft.pictures import FISHER, GIRL, difference, paint, share_like, spec

TOM = Subject(name="Tom", appearance="a red sweater, white jeans", gender="male", age="young", seed=2)


@pytest.mark.parametrize(
    ("name", "action", "place"),
    [
        ("Desert by day", "A rusty robot walks across the sand", "desert"),
        ("沙漠", "他在沙地上走，想起了大海和森林", "desert"),
        ("City by day", "They walk through the market in the old town", "market"),
        ("街道", "她穿过热闹的夜市", "market"),
        ("夜晚的山间", "大雪覆盖了山间的小火车站", "station"),
        ("Kitchen", "She looks out at the mountains and the sea", "kitchen"),
        ("教室", "窗外是操场和街道", "classroom"),
        ("竹林", "清晨的森林里", "bamboo"),
        ("Spaceship cabin", "They look at a beach on the screen", "space_station"),
        ("月球", "宇航员在月球表面散步，地球挂在天空", "moon_surface"),
        ("Village street", "Lina walks past the shop", "village"),
        ("Forest", "a castle on the hill. Move it to the desert", "desert"),
    ],
)
def test_the_scenes_own_place_outweighs_the_words_of_an_action(name: str, action: str, place: str):
    assert read(spec(f"{name}. {action}", place=Place(name=name))).place == place


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("an oasis", "oasis"),
        ("古镇的小巷", "old_town"),
        ("narrow lanes of the old town", "old_town"),
        ("a bamboo grove", "bamboo"),
        ("rice terraces", "terraces"),
        ("梯田", "terraces"),
        ("a tea house", "teahouse"),
        ("地铁站", "subway_station"),
        ("a subway platform", "subway_station"),
        ("城堡", "castle"),
        ("老旧的楼道里", "stairwell"),
        ("a stairwell at night", "stairwell"),
        ("a chapel", "church"),
        ("an astronaut on the Moon", "moon_surface"),
        ("渔港", "harbour"),
        ("a robot walks across the desert sand", "desert"),
        ("a street lamp in a garden", "garden"),
    ],
)
def test_named_places_are_told_apart(words: str, place: str):
    assert read(spec(words)).place == place


def test_an_unknown_place_is_a_room_or_open_country_by_its_kind():
    inside, outside = (
        paint(spec("x", place=Place(name="Zyx", scene_type=kind))).pixels for kind in ("indoor", "outdoor")
    )
    assert difference(inside, outside) > 20
    # Open country: sky above, green below.
    assert outside[40:80, :, 2].mean() > outside[40:80, :, 0].mean() + 20
    assert outside[200:240, :, 1].mean() > outside[200:240, :, 2].mean() + 20


def test_a_station_among_mountains_has_no_skyline_and_one_in_a_city_has():
    country, city = (
        read(spec(text, place=Place(name="station"))).urban for text in ("山间的小火车站", "the station of a big city")
    )
    assert country is False
    assert city is True


@pytest.mark.parametrize(
    ("action", "thing"),
    [
        ("Martha climbs the stairs with a lantern", "lantern"),
        ("老周提着一盏红灯", "lantern"),
        ("carrying a small green plant", "plant"),
        ("手里抱着一只橘猫", "cat"),
        ("she reads a book", "book"),
        ("他喝着热茶", "cup"),
    ],
)
def test_what_is_carried_is_in_a_hand(action: str, thing: str):
    stage = paint_scene(spec(action, subjects=[TOM]), read(spec(action)), {})
    parts = arrange(stage, ShotType.WIDE, [look_of(TOM)])
    assert parts[0].held == thing


def test_lanterns_rise_into_the_sky_only_where_they_are_said_to():
    base = spec("night, a riverside", subjects=[TOM])
    plain, carried, rising = (
        paint(base.model_copy(update={"prompt": f"night, a riverside{words}"})).pixels[:90]
        for words in ("", ", Tom walks with a lantern", ", 孔明灯")
    )

    def lit(pixels: np.ndarray) -> float:
        return float(((pixels[..., 0] > 200) & (pixels[..., 2] < 170)).mean())

    assert lit(rising) > lit(plain) + 0.002
    assert lit(carried) < lit(plain) + 0.002


def _changes(text: str, place: Place | None = None) -> bool:
    """Whether the things that a text names add anything to the picture."""
    picture = spec(text, place=place)
    reading = read(picture)
    stage = paint_scene(picture, replace(reading, props=()), {})
    stage.reading = reading
    before = stage.canvas.rgb.copy()
    paint_props(stage, set(), [])
    return bool((stage.canvas.rgb != before).any())


@pytest.mark.parametrize("room", ["Classroom", "厨房", "Spaceship cabin", "Hospital"])
def test_the_light_of_a_scene_is_no_thing_in_it(room: str):
    place = Place(name=room, scene_type="indoor", lighting="one warm lamp indoors，室内有一盏暖灯，月光")
    assert not {"lamp", "moon"} & set(read(spec(room, place=place)).props)
    assert not _changes(f"{room}, a lamp", place)


def test_things_stand_where_there_is_ground_for_them():
    assert _changes("a garden, a street lamp")
    assert _changes("an office, a lamp")
    assert not _changes("the open sea, a street lamp, a bench")


@pytest.mark.parametrize(("width", "height"), [(640, 360), (360, 640), (480, 480)])
@pytest.mark.parametrize("shot", [ShotType.ESTABLISHING, ShotType.WIDE])
@pytest.mark.parametrize("people", [[GIRL], [FISHER, GIRL], [TOM]])
def test_people_are_large_enough_and_stand_above_the_subtitles(
    width: int, height: int, shot: ShotType, people: list[Subject]
):
    picture = spec("on the beach", width=width, height=height, shot_type=shot, subjects=people)
    stage = paint_scene(picture, read(picture), {})
    for part in arrange(stage, shot, [look_of(one) for one in people]):
        tall = part.size * height_of(part.look)
        assert tall >= 0.25 * height
        assert part.y - 0.4 * tall <= 0.8 * height  # the hands
        if shot == ShotType.ESTABLISHING:
            assert part.y <= 0.83 * height
        assert part.y - tall > 0.02 * height


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("width", "height"), [(480, 270), (270, 480)])
@pytest.mark.parametrize("people", [[], [TOM]])
def test_a_lighthouse_is_whole(seed: int, width: int, height: int, people: list[Subject]):
    assert _changes("a lighthouse by the sea")
    for shot in (ShotType.ESTABLISHING, ShotType.WIDE, ShotType.MEDIUM):
        picture = spec(
            "a lighthouse by the sea", seed=seed, shot_type=shot, width=width, height=height, subjects=people
        )
        landmark = paint_scene(picture, read(picture), {}).landmark
        assert landmark is not None
        left, top, right, bottom = landmark
        assert 0 < left < right < width
        assert 0 < top < bottom


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("A bear fishing in a mountain lake", "bear"),
        ("一只熊猫在吃竹子", "panda"),
        ("a herd of horses", "horse"),
        ("老虎", "tiger"),
        ("an elephant", "elephant"),
        ("一条龙飞过", None),
        ("巨龙", "dragon"),
        ("两只鸭子在湖上", "duck"),
        ("他在马路上，马上就到", None),
        ("she cannot bear with him", None),
        ("牛仔裤和牛奶", None),
        ("a wolf and a deer", "deer"),
        ("白兔", "rabbit"),
    ],
)
def test_animals_are_found_by_their_words(words: str, kind: str | None):
    found = [name for name, _ in read(spec(words)).animals]
    assert (kind in found) if kind else found in ([], ["dragon"])


@pytest.mark.parametrize(
    "kind", ["bear", "panda", "horse", "cow", "tiger", "elephant", "rabbit", "duck", "dragon", "fox"]
)
def test_an_animal_that_the_shot_is_about_fills_a_quarter_of_its_height(kind: str):
    picture = spec(f"a {kind} in a meadow", width=640, height=360, shot_type=ShotType.ESTABLISHING)
    without = spec("in a meadow", width=640, height=360, shot_type=ShotType.ESTABLISHING)
    before = without.model_copy(update={"prompt": "a bee in a meadow"})
    animal = fauna.alone(paint_scene(picture, read(picture), {}), ShotType.ESTABLISHING, picture.prompt)[0]
    _, whole, _ = fauna.measured(kind)
    assert animal.kind == kind
    assert animal.size * whole > 0.25 * 360
    assert animal.y <= 0.82 * 360
    assert difference(paint(picture).pixels, paint(before).pixels) > 2


def test_animals_have_their_sizes_against_each_other_and_the_colours_said_of_them():
    tall = {
        kind: fauna.measured(kind)[0] * fauna.measured(kind)[1]
        for kind in ("elephant", "bear", "fox", "rabbit", "mouse")
    }
    assert list(tall) == sorted(tall, key=lambda kind: -tall[kind])
    assert dict(read(spec("a black cat and 一匹白马")).animals) == {"cat": "#2a2830", "horse": None} | {
        "horse": dict(read(spec("白马")).animals)["horse"]
    }
    black, white = (paint(spec(f"a {colour} horse in a meadow")).pixels for colour in ("black", "white"))
    assert difference(black, white) > 2


def test_people_named_by_what_they_are_stand_beside_the_characters():
    def roles(prompt: str, *subjects: Subject) -> list[str]:
        return [one.name.split()[0] for one in company_of(spec(prompt, subjects=list(subjects)))]

    lina = Subject(name="Lina", appearance="a blue dress", gender="female", age="child")
    assert roles("Lina sits in a classroom, the teacher writes on the blackboard", lina) == ["teacher"]
    assert roles("宇航员在月球表面散步") == ["astronaut"]
    assert roles("a young fisherman named Tom ties up his boat", TOM) == []
    assert roles("Captain Tom, an astronaut, watches a screen", TOM) == []
    assert roles("站长老周提着灯", Subject(name="老周")) == []
    assert roles("小满和老师走在路上", Subject(name="小满")) == ["teacher"]
    assert roles("the girl smiles", lina) == []
    assert roles("the children are running", lina) == ["children", "children"]


def test_who_walks_on_the_moon_wears_a_spacesuit_in_full_light():
    from models.draft.painter.figures.looks import in_a_spacesuit

    picture = spec("an astronaut on the Moon at night", width=640, height=360)
    pixels = DraftPainter().paint(picture, {}, lambda fraction: None).pixels
    assert (pixels[100:300].min(axis=2) > 205).mean() > 0.003
    assert pixels[:60].mean() < 70
    assert in_a_spacesuit(look_of(TOM)).top == "spacesuit"


def _flames(text: str) -> float:
    """The share of a picture that is as bright and yellow as fire."""
    return share_like(paint(spec(text, subjects=[FISHER])).pixels, (240, 255), (150, 255), (0, 110))


@pytest.mark.parametrize(
    ("words", "without"),
    [
        ("老周坐在候车室的炉火旁，喝着热茶", "老周坐在候车室的窗边，喝着热茶"),
        ("客厅里的壁炉", "客厅里的窗户"),
        ("a living room with a fireplace", "a living room with a window"),
        ("She reads by the hearth in the room", "She reads by the window in the room"),
    ],
)
def test_a_fire_burns_in_a_room_s_hearth(words: str, without: str) -> None:
    assert _flames(words) > _flames(without) + 0.004


def test_no_hearth_stands_in_a_meadow() -> None:
    assert _flames("a meadow by day, far from any fireplace") < 0.002


@pytest.mark.parametrize("hour", ["at sunset", "at night", "by day"])
def test_the_sea_has_crests_of_foam(hour: str) -> None:
    sea = spec(f"the sea {hour}", framing=Framing.SCENE)
    lower = paint_scene(sea, read(sea), {}).canvas.rgb[190:].astype(int).sum(axis=2)
    edges = np.abs(np.diff(lower, axis=0)) > 90
    assert edges.any(axis=0).mean() > 0.85
