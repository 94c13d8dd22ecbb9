"""Speech models whose files or voices are not what the catalog says, and texts that a voice cannot say."""

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from models.interfaces import UserInputError
from models.specs import SpeechSpec
from models.weighted import BadWeightsError
from tests.unit.models.reports import FakeReport

pytestmark = pytest.mark.xdist_group("torch")

Load = Callable[[str], Any]


@pytest.fixture
def copy_of(speaker: Load, tmp_path: Path) -> Callable[..., Any]:
    """An adapter over a copy of a tiny model's folder, not loaded; ``voice`` changes its first voice."""
    from tests.tiny.adapters import adapter_of

    def copied(name: str, **voice: Any) -> Any:
        model = speaker(name).model
        shutil.copytree(model.weights.path, tmp_path / name)
        weights = model.weights.model_copy(update={"path": tmp_path / name})
        first = model.voice[0].model_copy(update=voice)
        return adapter_of(model.model_copy(update={"weights": weights, "voice": (first, *model.voice[1:])}))

    return copied


@pytest.mark.parametrize("name", ["vits", "bark", "vibevoice", "higgs"])
def test_broken_files_are_bad_weights(copy_of: Callable[..., Any], name: str) -> None:
    adapter = copy_of(name)
    weights = adapter.folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadWeightsError, match=name):
        adapter.load()
    weights.unlink()
    (adapter.folder / "pytorch_model.bin").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(BadWeightsError):
        adapter.load()
    assert list(adapter._modules()) == []
    (adapter.folder / "pytorch_model.bin").unlink()
    weights.write_bytes(whole)
    adapter.load()
    adapter.unload()
    assert list(adapter._modules()) == [] and adapter.weight_bytes == 0


def test_weights_that_are_missing_from_the_file_are_not_made_up(copy_of: Callable[..., Any]) -> None:
    from safetensors.torch import load_file, save_file

    adapter = copy_of("vits")
    path = adapter.folder / "model.safetensors"
    tensors = load_file(path)
    del tensors["text_encoder.project.weight"]
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(BadWeightsError, match=r"text_encoder\.project\.weight"):
        adapter.load()


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (self.path.touch, ())


def test_a_pickled_preset_is_refused(copy_of: Callable[..., Any], tmp_path: Path) -> None:
    adapter = copy_of("bark")
    path = adapter.folder / "speaker_embeddings" / "zh_speaker_0_semantic_prompt.npy"
    np.save(path, np.array([Evil(tmp_path / "was-run")], dtype=object), allow_pickle=True)
    with pytest.raises(BadWeightsError, match="preset of the voice tiny-bark-zh"):
        adapter.load()
    assert not (tmp_path / "was-run").exists()


def test_presets_have_to_be_codes_of_the_model(copy_of: Callable[..., Any], tmp_path: Path) -> None:
    adapter = copy_of("bark")
    path = adapter.folder / "speaker_embeddings" / "zh_speaker_0_fine_prompt.npy"
    good = np.load(path)
    for wrong in (good + 100, good - 100, good[:7], good.astype(np.float32)):
        np.save(path, wrong)
        with pytest.raises(BadWeightsError, match="fine_prompt"):
            adapter.load()
    np.save(tmp_path / "outside.npy", good)
    listed = adapter.folder / "speaker_embeddings_path.json"
    listed.write_text(listed.read_text().replace("speaker_embeddings/zh_speaker_0_fine_prompt.npy", "../outside.npy"))
    with pytest.raises(BadWeightsError, match="is not in"):
        adapter.load()


@pytest.mark.parametrize(
    ("name", "voice", "why"),
    [
        ("vits", {"speaker": 6}, "0 to 5"),
        ("vits", {"speaker": None}, "0 to 5"),
        ("bark", {"preset": "v2/nobody"}, "v2/nobody"),
        ("bark", {"preset": None}, "no preset"),
        ("vibevoice", {"sample": None}, "sample"),
        ("vibevoice", {"sample": "missing.wav"}, r"missing\.wav"),
        ("vibevoice", {"sample": "config.json"}, r"config\.json"),
        ("vibevoice", {"sample": "../../etc/passwd"}, "is not in"),
        ("higgs", {"sample_text": ""}, "sample_text"),
    ],
)
def test_a_voice_that_the_model_lacks_fails_when_it_is_loaded(
    copy_of: Callable[..., Any], name: str, voice: dict[str, Any], why: str
) -> None:
    with pytest.raises(BadWeightsError, match=why):
        copy_of(name, **voice).load()


