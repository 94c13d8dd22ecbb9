"""How large people are in the shots whose size the author leaves open."""

import pytest

from models.draft.script.camerawork import direct
from models.draft.script.shots import Draft
from models.draft.script.source import Line
from models.specs import Emotion, ShotType
from tests.unit.script.flow import break_down

TALL, BROAD = 9 / 16, 16 / 9
FAR = frozenset([ShotType.ESTABLISHING])
NEAR = frozenset([ShotType.CLOSE_UP, ShotType.EXTREME_CLOSE_UP])


def _told(words: str, *people: str, scene: str = "here") -> Draft:
    return Draft(narration=words, description=words, people=list(people), scene=scene)


def _spoken(*people: str, scene: str = "here") -> Draft:
    return Draft(lines=[Line(people[0], "Hello.", Emotion.NEUTRAL)], people=list(people), scene=scene)


def _sizes(*drafts: Draft, aspect: float = BROAD, wish: str = "") -> list[ShotType | None]:
    shots = list(drafts)
    direct(shots, wish, aspect)
    return [shot.shot_type for shot in shots]


@pytest.mark.parametrize("aspect", [BROAD, TALL, 4 / 3, 2.35])
@pytest.mark.parametrize(
    "text",
    [
        "In the harbour at dawn, a fisherman named Tom in a red sweater ties up his boat. Tom looks at the water and "
        'thinks of the storm.\n\n"Was that your light?" he asks.',
        "Captain Iris watches a screen in the spaceship. The stars go by and nobody calls. Iris writes a letter to "
        "her mother at home.",
        "站长老周提着一盏红灯，独自站在月台上，望着黑沉沉的铁轨。他想起很多年前的那个冬天，那天也是这样的雪。\n\n“有人吗？”老周问。",
        "清晨，林晓雨坐在教室的窗边，翻开一本旧书，慢慢地读了起来。书里夹着一片枫叶，她把它举到阳光下看了很久。",
    ],
)
def test_whoever_opens_a_scene_is_not_tiny(text: str, aspect: float) -> None:
    first = break_down(text, aspect=aspect).shots[0]
    assert first.characters
    assert first.shot_type not in FAR


def test_a_place_without_people_is_seen_whole() -> None:
    sizes = _sizes(_told("The sea is calm."), _told("Tom sits on a bench.", "Tom"))
    assert sizes[0] == ShotType.ESTABLISHING


def test_a_scene_s_only_shot_shows_people_and_place() -> None:
    sizes = _sizes(*(_told("Tom sits still.", "Tom", scene=scene) for scene in "abcd"))
    assert not NEAR & set(sizes)
    assert set(sizes) == {ShotType.MEDIUM, ShotType.WIDE}


@pytest.mark.parametrize(
    "words",
    ["Lina rides a bicycle through the village.", "Lina runs home.", "莉娜骑着自行车穿过村子。", "莉娜向家里跑去。"],
)
def test_who_moves_about_opens_a_scene_from_head_to_foot(words: str) -> None:
    assert _sizes(_told(words, "Lina")) == [ShotType.WIDE]


def test_nobody_is_met_in_a_close_up() -> None:
    sizes = _sizes(_told("The bell rings."), _spoken("Tom"), _told("Rain falls."), _spoken("Tom"))
    assert sizes[1] == ShotType.MEDIUM
    assert sizes[3] == ShotType.CLOSE_UP


def test_a_small_thing_is_looked_at_from_close_by_once_its_owner_is_known() -> None:
    known = _sizes(_told("Tom sits down.", "Tom"), _told("He has a letter.", "Tom"))
    new = _sizes(_told("The bell rings."), _told("Tom has a letter.", "Tom"))
    running = _sizes(_told("Tom sits down.", "Tom"), _told("Tom runs with a letter.", "Tom"))
    assert known[1] == ShotType.EXTREME_CLOSE_UP
    assert ShotType.EXTREME_CLOSE_UP not in {new[1], running[1]}


@pytest.mark.parametrize(
    "words",
    [
        "Tom raises the red lantern and waves.",
        "Tom runs home.",
        "汤姆举起红灯，挥手告别。",
        "两人坐在炉火旁。",
        "老渔夫拿出贝壳，放在她的手心。",
    ],
)
def test_a_face_alone_shows_no_gesture(words: str) -> None:
    for others in range(1, 4):
        sizes = _sizes(*(_told("Tom looks up.", "Tom") for _ in range(others)), _told(words, "Tom"))
        assert sizes[-1] not in NEAR
    assert NEAR & set(_sizes(*(_told("Tom looks up.", "Tom") for _ in range(4))))


def test_two_in_a_tall_picture_are_near_enough_to_be_seen() -> None:
    drafts = [_told("They walk home.", "Tom", "Ann"), _spoken("Tom", "Ann"), _told("They run.", "Tom", "Ann")]
    assert ShotType.WIDE in _sizes(*[_told(d.narration, *d.people) for d in drafts])
    tall = _sizes(*drafts, aspect=TALL)
    assert not {ShotType.ESTABLISHING, ShotType.WIDE, ShotType.OVER_SHOULDER} & set(tall)


def test_a_tall_picture_has_room_for_one_person_from_head_to_foot() -> None:
    assert _sizes(_told("Tom walks home.", "Tom"), aspect=TALL) == [ShotType.WIDE]


@pytest.mark.parametrize("aspect", [BROAD, TALL])
def test_a_size_that_is_asked_for_is_kept(aspect: float) -> None:
    drafts = [_told("They walk home.", "Tom", "Ann"), _spoken("Tom", "Ann")]
    drafts[1].shot_type = ShotType.ESTABLISHING
    assert _sizes(*drafts, aspect=aspect, wish="wide shot") == [ShotType.WIDE, ShotType.ESTABLISHING]
