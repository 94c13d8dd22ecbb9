"""Pure decisions of the library, and that what ships says the truth of itself."""

import pytest

from control_plane.assets import presets, rules
from models.catalog_file import load_catalog
from models.draft.music.score import compose
from models.draft.music.styles import choose_style
from models.draft.painter.style import look_of_style
from models.specs import MusicSpec

_WORD_OF = {
    "pad": "铺底",
    "strings": "弦乐",
    "piano": "钢琴",
    "pluck": "拨弦",
    "zheng": "古筝",
    "box": "八音盒",
    "bell": "铃",
    "flute": "长笛",
    "synth": "合成器",
    "lead": "合成主音",
    "bass": "贝斯",
    "synth_bass": "合成贝斯",
}

ROWS = presets.preset_rows(load_catalog())


@pytest.mark.parametrize("row", [row for row in ROWS if row["asset_type"] == "music"], ids=lambda row: row["id"])
def test_shipped_music_is_what_it_says(row: dict) -> None:
    says = row["attributes"]
    spec = MusicSpec(mood=says["mood"], genre=says["genre"], duration_s=says["duration_s"])
    mood, palette = choose_style(spec)
    assert says["mood"] in mood.words
    assert any(word in says["genre"] for word in palette.words)
    score = compose(mood, palette, spec.duration_s, f"\x1e{spec.mood}\x1e{spec.genre}\x1e{spec.seed}")
    assert f"{score.beats_per_minute:.0f} BPM" == says["tempo"]
    parts = {note.part for note in score.notes}
    instruments = {"ground": palette.ground, "figure": palette.figure, "melody": palette.melody, "bass": palette.bass}
    heard = {_WORD_OF[instrument] for part, instrument in instruments.items() if part in parts and instrument}
    heard |= {"打击乐" for part in parts if part.startswith("drum:")}
    assert heard == set(says["instruments"])


def test_every_shipped_row_has_its_category_and_its_words() -> None:
    for row in ROWS:
        if row["asset_type"] != "music":
            known = {category.id for category in rules.CATEGORIES[row["asset_type"]]}
            assert row["category_id"] in known
        assert rules.search_key(row["name"]) in row["search_text"]
    assert len({row["id"] for row in ROWS}) == len(ROWS)


def test_a_known_technique_puts_a_style_into_its_family() -> None:
    families = presets.style_families()
    assert rules.style_category(["桥", "Watercolor"], families) == "painting"
    assert rules.style_category(["桥"], families) == "custom"
    for row in ROWS:
        if row["asset_type"] == "style":
            style = presets.style_of(row["name"], row["description"], row["attributes"])
            assert rules.style_category(style.visual_keywords, families) == row["attributes"]["category"]
            assert look_of_style(style).palette


def test_keywords_are_found_whatever_their_width_and_case() -> None:
    text = rules.search_text("Ｆｒｅｓｃｏ 壁画", ["Straße"], None)
    for keyword in ("fresco", "FRESCO 壁", "strasse"):
        assert rules.search_key(keyword) in text
    assert rules.search_key("画S") not in text  # two parts are not one text


@pytest.mark.parametrize(
    ("palette", "colours"),
    [
        ({}, []),
        ({"a": "#ABCDEF"}, ["#abcdef"]),
        ({"a": ["red", {"b": "#0f0"}], "c": "rgb(0, 0, 255)", "d": "red"}, ["#ff0000", "#00ff00", "#0000ff"]),
        ({"a": "#11223344"}, ["#112233"]),
    ],
)
def test_colours_of_a_palette(palette: dict, colours: list[str]) -> None:
    assert rules.colours_of(palette) == colours


@pytest.mark.parametrize(
    ("palette", "path"),
    [({"a": 1}, "a"), ({"a": [None]}, "a.0"), ({"a": {"b": "blurple"}}, "a.b"), ({"a": {"b": [[{}]]}}, "a.b.0.0")],
)
def test_what_is_no_colour_is_named(palette: dict, path: str) -> None:
    with pytest.raises(rules.NotAColourError) as caught:
        rules.colours_of(palette)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("template", "text", "filled"),
    [
        ("", "a girl", "a girl"),
        ("{prompt}, in a hat", "a girl", "a girl, in a hat"),
        ("portrait of {prompt}, {prompt}", "a girl", "portrait of a girl, a girl"),
        ("in a hat", "a girl", "a girl, in a hat"),
        ("in a hat", "", "in a hat"),
        ("{prompt}, in a hat", "", "in a hat"),
        ("{other} {0}", "a girl", "a girl, {other} {0}"),
    ],
)
def test_a_template_is_filled(template: str, text: str, filled: str) -> None:
    assert rules.fill_template(template, text) == filled


@pytest.mark.parametrize(
    ("texts", "age"),
    [(("白发老人",), "elder"), (("", "a little girl"), "child"), (("红色长袍", "林医生"), "adult"), (("",), "adult")],
)
def test_ages(texts: tuple[str, ...], age: str) -> None:
    assert rules.age_of(*texts) == age


@pytest.mark.parametrize(
    ("claimed", "measured", "fits"), [(2, 2.9, True), (2, 3.1, False), (200, 196.5, True), (200, 190, False)]
)
def test_a_claimed_length(claimed: float, measured: float, fits: bool) -> None:
    assert rules.is_duration(claimed, measured) is fits


def test_a_voice_speaks_the_language_asked_for_before_all_else() -> None:
    voices = load_catalog().default_for("speech").voice
    found = rules.best_voice(voices, use="narration", gender="female", age_range="elder", tone="gentle", language="en")
    assert found is not None
    assert found.language == "en"
    assert rules.best_voice((), use="narration", gender=None, age_range=None, tone=None, language=None) is None
