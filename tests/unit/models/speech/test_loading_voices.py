"""Speech models whose files or voices are not what the catalog says, and texts that a voice cannot say."""

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.interfaces import UserInputError
from models.specs import SpeechSpec
from models.weighted import BadWeightsError
from tests.unit.models.reports import Recorder

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


@pytest.mark.parametrize(
    ("voice", "text", "field"), [("zh-narrator", "Hello", "voice_id"), ("en-woman", "Ωμέγα", "text_content")]
)
def test_vits_says_what_it_never_learnt(speaker: Load, voice: str, text: str, field: str) -> None:
    spec = SpeechSpec(text=text, language="en", voice=f"tiny-vits-{voice}")
    with pytest.raises(UserInputError) as error:
        speaker("vits").speak(spec, Recorder())
    assert error.value.field == field


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
