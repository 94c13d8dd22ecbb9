"""Weather and hour hold from where they are said, and end where the words end them."""

import pytest

from models.draft.painter.reading import air_of, words
from models.draft.script.people import mentions_of
from models.draft.script.prose import read
from models.draft.script.settings import assign_settings
from models.draft.script.text import detect_language
from models.draft.script.weather import weather_after
from tests.unit.script.flow import break_down


def _course(text: str) -> list[tuple[str | None, str | None]]:
    """(hour, weather) of every beat."""
    source = read(text, detect_language(text), verbatim=True)
    assign_settings(source, mentions_of(source.people, source.language))
    return [(source.settings[beat.setting].time, beat.weather) for beat in source.beats]


@pytest.mark.parametrize(
    ("text", "weather"),
    [
        (
            "The sun is bright over the market. Anna cooks in the kitchen. Snow begins to fall over the sea.",
            [None, None, "snow"],
        ),
        ("Anna walks along the street.\n\nRain falls. Anna smiles.", [None, "rain", "rain"]),
        ("Anna walks along the street. Her coat is wet with rain. Anna smiles.", ["rain", "rain", "rain"]),
        ("Anna walks along the street. Suddenly rain falls. Anna smiles.", [None, "rain", "rain"]),
        ("Rain falls on the street. The rain has stopped. Anna smiles.", ["rain", "clear", "clear"]),
        (
            "Rain falls on the street. “The rain has stopped!” says Anna. Anna smiles.",
            ["rain", "clear", "clear", "clear"],
        ),
        ("Rain falls on the street. Has the rain stopped? Anna waits.", ["rain", "rain", "rain"]),
        ("Rain falls on the street. “Has the rain stopped?” asks Anna. Anna waits.", ["rain"] * 4),
        ("Rain falls on the street. Anna waits for the rain to end. She waits until the rain stops.", ["rain"] * 3),
        ("A storm shakes the house. Then a rainbow stands over the sea.", ["storm", "clear"]),
        ("Fog lies over the harbour. The fog lifts. Otto rows.", ["fog", "clear", "clear"]),
        ("On a stormy night the sea roars. At dawn Otto rows home.", ["storm", None]),
        ("At night snow falls on the village. In the morning Otto walks along the street.", ["snow", "snow"]),
        ("Her tears fall like rain on the street. Anna waits.", [None, None]),
        ("Rain falls on the street. The sun shines again. Anna smiles.", ["rain", "clear", "clear"]),
        ("阳光下，孩子们在街上奔跑。妈妈在厨房里做饭。忽然，海面上飘起了雪花。", [None, None, "snow"]),
        ("大雨落在街道上。雨停了。阿强笑了。", ["rain", "clear", "clear"]),
        ("大雨落在街道上。阿强说：“雨终于停了！”他走出门。", ["rain", "clear", "clear", "clear"]),
        ("大雨落在街道上。阿强问：“雨停了吗？”他等着。", ["rain"] * 4),
        ("大雪落在村子里。雪停了。", ["snow", "clear"]),
        ("小巷里下着雨。他们等雨停。", ["rain", "rain"]),
        ("街道上很冷。阿强说：“下雪了！”他笑了。", [None, "snow", "snow", "snow"]),
        ("街道上很冷。阿强说：“明天要下雪了。”他笑了。", [None, None, None, None]),
        ("暴风雨来到海面上。雨后，彩虹挂在天上。", ["storm", "clear"]),
        ("乌云压在海面上。乌云散了。", ["cloudy", "clear"]),
        ("她的眼泪像雨水一样落在街道上。", [None]),
    ],
)
def test_weather_holds_from_where_it_is_said_until_it_changes(text: str, weather: list[str | None]) -> None:
    course = [said for _, said in _course(text)]
    assert course[-1] == weather[-1]
    assert list(dict.fromkeys(course)) == list(dict.fromkeys(weather))


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("Children play in the park.\n\nAt night Anna walks through the park.", [None, "night"]),
        ("Anna walks along the beach. The evening is warm. Anna smiles.", ["sunset", "sunset", "sunset"]),
        ("孩子们在公园里玩。\n\n夜晚，公园里很安静。", [None, "night"]),
        ("阿强走在沙滩上。傍晚的风很暖。", ["sunset", "sunset"]),
        (
            "At noon Anna cooks in the kitchen. At night she walks along the street. Anna smiles.",
            ["day", "night", "night"],
        ),
    ],
)
def test_an_hour_holds_backwards_only_within_its_paragraph_and_place(text: str, hours: list[str | None]) -> None:
    assert [hour for hour, _ in _course(text)] == hours


