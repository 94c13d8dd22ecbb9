"""Additive synthesis of single notes: float32 of shape (n,) at 48 kHz, at most about 1.0 high.

Every note begins and ends at zero, so notes can be laid over one another without clicks.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.draft.music.styles import Drum, Instrument
from models.sound import SAMPLE_RATE

Mono = NDArray[np.float32]

_HIGHEST_HZ = 15_000.0


def frequency(pitch: float) -> float:
    """Hz of a MIDI pitch; 69 is A at 440 Hz."""
    return float(440.0 * 2.0 ** ((pitch - 69.0) / 12.0))


def _time(seconds: float) -> Mono:
    return np.arange(max(int(seconds * SAMPLE_RATE), 64), dtype=np.float32) / np.float32(SAMPLE_RATE)


def _enveloped(wave: Mono, attack_s: float, release_s: float) -> Mono:
    """With raised-cosine edges."""
    out = wave.copy()
    for edge, seconds in ((slice(None), attack_s), (slice(None, None, -1), release_s)):
        n = min(max(int(seconds * SAMPLE_RATE), 32), wave.size // 2)
        out[edge][:n] *= (0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, n))).astype(np.float32)
    return out


def _partials(hz: float, time: Mono, amplitudes: list[float], vibrato: Mono | float = 0.0) -> Mono:
    """Harmonics by Chebyshev's recurrence, sin(kx) from the two before it: one sine and one cosine for
    all."""
    phase = (2.0 * np.pi * hz) * (time.astype(np.float64) + vibrato)
    previous, current = np.zeros(time.size, dtype=np.float32), np.sin(phase).astype(np.float32)
    double_cosine = (2.0 * np.cos(phase)).astype(np.float32)
    out = np.zeros(time.size, dtype=np.float32)
    for number, amplitude in enumerate(amplitudes, start=1):
        if number * hz > _HIGHEST_HZ:
            break
        out += np.float32(amplitude) * current
        previous, current = current, double_cosine * current - previous
    return out


def _struck(hz: float, time: Mono, partials: Sequence[tuple[float, float, float]]) -> Mono:
    """Decaying partials given as (multiple of the pitch, amplitude, decay time in seconds)."""
    out = np.zeros(time.size, dtype=np.float32)
    for multiple, amplitude, decay_s in partials:
        if multiple * hz > _HIGHEST_HZ:
            continue
        n = min(time.size, int(7.0 * decay_s * SAMPLE_RATE))  # what follows is below -60 dB
        part = time[:n]
        angle = (2.0 * np.pi * multiple * hz) * part.astype(np.float64)
        out[:n] += amplitude * np.sin(angle).astype(np.float32) * np.exp(part * np.float32(-1.0 / decay_s))
    return out


def _pad(hz: float, seconds: float, brightness: float) -> Mono:
    time = _time(seconds + 1.2)
    slope = 2.4 - 1.0 * brightness
    amplitudes = [k**-slope for k in range(1, 3 + int(6 * brightness))]
    out = sum(_partials(hz * 2 ** (cents / 1200), time, amplitudes) for cents in (-6.0, 0.0, 7.0))
    return _enveloped(np.asarray(out, dtype=np.float32) * np.float32(0.12), min(0.7, 0.4 * seconds), 1.2)


def _strings(hz: float, seconds: float, brightness: float) -> Mono:
    time = _time(seconds + 0.5)
    depth = np.float32(0.0035) / np.float32(2.0 * np.pi * 5.2)
    vibrato = depth * np.sin(np.float32(2.0 * np.pi * 5.2) * time) * np.minimum(time / np.float32(0.5), np.float32(1))
    slope = 1.7 - 0.5 * brightness
    amplitudes = [k**-slope for k in range(1, 6 + int(10 * brightness))]
    out = _partials(hz, time, amplitudes, vibrato) + _partials(hz * 1.004, time, amplitudes, -0.8 * vibrato)
    return _enveloped(np.float32(0.22) * out, min(0.18, 0.3 * seconds), 0.5)


def _piano(hz: float, seconds: float, brightness: float) -> Mono:
    base = 2.2 * (262.0 / hz) ** 0.6
    stiffness = 0.0003
    partials = [
        (
            k * (1.0 + stiffness * k * k) ** 0.5,
            (0.4 + 0.25 * brightness) ** (k - 1) / k**0.3,
            base / (1 + 0.5 * (k - 1)),
        )
        for k in range(1, 10)
    ]
    sounding = min(seconds + 0.35, 4.0)
    return _enveloped(np.float32(0.5) * _struck(hz, _time(sounding), partials), 0.003, 0.3)


def _pluck(hz: float, seconds: float, brightness: float) -> Mono:
    base = 1.1 * (220.0 / hz) ** 0.5
    partials = [
        (k, abs(np.sin(np.pi * k * 0.22)) / k ** (1.6 - 0.7 * brightness), base / (1 + 0.35 * (k - 1)))
        for k in range(1, 12)
    ]
    return _enveloped(np.float32(0.7) * _struck(hz, _time(min(seconds + 0.8, 3.0)), partials), 0.002, 0.25)


def _zheng(hz: float, seconds: float, brightness: float) -> Mono:
    """A plucked metal string: plucked near its end, long, its pitch settling from slightly above."""
    time = _time(min(seconds + 1.4, 3.5))
    settled = time.astype(np.float64) + 0.0006 * (1.0 - np.exp(-time.astype(np.float64) / 0.06))
    base = 1.5 * (294.0 / hz) ** 0.5
    out = np.zeros(time.size, dtype=np.float32)
    for k in range(1, 14):
        if k * hz > _HIGHEST_HZ:
            break
        amplitude = abs(np.sin(np.pi * k * 0.13)) / k ** (1.15 - 0.4 * brightness)
        decay = np.exp(time * np.float32(-(1 + 0.28 * (k - 1)) / base))
        out += np.float32(amplitude) * np.sin(2.0 * np.pi * k * hz * settled).astype(np.float32) * decay
    return _enveloped(np.float32(0.75) * out, 0.002, 0.4)


def _box(hz: float, seconds: float, brightness: float) -> Mono:
    partials = [
        (1.0, 0.7, 0.9),
        (2.0, 0.12, 0.5),
        (3.01, 0.22 * brightness, 0.25),
        (6.27, 0.12 * brightness, 0.08),
    ]
    return _enveloped(np.float32(0.6) * _struck(hz, _time(min(seconds + 1.2, 2.5)), partials), 0.001, 0.4)


def _bell(hz: float, seconds: float, brightness: float) -> Mono:
    partials = [
        (1.0, 0.6, 1.4),
        (2.0, 0.3 * brightness, 0.9),
        (2.76, 0.15, 0.5),
        (4.07, 0.14 * brightness, 0.35),
        (5.4, 0.1 * brightness, 0.15),
    ]
    return _enveloped(np.float32(0.55) * _struck(hz, _time(min(seconds + 1.5, 3.5)), partials), 0.004, 0.5)


def _flute(hz: float, seconds: float, brightness: float) -> Mono:
    time = _time(seconds + 0.15)
    depth = np.float32(0.004) / np.float32(2.0 * np.pi * 4.8)
    vibrato = depth * np.sin(np.float32(2.0 * np.pi * 4.8) * time) * np.clip((time - 0.25) / 0.3, 0.0, 1.0)
    tone = _partials(hz, time, [1.0, 0.28 + 0.2 * brightness, 0.1, 0.05 * brightness], vibrato)
    air = _noise(time.size, 11)
    air = np.concatenate([np.zeros(1, np.float32), np.diff(air)]) * np.float32(0.012)
    return _enveloped(np.float32(0.38) * tone + air, min(0.07, 0.3 * seconds), 0.13)


def _synth(hz: float, seconds: float, brightness: float) -> Mono:
    """A short filtered saw: overtones die faster the higher they are."""
    partials = [(k, k**-1.1, 0.9 / (1 + (1.1 - brightness) * (k - 1))) for k in range(1, 14)]
    return _enveloped(np.float32(0.35) * _struck(hz, _time(seconds + 0.2), partials), 0.004, 0.12)


def _lead(hz: float, seconds: float, brightness: float) -> Mono:
    time = _time(seconds + 0.2)
    amplitudes = [k ** -(1.5 - 0.4 * brightness) if k % 2 else 0.35 * k**-1.4 for k in range(1, 12)]
    out = _partials(hz, time, amplitudes) + _partials(hz * 1.006, time, amplitudes)
    return _enveloped(np.float32(0.24) * out, 0.015, 0.2)


def _bass(hz: float, seconds: float, brightness: float) -> Mono:
    partials = [(1.0, 0.9, 2.0), (2.0, 0.35, 0.9), (3.0, 0.15, 0.5), (4.0, 0.08, 0.3)]
    return _enveloped(np.float32(0.6) * _struck(hz, _time(seconds + 0.08), partials), 0.008, 0.08)


def _synth_bass(hz: float, seconds: float, brightness: float) -> Mono:
    partials = [(k, k**-0.9, 1.2 / (1 + 0.5 * (k - 1))) for k in range(1, 5 + int(6 * brightness))]
    return _enveloped(np.float32(0.4) * _struck(hz, _time(seconds + 0.05), partials), 0.005, 0.05)


_VOICES: dict[Instrument, Callable[[float, float, float], Mono]] = {
    "pad": _pad,
    "strings": _strings,
    "piano": _piano,
    "pluck": _pluck,
    "zheng": _zheng,
    "box": _box,
    "bell": _bell,
    "flute": _flute,
    "synth": _synth,
    "lead": _lead,
    "bass": _bass,
    "synth_bass": _synth_bass,
}


def play(instrument: Instrument, pitch: int, seconds: float, brightness: float) -> Mono:
    """One note held for ``seconds``; it rings on after that, as the instrument does."""
    return _VOICES[instrument](frequency(pitch), seconds, brightness)


def _noise(n: int, seed: int) -> Mono:
    return np.random.default_rng(seed).standard_normal(n).astype(np.float32)


def _sweep(start_hz: float, end_hz: float, fall_s: float, seconds: float, decay_s: float) -> Mono:
    time = _time(seconds)
    hz = end_hz + (start_hz - end_hz) * np.exp(-time.astype(np.float64) / fall_s)
    wave = np.sin(2.0 * np.pi * np.cumsum(hz) / SAMPLE_RATE).astype(np.float32)
    return wave * np.exp(time * np.float32(-1.0 / decay_s))


def _hiss(seconds: float, decay_s: float, seed: int, order: int) -> Mono:
    """Decaying noise, differentiated ``order`` times so that only its height remains."""
    time = _time(seconds)
    noise = _noise(time.size + order, seed)
    for _ in range(order):
        noise = np.float32(0.5) * np.diff(noise)
    return noise * np.exp(time * np.float32(-1.0 / decay_s))


def strike(drum: Drum) -> Mono:
    """One hit of a drum."""
    match drum:
        case "kick":
            wave, attack = np.float32(0.9) * _sweep(120.0, 46.0, 0.03, 0.4, 0.11), 0.002
        case "taiko":
            low = _sweep(95.0, 58.0, 0.08, 1.1, 0.28)
            skin = _hiss(1.1, 0.03, 5, 0)
            wave, attack = np.float32(0.9) * low + np.float32(0.1) * skin, 0.003
        case "snare":
            body = _sweep(210.0, 170.0, 0.02, 0.3, 0.06)
            wave, attack = np.float32(0.35) * body + np.float32(0.3) * _hiss(0.3, 0.07, 6, 1), 0.001
        case "hat":
            wave, attack = np.float32(0.5) * _hiss(0.12, 0.025, 7, 2), 0.001
        case "shaker":
            wave, attack = np.float32(0.4) * _hiss(0.15, 0.035, 8, 2), 0.02
        case "tick":
            wave, attack = np.float32(0.35) * _sweep(2600.0, 1900.0, 0.01, 0.08, 0.012), 0.001
    return _enveloped(wave, attack, 0.03)
