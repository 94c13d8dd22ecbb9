import errno
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pysubs2
import pytest
from PIL import Image

from models.interfaces import UserInputError
from models.specs import (
    ClipEdit,
    CoverSpec,
    EncodeResult,
    EncodeSpec,
    FilmMusic,
    FilmSpeech,
    Filter,
    SubtitleStyle,
    Transition,
)
from pipelines import encode
from pipelines.context import LocalContext, TaskCancelled
from pipelines.media.audio import read_sound

from .material import (
    FPS,
    colour_at,
    film_spec,
    is_near,
    plain,
    quarters,
    rgb_frames,
    still,
    store_picture,
    store_tone,
    store_video,
    texture,
    video,
)

GREY = (120, 120, 120)


def render(spec: EncodeSpec, context: LocalContext) -> tuple[EncodeResult, Path]:
    result = encode.run(spec, None, context)
    return result, context.root / result.video.key


def small_film(context: LocalContext, **fields: object) -> EncodeSpec:
    """A video clip crossfading into a still, 3.5 seconds, with a spoken line and music."""
    store_video(context, "v.mp4", [texture(seed=seed) for seed in range(2 * FPS)])
    store_picture(context, "p.png", plain(GREY))
    store_tone(context, "say.flac", 1.5)
    store_tone(context, "music.flac", 2.0, hertz=220.0)
    clips = [
        video("v.mp4", 0.0, 2.0, transition=Transition.CROSSFADE, transition_duration_s=0.5),
        still("p.png", 1.5, 2.0),
    ]
    line = FilmSpeech(audio_key="say.flac", start_s=1.8, duration_s=1.5, text="清晨的海边，渔夫走向大海。")
    music = FilmMusic(audio_key="music.flac")
    plan = {"clips": clips, "speech": [line], "music": music, "subtitle": SubtitleStyle(), **fields}
    return film_spec(**plan)


@pytest.mark.parametrize(("kind", "suffix"), [("MP4", ".mp4"), ("MOV", ".mov")])
def test_the_file_is_what_players_expect(context: LocalContext, kind: str, suffix: str) -> None:
    result, path = render(small_film(context, format=kind, title="灯塔"), context)
    assert path.suffix == suffix
    assert result.video.media_type == {"MP4": "video/mp4", "MOV": "video/quicktime"}[kind]
    assert result.duration_s == 3.5
    with av.open(str(path)) as container:
        pictures, sound = container.streams.video[0], container.streams.audio[0]
        assert (pictures.codec_context.name, pictures.codec_context.profile) == ("h264", "High")
        assert pictures.pix_fmt == "yuv420p"
        assert (pictures.width, pictures.height, pictures.average_rate) == (320, 180, FPS)
        context_ = pictures.codec_context
        assert (context_.colorspace, context_.color_primaries, context_.color_trc) == (1, 1, 1)
        assert context_.color_range == 1
        assert (sound.codec_context.name, sound.rate, sound.layout.name) == ("aac", 48000, "stereo")
        assert container.metadata["title"] == "灯塔"
        assert "creation_time" not in container.metadata
        times = [frame.time for frame in container.decode(video=0)]
    assert len(times) == round(3.5 * FPS)
    assert all(abs(b - a - 1 / FPS) < 1e-4 for a, b in pairwise(times))
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize(("width", "height"), [(320, 180), (180, 320), (240, 180), (424, 180), (214, 180), (66, 130)])
def test_every_shape_is_exact(context: LocalContext, width: int, height: int) -> None:
    store_picture(context, "q.png", quarters())
    result, path = render(film_spec([still("q.png", duration_s=0.5)], width=width, height=height), context)
    assert (result.width, result.height) == (width, height)
    frames = rgb_frames(path)
    assert {frame.shape for frame in frames} == {(height, width, 3)}
    assert is_near(colour_at(frames[0], 0.1, 0.1), (200, 40, 40), 25)


@pytest.mark.parametrize("fps", [10, 24, 25, 30, 60])
def test_the_rate_is_the_films(context: LocalContext, fps: int) -> None:
    store_video(context, "v.mp4", [texture(seed=seed) for seed in range(FPS)])
    result, path = render(film_spec([video("v.mp4", duration_s=1.0)], fps=fps), context)
    assert result.duration_s == 1.0
    assert len(rgb_frames(path)) == fps


