"""What an input and an export may ask for."""

import pytest

from control_plane.errors import InvalidParameter
from control_plane.exports.rules import check_size, safe_file_name
from control_plane.exports.schemas import ExportConfig
from control_plane.inputs.rules import ASPECT_RATIOS, derive_seed, detect_language
from control_plane.projects.rules import automatic_name


@pytest.mark.parametrize(
    ("name", "short_side", "expected"),
    [
        ("16:9", 720, (1280, 720)),
        ("9:16", 720, (720, 1280)),
        ("4:3", 720, (960, 720)),
        ("2.35:1", 1080, (2538, 1080)),
        ("19:16", 720, (856, 720)),
        ("16:9", 2160, (3840, 2160)),
    ],
)
def test_sizes_have_the_short_side_asked_for(name: str, short_side: int, expected: tuple[int, int]) -> None:
    assert ASPECT_RATIOS[name].size(short_side) == expected


def test_every_size_is_even() -> None:
    for ratio in ASPECT_RATIOS.values():
        for side in (720, 1080, 2160):
            assert all(value % 2 == 0 for value in ratio.size(side))


def test_languages_are_told_apart() -> None:
    assert detect_language("夕阳下的 beach") == "zh"
    assert detect_language("A girl named 小雨 walked along the long beach at sunset") == "en"
    assert detect_language("12345 !!!") == "en"


def test_seeds_depend_on_every_name() -> None:
    seeds = {derive_seed("s", "shot", n) for n in range(100)} | {derive_seed("t", "shot", n) for n in range(100)}
    assert len(seeds) == 200
    assert all(0 <= seed < 2**63 for seed in seeds)


def export_config(**changes: object) -> ExportConfig:
    base = {"resolution": "720p", "width": 1280, "height": 720, "format": "MP4", "aspect_ratio": "16:9"}
    return ExportConfig.model_validate(base | changes)


def test_an_exports_numbers_agree() -> None:
    check_size(export_config())
    check_size(export_config(width=1282))
    check_size(export_config(resolution="1080p", aspect_ratio="9:16", width=1080, height=1920))
    for changes, field in (
        ({"width": 1290}, "config.width"),
        ({"height": 480}, "config.height"),
        ({"resolution": "1080p"}, "config.width"),
        ({"aspect_ratio": "1:1"}, "config.aspect_ratio"),
        ({"width": 1281}, "config.width"),
    ):
        with pytest.raises(InvalidParameter) as caught:
            check_size(export_config(**changes))
        assert caught.value.field == field


def test_file_names_are_safe_everywhere() -> None:
    assert safe_file_name('a/b\\c:"d"?', ".mp4") == "a b c d.mp4"
    assert safe_file_name("../..", ".mp4") == "film.mp4"
    assert safe_file_name("海边", ".mp4") == "海边.mp4"


def test_names_are_taken_from_the_text() -> None:
    assert automatic_name("# 海边的故事") == "海边的故事"
    assert automatic_name("a " * 100).endswith("…")
