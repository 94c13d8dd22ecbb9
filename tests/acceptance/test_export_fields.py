"""Every field of an export changes its film or the files beside it: exports that differ in it are compared."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.acceptance.film import Cue, Film, decode, difference, read_cues
from tests.acceptance.product import Api, Server
from tests.contract.fields import shows

pytestmark = pytest.mark.timeout(400)

BOARD = """镜号,景别,场景,画面,角色,旁白,时长,运镜,转场
1,远景,海边,傍晚的海滩,,海浪轻轻地唱着歌。,3,固定,切
2,远景,雨夜的街道,雨夜的城市街道和霓虹灯,,,1.5,固定,切
"""
BURNED = {"enabled": True, "burn_in": True}
COVER_S = 2.0
NOISE = 1.5
"""Mean difference of a region, in levels of 255, that two encodes of the same picture stay below."""
SEEN = 2 * NOISE


@dataclass
class Exported:
    film: Film
    files: dict[str, Path]
    offset_s: float
    """How long its cover is."""

    @property
    def cues(self) -> list[Cue]:
        return read_cues(self.files["subtitle"])

    def picture(self, second: float) -> np.ndarray:
        """At a time of the film after its cover."""
        return self.film.at(self.offset_s + second)

    @property
    def cover(self) -> np.ndarray:
        with Image.open(self.files["cover"]) as image:
            return np.asarray(image.convert("RGB").resize((320, 180)), np.float32)


@pytest.fixture(scope="module")
def exports(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Exported]:
    """One project's films, each of another configuration. Cover and subtitles are never on screen together, so that
    an export can vary both."""
    folder = tmp_path_factory.mktemp("exports")
    api = server.new_user("exporter")
    project = api.submit(BOARD, input_type="storyboard")
    api.wait_for_materials(project)
    clips = api.get(f"/projects/{project}/timeline")["clips"]
    variants: dict[str, dict[str, Any]] = {
        "base": {"subtitle": BURNED},
        "silent": {"subtitle": {"enabled": False, "burn_in": True}, "fps": 12, "format": "MOV"},
        "separate": {"subtitle": {"enabled": True, "burn_in": False, "format": "VTT"}, "cover": _cover()},
        "large": {"subtitle": BURNED | {"font_size": 64, "format": "ASS"}, "cover": _cover(title_text="另一个标题")},
        "red": {"subtitle": BURNED | {"font_color": "#ff0000"}, "cover": _cover(subtitle_text="一行副标题")},
        "serif": {
            "subtitle": BURNED | {"font_name": "Noto Serif CJK SC"},
            "cover": _cover(cover_type="from_clip", source_clip_id=clips[1]["id"]),
        },
        "top": {
            "subtitle": BURNED | {"position": "top"},
            "cover": _cover(cover_type="custom", custom_image_url=_green_picture(api)),
        },
        "centre": {"subtitle": BURNED | {"position": "center"}},
        "box": {"subtitle": BURNED | {"background_opacity": 0.9}},
        "green box": {"subtitle": BURNED | {"background_opacity": 0.9, "background_color": "#00ff00"}},
        "1080p": {"subtitle": BURNED, "resolution": "1080p", "width": 1920, "height": 1080},
    }
    running = {name: api.start_export(project, name, **config) for name, config in variants.items()}
    exported = {}
    for name, export in running.items():
        api.wait_for_export(export)
        files = api.exported(project, name, folder)
        offset_s = COVER_S if "cover" in variants[name] else 0.0
        exported[name] = Exported(decode(files["video"]), files, offset_s)
    return exported


def _cover(**changes: Any) -> dict[str, Any]:
    return {"enabled": True, "cover_type": "auto_generate", "title_text": "标题"} | changes


def _green_picture(api: Api) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (1280, 720), "#10c040").save(buffer, "PNG")
    return str(api.upload(buffer.getvalue(), "cover.png", "image/png", "image")["file_url"])


def _reading(exports: dict[str, Exported]) -> float:
    """A moment at which a subtitle is on screen."""
    (cue, *_) = exports["base"].cues
    return (cue.start_s + cue.end_s) / 2


def _strip(picture: np.ndarray, place: str = "bottom") -> np.ndarray:
    """The part of a picture that subtitles of a position stand in."""
    top = {"top": 0.03, "center": 0.4, "bottom": 0.8}[place]
    height, width = picture.shape[:2]
    return picture[round(top * height) : round((top + 0.18) * height), width // 4 : -width // 4]


def _text_seen(exports: dict[str, Exported], name: str, place: str = "bottom") -> float:
    """How far the strip differs from the film without burned-in subtitles while a cue is on."""
    at = _reading(exports)
    return difference(_strip(exports[name].picture(at), place), _strip(exports["separate"].picture(at), place))


@shows("POST /projects/{project_id}/export", "config.subtitle.burn_in")
def test_subtitles_burn_in(exports: dict[str, Exported]) -> None:
    assert _text_seen(exports, "base") > 2 * SEEN
    silent = exports["base"].film.duration_s - 0.5
    assert difference(exports["base"].picture(silent), exports["separate"].picture(silent)) < NOISE


@shows("POST /projects/{project_id}/export", "config.subtitle.enabled")
def test_subtitle_enabled(exports: dict[str, Exported]) -> None:
    assert _text_seen(exports, "silent") < SEEN
    assert "subtitle" not in exports["silent"].files
    assert "subtitle" in exports["separate"].files


@shows("POST /projects/{project_id}/export", "config.subtitle.format")
@pytest.mark.parametrize(
    ("name", "suffix", "start"),
    [("base", ".srt", "1\n"), ("separate", ".vtt", "WEBVTT"), ("large", ".ass", "[Script Info]")],
)
def test_subtitle_format(exports: dict[str, Exported], name: str, suffix: str, start: str) -> None:
    path = exports[name].files["subtitle"]
    assert path.suffix == suffix
    assert path.read_text(encoding="utf-8-sig").startswith(start)
    # The other files count from the start of a film that begins with a cover.
    assert [cue.text for cue in exports[name].cues] == [cue.text for cue in exports["base"].cues]
    later = exports[name].cues[0].start_s - exports["base"].cues[0].start_s
    assert later == pytest.approx(exports[name].offset_s, abs=0.05)


@shows(
    "POST /projects/{project_id}/export",
    "config.subtitle.font_size",
    "config.subtitle.font_name",
    "config.subtitle.background_opacity",
)
@pytest.mark.parametrize("name", ["large", "red", "serif", "box", "green box"])
def test_subtitle_looks(exports: dict[str, Exported], name: str) -> None:
    at = _reading(exports)
    one, other = exports[name].picture(at), exports["base"].picture(at)
    assert difference(_strip(one), _strip(other)) > SEEN
    assert difference(_strip(one, "top"), _strip(other, "top")) < NOISE


@shows("POST /projects/{project_id}/export", "config.subtitle.font_color")
def test_subtitle_font_color(exports: dict[str, Exported]) -> None:
    at = _reading(exports)
    red, plain = (_strip(exports[name].picture(at)).mean(axis=(0, 1)) for name in ("red", "base"))
    assert (red - plain)[1:].max() < (red - plain)[0] - SEEN


@shows("POST /projects/{project_id}/export", "config.subtitle.background_color")
def test_subtitle_background_color(exports: dict[str, Exported]) -> None:
    at = _reading(exports)
    green, black = (_strip(exports[name].picture(at)).mean(axis=(0, 1)) for name in ("green box", "box"))
    assert (green - black).argmax() == 1
    assert (green - black)[1] > 2 * SEEN


@shows("POST /projects/{project_id}/export", "config.subtitle.position")
@pytest.mark.parametrize(("name", "place"), [("top", "top"), ("centre", "center")])
def test_subtitle_position(exports: dict[str, Exported], name: str, place: str) -> None:
    assert _text_seen(exports, name, place) > 2 * SEEN
    assert _text_seen(exports, name, "bottom") < NOISE


@shows("POST /projects/{project_id}/export", "config.cover.enabled")
def test_cover_enabled(exports: dict[str, Exported]) -> None:
    with_cover, without = exports["separate"], exports["base"]
    assert with_cover.film.duration_s == pytest.approx(without.film.duration_s + COVER_S, abs=0.1)
    assert "cover" not in without.files
    assert difference(with_cover.film.at(1.0), without.film.at(1.0)) > 2 * SEEN
    assert difference(with_cover.film.at(0.0), with_cover.cover) < 2 * SEEN


@shows("POST /projects/{project_id}/export", "config.cover.title_text", "config.cover.subtitle_text")
@pytest.mark.parametrize(
    "name", ["large", "red", "serif", "top"], ids=["title_text", "subtitle_text", "source_clip_id", "custom_image_url"]
)
def test_cover_looks(exports: dict[str, Exported], name: str) -> None:
    assert difference(exports[name].cover, exports["separate"].cover) > NOISE
    assert difference(exports[name].film.at(1.0), exports["separate"].film.at(1.0)) > NOISE


@shows(
    "POST /projects/{project_id}/export",
    "config.cover.source_clip_id",
    "config.cover.custom_image_url",
    "config.cover.cover_type",
)
def test_cover_shows_the_clip_or_the_picture_that_was_asked_for(exports: dict[str, Exported]) -> None:
    corner = np.s_[:40, :60]
    green = exports["top"].cover[corner].mean(axis=(0, 1))
    assert green.argmax() == 1
    assert green[1] > 1.5 * max(green[0], green[2])
    # The title card darkens its ground: what it shows is told by what varies together.
    ground, second = (
        picture[corner].ravel()
        for picture in (exports["serif"].cover, exports["base"].film.at(exports["base"].film.duration_s - 1))
    )
    first = exports["base"].film.at(0.2)[corner].ravel()
    assert np.corrcoef(ground, second)[0, 1] > np.corrcoef(ground, first)[0, 1]


@shows("POST /projects/{project_id}/export", "config.fps", "config.format")
def test_fps_and_format(exports: dict[str, Exported]) -> None:
    slow, base = exports["silent"], exports["base"]
    assert (slow.film.fps, base.film.fps) == (12, 24)
    assert (slow.files["video"].suffix, base.files["video"].suffix) == (".mov", ".mp4")
    assert slow.files["video"].read_bytes()[8:12] == b"qt  "
    assert base.files["video"].read_bytes()[8:12] != b"qt  "
    assert slow.film.duration_s == pytest.approx(base.film.duration_s, abs=0.1)


@shows("POST /projects/{project_id}/export", "config.resolution", "config.width", "config.height")
def test_resolution(exports: dict[str, Exported]) -> None:
    large = exports["1080p"].film
    assert (large.width, large.height) == (1920, 1080)
    at = _reading(exports)
    assert difference(large.at(at), exports["base"].film.at(at)) < 2 * SEEN
