"""Tiny music models, from the words of a request to music of a film."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.device import Device
from models.diffusion.composer import DiffusionComposer
from models.interfaces import Sound
from models.music.musicgen import MusicgenComposer
from models.sound import loudness_lufs
from models.specs import MusicSpec
from models.weighted import BadOutputError, BadWeightsError
from pipelines.context import TaskCancelled
from tests.tiny import music
from tests.unit.models.reports import FakeReport
from tests.unit.models.tiny_entries import entry

pytestmark = pytest.mark.xdist_group("torch")

COMPOSERS: dict[str, tuple[Callable[[Path], None], Any]] = {
    "tiny-ace-step": (music.build_ace_step, DiffusionComposer),
    "tiny-musicgen": (music.build_musicgen, MusicgenComposer),
}
Composer = DiffusionComposer | MusicgenComposer


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("composers")
    for model_id, (build, _) in COMPOSERS.items():
        build(root / model_id)
    return {model_id: root / model_id for model_id in COMPOSERS}


def loaded(folders: dict[str, Path], model_id: str, **options: Any) -> Composer:
    composer = COMPOSERS[model_id][1](entry("music", model_id, **options), folders[model_id], Device("cpu"))
    composer.load()
    return composer


@pytest.fixture(scope="module", params=COMPOSERS)
def composer(request: pytest.FixtureRequest, folders: dict[str, Path]) -> Composer:
    return loaded(folders, request.param)


def composed(composer: Composer, report: FakeReport | None = None, **fields: Any) -> tuple[Sound, bool]:
    whole = {"prompt": "a boat at sunset", "mood": "calm", "genre": "piano", "duration_s": 2.0, "seed": 7}
    return composer.compose(MusicSpec.model_validate(whole | fields), report or FakeReport())


@pytest.mark.parametrize("duration_s", [0.5, 2.0, 3.7])
def test_length_is_what_was_asked(composer: Composer, duration_s: float) -> None:
    sound, loops_cleanly = composed(composer, duration_s=duration_s)

    assert sound.samples.shape == (2, round(duration_s * 48_000))
    assert sound.sample_rate == 48_000
    assert sound.samples.dtype == np.float32
    assert not loops_cleanly


def test_level_is_that_of_film_music(composer: Composer) -> None:
    sound, _ = composed(composer, duration_s=3.0)

    assert loudness_lufs(sound.samples) == pytest.approx(-20.0, abs=0.5)
    assert np.abs(sound.samples).max() <= 0.85


def test_longer_music_is_a_loop_without_a_click(composer: Composer) -> None:
    longest = composer.options.max_duration_s
    report = FakeReport()
    sound, loops_cleanly = composed(composer, report, duration_s=longest * 2.5)

    assert loops_cleanly
    assert longest / 2 < sound.samples.shape[1] / 48_000 < longest
    assert report.notes["duration_s"] <= longest
    jumps = np.abs(np.diff(sound.samples, axis=1)).max(axis=1)
    seam = np.abs(sound.samples[:, 0] - sound.samples[:, -1])
    assert (seam <= jumps).all()
    quarters = np.array_split(sound.samples, 8, axis=1)
    powers = [float((part**2).mean()) for part in quarters]
    assert min(powers) > max(powers) / 30, "the loop has a hole"


def test_seed_and_every_word_matter(composer: Composer) -> None:
    sound, _ = composed(composer)

    for change in ({"seed": 8}, {"prompt": "a storm"}, {"mood": "tense"}, {"genre": "rock"}):
        other, _ = composed(composer, **change)
        assert not np.array_equal(sound.samples, other.samples), change


def test_same_music_after_another_task(composer: Composer) -> None:
    sound, _ = composed(composer)
    torch.rand(3)
    composed(composer, prompt="雨", mood="悲伤", seed=1, duration_s=1.0)

    assert np.array_equal(sound.samples, composed(composer)[0].samples)


def test_global_randomness_is_left_alone(composer: Composer) -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    composed(composer, duration_s=0.5)

    assert torch.rand(1) == expected


def test_what_was_asked_is_noted(composer: Composer) -> None:
    report = FakeReport()
    composed(composer, report)

    assert report.notes["prompt"] == "a boat at sunset, calm, piano, instrumental film music, no vocals"
    assert report.notes["seed"] == 7
    assert report.notes["guidance_scale"] == 3.0


def test_what_is_not_read_of_a_prompt_is_noted(folders: dict[str, Path]) -> None:
    long, short = FakeReport(), FakeReport()
    composer = loaded(folders, "tiny-ace-step")
    composed(composer, long, prompt="a boat drifts past the cliffs, " * 20)
    composed(composer, short, prompt="a boat")

    assert all(cut["tokens"] > cut["read"] for cut in long.notes["prompt_cut"])
    assert "prompt_cut" not in short.notes


def test_musicgen_reads_long_prompts_whole(folders: dict[str, Path]) -> None:
    composer = loaded(folders, "tiny-musicgen")
    one, other = (composed(composer, prompt="a boat, " * 100 + end)[0].samples for end in ("calm", "storm"))
    assert not np.array_equal(one, other)


def test_a_composer_of_english_alone_is_told_in_english(folders: dict[str, Path]) -> None:
    english = entry("music", "tiny-ace-step").model_copy(update={"languages": ("en",)})
    composer = DiffusionComposer(english, folders["tiny-ace-step"], Device("cpu"))
    composer.load()
    report = FakeReport()
    composed(composer, report, prompt="雨中离别", mood="悲伤")
    assert report.notes["prompt"].isascii()


def test_prompt_is_what_the_model_reads(composer: Composer, monkeypatch: pytest.MonkeyPatch) -> None:
    holder, name = (
        (composer.pipeline, "tokenizer") if isinstance(composer, DiffusionComposer) else (composer, "_tokenizer")
    )
    tokenizer = getattr(holder, name)
    read: list[str] = []
    monkeypatch.setattr(holder, name, lambda texts, **named: read.extend(texts) or tokenizer(texts, **named))
    report = FakeReport()
    composed(composer, report, prompt="a kite", duration_s=0.5)

    assert any(report.notes["prompt"] in text for text in read)


def test_progress_comes_with_every_step(composer: Composer) -> None:
    report = FakeReport()
    composed(composer, report, duration_s=1.0)

    assert report.fractions == sorted(report.fractions)
    assert report.fractions[-1] == 1.0
    assert len(set(report.fractions)) >= (2 if isinstance(composer, DiffusionComposer) else 50)
    assert report.phases == ["decode"]


def test_cancel_takes_effect_at_the_step(composer: Composer) -> None:
    sound, _ = composed(composer)
    report = FakeReport(cancel_at_call=1)

    with pytest.raises(TaskCancelled):
        composed(composer, report)

    assert len(report.fractions) == 1
    assert "decode" not in report.phases
    assert np.array_equal(sound.samples, composed(composer)[0].samples)


def parts_of(composer: Composer) -> dict[str, Any]:
    if isinstance(composer, DiffusionComposer):
        return {"network": composer.pipeline.transformer, "codec": composer.pipeline.vae.decoder}
    return {"network": composer._model.decoder, "codec": composer._model.audio_encoder.decoder}


@pytest.mark.parametrize("model_id", COMPOSERS)
@pytest.mark.parametrize("part", ["network", "codec"])
def test_nan_is_bad_output(folders: dict[str, Path], model_id: str, part: str) -> None:
    composer = loaded(folders, model_id)
    with torch.no_grad():
        for parameter in parts_of(composer)[part].parameters():
            parameter.fill_(float("nan"))

    with pytest.raises(BadOutputError, match="not finite"):
        composed(composer, duration_s=1.0)


@pytest.mark.parametrize("model_id", COMPOSERS)
def test_silence_is_bad_output(folders: dict[str, Path], model_id: str) -> None:
    composer = loaded(folders, model_id)
    with torch.no_grad():
        for name, parameter in parts_of(composer)["codec"].named_parameters():
            if name.endswith(("weight_g", "original0", "bias")):  # a weight's norm, not its direction
                parameter.zero_()

    with pytest.raises(BadOutputError, match="silent"):
        composed(composer, duration_s=1.0)


@pytest.mark.parametrize("model_id", COMPOSERS)
def test_options_matter(folders: dict[str, Path], model_id: str) -> None:
    sound, _ = composed(loaded(folders, model_id))
    other = {"tiny-ace-step": {"steps": 3}, "tiny-musicgen": {"temperature": 0.5}}[model_id]

    for options in ({"guidance_scale": 1.0}, other):
        assert not np.array_equal(sound.samples, composed(loaded(folders, model_id, **options))[0].samples), options


@pytest.mark.parametrize("model_id", COMPOSERS)
def test_weights_go_and_come_back(folders: dict[str, Path], model_id: str) -> None:
    composer = loaded(folders, model_id)
    sound, _ = composed(composer, duration_s=0.5)
    assert composer.weight_bytes > 0
    composer.park()
    composer.resume()

    assert np.array_equal(sound.samples, composed(composer, duration_s=0.5)[0].samples)
    composer.unload()
    assert composer.weight_bytes == 0


def test_other_files_are_refused(folders: dict[str, Path]) -> None:
    with pytest.raises(BadWeightsError):
        MusicgenComposer(entry("music", "tiny-musicgen"), folders["tiny-ace-step"], Device("cpu")).load()
