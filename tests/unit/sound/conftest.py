from collections.abc import Callable, Iterator
from functools import cache

import pytest

from models.catalog_file import load_catalog
from models.draft.music import DraftComposer
from models.draft.speech import DraftSpeaker
from models.interfaces import Sound, Speech
from models.specs import MusicSpec, SpeechSpec


@pytest.fixture(scope="session")
def speaker() -> Iterator[DraftSpeaker]:
    model = load_catalog().get("draft-speech")
    assert model is not None
    speaker = DraftSpeaker(model)
    speaker.load()
    yield speaker
    speaker.unload()


@pytest.fixture(scope="session")
def composer() -> DraftComposer:
    model = load_catalog().get("draft-music")
    assert model is not None
    return DraftComposer(model)


@pytest.fixture(scope="session")
def speak(speaker: DraftSpeaker) -> Callable[..., Speech]:
    @cache  # the same request always gives the same samples, which tests of their own make sure of
    def speak(text: str, voice: str = "zh-narrator", **fields: object) -> Speech:
        fields.setdefault("language", voice[:2])
        return speaker.speak(SpeechSpec.model_validate({"text": text, "voice": voice, **fields}), lambda _: None)

    return speak


@pytest.fixture(scope="session")
def compose(composer: DraftComposer) -> Callable[..., Sound]:
    @cache
    def compose(**fields: object) -> Sound:
        sound, loops_cleanly = composer.compose(MusicSpec.model_validate(fields), lambda _: None)
        assert loops_cleanly
        return sound

    return compose
