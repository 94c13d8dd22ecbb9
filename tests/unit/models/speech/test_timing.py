"""Words told from the text and the sound alone."""

import numpy as np
import pytest

from models.sound import SAMPLE_RATE
from models.speech.timing import split_words, spread
from models.voice_effects import change_pitch, change_tempo


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello there, friend.", ["Hello ", "there, ", "friend."]),
        ("“Don’t” e-mail 3.14 times 1,000!", ["“Don’t” ", "e-mail ", "3.14 ", "times ", "1,000!"]),
        ("你好，world。3月", ["你", "好，", "world。", "3", "月"]),
        ("  – Hm?", ["  – Hm?"]),
        ("end.Start", ["end.", "Start"]),
    ],
)
def test_words_are_chinese_characters_and_words_of_alphabets(text: str, words: list[str]) -> None:
    assert split_words(text) == words


def tone(seconds: float) -> np.ndarray:
    return np.sin(2 * np.pi * 220 * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE).astype(np.float32)


def test_words_are_as_long_as_they_have_letters_and_none_is_in_a_pause() -> None:
    samples = np.concatenate([tone(1.0), np.zeros(SAMPLE_RATE, dtype=np.float32), tone(1.0)])
    one, two = spread("abcd, efgh", samples, offset_s=0.5)
    assert (one.start_s, one.end_s) == (pytest.approx(0.5), pytest.approx(1.5, abs=0.02))
    assert (two.start_s, two.end_s) == (pytest.approx(2.5, abs=0.02), pytest.approx(3.5, abs=0.02))
    short, long = spread("ab abcdef", tone(2.0))
    assert short.end_s == pytest.approx(0.5, abs=0.02) and long.end_s == pytest.approx(2.0)
    assert [word.end_s for word in spread("你好", tone(1.0))] == [pytest.approx(0.5, abs=0.02), pytest.approx(1.0)]


@pytest.mark.parametrize("tempo", [0.3, 0.5, 1.4, 2.0, 3.1])
def test_tempo_keeps_the_pitch_and_pitch_keeps_the_tempo(tempo: float) -> None:
    faster = change_tempo(tone(2.0), tempo)
    assert faster.size == pytest.approx(2.0 * SAMPLE_RATE / tempo, rel=0.03)
    assert _pitch(faster) == pytest.approx(220, rel=0.02)
    higher = change_pitch(tone(2.0), 2.0)
    assert higher.size == pytest.approx(2.0 * SAMPLE_RATE, rel=0.03)
    assert _pitch(higher) == pytest.approx(220 * 2 ** (2 / 12), rel=0.02)


def _pitch(samples: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * SAMPLE_RATE / samples.size)
