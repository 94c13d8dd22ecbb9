import numpy as np
import pytest

from models.sound import (
    SAMPLE_RATE,
    convolve,
    decibels,
    equalise,
    fast_length,
    limit,
    loudness_lufs,
    shelf_db,
    stretch_band_limited,
    true_peak_dbtp,
)
from tests.unit.sound.measure import libav_ebur128


def _noise(seconds: float, channels: int = 2, level: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(3)
    return (rng.standard_normal((channels, round(seconds * SAMPLE_RATE))) * level).astype(np.float32)


def _gated() -> np.ndarray:
    samples = _noise(24.0)
    samples[:, 8 * SAMPLE_RATE : 16 * SAMPLE_RATE] *= 0.01
    return samples


def _low_tone() -> np.ndarray:
    wave = 0.3 * np.sin(2 * np.pi * 55.0 * np.arange(5 * SAMPLE_RATE) / SAMPLE_RATE)
    return np.stack([wave, 0.2 * wave]).astype(np.float32)


@pytest.mark.parametrize(
    "samples",
    [_noise(12.5), _noise(3.0, channels=1), _gated(), _low_tone()],
    ids=["long", "mono", "gated", "low"],
)
def test_loudness_and_true_peak_agree_with_libavfilter(samples: np.ndarray) -> None:
    reference = libav_ebur128(samples)
    loudness = loudness_lufs(samples)
    assert loudness is not None
    assert loudness == pytest.approx(reference["I"], abs=0.1)
    assert true_peak_dbtp(samples) == pytest.approx(20 * np.log10(reference["true_peak"]), abs=0.3)


def test_a_997_hz_tone_has_the_loudness_the_standard_says() -> None:
    tone = np.sin(2 * np.pi * 997.0 * np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE)
    assert loudness_lufs(tone[np.newaxis].astype(np.float32)) == pytest.approx(-3.01, abs=0.05)


def test_silence_has_no_loudness_and_a_short_sound_has_one() -> None:
    assert loudness_lufs(np.zeros((2, SAMPLE_RATE), np.float32)) is None
    assert loudness_lufs(np.zeros((2, 0), np.float32)) is None
    short, long = loudness_lufs(_noise(0.2)), loudness_lufs(_noise(5.0))
    assert short is not None and long is not None
    assert short == pytest.approx(long, abs=1.0)


def test_the_limiter_keeps_below_the_ceiling_and_leaves_quiet_parts_alone() -> None:
    samples = _noise(12.0, level=0.05)
    samples[:, 5 * SAMPLE_RATE : 5 * SAMPLE_RATE + 400] *= 40.0
    quiet = samples[:, : 4 * SAMPLE_RATE].copy()
    limit(samples, -1.5)
    assert true_peak_dbtp(samples) <= -1.49
    np.testing.assert_array_equal(samples[:, : 4 * SAMPLE_RATE], quiet)


def test_the_limiter_finds_peaks_between_samples() -> None:
    # A quarter-rate sine sampled at 45 degrees: its samples are 3 dB below its peaks.
    wave = 1.2 * np.sin(np.pi / 2 * np.arange(SAMPLE_RATE) + np.pi / 4)
    samples = np.stack([wave, wave]).astype(np.float32)
    assert np.abs(samples).max() < 0.9
    limit(samples, -1.0)
    assert np.abs(samples[:, 2000:-2000]).max() == pytest.approx(decibels(-1.0) / np.sqrt(2), rel=0.02)


@pytest.mark.parametrize("n", [1, 7, 997, 48_001, 123_457])
def test_fast_lengths_have_small_factors_and_are_tight(n: int) -> None:
    length = rest = fast_length(n)
    for factor in (2, 3, 5):
        while rest % factor == 0:
            rest //= factor
    assert rest == 1
    assert n <= length <= max(1.15 * n, n + 2)


@pytest.mark.parametrize(("n", "taps"), [(5, 3), (40_000, 11), (100_000, 20_000), (300, 4000)])
def test_convolution_in_blocks_is_convolution(n: int, taps: int) -> None:
    rng = np.random.default_rng(5)
    samples = rng.standard_normal((2, n)).astype(np.float32)
    impulse = rng.standard_normal((2, taps)).astype(np.float32) / np.float32(taps**0.5)
    size = fast_length(n + taps)
    expected = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(impulse, size), size)[:, : n + taps - 1]
    np.testing.assert_allclose(convolve(samples, impulse), expected, atol=2e-4)


def test_an_equaliser_changes_levels_and_no_phases() -> None:
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    low, high = (np.sin(2 * np.pi * hz * time) for hz in (100.0, 9000.0))
    mixed = (low + high)[np.newaxis].astype(np.float32)
    out = equalise(mixed, lambda hz: shelf_db(hz, 1000.0, -12.0))
    np.testing.assert_allclose(out[0, 9000:-9000], (low + decibels(-12.0) * high)[9000:-9000], atol=0.01)


def test_resampling_keeps_a_tone_and_moves_its_frequency() -> None:
    time = np.arange(22_050) / 22_050
    tone = (np.sin(2 * np.pi * 440 * time) * np.hanning(time.size)).astype(np.float32)
    resampled = stretch_band_limited(tone, SAMPLE_RATE)
    expected = np.sin(2 * np.pi * 440 * np.arange(SAMPLE_RATE) / SAMPLE_RATE) * np.hanning(SAMPLE_RATE)
    assert np.abs(resampled - expected).max() < 0.01
