"""From what a music model made to music of a film: stereo at 48 kHz, of the length asked for or a loop, and level."""

import math

import av
import numpy as np

from models.interfaces import Sound
from models.sound import SAMPLE_RATE, Samples, decibels, limit, loudness_lufs
from models.weighted import BadOutputError

LOUDNESS_LUFS = -20.0
_CEILING_DBTP = -1.5

_CROSSFADE_S = 2.0
_FADE_IN_S, _FADE_OUT_S = 0.01, 1.5
_QUIET = decibels(-45.0)  # of the peak; models like to end in silence, which a loop must not have in its middle
_BLOCK = SAMPLE_RATE // 20


def part_to_make(duration_s: float, longest_s: float) -> tuple[float, bool]:
    """How many seconds a model is to make, and whether they become a loop: of equal parts of a longer duration, with
    what the crossfade takes."""
    if duration_s <= longest_s:
        return duration_s, False
    crossfade_s = min(_CROSSFADE_S, longest_s / 4)
    parts = math.ceil(duration_s / (longest_s - crossfade_s))
    return duration_s / parts + crossfade_s, True


def finished(samples: Samples, sample_rate: int, duration_s: float, *, loop: bool) -> Sound:
    """``samples`` (channels, n) cut to ``duration_s``, or as a loop of about as much. Raises BadOutputError for what is
    no music: a shape of no sound, values that are no numbers, silence."""
    if samples.ndim != 2 or samples.shape[0] not in (1, 2) or samples.shape[1] == 0:
        raise BadOutputError(f"expected one or two channels of sound, got shape {samples.shape}")
    if not np.isfinite(samples).all():
        raise BadOutputError("the sound is not finite: try dtype bfloat16 or float32")
    stereo = _resampled(np.broadcast_to(samples, (2, samples.shape[1])), sample_rate)
    stereo = stereo[:, : round(duration_s * SAMPLE_RATE)]
    stereo = _looped(_sounding(stereo)) if loop else _faded(stereo)
    return Sound(_levelled(stereo, loop=loop), SAMPLE_RATE)


def _resampled(samples: Samples, sample_rate: int) -> Samples:
    if sample_rate == SAMPLE_RATE:
        return samples.astype(np.float32)
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SAMPLE_RATE)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples, dtype=np.float32), format="fltp", layout="stereo")
    frame.sample_rate = sample_rate
    pieces = [piece.to_ndarray() for part in (frame, None) for piece in resampler.resample(part)]
    return np.concatenate(pieces, axis=1)


def _sounding(samples: Samples) -> Samples:
    """Without the near silence before and after."""
    peaks = np.maximum.reduceat(np.abs(samples).max(axis=0), np.arange(0, samples.shape[1], _BLOCK))
    loud = np.flatnonzero(peaks > peaks.max() * _QUIET)
    if loud.size == 0:
        raise BadOutputError("the music is silent")
    return samples[:, loud[0] * _BLOCK : (loud[-1] + 1) * _BLOCK]


def _looped(samples: Samples) -> Samples:
    """The end laid over the beginning at equal power, so that the last sample goes on with the first."""
    length = samples.shape[1]
    overlap = min(round(_CROSSFADE_S * SAMPLE_RATE), length // 4)
    turn = np.linspace(0.0, np.pi / 2, overlap, dtype=np.float32)
    loop = samples[:, : length - overlap].copy()
    loop[:, :overlap] = loop[:, :overlap] * np.sin(turn) + samples[:, length - overlap :] * np.cos(turn)
    return loop


def _faded(samples: Samples) -> Samples:
    """In without a click, and out, because a model stops at its length wherever the music is."""
    n = samples.shape[1]
    rise, fall = min(n // 4, round(_FADE_IN_S * SAMPLE_RATE)), min(n // 4, round(_FADE_OUT_S * SAMPLE_RATE))
    samples = samples.copy()
    samples[:, :rise] *= np.linspace(0.0, 1.0, rise, dtype=np.float32)
    samples[:, n - fall :] *= np.linspace(1.0, 0.0, fall, dtype=np.float32)
    return samples


def _levelled(samples: Samples, *, loop: bool) -> Samples:
    loudness = loudness_lufs(samples)
    if loudness is None:
        raise BadOutputError("the music is silent")
    n = samples.shape[1]
    samples = samples * np.float32(decibels(LOUDNESS_LUFS - loudness))
    # The limiter looks around: a loop is limited with its end before it and its beginning after it.
    around = min(n, SAMPLE_RATE // 4) if loop else 0
    wide = np.concatenate([samples[:, n - around :], samples, samples[:, :around]], axis=1)
    limit(wide, _CEILING_DBTP)
    return np.ascontiguousarray(wide[:, around : around + n])
