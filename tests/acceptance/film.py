"""A film as its viewer gets it: decoded pictures and sound, and what can be measured of them. PyAV alone."""

import itertools
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import av
import av.filter
import numpy as np
import pysubs2
from numpy.typing import NDArray

SAMPLE_RATE = 48_000
SHORT_SIDE = 180
"""Pictures are looked at this small: the height of a landscape film, the width of a portrait one."""
ENVELOPE_HZ = 100

_SPEECH_BAND_HZ = (300.0, 3400.0)


@dataclass(frozen=True)
class Cue:
    start_s: float
    end_s: float
    text: str


@dataclass
class Film:
    """``frames``: uint8 RGB of shape (count, height, width, 3), scaled down to ``SHORT_SIDE``. ``sound``: float32 of
    shape (2, samples) at 48 kHz. ``width`` and ``height`` are the stream's own."""

    path: Path
    video_codec: str
    audio_codec: str
    width: int
    height: int
    fps: float
    frames: NDArray[np.uint8]
    sound: NDArray[np.float32]

    @property
    def duration_s(self) -> float:
        return len(self.frames) / self.fps

    def at(self, second: float) -> NDArray[np.float32]:
        """The picture on screen at a time."""
        number = min(len(self.frames) - 1, max(0, int(second * self.fps)))
        return self.frames[number].astype(np.float32)

    def between(self, start_s: float, end_s: float) -> NDArray[np.float32]:
        return self.sound[:, round(start_s * SAMPLE_RATE) : round(end_s * SAMPLE_RATE)]

    @cached_property
    def grey(self) -> NDArray[np.float32]:
        """Shape (count, height, width)."""
        return self.frames.mean(axis=3, dtype=np.float32)

    @cached_property
    def speech_envelope(self) -> NDArray[np.float64]:
        """RMS of the band that carries speech, ``ENVELOPE_HZ`` values a second."""
        mono = self.sound.mean(axis=0)
        spectrum = np.fft.rfft(mono)
        hz = np.fft.rfftfreq(mono.size, 1 / SAMPLE_RATE)
        spectrum[(hz < _SPEECH_BAND_HZ[0]) | (hz > _SPEECH_BAND_HZ[1])] = 0
        band = np.fft.irfft(spectrum, mono.size)
        step = SAMPLE_RATE // ENVELOPE_HZ
        pieces = band[: band.size // step * step].reshape(-1, step)
        return np.asarray(np.sqrt(np.mean(pieces.astype(np.float64) ** 2, axis=1)))


def decode(path: Path, *, sound: bool = True) -> Film:
    """Everything in a film; without `sound`, of a clip that has none."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        video.thread_type = "AUTO"
        scale = SHORT_SIDE / min(video.width, video.height)
        small = (round(video.width * scale / 2) * 2, round(video.height * scale / 2) * 2)
        frames = [
            frame.reformat(*small, format="rgb24", interpolation="AREA").to_ndarray()
            for frame in container.decode(video)
        ]
        width, height, fps = video.width, video.height, float(video.average_rate or 0)
        codec = video.codec_context.name
    audio_codec, samples = _decode_sound(path) if sound else ("", np.zeros((2, 0), np.float32))
    return Film(path, codec, audio_codec, width, height, fps, np.stack(frames), samples)


def _decode_sound(path: Path) -> tuple[str, NDArray[np.float32]]:
    with av.open(str(path)) as container:
        audio = container.streams.audio[0]
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SAMPLE_RATE)
        frames = itertools.chain(container.decode(audio), [None])
        pieces = [part.to_ndarray() for frame in frames for part in resampler.resample(frame)]
        return audio.codec_context.name, np.concatenate(pieces, axis=1)


def read_cues(path: Path) -> list[Cue]:
    return [
        Cue(event.start / 1000, event.end / 1000, event.plaintext)
        for event in pysubs2.load(str(path))
        if event.plaintext
    ]


def loudness_lufs(film: Film) -> float:
    """Integrated loudness as libavfilter's ebur128 measures it: not the meter that the mix was made with."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(
        format="fltp", sample_rate=SAMPLE_RATE, layout="stereo", time_base=Fraction(1, SAMPLE_RATE)
    )
    meter = graph.add("ebur128", "metadata=1")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(film.sound), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts = SAMPLE_RATE, 0
    graph.push(frame)
    graph.push(None)
    measured: dict[str, str] = {}
    while True:
        try:
            measured |= graph.pull().metadata
        except (av.BlockingIOError, av.EOFError):
            return float(measured["lavfi.r128.I"])


def difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Mean absolute difference of two pictures or sounds, in their own unit."""
    return float(np.abs(one - other).mean())


def level_db(samples: NDArray[np.float32]) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2) + 1e-12))
