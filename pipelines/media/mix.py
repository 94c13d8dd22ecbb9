"""The sound of a film: speech placed on the timeline, music under it that makes room, one loudness for the
whole.

Levels are decided before volumes: speech lies near -19 LUFS and music is brought to a fixed level, so a
volume of 1.0 means the same for every file, and a user's volume then moves a line or the music against the
rest.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.interfaces import Sound
from models.sound import SAMPLE_RATE, Samples, decibels, limit, loudness_lufs
from models.specs import EncodeSpec, FilmMusic, FilmSpeech
from pipelines.media.audio import read_sound

FILM_LOUDNESS_LUFS = -16.0
TRUE_PEAK_DBTP = -1.5  # a margin below the promised -1 dBTP for what a lossy codec adds

_SPEECH_RANGE_LUFS = (-25.0, -15.0)  # a recording outside it is brought to its edge; emotions stay inside
_LIMITED_DB = 3.0  # the limiter takes no more off the peaks: beyond that it would undo the volumes
_MUSIC_LUFS = -17.0  # at volume 1.0
_DEFAULT_MUSIC_VOLUME = 0.5
_DUCK_DB = -11.0
_LOUDEST_OFFSET_DB, _QUIETEST_OFFSET_DB = 2.0, -12.0

_STEP = SAMPLE_RATE // 100  # the ducking envelope has one value every 10 ms
_ATTACK_S = 0.06
_RELEASE_S = 0.45
_LOOK_AHEAD_S = 0.12
_HOLD_S = 0.35  # shorter than this a pause between words keeps the music down
_SPEECH_FLOOR = decibels(-45.0)
_DECLICK = SAMPLE_RATE // 200
_BLOCK = 10 * SAMPLE_RATE

Envelope = NDArray[np.float64]


def mix_film(spec: EncodeSpec, fetch: Callable[[str], Path], total_duration_s: float, offset_s: float = 0.0) -> Sound:
    """Mix a film's stereo sound of exactly ``total_duration_s`` seconds, at about -16 LUFS and below -1 dBTP.

    ``fetch`` gives the local file of an artifact key. ``offset_s`` is where the film begins after its cover:
    speech moves by it, music starts with the cover. All lines made louder or quieter together move the whole
    by that much, within -12 and +2 dB. Raises UserInputError for a sound file that cannot be read.
    """
    n = round(total_duration_s * SAMPLE_RATE)
    film = np.zeros((2, n), dtype=np.float32)
    envelope = np.zeros(n // _STEP + 1)
    for line in spec.speech:
        _place(film, envelope, line, _speech_samples(fetch(line.audio_key), total_duration_s), offset_s)
    if spec.music is not None and spec.music.volume > 0.0:
        music = read_sound(fetch(spec.music.audio_key), total_duration_s)
        _add_music(film, spec.music, music.samples, _ducking(envelope))
    _level(film, FILM_LOUDNESS_LUFS + _wanted_offset_db(spec))
    return Sound(film, SAMPLE_RATE)


def film_loudness_lufs(sound: Sound) -> float | None:
    """Integrated loudness (EBU R 128); None for a silent film."""
    return loudness_lufs(sound.samples)


def _speech_samples(path: Path, longest_s: float) -> Samples:
    samples = read_sound(path, longest_s).samples
    measured = loudness_lufs(samples)
    if measured is None:
        return samples
    wanted = min(max(measured, _SPEECH_RANGE_LUFS[0]), _SPEECH_RANGE_LUFS[1])
    return samples * np.float32(decibels(wanted - measured))


def _place(film: Samples, envelope: Envelope, line: FilmSpeech, samples: Samples, offset_s: float) -> None:
    """Add a line to the film and its loudness over time to the ducking envelope."""
    start = round((line.start_s + offset_s) * SAMPLE_RATE)
    length = min(samples.shape[-1], film.shape[-1] - start)
    if length <= 0 or line.volume <= 0.0:
        return
    samples = samples[:, :length] * np.float32(line.volume)
    film[:, start : start + length] += samples  # a mono line broadcasts to both sides
    loudest = np.abs(samples).max(axis=0)
    first = start // _STEP
    padded = np.pad(loudest, (start - first * _STEP, 0))
    peaks = np.maximum.reduceat(padded, np.arange(0, padded.size, _STEP))
    np.maximum(envelope[first : first + peaks.size], peaks, out=envelope[first : first + peaks.size])


def _ducking(envelope: Envelope) -> Envelope:
    """The music's gain every 10 ms: down shortly before a line begins, held through short pauses, back
    slowly."""
    speaking = envelope > _SPEECH_FLOOR
    ahead, hold = round(_LOOK_AHEAD_S * 100), round(_HOLD_S * 100)
    reach = np.concatenate([np.zeros(hold, bool), speaking, np.zeros(ahead, bool)])
    counts = np.concatenate([[0], np.cumsum(reach)])
    width = ahead + hold + 1
    near = counts[width:] - counts[:-width] > 0
    target_db = np.where(near, _DUCK_DB, 0.0)
    gain_db = np.empty_like(target_db)
    attack, release = (1.0 - np.exp(-1.0 / (100 * seconds)) for seconds in (_ATTACK_S, _RELEASE_S))
    level = 0.0
    for index, wanted in enumerate(target_db.tolist()):
        level += (wanted - level) * (attack if wanted < level else release)
        gain_db[index] = level
    return 10.0 ** (gain_db / 20.0)


def _add_music(film: Samples, music: FilmMusic, samples: Samples, ducking: Envelope) -> None:
    """Add the music from the film's first moment to its last, or to its own end where it is not to loop."""
    measured = loudness_lufs(samples)
    if measured is None:
        return
    volume = decibels(_MUSIC_LUFS - measured) * music.volume
    n, period = film.shape[-1], samples.shape[-1]
    end = n if music.is_loop else min(n, period)
    if end > period:
        samples = _with_smooth_joint(samples)
    for start in range(0, end, _BLOCK):
        stop = min(start + _BLOCK, end)
        times = np.arange(start, stop)
        gain = volume * np.interp(times / _STEP, np.arange(ducking.size) + 0.5, ducking)
        gain *= _fade(times, music.fade_in_s) * _fade(end - 1 - times, music.fade_out_s)
        film[:, start:stop] += samples[:, times % period] * gain.astype(np.float32)


