"""What shapes a synthesised voice: pace, pitch, breath, colour and room, all on mono speech at 48 kHz.

Every function takes and returns samples of shape (n,).
"""

import math
from fractions import Fraction

import av
import av.filter
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from models.sound import (
    SAMPLE_RATE,
    Samples,
    bell_db,
    convolve,
    decibels,
    equalise,
    fast_length,
    limit,
    loudness_lufs,
    shelf_db,
    stretch_band_limited,
)

Mono = NDArray[np.float32]

LOUDNESS_LUFS = -19.0

_FRAME = 1024
_HOP = _FRAME // 4
_ENVELOPE_S = 0.0014  # cepstral lifter: shorter than any speaker's pitch period, so only resonances remain
_DISPERSION_S, _DISPERSION_HZ = 0.008, 400.0
_LEVELLING_RATIO = 4.0
_LEVELLING_S = 0.05
_SILENCE_DB = -45.0  # below the utterance's peak


def trimmed(samples: Mono) -> tuple[Mono, int]:
    """The sound without the silence around it, and how many samples were cut from its start."""
    level = np.abs(samples)
    loud = np.flatnonzero(level > level.max(initial=0.0) * decibels(_SILENCE_DB))
    if loud.size == 0:
        return samples[:0], 0
    return samples[loud[0] : loud[-1] + 1], int(loud[0])


def faded(samples: Mono, seconds: float = 0.004) -> Mono:
    """With its first and last moments ramped, so that a cut makes no click."""
    n = min(int(seconds * SAMPLE_RATE), samples.size // 2)
    out = samples.copy()
    ramp = np.linspace(0.0, 1.0, n, dtype=np.float32)
    out[:n] *= ramp
    out[out.size - n :] *= ramp[::-1]
    return out


def change_tempo(samples: Mono, tempo: float) -> Mono:
    """Play ``tempo`` times as fast at the same pitch (libavfilter's atempo, in as many stages as stay within its
    clean range of 0.5 to 2)."""
    stages = max(1, math.ceil(abs(math.log2(tempo)) - 1e-9))
    graph = av.filter.Graph()
    node = graph.add_abuffer(format="flt", sample_rate=SAMPLE_RATE, layout="mono", time_base=Fraction(1, SAMPLE_RATE))
    for _ in range(stages):
        stretch = graph.add("atempo", f"{tempo ** (1 / stages):.6f}")
        node.link_to(stretch)
        node = stretch
    sink = graph.add("abuffersink")
    node.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="flt", layout="mono")
    frame.sample_rate = SAMPLE_RATE
    frame.pts = 0
    graph.push(frame)
    graph.push(None)
    parts = []
    while True:
        try:
            pulled = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            break
        parts.append(pulled.to_ndarray()[0])
    return np.concatenate(parts) if parts else samples


def change_pitch(samples: Mono, semitones: float) -> Mono:
    """Raise the voice and its resonances together, at the same pace; a few semitones at most sound natural."""
    factor = 2.0 ** (semitones / 12.0)
    return change_tempo(stretch_band_limited(samples, round(samples.size / factor)), 1.0 / factor)


def whispered(samples: Mono, seed: int) -> Mono:
    """The same words without voice: noise shaped by the speech's own resonances, frame by frame."""
    padded = np.pad(samples, (_FRAME, _FRAME + (-samples.size) % _HOP))
    window = np.hanning(_FRAME + 1)[:-1].astype(np.float32)
    frames = np.fft.rfft(sliding_window_view(padded, _FRAME)[::_HOP] * window)
    cepstrum = np.fft.irfft(np.log(np.abs(frames) + 1e-5))
    kept = int(_ENVELOPE_S * SAMPLE_RATE)
    cepstrum[:, kept : _FRAME - kept + 1] = 0.0
    envelope = np.exp(np.fft.rfft(cepstrum).real)
    noise = np.random.default_rng(seed).standard_normal(padded.size).astype(np.float32)
    excitation = np.fft.rfft(sliding_window_view(noise, _FRAME)[::_HOP] * window)
    voiceless = np.fft.irfft(excitation * (envelope / np.sqrt(_FRAME)))[:, :_FRAME] * window
    out = np.zeros(padded.size)
    for quarter in range(4):  # every fourth frame touches its neighbour without overlapping it
        part = voiceless[quarter::4].ravel()
        out[quarter * _HOP : quarter * _HOP + part.size] += part
    whisper = out[_FRAME : _FRAME + samples.size].astype(np.float32)
    # A whisper has no chest: what little the resonances leave below 400 Hz would only rumble.
    return equalise(whisper[np.newaxis], lambda hz: shelf_db(hz, 400.0, 14.0) - 14.0)[0]


