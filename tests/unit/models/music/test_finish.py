"""From raw samples to music of a film, and from words to a prompt."""

import numpy as np
import pytest

from models.music.finish import finished, part_to_make
from models.music.prompt import english_music_prompt, music_prompt
from models.sound import loudness_lufs, true_peak_dbtp
from models.specs import MusicSpec
from models.weighted import BadOutputError


def tone(seconds: float, rate: int = 48_000, hertz: float = 220.0, channels: int = 2) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    return np.tile(0.3 * np.sin(2 * np.pi * hertz * time), (channels, 1)).astype(np.float32)


def test_short_music_is_made_whole() -> None:
    assert part_to_make(30.0, 30.0) == (30.0, False)


@pytest.mark.parametrize("duration_s", [31.0, 56.0, 57.0, 100.0, 3600.0])
def test_long_music_is_made_of_equal_parts(duration_s: float) -> None:
    part_s, loop = part_to_make(duration_s, 30.0)

    assert loop
    assert 15.0 < part_s <= 30.0
    assert duration_s / (part_s - 2.0) == pytest.approx(round(duration_s / (part_s - 2.0)))


@pytest.mark.parametrize(("rate", "channels"), [(32_000, 1), (16_000, 1), (44_100, 2), (48_000, 2)])
def test_any_rate_becomes_48_khz_stereo(rate: int, channels: int) -> None:
    sound = finished(tone(3.0, rate, channels=channels), rate, 3.0, loop=False)

    assert sound.sample_rate == 48_000
    assert sound.samples.shape[0] == 2
    assert sound.samples.shape[1] == pytest.approx(3.0 * 48_000, abs=64)
    spectrum = np.abs(np.fft.rfft(sound.samples[0, 20_000:68_000]))
    assert int(spectrum.argmax()) == pytest.approx(220, abs=1)


def test_level_and_ceiling() -> None:
    bursts = tone(4.0) * 0.05
    bursts[:, 50_000:50_200] = 1.0
    for loop in (False, True):
        assert loudness_lufs(finished(tone(4.0), 48_000, 4.0, loop=loop).samples) == pytest.approx(-20.0, abs=0.3)
        assert true_peak_dbtp(finished(bursts, 48_000, 4.0, loop=loop).samples) <= -1.3


def test_loop_joins_end_and_start() -> None:
    noise = np.cumsum(np.random.default_rng(1).standard_normal((2, 5 * 48_000)), axis=1).astype(np.float32)
    noise -= np.convolve(noise[0], np.ones(4000) / 4000, "same").astype(np.float32)  # without its slow drift
    samples = finished(noise / np.abs(noise).max(), 48_000, 5.0, loop=True).samples
    jumps = np.abs(np.diff(samples, axis=1)).max()

    assert np.abs(samples[:, 0] - samples[:, -1]).max() <= jumps
    # A cut at a place that was not prepared for it is heard.
    assert np.abs(noise[:, 0] - noise[:, -1]).max() > np.abs(np.diff(noise, axis=1)).max()


def test_loop_keeps_its_power_in_the_crossfade() -> None:
    noise = np.random.default_rng(2).standard_normal((2, 8 * 48_000)).astype(np.float32) * 0.1
    samples = finished(noise, 48_000, 8.0, loop=True).samples
    powers = [float((part**2).mean()) for part in np.array_split(samples, 24, axis=1)]

    assert max(powers) / min(powers) < 1.1


def test_loop_is_limited_all_round() -> None:
    """What is loud at the end of a loop turns its beginning down too, or the joint would be heard."""
    samples = tone(16 / 3) * 0.2  # a quarter of it, 4/3 s, is the crossfade's
    samples[:, 4 * 48_000 - 300 : 4 * 48_000] *= 30.0
    loop = finished(samples, 48_000, 6.0, loop=True).samples
    crests = np.array([np.abs(part).max() for part in np.array_split(loop[0], 400)])

    assert crests[:1] < 0.9 * np.median(crests)


def test_loop_leaves_out_the_silence_around() -> None:
    silence = np.zeros((2, 48_000), np.float32)
    samples = finished(np.concatenate([silence, tone(5.0), silence], axis=1), 48_000, 7.0, loop=True).samples

    assert samples.shape[1] < 5 * 48_000
    assert min(np.abs(part).max() for part in np.array_split(samples, 100, axis=1)) > 0.05


def test_music_cut_at_its_length_does_not_click() -> None:
    samples = finished(tone(5.0), 48_000, 3.0, loop=False).samples

    assert samples.shape == (2, 3 * 48_000)
    assert np.abs(samples[:, [0, -1]]).max() < 1e-3


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((2, 48_000), np.float32), "silent"),
        (np.full((2, 48_000), 1e-7, np.float32), "silent"),
        (np.full((2, 48_000), np.nan, np.float32), "not finite"),
        (np.full((2, 48_000), np.inf, np.float32), "not finite"),
        (np.zeros((2, 0), np.float32), "shape"),
        (np.zeros((5, 480), np.float32), "shape"),
    ],
)
@pytest.mark.parametrize("loop", [False, True])
def test_what_is_no_music(samples: np.ndarray, message: str, loop: bool) -> None:
    with pytest.raises(BadOutputError, match=message):
        finished(samples, 48_000, 1.0, loop=loop)


def test_prompt_has_every_field() -> None:
    spec = MusicSpec(prompt="海边的日落。", mood="calm", genre="民乐", duration_s=9.0)

    assert music_prompt(spec) == "海边的日落, calm, 民乐, instrumental film music, no vocals"
    assert music_prompt(MusicSpec(duration_s=9.0)) == "gentle background score, instrumental film music, no vocals"


def test_english_prompt_says_what_is_known_of_chinese_words() -> None:
    english = english_music_prompt(MusicSpec(prompt="a boat", mood="sad", genre="piano", duration_s=9.0))
    sad = english_music_prompt(MusicSpec(prompt="雨中离别 slowly", mood="悲伤", genre="", duration_s=9.0))
    happy = english_music_prompt(MusicSpec(prompt="", mood="欢快", genre="", duration_s=9.0))

    assert english == "a boat, sad, piano, instrumental film music, no vocals"
    assert sad.isascii()
    assert sad.startswith("slowly, sad, ")
    assert happy.startswith("happy, ")
    assert "bpm" in happy
