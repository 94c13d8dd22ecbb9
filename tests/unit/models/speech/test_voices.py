"""What every speech model promises, on tiny models of the real classes."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch

from models.interfaces import Speech, UserInputError
from models.prosody import emotions
from models.sound import SAMPLE_RATE, loudness_lufs, true_peak_dbtp
from models.specs import Emotion, SpeechSpec
from models.speech.base import utterances
from models.speech.timing import natural_s
from models.spoken_text import is_speakable
from models.weighted import BadOutputError
from pipelines.context import TaskCancelled
from tests.unit.models.reports import FakeReport

pytestmark = pytest.mark.xdist_group("torch")

FAMILIES = ["vits", "bark", "vibevoice", "higgs"]
TEXTS = {"zh": "你好，世界。", "en": "Hi my old friend."}
LONG = {
    "zh": "春天来了，花都开了。我们去公园散步，看见很多孩子在放风筝，老人在下棋。"
    "天空很蓝，云很白，风很轻。晚上回家吃饭，然后一起看电影！",
    "en": "It rained all day. She waited, and nobody came; then, at nine, the bell rang. Who was it?",
}

Load = Callable[[str], Any]


@pytest.fixture(params=FAMILIES)
def voice(request: pytest.FixtureRequest, speaker: Load) -> Any:
    return speaker(request.param)


def spec_of(adapter: Any, language: str = "en", **changes: Any) -> SpeechSpec:
    voice_id = next(voice.id for voice in adapter.model.voice if voice.language == language)
    return SpeechSpec(**{"text": TEXTS[language], "language": language, "voice": voice_id, **changes})


def say(adapter: Any, spec: SpeechSpec) -> Speech:
    return adapter.speak(spec, FakeReport())


def seconds(speech: Speech) -> float:
    return speech.sound.samples.shape[1] / speech.sound.sample_rate


def differ(one: Speech, other: Speech) -> bool:
    """In more than their level."""
    n = min(one.sound.samples.size, other.sound.samples.size)
    a, b = (speech.sound.samples[0, :n] / np.sqrt(np.mean(speech.sound.samples[0, :n] ** 2)) for speech in (one, other))
    return float(np.sqrt(np.mean((a - b) ** 2))) > 0.05


@pytest.mark.parametrize("language", ["zh", "en"])
def test_words_cover_the_text_in_order_and_lie_in_the_sound(voice: Any, language: str) -> None:
    spec = spec_of(voice, language)
    speech = say(voice, spec)
    assert speech.sound.sample_rate == SAMPLE_RATE and speech.sound.samples.shape[0] == 1
    assert speech.sound.samples.dtype == np.float32
    assert "".join(word.text for word in speech.words) == spec.text
    assert len(speech.words) == 4
    moments = [moment for word in speech.words for moment in (word.start_s, word.end_s)]
    assert moments == sorted(moments) and moments[0] >= 0 and moments[-1] <= seconds(speech)
    assert all(word.end_s > word.start_s for word in speech.words)


def test_every_voice_sounds_different(voice: Any) -> None:
    heard = []
    for entry in voice.model.voice:
        # VITS speaks one language a voice, the others speak with any.
        language = entry.language if voice.model.id == "tiny-vits" else "en"
        heard.append((language, say(voice, spec_of(voice, language, voice=entry.id))))
    for (language, one), (other_language, other) in combinations(heard, 2):
        assert language != other_language or differ(one, other)


def test_the_language_and_the_text_are_heard(voice: Any) -> None:
    spec = spec_of(voice)
    assert differ(say(voice, spec), say(voice, spec.model_copy(update={"text": "Goodbye now, then."})))


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_speed_changes_the_length_by_its_factor(voice: Any, speed: float) -> None:
    spec = spec_of(voice, text="It rained all day long.")
    usual, changed = (seconds(say(voice, spec.model_copy(update={"speed": s}))) for s in (1.0, speed))
    assert changed / usual == pytest.approx(1 / speed, rel=0.15)


def test_every_emotion_changes_the_sound_and_the_level(voice: Any) -> None:
    neutral = say(voice, spec_of(voice, text="Hello."))
    assert loudness_lufs(neutral.sound.samples) == pytest.approx(-19.0, abs=1.0)
    for emotion in set(Emotion) - {Emotion.NEUTRAL}:
        speech = say(voice, spec_of(voice, text="Hello.", emotion=emotion))
        assert differ(neutral, speech), emotion
        assert loudness_lufs(speech.sound.samples) == pytest.approx(-19.0 + emotions()[emotion].level_db, abs=1.0)
        assert true_peak_dbtp(speech.sound.samples) <= -1.4


def test_an_emotion_is_more_than_pace_and_level(speaker: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    still = {emotion: one.model_copy(update={"rate": 1.0, "level_db": 0.0}) for emotion, one in emotions().items()}
    monkeypatch.setattr("models.speech.base.emotions", lambda: still)
    neutral = say(speaker("vits"), spec_of(speaker("vits"), text="Hello."))
    for emotion in set(Emotion) - {Emotion.NEUTRAL}:
        speech = say(speaker("vits"), spec_of(speaker("vits"), text="Hello.", emotion=emotion))
        assert differ(neutral, speech), emotion
        assert seconds(speech) == pytest.approx(seconds(neutral), rel=0.05)


def test_the_seed_is_another_take_and_the_same_one_again_after_others(voice: Any) -> None:
    spec = spec_of(voice, seed=7)
    first = say(voice, spec)
    before = torch.random.get_rng_state()
    assert differ(first, say(voice, spec_of(voice, seed=8)))
    assert torch.equal(torch.random.get_rng_state(), before)
    say(voice, spec_of(voice, "zh"))
    torch.manual_seed(123)
    again = say(voice, spec)
    assert np.array_equal(first.sound.samples, again.sound.samples)
    assert first.words == again.words


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_long_text_is_spoken_in_parts_with_pauses(voice: Any, language: str) -> None:
    spec = spec_of(voice, language, text=LONG[language])
    recorder = FakeReport()
    speech = voice.speak(spec, recorder)
    assert "".join(word.text for word in speech.words) == spec.text
    assert recorder.notes["utterances"] == 4
    gaps = [b.start_s - a.end_s for a, b in zip(speech.words, speech.words[1:], strict=False)]
    assert sum(gap > 0.15 for gap in gaps) >= recorder.notes["utterances"] - 1
    assert recorder.fractions == sorted(recorder.fractions) and recorder.fractions[-1] == 1.0


def test_progress_comes_at_every_token_or_sentence(voice: Any) -> None:
    recorder = FakeReport()
    voice.speak(spec_of(voice), recorder)
    least = 2 if voice.model.id == "tiny-vits" else 10
    assert len(recorder.fractions) > least and len(set(recorder.fractions)) > least // 2
    assert recorder.fractions == sorted(recorder.fractions)


def test_a_cancel_takes_effect_at_once_and_leaves_the_model_usable(voice: Any) -> None:
    spec = spec_of(voice, text="It rained all day. She waited; then, at nine, the old bell rang.")
    usual = say(voice, spec)
    recorder = FakeReport(cancel_at=0.3)
    with pytest.raises(TaskCancelled):
        voice.speak(spec, recorder)
    assert 0 < recorder.fractions[-1] < 0.6
    assert sum(fraction >= 0.3 for fraction in recorder.fractions) == 1
    assert np.array_equal(say(voice, spec).sound.samples, usual.sound.samples)


def test_an_unknown_voice_and_an_empty_text_are_the_users_to_change(voice: Any) -> None:
    with pytest.raises(UserInputError) as unknown:
        say(voice, spec_of(voice, voice="nobody"))
    assert unknown.value.field == "voice_id"
    for text in ("", "  …!", "😀"):
        with pytest.raises(UserInputError) as empty:
            say(voice, spec_of(voice, text=text))
        assert empty.value.field == "text_content"
    with pytest.raises(UserInputError):
        say(voice, spec_of(voice, text="word " * 1001))


def test_samples_that_are_no_numbers_are_a_bad_output(voice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in (float("nan"), float("inf"), 0.0):
        monkeypatch.setattr(voice, "_say", lambda *_, wrong=wrong: torch.full((1, 9000), wrong))
        with pytest.raises(BadOutputError, match=voice.model.id):
            say(voice, spec_of(voice))
    monkeypatch.setattr(voice, "_say", lambda *_: torch.zeros(1, 0))
    with pytest.raises(BadOutputError):
        say(voice, spec_of(voice))


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("bark", "semantic.lm_head"),
        ("bark", "coarse_acoustics.lm_head"),
        ("bark", "fine_acoustics.lm_heads.0"),
        ("higgs", "audio_lm_head"),
        ("vibevoice", "lm_head"),
    ],
)
def test_scores_that_are_no_numbers_are_a_bad_output(speaker: Load, name: str, head: str) -> None:
    voice = speaker(name)
    weight = voice._model.get_submodule(head).weight
    before = weight.detach().clone()
    weight.data.fill_(float("nan"))
    try:
        with pytest.raises(BadOutputError, match="scores of the next sound are not finite"):
            say(voice, spec_of(voice))
    finally:
        weight.data.copy_(before)
    assert say(voice, spec_of(voice)).words


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("春天来了花都开了" * 12, 200),
        ("one two three four five " * 20, 400),
        ("一" * 100 + "a" * 100 + "。好，" * 40, 999),
    ],
)
def test_no_part_takes_longer_than_a_model_says_at_once(text: str, most: int) -> None:
    parts = utterances(text, most, 10.0)
    assert "".join(parts) == text
    assert all(is_speakable(part) and natural_s(part) <= 10.0 for part in parts)
    assert len(parts) < 4 * natural_s(text) / 10.0 + 45


def test_bark_says_a_long_line_in_parts(speaker: Load) -> None:
    bark = speaker("bark")
    recorder = FakeReport()
    text = "春天来了，花都开了，我们去公园散步，看见很多孩子在放风筝，老人在下棋，天空很蓝，云很白"
    assert len(text) < bark.options.max_chars and natural_s(text) < 10 < natural_s(text + "，风很轻，天也晴好")
    bark.speak(spec_of(bark, "zh", text=text + "，风很轻，天也晴好"), recorder)
    assert recorder.notes["utterances"] == 2


def test_the_note_says_what_was_asked(voice: Any) -> None:
    spec = spec_of(voice, speed=1.5, emotion=Emotion.CALM, seed=3)
    recorder = FakeReport()
    voice.speak(spec, recorder)
    wanted = {"voice": spec.voice, "language": "en", "emotion": "calm", "speed": 1.5, "seed": 3, "utterances": 1}
    assert wanted.items() <= recorder.notes.items()


def test_a_model_that_was_parked_speaks_as_before(voice: Any) -> None:
    before = say(voice, spec_of(voice))
    voice.park()
    voice.resume()
    assert np.array_equal(before.sound.samples, say(voice, spec_of(voice)).sound.samples)
    assert voice.weight_bytes > 10_000
