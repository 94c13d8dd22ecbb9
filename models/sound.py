"""Sound arithmetic shared by speech, music and the film mix: loudness, equalising, resampling, limiting.

Samples are float32 of shape ``(channels, n)``, full scale at 1.0, and everything here works at 48 kHz unless
a rate is asked for. Long sounds are walked in blocks, so memory stays at the size of the sound itself.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

SAMPLE_RATE = 48_000

Samples = NDArray[np.float32]
Curve = NDArray[np.float64]

_BLOCK = 10 * SAMPLE_RATE
_EQ_TAPS = 8192  # resolves 6 Hz
_WARM_UP = SAMPLE_RATE // 4  # the slowest K-weighting pole has decayed by 100 dB after this
_STEP = SAMPLE_RATE // 10  # gating blocks of 400 ms overlap by 75 %

# K-weighting at 48 kHz: ITU-R BS.1770-4, annex 1, tables 1 and 2 (head shelf, then RLB high-pass), as (b, a).
_K_WEIGHTING = (
    ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585)),
    ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)),
)
_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0


def decibels(gain_db: float) -> float:
    """The amplitude factor of a gain in dB."""
    return float(10.0 ** (gain_db / 20.0))


def fast_length(n: int) -> int:
    """The smallest length of at least ``n`` that an FFT handles quickly (only factors 2, 3 and 5)."""
    best = 1 << max(n - 1, 1).bit_length()
    power_of_five = 1
    while power_of_five < best:
        power = power_of_five
        while power < best:
            candidate = power
            while candidate < n:
                candidate *= 2
            best = min(best, candidate)
            power *= 3
        power_of_five *= 5
    return best


def equalise(samples: Samples, gain_db: Callable[[Curve], Curve]) -> Samples:
    """Apply a smooth gain curve without shifting phases. ``gain_db`` maps frequencies in Hz to dB."""
    frequencies = np.fft.rfftfreq(_EQ_TAPS, 1 / SAMPLE_RATE).astype(np.float64)
    kernel = np.fft.irfft(10.0 ** (gain_db(frequencies) / 20.0))
    kernel = np.roll(kernel, _EQ_TAPS // 2) * np.hanning(_EQ_TAPS + 1)[:-1]
    filtered = convolve(samples, kernel[np.newaxis].astype(np.float32))
    return filtered[..., _EQ_TAPS // 2 :][..., : samples.shape[-1]]


def shelf_db(frequency: Curve, corner_hz: float, gain_db: float, width_octaves: float = 1.0) -> Curve:
    """A gain that rises smoothly from 0 dB well below ``corner_hz`` to ``gain_db`` well above it."""
    octaves = np.log2(np.maximum(frequency, 1.0) / corner_hz) / width_octaves
    return gain_db / (1.0 + np.exp2(-4.0 * np.clip(octaves, -30, 30)))


def bell_db(frequency: Curve, centre_hz: float, gain_db: float, width_octaves: float = 1.0) -> Curve:
    """A gain of ``gain_db`` at ``centre_hz`` that fades to 0 dB on both sides."""
    octaves = np.log2(np.maximum(frequency, 1.0) / centre_hz) / width_octaves
    return gain_db * np.exp2(-4.0 * octaves**2)


def convolve(samples: Samples, impulse: Samples) -> Samples:
    """Convolve each channel with its own impulse response; the result is longer by the response.

    Overlap-add in blocks a few times as long as the response: long transforms are slow because they leave the cache.
    """
    taps = impulse.shape[-1]
    n = samples.shape[-1] + taps - 1
    size = fast_length(min(n, max(4 * taps, 1 << 15)))
    step = size - taps + 1
    response = np.fft.rfft(impulse, size)
    out = np.zeros((*samples.shape[:-1], n), dtype=np.float32)
    for start in range(0, samples.shape[-1], step):
        part = np.fft.irfft(np.fft.rfft(samples[..., start : start + step], size) * response, size)
        end = min(start + size, n)
        out[..., start:end] += part[..., : end - start]
    return out


def stretch_band_limited(samples: Samples, length: int) -> Samples:
    """Resample to ``length`` samples by the spectrum: exact for sounds that begin and end in silence."""
    n = samples.shape[-1]
    guard = max(64, n // 16)
    padded = n + guard
    wanted = round(padded * length / n)
    spectrum = np.fft.rfft(samples, padded)
    kept = np.zeros((*samples.shape[:-1], wanted // 2 + 1), dtype=spectrum.dtype)
    shared = min(kept.shape[-1], spectrum.shape[-1])
    kept[..., :shared] = spectrum[..., :shared]
    return (np.fft.irfft(kept, wanted) * (wanted / padded))[..., :length].astype(np.float32)


def _blocks(n: int) -> Iterator[tuple[int, int]]:
    for start in range(0, n, _BLOCK):
        yield start, min(start + _BLOCK, n)


def _k_weighted_power(samples: Samples) -> Curve:
    """Sum over channels of the K-weighted squares, per 100 ms step (the last step may be short)."""
    n = samples.shape[-1]
    size = fast_length(_WARM_UP + min(n, _BLOCK) + _WARM_UP)
    delay = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    response = np.ones_like(delay)
    for b, a in _K_WEIGHTING:
        response = response * np.polyval(b[::-1], delay) / np.polyval(a[::-1], delay)
    steps = []
    for start, end in _blocks(n):
        warm_up = min(start, _WARM_UP)
        block = np.fft.rfft(samples[:, start - warm_up : end], size) * response
        weighted = np.fft.irfft(block, size)[:, warm_up : warm_up + end - start]
        squares = (weighted**2).sum(axis=0)
        steps.append(np.add.reduceat(squares, np.arange(0, squares.size, _STEP)))
    return np.concatenate(steps)


def loudness_lufs(samples: Samples) -> float | None:
    """Integrated loudness of a 48 kHz sound (ITU-R BS.1770-4, EBU R 128); None where nothing is above -70
    LUFS.

    A sound shorter than one gating block of 400 ms is measured whole, so short lines have a loudness too.
    """
    n = samples.shape[-1]
    if n == 0:
        return None
    power = _k_weighted_power(samples)
    whole = n // _STEP
    blocks = (
        sliding_window_view(power[:whole], 4).sum(axis=-1) / (4 * _STEP) if whole >= 4 else np.array([power.sum() / n])
    )
    loud = blocks[blocks > _power(_ABSOLUTE_GATE_LUFS)]
    if loud.size == 0:
        return None
    gate = _power(_lufs(float(loud.mean())) + _RELATIVE_GATE_LU)
    return _lufs(float(loud[loud > gate].mean()))


def _lufs(power: float) -> float:
    return float(-0.691 + 10.0 * np.log10(power))


def _power(lufs: float) -> float:
    return float(10.0 ** ((lufs + 0.691) / 10.0))


# --- peaks --------------------------------------------------------------------------------------------------

_MILLISECOND = SAMPLE_RATE // 1000
_PHASES = 4
_TAPS = 12


def _interpolators() -> list[Samples]:
    """Windowed sinc filters for the three points between samples (four-fold oversampling, BS.1770-4 annex
    2)."""
    taps = np.arange(_TAPS) - (_TAPS // 2 - 1)
    window = np.kaiser(_TAPS, 5.0)
    filters = []
    for phase in range(1, _PHASES):
        kernel = np.sinc(taps - phase / _PHASES) * window
        filters.append((kernel / kernel.sum()).astype(np.float32))
    return filters


_INTERPOLATORS = _interpolators()


def _peak_per_millisecond(samples: Samples, worth_looking_at: float) -> Samples:
    """True peaks over all channels, per millisecond. Blocks of samples all below ``worth_looking_at`` are not
    oversampled, because the signal between them cannot be much higher."""
    n = samples.shape[-1]
    peaks = []
    for start, end in _blocks(n):
        margin = min(start, _TAPS)
        block = samples[:, start - margin : min(end + _TAPS, n)]
        highest = np.abs(block).max(axis=0)
        if highest.max(initial=0.0) > worth_looking_at:
            for channel in block:
                for kernel in _INTERPOLATORS:
                    between = np.abs(np.convolve(channel, kernel[::-1], "same"))
                    np.maximum(highest, between, out=highest)
        part = highest[margin : margin + end - start]
        peaks.append(np.maximum.reduceat(part, np.arange(0, part.size, _MILLISECOND)))
    return np.concatenate(peaks)


def true_peak_dbtp(samples: Samples) -> float:
    """The highest level between samples too, in dB of full scale; -inf for silence."""
    if samples.shape[-1] == 0:
        return float("-inf")
    with np.errstate(divide="ignore"):
        return float(20.0 * np.log10(_peak_per_millisecond(samples, 0.0).max()))


def limit(samples: Samples, ceiling_dbtp: float = -1.5, look_ahead_ms: int = 30) -> None:
    """Turn down, in place, what would exceed the ceiling: gently, from ``look_ahead_ms`` before to as long
    after.

    The gain is the running minimum of what each millisecond needs, smoothed by a window no wider than that
    minimum looked, so it is never above what a peak needs.
    """
    n = samples.shape[-1]
    if n == 0:
        return
    ceiling = decibels(ceiling_dbtp)
    peaks = _peak_per_millisecond(samples, ceiling * 0.7)
    if peaks.max() <= ceiling:
        return
    needed = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
    width = 2 * look_ahead_ms + 1
    held = sliding_window_view(np.pad(needed, width, mode="edge"), width + 2).min(axis=-1)
    window = np.hanning(width + 2)[1:-1]
    gain = np.convolve(held, window / window.sum(), "same")[(held.size - needed.size) // 2 :][: needed.size]
    centres = (np.arange(needed.size) + 0.5) * _MILLISECOND
    for start, end in _blocks(n):
        samples[:, start:end] *= np.interp(np.arange(start, end), centres, gain).astype(np.float32)
