import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.interfaces import Sound, Speech
from models.sound import SAMPLE_RATE, loudness_lufs, true_peak_dbtp
from models.specs import EncodeSpec, FilmClip, FilmMusic, FilmSpeech
from pipelines.media.audio import read_sound, write_flac
from pipelines.media.mix import mix_film
from tests.unit.sound.measure import level_db

_LENGTH_S = 20.0


@pytest.fixture(scope="module")
def store(
    tmp_path_factory: pytest.TempPathFactory, speak: Callable[..., Speech], compose: Callable[..., Sound]
) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("sounds")
    time = np.arange(7 * SAMPLE_RATE) / SAMPLE_RATE
    tone, high = (0.2 * np.sin(2 * np.pi * hz * time) for hz in (440.3, 15_000.0))
    sounds = {
        "line": speak("清晨的海边，一个小女孩跑过沙滩。", "zh-narrator").sound,
        "other": speak("妈妈，快看，那是大海！", "zh-female-1").sound,
        "music": compose(mood="温暖", duration_s=7.0),
        "tone": Sound(np.stack([tone, tone]).astype(np.float32), SAMPLE_RATE),
        "high": Sound(np.stack([high, high]).astype(np.float32), SAMPLE_RATE),
        "silence": Sound(np.zeros((2, SAMPLE_RATE), np.float32), SAMPLE_RATE),
    }
    sounds["faint"] = Sound(sounds["line"].samples * np.float32(0.02), SAMPLE_RATE)
    for name, sound in sounds.items():
        write_flac(root / f"{name}.flac", sound)
    return {name: root / f"{name}.flac" for name in sounds}


@pytest.fixture
def mix(store: dict[str, Path]) -> Callable[..., np.ndarray]:
    def mix(
        lines: list[tuple[str, float, float]], music: dict[str, object] | None = None, offset_s: float = 0.0
    ) -> np.ndarray:
        speech = [
            FilmSpeech(
                audio_key=key,
                start_s=start,
                duration_s=read_sound(store[key]).samples.shape[1] / SAMPLE_RATE,
                volume=volume,
            )
            for key, start, volume in lines
        ]
        spec = EncodeSpec(
            title="film",
            language="zh",
            width=640,
            height=360,
            fps=24,
            clips=[FilmClip(kind="image", media_key="x", start_s=0, duration_s=_LENGTH_S)],
            speech=speech,
            music=FilmMusic.model_validate({"audio_key": "music", **music}) if music is not None else None,
        )
        sound = mix_film(spec, lambda key: store[key], _LENGTH_S, offset_s)
        assert sound.sample_rate == SAMPLE_RATE
        assert sound.samples.shape == (2, round(_LENGTH_S * SAMPLE_RATE))
        assert sound.samples.dtype == np.float32
        return sound.samples

    return mix


Mix = Callable[..., np.ndarray]
_TWO_LINES = [("line", 2.0, 1.0), ("other", 12.0, 1.0)]


def test_a_film_has_its_loudness_and_no_peak_above_the_limit(mix: Mix) -> None:
    for samples in (mix(_TWO_LINES), mix(_TWO_LINES, {}), mix([], {})):
        assert loudness_lufs(samples) == pytest.approx(-16.0, abs=1.0)
        assert true_peak_dbtp(samples) < -1.0


def test_nothing_to_hear_is_silence(mix: Mix) -> None:
    for samples in (mix([]), mix([("line", 1.0, 0.0)], {"volume": 0.0}), mix([], {"audio_key": "silence"})):
        assert not samples.any()
        assert loudness_lufs(samples) is None


def test_lines_lie_at_their_start_behind_the_cover(mix: Mix) -> None:
    samples = mix([("line", 2.0, 1.0)], offset_s=1.5)
    heard = np.flatnonzero(np.abs(samples[0]) > 0.02)
    assert heard[0] / SAMPLE_RATE == pytest.approx(3.55, abs=0.05)
    np.testing.assert_array_equal(samples[0], samples[1])


def test_a_line_beyond_the_end_is_cut(mix: Mix) -> None:
    assert loudness_lufs(mix([("line", _LENGTH_S - 1.0, 1.0)])) is not None
    assert not mix([("line", _LENGTH_S + 5.0, 1.0)]).any()


