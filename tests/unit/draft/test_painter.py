"""What a person may expect of the draft painter's pictures, measured."""

import hashlib
import subprocess
import sys
from itertools import combinations

import cv2
import numpy as np
import pytest

from models.draft.painter.figures.looks import look_of
from models.draft.painter.places import PLACES
from models.draft.painter.reading import read, words
from models.draft.painter.style import TECHNIQUES
from models.specs import ArtStyle, Framing, Place, ShotType, Subject
from tests.unit.draft.pictures import FISHER, GIRL, difference, paint, share_like, spec, style

_IN_A_FRESH_PROCESS = """
import hashlib
from tests.unit.draft.pictures import FISHER, GIRL, paint, spec, style
for picture in (
    spec("two friends walk on the beach at sunset, a boat, wind", subjects=[GIRL, FISHER], style=style("watercolor")),
    spec("雨夜的城市街道，微笑", subjects=[GIRL], shot_type="close_up", style=style("neon"), seed=7),
):
    painted = paint(picture)
    print(hashlib.sha256(painted.pixels.tobytes() + painted.depth.tobytes()).hexdigest())
"""


def test_the_same_spec_gives_the_same_bytes_in_any_process():
    runs = {
        subprocess.run(
            [sys.executable, "-c", _IN_A_FRESH_PROCESS],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1
    assert len(runs.pop().split()) == 2


def test_another_seed_is_another_picture_of_the_same_place():
    place = Place(name="老灯塔海滩", description="lighthouse on a beach", seed=3)
    first, second = (paint(spec("日落", place=place, seed=seed)).pixels for seed in (1, 2))
    other = paint(spec("日落", place=Place(name="night city", scene_type="outdoor", seed=3), seed=1)).pixels
    assert 1.0 < difference(first, second) < difference(first, other)


def test_a_beach_at_sunset_is_warm_and_open_and_a_city_at_night_dark_and_full_of_upright_edges():
    beach = paint(spec("a beach at sunset")).pixels
    city = paint(spec("a city at night")).pixels
    assert beach[:90, :, 0].mean() > beach[:90, :, 2].mean() + 15
    assert city[:, :, 2].mean() > city[:, :, 0].mean()
    assert beach.mean() > 2 * city.mean()

    def upright(pixels: np.ndarray) -> float:
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
        return float((np.abs(np.diff(grey, axis=1)) > 24).mean())

    assert upright(city) > 3 * upright(beach)
    # Lit windows: bright warm points in the dark.
    assert share_like(city, (120, 255), (90, 255), (30, 200)) > 0.02


@pytest.mark.parametrize("place", sorted(PLACES))
def test_every_place_differs_from_every_hour_and_has_depth(place: str):
    name = {"abstract": "somewhere", "car": "inside the car"}.get(place, place.replace("_", " "))
    day, night = (paint(spec("", place=Place(name=name, description=time))) for time in ("noon", "midnight"))
    assert place in {"abstract", "country"} or read(spec("", place=Place(name=name))).place == place
    assert day.pixels.std() > 15
    if place not in {"space", "theater", "underwater", "moon_surface", "subway_station"}:
        assert difference(day.pixels, night.pixels) > 12
    assert day.depth is not None
    if place not in {"theater", "car", "cave"}:  # these frame the view from above as well
        assert day.depth[-40:].mean() > day.depth[:40].mean() + 30


def test_every_place_of_the_shared_lexicon_can_be_painted():
    named = {hit.id for text in words().near for hit in words().places.find(text.replace("_", " "))}
    assert named <= set(PLACES)


def test_a_character_keeps_hair_and_clothes_from_shot_to_shot():
    shots = [
        spec("on the beach at noon", subjects=[GIRL], style=style("anime"), shot_type=ShotType.MEDIUM),
        spec("in the forest at dusk", subjects=[GIRL], style=style("anime"), shot_type=ShotType.CLOSE_UP, seed=5),
        spec("at home in the kitchen", subjects=[GIRL], style=style("anime"), shot_type=ShotType.MEDIUM, seed=9),
    ]
    for picture in shots:
        shown = paint(picture)
        empty = paint(picture.model_copy(update={"subjects": []}))
        figure = shown.depth > 215
        red = (shown.pixels[..., 0] > 130) & (shown.pixels[..., 1] < 110) & (shown.pixels[..., 2] < 115)
        dark = shown.pixels.max(axis=2) < 80
        assert (red & figure).sum() / figure.sum() > 0.15
        assert (dark & figure).sum() / figure.sum() > 0.08
        assert difference(shown.pixels, empty.pixels) > 10


def test_looks_come_from_name_seed_and_appearance_and_from_nothing_else():
    plain = Subject(name="Ann", seed=4)
    assert look_of(plain) == look_of(plain.model_copy())
    assert look_of(plain) != look_of(Subject(name="Ann", seed=5))
    assert look_of(plain) != look_of(Subject(name="Ben", seed=4))


@pytest.mark.parametrize(
    ("appearance", "expected"),
    [
        ("short black hair, a green coat and a red scarf", {"hair": "short", "top": "coat", "scarf": "#d8413c"}),
        ("黑色马尾，蓝色衬衫，白色裙子，戴眼镜", {"hair": "ponytail", "glasses": None}),
        (
            "an old fisherman with a white beard and a straw hat",
            {"beard": "#f3f1ea", "straw_hat": None, "age": "elder"},
        ),
        ("银色机器人", {"species": "robot"}),
        ("a dress in purple", {"top": "dress", "top_colour": "#8655b5"}),
    ],
)
def test_appearance_words_are_understood(appearance: str, expected: dict[str, str | None]):
    look = look_of(Subject(name="x", appearance=appearance))
    for key, value in expected.items():
        if hasattr(look, key):
            found = getattr(look, key)
            wanted = (
                value if not str(value).startswith("#") else tuple(float(int(value[i : i + 2], 16)) for i in (1, 3, 5))
            )
            assert found == wanted
        else:
            assert key in look.accessories
            if value:
                assert look.accessories[key] == tuple(float(int(value[i : i + 2], 16)) for i in (1, 3, 5))


def test_several_subjects_stand_apart():
    depth = paint(spec("on the beach", subjects=[GIRL, FISHER], width=640, height=360)).depth
    feet = depth[200:290].max(axis=0) > 190
    runs = np.flatnonzero(np.diff(feet.astype(int)) == 1)
    assert len(runs) == 2


@pytest.mark.parametrize(("first", "second"), list(combinations(TECHNIQUES, 2)))
def test_techniques_differ(first: str, second: str, painted_styles: dict[str, np.ndarray]):
    assert difference(painted_styles[first], painted_styles[second]) > 5


@pytest.fixture(scope="module")
def painted_styles() -> dict[str, np.ndarray]:
    picture = spec("a village at sunset", subjects=[GIRL])
    return {name: paint(picture.model_copy(update={"style": style(name)})).pixels for name in TECHNIQUES}


@pytest.mark.parametrize(
    ("word", "technique"),
    [
        ("水彩", "watercolor"),
        ("水墨", "ink"),
        ("赛博朋克", "neon"),
        ("像素", "pixel"),
        ("黏土", "clay"),
        ("电影感", "cinematic"),
    ],
)
def test_chinese_words_name_the_technique(word: str, technique: str, painted_styles: dict[str, np.ndarray]):
    picture = paint(
        spec("a village at sunset", subjects=[GIRL], style=ArtStyle(style_name="x", visual_keywords=[word]))
    )
    nearest = min(painted_styles, key=lambda name: difference(painted_styles[name], picture.pixels))
    assert nearest == technique


def test_styles_that_name_no_technique_look_different_by_name():
    pictures = [
        paint(spec("a village", style=ArtStyle(style_name=name))).pixels
        for name in ("Aurora", "Velvet", "苍穹", "Ember")
    ]
    assert min(difference(a, b) for a, b in combinations(pictures, 2)) > 3


def test_a_palette_tints_the_whole_picture():
    plain = paint(spec("a beach at noon", style=style("flat"))).pixels
    red = ArtStyle(style_name="flat", visual_keywords=["flat"], palette=["#300808", "#a02020", "#ffb0a0"])
    tinted = paint(spec("a beach at noon", style=red)).pixels
    for rows, more in ((slice(0, 90), 40), (slice(120, 160), 40), (slice(230, 270), 4)):
        before = plain[rows, :, 0].mean() - plain[rows, :, 1].mean()
        assert tinted[rows, :, 0].mean() - tinted[rows, :, 1].mean() > before + more


def test_later_words_override_earlier_ones():
    both = read(spec("a forest in the morning, no, a city at night in the rain"))
    assert (both.place, both.time, both.weather) == ("city", "night", "rain")
    kept = read(spec("夜晚", place=Place(name="海滩", description="正午的沙滩", lighting="中午")))
    assert (kept.place, kept.time) == ("beach", "night")
    assert difference(paint(spec("noon, a beach at night")).pixels, paint(spec("night, a beach at noon")).pixels) > 25


def test_the_negative_prompt_removes_things_and_weather():
    wet = spec("a beach at noon with a boat, rain")
    dry = wet.model_copy(update={"negative_prompt": "boat, rain"})
    assert "boat" in read(wet).props
    assert read(wet).weather == "rain"
    assert "boat" not in read(dry).props
    assert read(dry).weather == "clear"
    assert difference(paint(wet).pixels, paint(dry).pixels) > 5
    assert read(spec("a beach without boats, 没有雨")).props == ()


def test_names_of_people_say_nothing_of_places_or_weather():
    people = [Subject(name="江雪"), Subject(name="Rose"), Subject(name="海山")]
    reading = read(spec("江雪和海山在房间里看着 Rose", subjects=people))
    assert (reading.place, reading.weather, reading.props) == ("room", "clear", ())


def test_references_draw_the_colours_to_theirs():
    red = np.full((200, 300, 3), (190, 40, 30), np.uint8)
    red[60:140] = (250, 170, 90)
    plain = paint(spec("a forest at noon"))
    for picture in (
        spec("a forest at noon", reference_keys=["red"]),
        spec("a forest at noon", place=Place(name="forest", reference_keys=["red"])),
    ):
        shown = paint(picture, {"red": red}).pixels.reshape(-1, 3).mean(axis=0)
        before = plain.pixels.reshape(-1, 3).mean(axis=0)
        target = red.reshape(-1, 3).mean(axis=0)
        here, there = shown - shown.mean(), target - target.mean()
        assert np.linalg.norm(here - there) < 0.6 * np.linalg.norm(before - before.mean() - there)


_GREEN = ((0, 110), (100, 200), (0, 130))


def _reference() -> np.ndarray:
    shirt = np.full((240, 180, 3), 238, np.uint8)
    shirt[20:90, 60:120] = (60, 36, 20)
    shirt[90:230, 40:140] = (30, 150, 70)
    return shirt


def _green_with_reference(appearance: str) -> list[float]:
    subject = Subject(name="Old Chen", appearance=appearance, gender="male")
    return [
        share_like(
            paint(
                spec("", framing=Framing.FRONT_VIEW, subjects=[subject.model_copy(update={"reference_keys": keys})]),
                {"ref": _reference()},
            ).pixels,
            *_GREEN,
        )
        for keys in ([], ["ref"])
    ]


def test_a_subjects_reference_dresses_it():
    plain, dressed = _green_with_reference("a coat")
    assert dressed > plain + 0.02


def test_what_the_text_says_of_clothes_and_hair_outweighs_the_reference():
    plain, dressed = _green_with_reference("white beard, grey hair, navy coat, brown pants")
    assert abs(dressed - plain) < 0.005


@pytest.mark.parametrize(
    ("width", "height"), [(480, 270), (270, 480), (360, 270), (634, 270), (320, 270), (64, 64), (333, 201)]
)
@pytest.mark.parametrize("shot", [ShotType.WIDE, ShotType.CLOSE_UP, ShotType.OVER_SHOULDER])
def test_every_ratio_shows_the_people(width: int, height: int, shot: ShotType):
    picture = spec("a street at noon", width=width, height=height, shot_type=shot, subjects=[FISHER, GIRL])
    with_people, without = paint(picture), paint(picture.model_copy(update={"subjects": []}))
    assert with_people.pixels.shape == (height, width, 3)
    assert with_people.depth.shape == (height, width)
    columns = np.abs(with_people.pixels.astype(int) - without.pixels.astype(int)).max(axis=(0, 2)) > 40
    assert columns.mean() > 0.12


def test_closer_shots_show_the_figure_larger():
    shares = [
        float((paint(spec("on the beach", subjects=[FISHER], shot_type=shot)).depth > 200).mean())
        for shot in (ShotType.ESTABLISHING, ShotType.WIDE, ShotType.MEDIUM, ShotType.CLOSE_UP)
    ]
    # Feet that are seen stand on the ground, whose nearness they share: only the order of the last two is theirs.
    assert shares[2] < shares[3]
    figure = [
        difference(
            paint(spec("on the beach", subjects=[FISHER], shot_type=shot)).pixels,
            paint(spec("on the beach", shot_type=shot)).pixels,
        )
        for shot in (ShotType.ESTABLISHING, ShotType.WIDE)
    ]
    assert figure[0] < figure[1]


@pytest.mark.parametrize("framing", list(Framing))
def test_each_framing_is_a_picture_of_its_own(framing: Framing, painted_framings: dict[Framing, np.ndarray]):
    for other, pixels in painted_framings.items():
        if other != framing:
            assert difference(pixels, painted_framings[framing]) > 4


@pytest.fixture(scope="module")
def painted_framings() -> dict[Framing, np.ndarray]:
    return {framing: paint(spec("village, smile", subjects=[GIRL], framing=framing)).pixels for framing in Framing}


def test_three_views_show_three_figures_of_which_one_has_no_face():
    sheet = paint(spec("", framing=Framing.THREE_VIEW, subjects=[GIRL], width=640, height=360))
    columns = (sheet.depth > 225).any(axis=0)
    assert len(np.flatnonzero(np.diff(columns.astype(int)) == 1)) == 3


@pytest.mark.parametrize("emotion", ["smile", "哭", "angry", "惊讶", "害怕", "eyes closed"])
def test_emotions_change_the_face(emotion: str):
    calm = paint(spec("in a room", subjects=[FISHER], shot_type=ShotType.CLOSE_UP))
    moved = paint(
        spec("in a room", subjects=[FISHER], shot_type=ShotType.CLOSE_UP).model_copy(
            update={"prompt": f"in a room, {emotion}"}
        )
    )
    face = calm.depth > 215
    changed = np.abs(calm.pixels.astype(int) - moved.pixels.astype(int)).max(axis=2) > 40
    assert (changed & face).sum() > 60


def test_repainting_keeps_the_composition_and_sets_the_hour():
    from models.draft.painter import DraftPainter

    noon = paint(spec("a beach at noon, boat")).pixels
    asked = spec("night, snow", reference_keys=["noon"])
    night = DraftPainter().repaint(asked, noon, {"noon": noon}, lambda fraction: None).pixels
    again = (
        DraftPainter().repaint(asked.model_copy(update={"seed": 1}), noon, {"noon": noon}, lambda fraction: None).pixels
    )
    assert night.mean() < 0.6 * noon.mean()
    assert difference(night, again) > 1

    def shape(pixels: np.ndarray) -> np.ndarray:
        small = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (24, 14), interpolation=cv2.INTER_AREA)
        return (small - small.mean()).ravel() / max(1.0, float(small.std()))

    unrelated = paint(spec("a city at night, snow")).pixels
    assert shape(noon)[168:] @ shape(night)[168:] > shape(noon)[168:] @ shape(unrelated)[168:] + 20


def test_progress_is_reported_and_a_cancellation_passes_through():
    from models.draft.painter import DraftPainter

    class Stop(Exception):
        pass

    def refuse(fraction: float) -> None:
        raise Stop

    with pytest.raises(Stop):
        DraftPainter().paint(spec("sea"), {}, refuse)


def test_textures_do_not_depend_on_what_was_painted_before():
    picture = spec("a village", style=style("oil"))
    before = hashlib.sha256(paint(picture).pixels.tobytes()).hexdigest()
    paint(spec("sea", style=style("watercolor"), width=300, height=200))
    assert hashlib.sha256(paint(picture).pixels.tobytes()).hexdigest() == before