def test_a_text_front_end_that_is_not_installed_is_named(copy_of: Callable[..., Any]) -> None:
    adapter = copy_of("vits")
    config = adapter.folder / "tokenizer_config.json"
    config.write_text(config.read_text().replace('"is_uroman": false', '"is_uroman": true'))
    with pytest.raises(BadWeightsError, match="uroman"):
        adapter.load()


def test_vits_says_what_it_never_learnt(speaker: Load) -> None:
    spec = SpeechSpec(text="Ωμέγα", language="en", voice="tiny-vits-en-woman")
    with pytest.raises(UserInputError) as error:
        speaker("vits").speak(spec, FakeReport())
    assert error.value.field == "text_content"


def test_a_foreign_word_does_not_stop_a_film(speaker: Load) -> None:
    spec = SpeechSpec(text="Hello Ωμέγα.", language="en", voice="tiny-vits-zh-narrator")
    assert speaker("vits").speak(spec, FakeReport()).sound.samples.size


@pytest.mark.parametrize("name", ["bark", "higgs"])
def test_temperature_is_heard(speaker: Load, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    adapter = speaker(name)
    spec = SpeechSpec(text="Hi, you.", language="en", voice=f"tiny-{name}-en")
    usual = adapter.speak(spec, FakeReport()).sound.samples
    monkeypatch.setattr(adapter, "options", adapter.options.model_copy(update={"temperature": 3.0}))
    assert not np.array_equal(usual, adapter.speak(spec, FakeReport()).sound.samples)


def test_options_that_a_model_cannot_have_are_refused(speaker: Load) -> None:
    for name, options in (
        ("vits", {"quantization": "fp8"}),
        ("vits", {"temperature": 1.0}),
        ("bark", {"offload": "group"}),
    ):
        with pytest.raises(ValidationError):
            type(speaker(name).options).model_validate(options)


@pytest.mark.parametrize("name", ["bark", "higgs", "vibevoice"])
def test_weights_kept_in_8_bits_speak(speaker: Load, name: str) -> None:
    from tests.tiny.adapters import adapter_of

    whole = speaker(name)
    small = adapter_of(
        type(whole.model).model_validate(
            {**whole.model.model_dump(), "options": {"dtype": "bfloat16", "quantization": "fp8"}}
        )
    )
    small.load()
    assert small.weight_bytes < 0.6 * whole.weight_bytes or name == "higgs"
    voice = whole.model.voice[0]
    assert small.speak(SpeechSpec(text="Hi, you.", language="en", voice=voice.id), FakeReport()).words
    small.unload()


@pytest.mark.parametrize(("name", "other"), [("vits", "bark"), ("bark", "vits"), ("vibevoice", "higgs")])
def test_another_models_files_are_bad_weights(
    copy_of: Callable[..., Any], speaker: Load, name: str, other: str
) -> None:
    adapter = copy_of(name)
    shutil.copy(speaker(other).folder / "model.safetensors", adapter.folder / "model.safetensors")
    with pytest.raises(BadWeightsError, match="lack"):
        adapter.load()


def test_higgs_is_told_language_emotion_and_speaker(speaker: Load) -> None:
    from models.specs import Emotion
    from models.speech.base import Line

    higgs = speaker("higgs")
    cloned, described = higgs.model.voice[0], higgs.model.voice[2]
    said = str(higgs._conversation(Line("Hi.", "zh", described, Emotion.WHISPER, 1.0)))
    for part in ("Mandarin Chinese", "whispers", "SPEAKER0: masculine; elderly; gravelly", "[SPEAKER0] Hi."):
        assert part in said
    imitated = higgs._conversation(Line("Hi.", "en", cloned, Emotion.NEUTRAL, 1.0))
    assert [turn["role"] for turn in imitated] == ["system", "scene", "user", "assistant", "user"]
    assert imitated[2]["content"][0]["text"] == "这是我的声音。" and imitated[4]["content"][0]["text"] == "Hi."