def test_music_makes_room_for_speech_and_comes_back(mix: Mix, store: dict[str, Path]) -> None:
    """The music is a tone of 15 kHz, where espeak-ng has no sound, so its level can be followed under the speech."""
    duration_s = read_sound(store["line"]).samples.shape[1] / SAMPLE_RATE
    starts = [4.0 + number * (duration_s + 0.2) for number in range(3)]
    samples = mix([("line", start, 1.0) for start in starts], {"audio_key": "high"})
    spectrum = np.fft.rfft(samples)
    spectrum[:, np.abs(np.fft.rfftfreq(samples.shape[1], 1 / SAMPLE_RATE) - 15_000) > 500] = 0
    music = np.fft.irfft(spectrum, samples.shape[1])
    last = starts[-1] + duration_s
    before, under = level_db(music, 1.0, 3.5), level_db(music, 5.0, last - 0.5)
    assert 10.0 < before - under < 12.0
    assert level_db(music, last + 2.5, 19.5) == pytest.approx(before, abs=0.5)
    assert level_db(samples, 5.0, last - 0.5) - under > 9.0
    # No pumping: through the pauses in a line and between two lines the music stays down.
    levels = [level_db(music, start, start + 0.1) for start in np.arange(4.5, last - 0.3, 0.1)]
    assert max(levels) - min(levels) < 1.0
    # It moves without jumps.
    edges = [level_db(music, start, start + 0.02) for start in np.arange(3.5, 6.0, 0.02)]
    assert np.abs(np.diff(edges)).max() < 4.0


def test_volumes_move_a_line_against_the_other(mix: Mix) -> None:
    def difference(volume: float) -> float:
        samples = mix([("line", 2.0, volume), ("other", 12.0, 1.0)])
        return level_db(samples, 2.0, 5.0) - level_db(samples, 12.0, 14.0)

    usual = difference(1.0)
    assert difference(0.5) - usual == pytest.approx(-6.0, abs=1.0)
    assert difference(2.0) - usual > 3.0


def test_volumes_move_music_against_speech(mix: Mix) -> None:
    def music_over_speech(volume: float, speech_volume: float = 1.0) -> float:
        samples = mix([("line", 2.0, speech_volume)], {"volume": volume})
        return level_db(samples, 10.0, 19.0) - level_db(samples, 2.0, 5.0)

    levels = [music_over_speech(volume) for volume in (0.25, 0.5, 1.0, 2.0)]
    assert all(louder - quieter > 2.5 for quieter, louder in itertools.pairwise(levels))
    # Not even where all of the speech is turned up, which the limiter must not turn down again.
    assert music_over_speech(0.5, speech_volume=2.0) < levels[1] - 4.5


def test_all_volumes_together_move_the_film(mix: Mix) -> None:
    speech = [loudness_lufs(mix([("line", 2.0, volume)])) for volume in (0.5, 1.0, 2.0)]
    music = [loudness_lufs(mix([], {"volume": volume})) for volume in (0.25, 0.5, 1.0)]
    for quiet, usual, loud in (speech, music):
        assert quiet is not None and usual is not None and loud is not None
        assert usual - quiet == pytest.approx(6.0, abs=0.3)
        assert 1.0 < loud - usual < 3.0


def test_a_faint_recording_is_made_audible(mix: Mix) -> None:
    faint = mix([("faint", 2.0, 1.0), ("other", 12.0, 1.0)])
    assert level_db(faint, 2.0, 5.0) > level_db(faint, 12.0, 14.0) - 9.0


def test_music_loops_without_a_click_or_ends(mix: Mix) -> None:
    looped = mix([], {"audio_key": "tone"})  # 440.3 Hz for 7 s: the wave does not join itself
    step = 2 * np.pi * 440.3 / SAMPLE_RATE * np.abs(looped).max()
    assert np.abs(np.diff(looped, axis=1)).max() < 1.5 * step
    assert level_db(looped, 15.0, 19.0) == pytest.approx(level_db(looped, 1.0, 6.0), abs=0.3)
    once = mix([], {"audio_key": "tone", "is_loop": False, "fade_out_s": 2.0})
    assert not once[:, round(7.05 * SAMPLE_RATE) :].any()
    assert level_db(once, 6.5, 7.0) < level_db(once, 2.0, 4.0) - 10.0


def test_fades_at_the_film_s_start_and_end(mix: Mix) -> None:
    plain = mix([], {"audio_key": "tone"})
    faded = mix([], {"audio_key": "tone", "fade_in_s": 3.0, "fade_out_s": 4.0})
    assert level_db(plain, 0.1, 0.4) == pytest.approx(level_db(plain, 9.0, 12.0), abs=0.5)
    middle = level_db(faded, 9.0, 12.0)
    assert level_db(faded, 0.1, 0.4) < middle - 15
    assert level_db(faded, 1.4, 1.6) == pytest.approx(middle - 6.0, abs=1.0)
    assert level_db(faded, 3.0, 4.0) == pytest.approx(middle, abs=0.3)
    assert level_db(faded, 19.6, 19.9) < middle - 15
    assert level_db(faded, 15.0, 15.9) == pytest.approx(middle, abs=0.3)