def _with_smooth_joint(samples: Samples) -> Samples:
    """The music with its first moments bent to begin where it ends, so that a loop does not click. Where it
    loops cleanly already this changes next to nothing."""
    length = min(_DECLICK, samples.shape[-1])
    bent = samples.copy()
    bent[:, :length] -= (samples[:, :1] - samples[:, -1:]) * np.linspace(1.0, 0.0, length, dtype=np.float32)
    return bent


def _fade(samples_from_edge: NDArray[np.int64], seconds: float) -> Envelope:
    """A raised-cosine ramp; at least a few milliseconds, so that the music never begins or ends with a
    click."""
    length = max(seconds * SAMPLE_RATE, _DECLICK)
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(samples_from_edge / length, 0.0, 1.0))


def _level(film: Samples, target_lufs: float) -> None:
    measured = loudness_lufs(film)
    if measured is None:
        return
    highest = max(float(film.max()), -float(film.min()))
    loudest = decibels(TRUE_PEAK_DBTP + _LIMITED_DB) / highest
    film *= np.float32(min(decibels(target_lufs - measured), loudest))
    limit(film, TRUE_PEAK_DBTP)


def _wanted_offset_db(spec: EncodeSpec) -> float:
    """How much louder or quieter than usual the volumes ask the whole film to be: of speech, weighted by
    length; of the music where nothing is said."""
    lines = [(line.duration_s, line.volume) for line in spec.speech if line.volume > 0.0]
    if lines:
        power = sum(duration * volume**2 for duration, volume in lines) / sum(duration for duration, _ in lines)
        offset = 10.0 * np.log10(power)
    elif spec.music is not None and spec.music.volume > 0.0:
        offset = 20.0 * np.log10(spec.music.volume / _DEFAULT_MUSIC_VOLUME)
    else:
        return 0.0
    return float(min(max(offset, _QUIETEST_OFFSET_DB), _LOUDEST_OFFSET_DB))
