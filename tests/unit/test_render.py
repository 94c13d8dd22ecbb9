"""The pure parts of `reelfarm render`."""

from dataclasses import replace
from pathlib import Path

import pytest

from control_plane.render import RenderError, RenderMemory, RenderRequest, read_input
from control_plane.render_command import RenderOptions, output_of, request_of, run

REQUEST = RenderRequest("Once.", "text", "16:9", "720p", None, None, True, "MP4", "story")


@pytest.mark.parametrize(
    ("name", "input_type"),
    [("a.txt", "text"), ("a.MD", "text"), ("a.fountain", "script"), ("a.csv", "storyboard"), ("a.json", "storyboard")],
)
def test_the_kind_of_input_is_in_its_name(tmp_path: Path, name: str, input_type: str) -> None:
    (tmp_path / name).write_text("\ufeffOnce.", encoding="utf-8")
    assert read_input(tmp_path / name) == ("Once.", input_type)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [("a.pdf", b"x", "unknown kind of input"), ("a.txt", b"ab\xff", "byte 2"), ("b.txt", None, "No such file")],
)
def test_an_input_that_cannot_be_read(tmp_path: Path, name: str, data: bytes | None, reason: str) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(RenderError, match=reason):
        read_input(tmp_path / name)


def test_the_same_render_is_remembered_until_it_is_done(tmp_path: Path) -> None:
    attempt = RenderMemory(tmp_path, "server", "ada", REQUEST).begin()
    memory = RenderMemory(tmp_path, "server", "ada", REQUEST)
    assert memory.recall() == attempt
    memory.forget()
    assert memory.recall() is None
    assert memory.begin() != attempt


@pytest.mark.parametrize(
    "change",
    [{"content": "Twice."}, {"style": "ink"}, {"aspect_ratio": "4:3"}, {"subtitles": False}, {"duration_s": 9.0}],
)
def test_another_render_is_not_taken_for_it(tmp_path: Path, change: dict[str, object]) -> None:
    RenderMemory(tmp_path, "server", "ada", REQUEST).begin()
    assert RenderMemory(tmp_path, "server", "ada", replace(REQUEST, **change)).recall() is None  # type: ignore[arg-type]
    assert RenderMemory(tmp_path, "server", "bob", REQUEST).recall() is None
    assert RenderMemory(tmp_path, "other", "ada", REQUEST).recall() is None


@pytest.fixture
def options(tmp_path: Path) -> RenderOptions:
    story = tmp_path / "story.txt"
    story.write_text("Once.", encoding="utf-8")
    return RenderOptions([story], None, "16:9", "720p", None, None, True, None, None, tmp_path)


def test_where_the_film_goes(options: RenderOptions, tmp_path: Path) -> None:
    story = options.inputs[0]
    assert output_of(story, options) == Path("story.mp4")
    assert output_of(story, replace(options, output=tmp_path)) == tmp_path / "story.mp4"
    assert output_of(story, replace(options, output=Path("x.MOV"))) == Path("x.MOV")
    with pytest.raises(RenderError, match="unknown kind of film"):
        output_of(story, replace(options, output=Path("film.avi")))
    with pytest.raises(RenderError, match="not a directory"):
        output_of(story, replace(options, inputs=[story, story], output=Path("film.mp4")))


def test_two_inputs_never_become_one_film(options: RenderOptions, tmp_path: Path) -> None:
    other = tmp_path / "story.md"
    other.write_text("Twice.", encoding="utf-8")
    with pytest.raises(RenderError, match=r"story\.txt and .*story\.md would both become .*story\.mp4"):
        run(replace(options, inputs=[options.inputs[0], other], output=tmp_path))


def test_resolutions(options: RenderOptions) -> None:
    story = options.inputs[0]
    assert request_of(story, replace(options, resolution="4k")).resolution == "4K"
    assert request_of(story, replace(options, resolution="1080P")).resolution == "1080p"
    with pytest.raises(RenderError, match="unknown resolution 8k"):
        request_of(story, replace(options, resolution="8k"))
