"""What the ear would say, in numbers: pitch, colour, level of 48 kHz sounds, and libavfilter's own loudness."""

import itertools
from fractions import Fraction

import av
import av.filter
import numpy as np

from models.sound import SAMPLE_RATE


def pitch_hz(channel: np.ndarray) -> float:
    """Median fundamental of the voiced frames, by autocorrelation of the sound below 1 kHz."""
    spectrum = np.fft.rfft(channel)
    spectrum[np.fft.rfftfreq(channel.size, 1 / SAMPLE_RATE) > 1000] = 0
    low = np.fft.irfft(spectrum, channel.size)[::4]
    rate, frame = SAMPLE_RATE // 4, 720
    window = np.hanning(frame)
    window_correlation = np.fft.irfft(np.abs(np.fft.rfft(window, 2 * frame)) ** 2)
    shortest, longest = rate // 500, rate // 55
    found = []
    for start in range(0, low.size - frame, frame // 3):
        piece = low[start : start + frame] * window
        if np.sqrt(np.mean(piece**2)) < 0.01:
            continue
        correlation = np.fft.irfft(np.abs(np.fft.rfft(piece, 2 * frame)) ** 2) / window_correlation
        lags = correlation[shortest:longest]
        if lags.max() < 0.5 * correlation[0]:
            continue
        lag = shortest + int(np.flatnonzero(lags > 0.85 * lags.max())[0])
        while lag + 1 < longest and correlation[lag + 1] > correlation[lag]:
            lag += 1
        found.append(rate / lag)
    return float(np.median(found)) if found else 0.0


def voicing(channel: np.ndarray) -> float:
    """Share of the loud frames that repeat themselves, as a voice does and a whisper does not."""
    spectrum = np.fft.rfft(channel)
    spectrum[np.fft.rfftfreq(channel.size, 1 / SAMPLE_RATE) > 1000] = 0
    low = np.fft.irfft(spectrum, channel.size)[::4]
    frame, rate = 720, SAMPLE_RATE // 4
    pieces = low[: low.size // frame * frame].reshape(-1, frame) * np.hanning(frame)
    pieces = pieces[np.sqrt(np.mean(pieces**2, axis=1)) > 0.005]
    correlation = np.fft.irfft(np.abs(np.fft.rfft(pieces, 2 * frame)) ** 2)
    return float(np.mean(correlation[:, rate // 400 : rate // 60].max(axis=1) / correlation[:, 0] > 0.45))


def centroid_hz(samples: np.ndarray) -> float:
    """The centre of gravity of the amplitude spectrum below 12 kHz."""
    amplitude = np.abs(np.fft.rfft(samples)).sum(axis=0)
    hz = np.fft.rfftfreq(samples.shape[-1], 1 / SAMPLE_RATE)
    amplitude[hz > 12_000] = 0
    return float((amplitude * hz).sum() / amplitude.sum())


def band_levels_db(channel: np.ndarray) -> np.ndarray:
    """Average level in half-octave bands from 100 Hz to 8 kHz, relative to their mean."""
    power = np.abs(np.fft.rfft(channel)) ** 2
    hz = np.fft.rfftfreq(channel.size, 1 / SAMPLE_RATE)
    edges = 100.0 * 2.0 ** (np.arange(14) / 2)
    bands = [power[(hz >= low) & (hz < high)].sum() for low, high in itertools.pairwise(edges)]
    levels = 10.0 * np.log10(np.array(bands))
    return levels - levels.mean()


def level_db(samples: np.ndarray, start_s: float, end_s: float) -> float:
    piece = samples[:, round(start_s * SAMPLE_RATE) : round(end_s * SAMPLE_RATE)].astype(np.float64)
    return float(10.0 * np.log10(np.mean(piece**2) + 1e-12))


def libav_ebur128(samples: np.ndarray) -> dict[str, float]:
    """``I`` (LUFS) and ``true_peak`` (linear) as libavfilter's ebur128 measures them."""
    layout = "mono" if samples.shape[0] == 1 else "stereo"
    graph = av.filter.Graph()
    source = graph.add_abuffer(
        format="fltp", sample_rate=SAMPLE_RATE, layout=layout, time_base=Fraction(1, SAMPLE_RATE)
    )
    meter = graph.add("ebur128", "peak=true:metadata=1")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
    frame.sample_rate = SAMPLE_RATE
    frame.pts = 0
    graph.push(frame)
    graph.push(None)
    last: dict[str, str] = {}
    while True:
        try:
            last = dict(graph.pull().metadata)
        except (av.BlockingIOError, av.EOFError):
            return {name: float(last[f"lavfi.r128.{name}"]) for name in ("I", "true_peak")}