def test_a_shot_says_that_the_weather_of_its_scene_is_over() -> None:
    text = "Rain falls on the street. Anna waits by a wall.\n\n“The rain has stopped!” Anna says. "
    text += "Anna walks along the street. A rainbow stands there."
    shots = break_down(text, input_mode="professional").shots
    assert words().weather.ids(shots[0].description)[-1] == "rain"
    for shot in shots[-2:]:
        assert words().weather.ids(shot.description)[-1] == "clear"
        assert air_of(shot.description) is None


@pytest.mark.parametrize(
    "prompt",
    ["雨停了，天空挂着彩虹", "街道，大雨终于停了", "The rain has finally stopped", "after the rain, a rainbow"],
)
def test_no_rain_is_painted_after_the_rain(prompt: str) -> None:
    assert words().weather.ids(prompt) == ["clear"]
    assert air_of(prompt) is None


@pytest.mark.parametrize(
    ("text", "weather"),
    [
        ("街上下着大雨", "rain"),
        ("雪还没停，雪花飘着", "snow"),
        ("the rain passes over the hills", "rain"),
        ("she wore a raincoat", None),
    ],
)
def test_weather_that_goes_on(text: str, weather: str | None) -> None:
    assert weather_after(text, None) == weather


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (
            "script",
            "EXT. STREET - NIGHT\n\nRain falls.\n\nANN\nThe rain has stopped.\n\nAnn walks away down the street.\n",
        ),
        (
            "storyboard",
            "scene,description\nStreet,Rain falls on the street\nStreet,The rain has stopped\nStreet,Ann walks away\n",
        ),
        (
            "storyboard",
            '[{"scene":"街道","画面":"大雨"},{"scene":"街道","画面":"雨停了"},{"scene":"街道","画面":"安安走了"}]',
        ),
    ],
)
def test_weather_ends_in_screenplays_and_storyboards_too(kind: str, text: str) -> None:
    shots = break_down(text, kind).shots
    assert words().weather.ids(shots[0].description)[-1] == "rain"
    assert words().weather.ids(shots[-1].description)[-1] == "clear"


def test_snow_in_a_later_shot_of_a_scene_does_not_fall_in_the_earlier_ones() -> None:
    script = break_down("scene,description\nHill,The sun is bright\nHill,Snow begins to fall\n", "storyboard")
    assert "snow" not in script.scenes[0].description
    assert "snow" not in script.shots[0].description.lower()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("雪夜里，车站很安静。阿强坐在炉火旁，喝着热茶。", "indoor"),
        ("Otto walks through the snowy village. Later he sits by the fireplace and reads.", "indoor"),
        ("阿强坐在茶馆里。他往壁炉里添了一根柴。", "indoor"),
        ("夜里，大家围着篝火坐在沙滩上。", "outdoor"),
    ],
)
def test_a_hearth_is_under_a_roof(text: str, kind: str) -> None:
    script = break_down(text, input_mode="professional")
    last = next(scene for scene in script.scenes if scene.name == script.shots[-1].scene)
    assert last.scene_type == kind
    if "茶馆" in text:
        assert [scene.name for scene in script.scenes] == ["茶馆"]