def with_breath(samples: Mono, share: float, seed: int) -> Mono:
    """Replace a share of the voice's power by whisper; 1.0 is a whisper."""
    if share <= 0.0:
        return samples
    breath = whispered(samples, seed)
    power = float(np.mean(breath**2))
    if power == 0.0:
        return samples
    breath *= np.sqrt(float(np.mean(samples**2)) / power)
    return (np.sqrt(1.0 - share) * samples + np.sqrt(share) * breath).astype(np.float32)


def coloured(samples: Mono, warmth_db: float, presence_db: float, air_db: float) -> Mono:
    """Shape the timbre; what lies below any voice is cut."""
    return equalise(
        samples[np.newaxis],
        lambda hz: (
            shelf_db(hz, 60.0, 30.0)
            - 30.0
            + bell_db(hz, 180.0, warmth_db)
            + bell_db(hz, 3000.0, presence_db)
            + shelf_db(hz, 6000.0, air_db)
        ),
    )[0]


def softened(samples: Mono) -> Mono:
    """Spread each glottal pulse over some milliseconds by delaying low frequencies: an all-pass filter.

    A synthesiser's partials are all in step, which sounds buzzy and peaks higher than a person does.
    """
    size = fast_length(samples.size + SAMPLE_RATE // 20)
    hz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    delay_s = _DISPERSION_S * np.exp2(-hz / _DISPERSION_HZ)
    phase = -2.0 * np.pi * np.cumsum(delay_s) * (hz[1] - hz[0])
    spectrum = np.fft.rfft(samples, size) * np.exp(1j * phase)
    return np.fft.irfft(spectrum, size)[: samples.size].astype(np.float32)


def levelled(samples: Mono) -> Mono:
    """Bring loud syllables nearer to the rest, as every voice recording is: a compressor that looks both
    ways."""
    reference = loudness_lufs(samples[np.newaxis])
    if reference is None:
        return samples
    window = np.hanning(int(_LEVELLING_S * SAMPLE_RATE))
    power = convolve((samples**2)[np.newaxis], (window / window.sum())[np.newaxis].astype(np.float32))[0]
    power = power[window.size // 2 :][: samples.size]
    over_db = np.maximum(10.0 * np.log10(np.maximum(power, 1e-9)) - reference, 0.0)
    return (samples * 10.0 ** (-(1.0 - 1.0 / _LEVELLING_RATIO) * over_db / 20.0)).astype(np.float32)


def in_room(samples: Mono, share: float) -> Mono:
    """Add the early reflections and the short tail of a furnished room; the result is longer by 0.12 s."""
    n = int(0.12 * SAMPLE_RATE)
    time = np.arange(n) / SAMPLE_RATE
    tail = np.random.default_rng(7).standard_normal(n) * np.exp(-time / 0.025) * 0.05
    tail[: int(0.012 * SAMPLE_RATE)] = 0.0
    for delay_ms, gain in ((7.1, 0.5), (11.3, -0.38), (17.9, 0.3), (23.5, -0.2)):
        tail[int(delay_ms * SAMPLE_RATE / 1000)] += gain
    impulse = (share * tail).astype(np.float32)
    impulse[0] += 1.0
    return convolve(samples, impulse)


def set_level(samples: Samples, level_db: float = 0.0) -> None:
    """Bring speech of shape (1, n), in place, to the loudness that all voices have, plus ``level_db``."""
    measured = loudness_lufs(samples)
    if measured is not None:
        samples *= decibels(LOUDNESS_LUFS + level_db - measured)
    limit(samples)
