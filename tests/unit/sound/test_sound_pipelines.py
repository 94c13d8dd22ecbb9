from pathlib import Path

import numpy as np
import pytest

from models.draft.music import DraftComposer
from models.draft.speech import DraftSpeaker
from models.interfaces import Report, Sound, Speech
from models.sound import SAMPLE_RATE
from models.specs import MusicSpec, SpeechSpec
from pipelines import music, speech
from pipelines.context import LocalContext
from pipelines.media.audio import BadSoundError, read_sound


def test_speech_is_stored_with_its_duration_and_words(tmp_path: Path, speaker: DraftSpeaker) -> None:
    context = LocalContext(tmp_path)
    result = speech.run(SpeechSpec(text="你好。再见。", language="zh", voice="zh-female-2"), speaker, context)
    assert result.audio.media_type == "audio/flac"
    samples = read_sound(context.fetch(result.audio.key)).samples
    assert samples.shape == (1, round(result.duration_s * SAMPLE_RATE))
    assert "".join(word.text for word in result.words) == "你好。再见。"
    assert context.phases == ["run", "decode", "upload"]
    assert context.fractions == sorted(context.fractions)
    assert context.fractions[-1] == 1.0


def test_music_is_stored_with_its_duration(tmp_path: Path, composer: DraftComposer) -> None:
    context = LocalContext(tmp_path)
    result = music.run(MusicSpec(mood="欢快", duration_s=6.5), composer, context)
    assert result.loops_cleanly
    assert result.duration_s == pytest.approx(6.5, abs=0.1)
    assert read_sound(context.fetch(result.audio.key)).samples.shape == (2, round(6.5 * SAMPLE_RATE))
    assert context.fractions[-1] == 1.0


class _Broken:
    """A model that answers with silence, as one with damaged weights does."""

    def load(self) -> None: ...

    def unload(self) -> None: ...

    def speak(self, spec: SpeechSpec, report: Report) -> Speech:
        return Speech(Sound(np.zeros((1, SAMPLE_RATE), np.float32), SAMPLE_RATE), [])

    def compose(self, spec: MusicSpec, report: Report) -> tuple[Sound, bool]:
        return Sound(np.full((2, SAMPLE_RATE), np.nan, np.float32), SAMPLE_RATE), True


def test_what_cannot_be_heard_is_never_stored(tmp_path: Path) -> None:
    context = LocalContext(tmp_path)
    with pytest.raises(BadSoundError):
        speech.run(SpeechSpec(text="你好", language="zh", voice="zh-narrator"), _Broken(), context)
    with pytest.raises(BadSoundError):
        music.run(MusicSpec(duration_s=1), _Broken(), context)
    assert not (tmp_path / "content").exists()
