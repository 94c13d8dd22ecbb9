from pathlib import Path

import numpy as np
import pysubs2
import pytest

from models.interfaces import UserInputError
from models.planes import rgb_to_i420
from models.specs import FilmSpeech, SubtitleStyle
from pipelines.media.compositor import SubtitleTrack
from pipelines.media.cues import Cue
from pipelines.media.frames import i420_to_rgb
from pipelines.media.subtitles import Look, film_cues, look_of, overlay_of, write_subtitles

from .material import film_spec, plain, still

GREY = (110, 110, 110)
CUES = [
    Cue(0.5, 2.25, ("清晨的海边，", "渔夫推着小船。"), "旁白"),
    Cue(2.25, 4.0, ("“Hello,” he said.",), "Ben"),
    Cue(61.125, 3725.5, ("最后一句。",)),
]


def look(width: int = 1280, height: int = 720, **style: object) -> Look:
    return look_of(SubtitleStyle(**style), width, height)


def burned(cue: Cue, look: Look) -> np.ndarray:
    frame = rgb_to_i420(plain(GREY, look.width, look.height))
    overlay_of(cue, look).blend(frame)
    return i420_to_rgb(frame).astype(int)


def touched(image: np.ndarray) -> tuple[float, float, float, float]:
    """Left, top, right and bottom edge of what differs from the grey ground, in fractions of the frame."""
    rows, columns = np.nonzero(np.abs(image - GREY).max(axis=2) > 12)
    height, width = image.shape[:2]
    return columns.min() / width, rows.min() / height, columns.max() / width, rows.max() / height


@pytest.mark.parametrize("kind", ["SRT", "VTT", "ASS"])
@pytest.mark.parametrize("style", [{}, {"position": "top", "font_color": "#ffcc00", "background_opacity": 0.6}])
def test_files_read_back_with_the_same_times_and_text(tmp_path: Path, kind: str, style: dict[str, object]) -> None:
    path = tmp_path / f"s.{kind.lower()}"
    write_subtitles(path, CUES, look(format=kind, **style), "题目")
    events = pysubs2.load(str(path)).events
    assert len(events) == len(CUES)
    slack_ms = 10 if kind == "ASS" else 1
    for event, cue in zip(events, CUES, strict=True):
        assert abs(event.start - cue.start_s * 1000) <= slack_ms
        assert abs(event.end - cue.end_s * 1000) <= slack_ms
        assert event.plaintext == "\n".join(cue.lines)


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [("SRT", "application/x-subrip"), ("VTT", "text/vtt"), ("ASS", "text/x-ssa")],
)
def test_media_types(tmp_path: Path, kind: str, media_type: str) -> None:
    assert write_subtitles(tmp_path / "s", CUES, look(format=kind), "t") == media_type


def test_the_ass_style_is_the_burned_in_one(tmp_path: Path) -> None:
    path = tmp_path / "s.ass"
    style = {"position": "top", "font_color": "#ffcc00", "font_name": "DejaVu Sans", "font_size": 50}
    write_subtitles(path, CUES, look(1920, 1080, format="ASS", **style), "题目")
    subtitles = pysubs2.load(str(path))
    default = subtitles.styles["Default"]
    assert subtitles.info["PlayResY"] == "1080"
    assert default.fontname == "DejaVu Sans"
    assert default.alignment == pysubs2.Alignment.TOP_CENTER
    assert (default.primarycolor.r, default.primarycolor.g, default.primarycolor.b) == (255, 204, 0)
    assert default.fontsize > 75  # the em is 75 px at 1080; the cell that SSA names is taller
    assert [event.name for event in subtitles] == ["旁白", "Ben", ""]


def test_a_box_shows_in_the_ass_style(tmp_path: Path) -> None:
    path = tmp_path / "s.ass"
    write_subtitles(path, CUES, look(format="ASS", background_opacity=0.75, background_color="#0000ff"), "t")
    default = pysubs2.load(str(path)).styles["Default"]
    assert default.borderstyle == 3
    assert (default.backcolor.b, default.backcolor.a) == (255, 64)


def test_vtt_carries_place_and_colours(tmp_path: Path) -> None:
    path = tmp_path / "s.vtt"
    write_subtitles(path, CUES, look(format="VTT", position="center", font_color="#00ff00"), "t")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("WEBVTT\n")
    assert "color: rgb(0, 255, 0)" in text
    assert text.count("line:50%") == len(CUES)


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("ASS", "若 a < b & c，｛＼pos(0,0)｝＼N"),
        ("SRT", "若 a < b & c，｛＼pos(0,0)｝＼N"),
        ("VTT", "若 a &lt; b &amp; c，｛＼pos(0,0)｝＼N"),
    ],
)
def test_markup_in_the_text_is_shown_not_obeyed(tmp_path: Path, kind: str, written: str) -> None:
    path = tmp_path / "s"
    text = "若 a < b & c，{\\pos(0,0)}\\N"
    write_subtitles(path, [Cue(0.0, 2.0, (text,))], look(format=kind), "t")
    assert written in path.read_text(encoding="utf-8")


