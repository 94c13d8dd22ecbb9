"""Recordings of voices that a model shall speak with."""

from pathlib import Path

import av
import av.error
import numpy as np

from models.voice_effects import Mono
from models.weighted import BadWeightsError


def read_mono(path: Path, sample_rate: int) -> Mono:
    """Decode a wav, flac, mp3 or similar file, shape (n,). Raises BadWeightsError for one that is missing or none."""
    try:
        with av.open(str(path)) as container:
            resampler = av.AudioResampler(format="flt", layout="mono", rate=sample_rate)
            frames = [*container.decode(audio=0), None]
            parts = [piece.to_ndarray()[0] for frame in frames for piece in resampler.resample(frame)]
    except (av.error.FFmpegError, IndexError) as error:
        raise BadWeightsError(f"{path}: no recording of a voice ({error})") from error
    samples = np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)
    if not samples.any() or not np.isfinite(samples).all():
        raise BadWeightsError(f"{path}: nothing is heard in this recording")
    return samples.astype(np.float32, copy=False)


def path_within(folder: Path, name: str, voice_id: str) -> Path:
    """The file of a voice in the folder of its model. Raises BadWeightsError for one outside of it."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise BadWeightsError(f"voice {voice_id}: {name} is not in {folder}")
    return path
