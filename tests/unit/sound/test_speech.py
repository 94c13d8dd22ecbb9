import itertools
from collections.abc import Callable

import numpy as np
import pytest

from models.catalog_file import load_catalog
from models.draft.speech import DraftSpeaker
from models.interfaces import Speech, UserInputError
from models.sound import SAMPLE_RATE, loudness_lufs, true_peak_dbtp
from models.specs import Emotion, SpeechSpec
from tests.unit.sound.measure import band_levels_db, centroid_hz, pitch_hz, voicing

Speak = Callable[..., Speech]

ZH = "清晨的海边，一个小女孩赤着脚跑过沙滩。她停下来，望着远处的灯塔。"
EN = "A little girl ran barefoot along the beach. She stopped, and looked at the lighthouse far away."


def _duration(speech: Speech) -> float:
    return speech.sound.samples.shape[1] / SAMPLE_RATE


@pytest.mark.parametrize(
    ("text", "voice"),
    [
        (ZH, "zh-narrator"),
        (EN, "en-female-1"),
        ("我爱 Python 3，你好<b>世界</b>！&amp; 12345\x01100P😀 Привет…… 2024年", "zh-child-1"),
        ("  Mr. Fox said 你好 to 42 foxes.\n\nIt's 3.14, isn't it?  ", "en-narrator"),
        ("……嗯", "zh-male-1"),
        ("こんにちは 안녕하세요 Привет Γειά σου שלום नमस्ते สวัสดี مرحبا بالعالم", "en-narrator"),
    ],
)
def test_words_cover_the_text_in_order_within_the_sound(speak: Speak, text: str, voice: str) -> None:
    speech = speak(text, voice)
    assert "".join(word.text for word in speech.words) == text
    times = [time for word in speech.words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert times[0] >= 0.0
    assert times[-1] <= _duration(speech)
    assert all(word.end_s > word.start_s for word in speech.words)


def test_words_are_where_the_sound_is(speak: Speak) -> None:
    """Within the pause between two sentences there is no word, and no sound."""
    speech = speak("今天天气很好。我们去散步。")
    after = next(word for word in speech.words if word.text.startswith("我"))
    before = speech.words[speech.words.index(after) - 1]
    assert 0.3 < after.start_s - before.end_s < 0.6
    samples = speech.sound.samples[0]
    pause = samples[round((before.end_s + 0.15) * SAMPLE_RATE) : round((after.start_s - 0.02) * SAMPLE_RATE)]
    word = samples[round(after.start_s * SAMPLE_RATE) : round(after.end_s * SAMPLE_RATE)]
    assert np.abs(pause).max() < 0.05 * np.abs(word).max()


def test_the_planner_s_pace_holds_at_speed_one(speak: Speak) -> None:
    characters = sum("\u4e00" <= character <= "\u9fff" for character in ZH)
    assert characters / _duration(speak(ZH, "zh-narrator")) == pytest.approx(4.2, rel=0.1)
    assert len(EN.split()) / _duration(speak(EN, "en-narrator")) == pytest.approx(2.6, rel=0.1)


@pytest.mark.parametrize(
    ("text", "voice", "speed"),
    [
        (ZH, "zh-narrator", 0.5),
        (ZH, "zh-narrator", 0.75),
        (ZH, "zh-narrator", 2.0),
        (EN, "en-narrator", 1.5),
        (EN, "en-narrator", 2.0),
        (EN, "en-elder-1", 0.5),  # slower than espeak-ng goes by itself
    ],
)
def test_speed_divides_the_duration(speak: Speak, text: str, voice: str, speed: float) -> None:
    plain, changed = speak(text, voice), speak(text, voice, speed=speed)
    assert _duration(changed) == pytest.approx(_duration(plain) / speed, rel=0.15)
    assert pitch_hz(changed.sound.samples[0]) == pytest.approx(pitch_hz(plain.sound.samples[0]), rel=0.1)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_voice_of_the_catalog_sounds_like_someone_else(speak: Speak, language: str) -> None:
    model = load_catalog().get("draft-speech")
    assert model is not None
    voices = {v.id: speak(ZH if language == "zh" else EN, v.id) for v in model.voice if v.language == language}
    assert len(voices) == 7
    pitch = {voice: pitch_hz(speech.sound.samples[0]) for voice, speech in voices.items()}
    colour = {voice: band_levels_db(speech.sound.samples[0]) for voice, speech in voices.items()}
    for one, other in itertools.combinations(voices, 2):
        semitones = abs(12 * np.log2(pitch[one] / pitch[other]))
        colour_db = float(np.sqrt(np.mean((colour[one] - colour[other]) ** 2)))
        assert semitones > 2.5 or colour_db > 4.0, (one, other, semitones, colour_db)
    ranked = sorted(pitch, key=lambda voice: pitch[voice])
    assert ranked[-1] == f"{language}-child-1"
    assert ranked[0] == f"{language}-male-2"
    assert pitch[f"{language}-female-2"] > 1.3 * pitch[f"{language}-male-1"]
    slowest = max(voices, key=lambda voice: _duration(voices[voice]))
    assert slowest == f"{language}-elder-1"


def test_every_emotion_is_heard(speak: Speak) -> None:
    heard = {}
    for emotion in Emotion:
        speech = speak(ZH, "zh-female-1", emotion=emotion)
        samples = speech.sound.samples
        heard[emotion] = {
            "duration": 20 * np.log2(_duration(speech)),  # 1.0 is 3.5 %
            "pitch": 12 * np.log2(pitch_hz(samples[0])),  # semitones
            "level": loudness_lufs(samples),  # LU
            "colour": 12 * np.log2(centroid_hz(samples)),  # semitones
        }
    for one, other in itertools.combinations(Emotion, 2):
        differences = [abs(heard[one][what] - heard[other][what]) for what in heard[one]]
        assert sum(difference > 0.9 for difference in differences) >= 2, (one, other, differences)
    neutral, sad, angry, excited = (heard[Emotion(name)] for name in ("neutral", "sad", "angry", "excited"))
    assert sad["pitch"] < neutral["pitch"] - 1 and sad["level"] < neutral["level"] - 1
    assert sad["duration"] > neutral["duration"] + 3 > excited["duration"] + 6
    assert excited["pitch"] > neutral["pitch"] + 2
    assert angry["colour"] > neutral["colour"] + 1.2
    assert sad["colour"] < neutral["colour"] - 0.4


def test_a_whisper_has_no_voice(speak: Speak) -> None:
    assert voicing(speak(ZH, "zh-female-1").sound.samples[0]) > 0.5
    assert voicing(speak(ZH, "zh-female-1", emotion="whisper").sound.samples[0]) < 0.2


@pytest.mark.parametrize("text", [ZH, "好。", "Stop!"])
def test_level_peaks_and_silence(speak: Speak, text: str) -> None:
    speech = speak(text)
    samples = speech.sound.samples
    assert samples.shape[0] == 1
    assert speech.sound.sample_rate == SAMPLE_RATE
    assert loudness_lufs(samples) == pytest.approx(-19.0, abs=0.7)
    assert true_peak_dbtp(samples) <= -1.4
    loud = np.flatnonzero(np.abs(samples[0]) > 0.02)
    assert 0.03 < loud[0] / SAMPLE_RATE < 0.09
    assert (samples.shape[1] - loud[-1]) / SAMPLE_RATE < 0.12


def test_markup_is_never_interpreted(speak: Speak) -> None:
    """A tag that were obeyed would be silent; spoken or skipped, the rest keeps its place."""
    plain = speak("Say hello now.", "en-narrator")
    tagged = speak('Say <break time="9s"/> hello now.', "en-narrator")
    assert "".join(word.text for word in tagged.words) == 'Say <break time="9s"/> hello now.'
    assert _duration(plain) < _duration(tagged) < 8.0
    controlled = speak("Say \x01200P\x0150S hello now.", "en-narrator")
    silent_command = speak("Say  200P 50S hello now.", "en-narrator")
    np.testing.assert_array_equal(controlled.sound.samples, silent_command.sound.samples)


def test_the_seed_gives_another_take(speak: Speak) -> None:
    assert not np.array_equal(speak(ZH, seed=1).sound.samples[:, :9000], speak(ZH, seed=2).sound.samples[:, :9000])


def test_what_cannot_be_spoken_is_the_users_to_change(speak: Speak) -> None:
    for text in ("……", "😀", "?!", "长" * 5001):
        with pytest.raises(UserInputError) as failure:
            speak(text)
        assert failure.value.field == "text_content"
    with pytest.raises(UserInputError) as failure:
        speak("hello", "en-nobody")
    assert failure.value.field == "voice_id"


def test_a_cancelled_line_stops_after_the_sentence(speaker: DraftSpeaker) -> None:
    class Cancelled(Exception):
        pass

    fractions: list[float] = []

    def report(fraction: float) -> None:
        fractions.append(fraction)
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        speaker.speak(SpeechSpec(text="一。二。三。四。五。", language="zh", voice="zh-narrator"), report)
    assert fractions == sorted(fractions)
    assert len(fractions) >= 3
