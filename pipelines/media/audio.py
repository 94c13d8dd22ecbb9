"""Sound files and the sound of a film. Everything is 48 kHz float32 of shape ``(channels, n)`` once it is
read."""

from itertools import chain
from pathlib import Path

import av
import av.error
import numpy as np

from models.interfaces import Sound, UserInputError
from models.sound import SAMPLE_RATE

_LAYOUTS = {1: "mono", 2: "stereo"}
_FLAC_FRAME = 4096
_SILENCE = 1e-4


class BadSoundError(RuntimeError):
    """A model answered with something that is not sound."""


def check_sound(sound: Sound) -> float:
    """The duration in seconds of a sound that can be heard. Raises BadSoundError for any other."""
    samples = sound.samples
    if samples.ndim != 2 or samples.shape[0] not in _LAYOUTS or samples.shape[1] == 0:
        raise BadSoundError(f"expected samples of one or two channels, got shape {samples.shape}")
    if not np.isfinite(samples).all():
        raise BadSoundError("the sound holds values that are not finite")
    if float(np.abs(samples).max()) < _SILENCE:
        raise BadSoundError("the sound is silent")
    return samples.shape[1] / sound.sample_rate


def read_sound(path: Path, first_s: float | None = None) -> Sound:
    """Decode the first audio stream of a wav, mp3, flac, m4a, ogg or similar file to 48 kHz, mono or stereo;
    only its first ``first_s`` seconds where given, so that a file of hours does not fill the memory.

    Raises UserInputError for a file that has no sound in it or does not decode.
    """
    enough = None if first_s is None else round(first_s * SAMPLE_RATE)
    parts: list[np.ndarray] = []
    count = 0
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise UserInputError("the file has no sound in it", field="file_url")
            stream = container.streams.audio[0]
            layout = "mono" if stream.channels == 1 else "stereo"
            resampler = av.AudioResampler(format="fltp", layout=layout, rate=SAMPLE_RATE)
            for frame in chain(container.decode(stream), (None,)):
                pieces = [piece.to_ndarray() for piece in resampler.resample(frame)]
                parts += pieces
                count += sum(piece.shape[1] for piece in pieces)
                if enough is not None and count >= enough:
                    break
    except av.error.FFmpegError as error:
        raise UserInputError("the sound file is broken or of an unknown kind", field="file_url") from error
    if not parts:
        raise UserInputError("the file has no sound in it", field="file_url")
    samples = np.concatenate(parts, axis=1)[:, :enough].astype(np.float32, copy=False)
    if not np.isfinite(samples).all():
        raise UserInputError("the sound file holds values that are no samples", field="file_url")
    return Sound(samples, SAMPLE_RATE)


def write_flac(path: Path, sound: Sound) -> None:
    """Store as FLAC, 16 bit: lossless at half the size of WAV, and the same samples always give the same
    bytes."""
    samples = np.clip(sound.samples, -1.0, 1.0)
    pcm = np.round(samples * 32767.0).astype(np.int16)
    channels = pcm.shape[0]
    interleaved = np.ascontiguousarray(pcm.T).reshape(1, -1)
    with av.open(str(path), "w", format="flac", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("flac", rate=sound.sample_rate, options={"flags": "+bitexact"})
        stream.layout = _LAYOUTS[channels]
        stream.format = "s16"
        for start in range(0, pcm.shape[1], _FLAC_FRAME):
            block = np.ascontiguousarray(interleaved[:, start * channels : (start + _FLAC_FRAME) * channels])
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout=_LAYOUTS[channels])
            frame.sample_rate = sound.sample_rate
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
