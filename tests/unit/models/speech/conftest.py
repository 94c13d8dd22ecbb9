"""Tiny speech models, built and loaded once."""

import importlib
import importlib.machinery
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session", autouse=True)
def torchaudio() -> Iterator[None]:
    """Higgs' codec imports torchaudio, to resample alone, and transformers hides it where that is not installed; the
    tiny one hears at the rate that it speaks at."""
    import transformers

    if transformers.utils.is_torchaudio_available():
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        stand_in = types.ModuleType("torchaudio")
        stand_in.__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
        patch.setitem(sys.modules, "torchaudio", stand_in)
        package = "transformers.models.higgs_audio_v2_tokenizer"
        codec = importlib.import_module(f"{package}.modeling_higgs_audio_v2_tokenizer")
        patch.setattr(transformers, "HiggsAudioV2TokenizerModel", codec.HiggsAudioV2TokenizerModel)
        yield


@pytest.fixture(scope="session")
def tiny_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiny")


@pytest.fixture(scope="session")
def speaker(tiny_root: Path) -> Callable[[str], Any]:
    """The loaded adapter of a tiny entry, the same one every time."""
    from tests.tiny import voices
    from tests.tiny.adapters import adapter_of, entry_of

    loaded: dict[str, Any] = {}

    def load(name: str) -> Any:
        if name not in loaded:
            loaded[name] = adapter_of(entry_of(name, tiny_root, getattr(voices, f"build_{name}")))
            loaded[name].load()
        return loaded[name]

    return load