def test_edits_and_filters_reach_the_film(context: LocalContext) -> None:
    store_picture(context, "q.png", quarters())
    edit = ClipEdit(flip_horizontal=True, filter_type=Filter.INVERT)
    _, path = render(film_spec([still("q.png", duration_s=0.5, edit=edit)]), context)
    assert is_near(colour_at(rgb_frames(path)[0], 0.1, 0.1), (215, 75, 195), 20)  # green, mirrored and inverted


def test_subtitles_are_burned_in_only_while_spoken(context: LocalContext) -> None:
    spec = small_film(context, music=None)
    plain_frames = rgb_frames(render(spec.model_copy(update={"subtitle": None}), context)[1])
    result, path = render(spec, context)
    changed = [
        number
        for number, (frame, other) in enumerate(zip(rgb_frames(path), plain_frames, strict=True))
        if np.abs(frame[120:].astype(int) - other[120:]).max() > 90
    ]
    [subtitle] = pysubs2.load(str(context.root / result.subtitles[0].key)).events
    assert subtitle.plaintext.replace("\n", "") == "清晨的海边，渔夫走向大海。"
    assert abs(subtitle.start - 1800) < 150
    assert changed == [n for n in range(42) if subtitle.start <= (n + 0.5) / FPS * 1000 < subtitle.end]
    top = [
        np.abs(frame[:90].astype(int) - other[:90]).mean()
        for frame, other in zip(rgb_frames(path), plain_frames, strict=True)
    ]
    assert max(top) < 5  # the encoder spreads its bits differently, nothing more


def test_without_burn_in_only_the_file_is_made(context: LocalContext) -> None:
    spec = small_film(context, subtitle=SubtitleStyle(burn_in=False, format="ASS"))
    bare = small_film(context, subtitle=None)
    result, path = render(spec, context)
    assert result.subtitles[0].media_type == "text/x-ssa"
    assert render(bare, context)[0].subtitles == []
    assert path.read_bytes() == (context.root / render(bare, context)[0].video.key).read_bytes()


def test_a_cover_comes_first_and_moves_everything_else(context: LocalContext) -> None:
    store_picture(context, "cover.png", plain((90, 140, 200)))
    spec = small_film(context, music=None)
    covered = spec.model_copy(update={"cover": CoverSpec(image_key="cover.png", title_text="灯塔", duration_s=1.5)})
    result, path = render(covered, context)
    assert result.duration_s == 5.0
    frames = rgb_frames(path)
    assert is_near(colour_at(frames[0], 0.05, 0.05), tuple(np.array((90, 140, 200)) * 0.45), 30)
    picture = np.asarray(Image.open(context.root / result.cover.key)).astype(int)
    assert picture.shape == (180, 320, 3)
    assert np.abs(picture - frames[0]).mean() < 6
    event = pysubs2.load(str(context.root / result.subtitles[0].key)).events[0]
    assert abs(event.start - 3300) < 150
    sound = read_sound(path).samples
    assert np.abs(sound[:, : int(3.2 * 48000)]).max() < 0.01
    assert np.abs(sound[:, int(3.4 * 48000) : int(4.6 * 48000)]).max() > 0.1


def test_a_cover_may_show_a_frame_of_a_clip(context: LocalContext) -> None:
    store_picture(context, "a.png", plain((30, 160, 30)))
    store_video(context, "b.mp4", [plain((160, 30, 30))] * 6)
    clips = [still("a.png", 0, 0.5), video("b.mp4", 0.5, 0.5)]
    for index, channel in ((None, 1), (0, 1), (1, 0)):
        spec = film_spec(clips, cover=CoverSpec(clip_index=index, title_text="题", duration_s=0.5))
        first = colour_at(rgb_frames(render(spec, context)[1])[0], 0.1, 0.1)
        assert first.argmax() == channel


def test_sound_is_in_the_film_at_its_time(context: LocalContext) -> None:
    result, path = render(small_film(context, music=None), context)
    sound = read_sound(path).samples
    assert np.abs(sound[:, : int(1.7 * 48000)]).max() < 0.01
    assert np.abs(sound[:, int(1.9 * 48000) : int(3.2 * 48000)]).max() > 0.1
    assert result.loudness_lufs == pytest.approx(-16, abs=1.5)
    silent, _ = render(small_film(context, music=None, speech=[]), context)
    assert silent.loudness_lufs is None