def test_srt_stays_plain_where_the_style_is_the_usual_one(tmp_path: Path) -> None:
    path = tmp_path / "s.srt"
    write_subtitles(path, CUES, look(), "t")
    assert "1\n00:00:00,500 --> 00:00:02,250\n清晨的海边，\n渔夫推着小船。\n" in path.read_text(encoding="utf-8")


# --- burned in ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("position", "low", "high"), [("top", 0.0, 0.3), ("center", 0.35, 0.65), ("bottom", 0.7, 1.0)])
def test_text_stands_where_it_should_and_nowhere_else(position: str, low: float, high: float) -> None:
    left, top, right, bottom = touched(burned(CUES[0], look(position=position)))
    assert low < top < bottom < high
    assert abs((left + right) / 2 - 0.5) < 0.02


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (854, 720), (846, 360)])
@pytest.mark.parametrize(
    "text",
    [
        "这是一个没有任何标点也没有任何停顿的非常非常长的句子它必须被折成两行并且不能超出画面的边缘否则就会被裁掉",
        "مرحبا بالعالم كيف حالك اليوم أنا سعيد جدا بلقائك هنا على شاطئ البحر في هذا الصباح الجميل",
        "Pneumonoultramicroscopicsilicovolcanoconiosis is a word that fills almost every line it is put on",
    ],
)
@pytest.mark.parametrize("font_size", [None, 90])
def test_long_text_stays_inside_the_frame(size: tuple[int, int], text: str, font_size: int | None) -> None:
    width, height = size
    style = SubtitleStyle(font_size=font_size)
    line = FilmSpeech(audio_key="a", start_s=0, duration_s=24, text=text)
    spec = film_spec([still("x", duration_s=30)], width=width, height=height, speech=[line], subtitle=style)
    framed = look_of(style, width, height)
    cues = film_cues(spec, framed, 0.0, 30.0)
    assert "".join("".join(cue.lines) for cue in cues).replace(" ", "") == text.replace(" ", "")
    for cue in (cues[0], cues[-1]):
        left, top, right, bottom = touched(burned(cue, framed))
        assert 0.01 < left < right < 0.99
        assert 0.01 < top < bottom < 0.995


def test_style_fields_change_the_picture() -> None:
    usual = burned(CUES[0], look())
    for style in (
        {"font_size": 60},
        {"font_color": "#ff0000"},
        {"font_name": "Noto Serif CJK SC"},
        {"position": "top"},
        {"background_opacity": 0.5},
        {"background_opacity": 0.5, "background_color": "#ff00ff"},
    ):
        other = burned(CUES[0], look(**style))
        assert np.abs(other - usual).max() > 40, style
    assert np.array_equal(burned(CUES[0], look(background_color="#ff00ff")), usual)  # nothing to colour


def test_size_follows_the_short_side() -> None:
    def text_height(width: int, height: int) -> float:
        _, top, _, bottom = touched(burned(CUES[0], look(width, height)))
        return (bottom - top) * height

    assert text_height(1920, 1080) / text_height(1280, 720) == pytest.approx(1.5, rel=0.05)
    assert text_height(720, 1280) == pytest.approx(text_height(1280, 720), rel=0.05)


def test_a_cue_is_drawn_only_while_it_lasts() -> None:
    framed = look(320, 180)
    track = SubtitleTrack(CUES[:2], lambda cue: overlay_of(cue, framed), fps=10)
    drawn = []
    for number in range(50):
        frame = rgb_to_i420(plain(GREY, 320, 180))
        before = frame.copy()
        track.apply(frame, number)
        drawn.append(not np.array_equal(frame, before))
    assert [number for number, changed in enumerate(drawn) if changed] == list(range(5, 40))


def test_blending_touches_only_the_tile() -> None:
    rng = np.random.default_rng(0)
    frame = rng.integers(16, 235, (1080, 1280), dtype=np.uint8)
    before = frame.copy()
    overlay_of(CUES[0], look()).blend(frame)
    assert np.array_equal(frame[:500], before[:500])
    assert not np.array_equal(frame[500:720], before[500:720])


@pytest.mark.parametrize(
    ("style", "field"),
    [
        ({"font_color": "reddish"}, "font_color"),
        ({"background_color": "#12"}, "background_color"),
    ],
)
def test_impossible_styles_name_their_field(style: dict[str, object], field: str) -> None:
    with pytest.raises(UserInputError) as caught:
        look(**style)
    assert caught.value.field == f"config.subtitle.{field}"
