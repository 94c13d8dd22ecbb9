import numpy as np
import pytest

from models.interfaces import UserInputError
from models.specs import Font
from pipelines.media.text import (
    TextStyle,
    drawable,
    has_glyph,
    line_width,
    parse_colour,
    render_lines,
)

CHINESE = "清晨的海边，渔夫阿明推着小船走向大海。“等你回来！”繁體字：燈塔下的重逢……玥镕喆堃"
ARABIC = "مرحبا بالعالم، كيف حالك اليوم؟"
HEBREW = "שלום עולם"


@pytest.mark.parametrize("text", [CHINESE, "Grüße, naïve façade – “quoted” 3½ €", "Привет, αβγ", "こんにちは"])
def test_the_default_font_draws_every_character(text: str) -> None:
    missing = render_lines(["\U0010ffff"], TextStyle(40))
    for character in set(text) - {" "}:
        assert has_glyph(Font.SANS, character), character
        tile = render_lines([character], TextStyle(40))
        assert tile[..., 3].max() == 255
        assert tile.shape != missing.shape or not np.array_equal(tile, missing), character


@pytest.mark.parametrize("text", [ARABIC, HEBREW])
def test_right_to_left_text_is_drawn_by_another_bundled_font(text: str) -> None:
    assert drawable(text) == text
    assert not has_glyph(Font.SANS, text[0])
    assert render_lines([text], TextStyle(40))[..., 3].max() == 255


def test_arabic_is_shaped_and_ordered() -> None:
    # Joined letters are narrower than the sum of the isolated ones, and the first letter stands on the right.
    word = "سلام"
    assert line_width(word, Font.SANS, 40) < 0.9 * sum(line_width(letter, Font.SANS, 40) for letter in word)
    marked = render_lines(["ا" + "ـ" * 8], TextStyle(40))[..., 3]
    rows = (marked > 128).sum(axis=0)
    assert rows.argmax() > marked.shape[1] / 2  # the tall alef, written first


def test_what_no_font_has_is_left_out() -> None:
    assert drawable("好😀👍🏽的\u200d\x07\ufe0f\x00") == "好的"
    assert drawable("\U00012000ก\ud7ff") == ""


def test_every_family_draws_chinese_without_boxes() -> None:
    for family in Font:
        tile = render_lines(["海边灯塔"], TextStyle(40, family=family))
        assert 4 * 36 < tile.shape[1] - 2 * round(40 * 0.42) < 4 * 48


def test_colours() -> None:
    assert parse_colour("#ff8000", "f") == (255, 128, 0)
    with pytest.raises(UserInputError) as caught:
        parse_colour("#ggg", "config.subtitle.font_color")
    assert caught.value.field == "config.subtitle.font_color"


def test_text_has_its_colour_and_a_dark_outline() -> None:
    tile = render_lines(["国"], TextStyle(60, colour=(255, 230, 0), outline=4)).astype(int)
    solid = tile[tile[..., 3] > 250]
    assert (np.abs(solid[:, :3] - [255, 230, 0]).max(axis=1) < 12).any()
    assert (solid[:, :3].max(axis=1) < 40).any()


def test_the_box_has_its_colour_and_opacity() -> None:
    tile = render_lines(["国"], TextStyle(60, box_colour=(0, 0, 200), box_opacity=0.5)).astype(int)
    corner = tile[tile.shape[0] // 2, 16]
    assert abs(corner[3] - 128) <= 2
    assert np.abs(corner[:3] - [0, 0, 200]).max() <= 3