def test_progress_rises_and_phases_come_in_order(context: LocalContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode, "_REPORT_EVERY_S", 0.0)
    render(small_film(context), context)
    assert context.phases == ["fetch", "decode", "run", "decode", "upload"]
    assert context.fractions == sorted(context.fractions)
    assert context.fractions[-1] == 1.0
    assert len(context.fractions) > 42


def test_cancelling_stops_the_encoding(context: LocalContext, monkeypatch: pytest.MonkeyPatch) -> None:
    class Cancelled(LocalContext):
        def progress(self, fraction: float) -> None:
            super().progress(fraction)
            if fraction > 0.3:
                raise TaskCancelled

    monkeypatch.setattr(encode, "_REPORT_EVERY_S", 0.0)
    cancelled = Cancelled(context.root)
    spec = small_film(context)
    with pytest.raises(TaskCancelled):
        encode.run(spec, None, cancelled)
    assert cancelled.fractions[-1] < 0.4
    assert not (context.root / "content").exists()


_RENDER = """
import sys, pathlib
from models.specs import EncodeSpec
from pipelines import encode
from pipelines.context import LocalContext
spec = EncodeSpec.model_validate_json(sys.stdin.read())
print("\\n" + encode.run(spec, None, LocalContext(pathlib.Path(sys.argv[1]))).model_dump_json())
"""


def test_the_same_film_has_the_same_bytes_in_any_process(context: LocalContext) -> None:
    spec = small_film(context, cover=CoverSpec(title_text="灯塔", duration_s=0.5))
    results = []
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", _RENDER, str(context.root)],
            input=spec.model_dump_json(),
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        results.append(json.loads(run.stdout.splitlines()[-1]))
    assert results[0] == results[1]


def test_the_same_film_has_the_same_bytes_in_one_process(context: LocalContext) -> None:
    spec = small_film(context)
    assert len({render(spec, context)[0].video.sha256 for _ in range(4)}) == 1


# --- bad input ----------------------------------------------------------------------------------------------


def test_missing_files_are_named_by_their_number(context: LocalContext) -> None:
    spec = small_film(context)
    for gone, name in (("p.png", "clip 2"), ("say.flac", "speech line 1"), ("music.flac", "the music")):
        path = context.root / gone
        data = path.read_bytes()
        path.unlink()
        with pytest.raises(RuntimeError, match=f"{name}: its file {gone} is missing"):
            encode.run(spec, None, context)
        path.write_bytes(data)


def test_a_broken_clip_is_named_by_its_number(context: LocalContext) -> None:
    spec = small_film(context)
    (context.root / "p.png").write_bytes(b"broken")
    with pytest.raises(RuntimeError, match="clip 2: its picture cannot be decoded"):
        encode.run(spec, None, context)
    store_picture(context, "p.png", plain(GREY))
    video_file = context.root / "v.mp4"
    video_file.write_bytes(video_file.read_bytes()[:900])
    with pytest.raises(RuntimeError, match="clip 1: its video"):
        encode.run(spec, None, context)


def test_a_broken_cover_picture_is_the_users_to_change(context: LocalContext) -> None:
    (context.root / "cover.png").write_bytes(b"no picture")
    spec = small_film(context, cover=CoverSpec(image_key="cover.png"))
    with pytest.raises(UserInputError) as caught:
        encode.run(spec, None, context)
    assert caught.value.field == "config.cover.custom_image_url"
    with pytest.raises(UserInputError) as caught:
        encode.run(small_film(context, cover=CoverSpec(clip_index=7)), None, context)
    assert caught.value.field == "config.cover.source_clip_id"


def test_a_silent_line_is_not_passed_off_as_speech(context: LocalContext) -> None:
    spec = small_film(context, music=None)
    store_tone(context, "say.flac", 1.5, amplitude=0.0)
    with pytest.raises(RuntimeError, match="speech line 1 is silent"):
        encode.run(spec, None, context)


def test_a_full_disk_is_said_to_be_one(context: LocalContext) -> None:
    context.work_dir.rmdir()
    context.work_dir = context.root / "full"
    context.work_dir.mkdir()
    (context.work_dir / "film.mp4").symlink_to("/dev/full")
    with pytest.raises(OSError) as caught:
        encode.run(small_film(context), None, context)
    assert caught.value.errno == errno.ENOSPC
