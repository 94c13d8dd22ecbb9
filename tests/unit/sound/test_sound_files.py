from pathlib import Path

import av
import numpy as np
import pytest

from models.interfaces import Sound, UserInputError
from models.sound import SAMPLE_RATE
from pipelines.media.audio import BadSoundError, check_sound, read_sound, write_flac


def _tone(seconds: float = 1.5, channels: int = 2) -> Sound:
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    wave = 0.4 * np.sin(2 * np.pi * 523.25 * time)
    return Sound(np.stack([wave, 0.5 * wave])[:channels].astype(np.float32), SAMPLE_RATE)


def _encode(path: Path, sound: Sound, codec: str, rate: int = 44_100) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="stereo")
        assert isinstance(stream, av.AudioStream)
        resampler = av.AudioResampler(format=stream.format, layout="stereo", rate=rate, frame_size=stream.frame_size)
        frame = av.AudioFrame.from_ndarray(sound.samples, format="fltp", layout="stereo")
        frame.sample_rate = SAMPLE_RATE
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("channels", [1, 2])
def test_flac_keeps_the_samples_and_its_bytes_depend_on_nothing_else(tmp_path: Path, channels: int) -> None:
    sound = _tone(channels=channels)
    write_flac(tmp_path / "a.flac", sound)
    write_flac(tmp_path / "b.flac", sound)
    assert (tmp_path / "a.flac").read_bytes() == (tmp_path / "b.flac").read_bytes()
    back = read_sound(tmp_path / "a.flac")
    assert back.sample_rate == SAMPLE_RATE
    assert back.samples.shape == sound.samples.shape
    assert np.abs(back.samples - sound.samples).max() < 2 / 32768


def test_flac_clips_what_is_too_loud(tmp_path: Path) -> None:
    write_flac(tmp_path / "loud.flac", Sound(4 * _tone().samples, SAMPLE_RATE))
    back = read_sound(tmp_path / "loud.flac").samples
    assert np.abs(back[0]).max() == pytest.approx(1.0, abs=1e-3)
    assert np.abs(np.diff(back[0])).max() < 0.2  # wrapped round, the signal would jump by 2


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.wav", "pcm_s16le"),
        ("a.mp3", "libmp3lame"),
        ("a.m4a", "aac"),
        ("a.ogg", "libopus"),
        ("a.flac", "flac"),
    ],
)
def test_uploads_of_the_usual_kinds_are_read(tmp_path: Path, name: str, codec: str) -> None:
    sound = _tone()
    back = read_sound(_encode(tmp_path / name, sound, codec, 48_000 if codec == "libopus" else 44_100))
    assert back.sample_rate == SAMPLE_RATE
    assert back.samples.shape[0] == 2
    assert back.samples.shape[1] / SAMPLE_RATE == pytest.approx(1.5, abs=0.06)
    amplitude = np.abs(np.fft.rfft(back.samples[0]))
    assert np.argmax(amplitude) * SAMPLE_RATE / back.samples.shape[1] == pytest.approx(523.25, abs=2)


def test_only_the_first_seconds_are_read_on_request(tmp_path: Path) -> None:
    write_flac(tmp_path / "a.flac", _tone(3.0))
    assert read_sound(tmp_path / "a.flac", 1.25).samples.shape[1] == round(1.25 * SAMPLE_RATE)


def test_broken_files_are_the_users_to_change(tmp_path: Path) -> None:
    write_flac(tmp_path / "good.flac", _tone())
    broken = {
        "empty.wav": b"",
        "text.mp3": b"This is no sound at all, only words. " * 40,
        "noise.ogg": np.random.default_rng(1).bytes(20_000),
        "cut.m4a": _encode(tmp_path / "good.m4a", _tone(), "aac").read_bytes()[:3000],
    }
    for name, content in broken.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(UserInputError) as failure:
            read_sound(path)
        assert failure.value.field == "file_url"


def test_a_picture_is_no_sound(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((96, 64), np.uint8), format="yuv420p")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(UserInputError):
        read_sound(path)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros((2, 4800), np.float32),
        np.zeros((2, 0), np.float32),
        np.full((1, 4800), np.nan, np.float32),
        np.ones((3, 4800), np.float32),
        np.ones(4800, np.float32),
    ],
    ids=["silent", "empty", "nan", "channels", "shape"],
)
def test_a_result_that_cannot_be_heard_is_refused(samples: np.ndarray) -> None:
    with pytest.raises(BadSoundError):
        check_sound(Sound(samples, SAMPLE_RATE))
