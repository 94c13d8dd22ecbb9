"""What a catalog entry may say of several GPUs."""

from pathlib import Path
from typing import Any

import pytest

from models.catalog import CatalogError, Model
from models.catalog_file import read_catalog
from scheduler.ports import Place
from scheduler.profiles import profiles

ENTRY = """
[[model]]
id = "wan"
display_name = "Wan"
tasks = ["image_to_video"]
adapter = "models.diffusion.animator:DiffusionAnimator"
device = "gpu"
gpus = 2
license = "Apache-2.0"
vram_gb = 40
weights.hub = "acme/wan"
options.pipeline = "WanImageToVideoPipeline"
options.steps = 8
options.fps = 16
options.max_frames = 81
options.offload = "none"
"""


def test_a_model_of_several_gpus_wants_gangs_of_as_many(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(ENTRY)
    profile = profiles(read_catalog(path))["wan"]
    assert profile.place == Place("gpu", 2)
    assert profile.peak_gb == 40


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('device = "gpu"', 'device = "cpu"', "gpus: 2 of them, and device is cpu"),
        ("gpus = 2", "gpus = 0", "gpus"),
        ("gpus = 2", "gpus = 17", "gpus"),
        ('options.offload = "none"', "", "options.offload: on several GPUs"),
        ('options.offload = "none"', 'options.offload = "model"', "options.offload: on several GPUs"),
        ("options.steps = 8", 'options.steps = 8\noptions.quantization = "fp8"', "options.quantization: it cannot"),
        ("options.steps = 8", "options.steps = 8\noptions.compile = true", "options.compile: it cannot"),
        ("options.steps = 8", 'options.steps = 8\noptions.attention = "sage"', "options.attention: on several GPUs"),
        (
            "options.steps = 8",
            'options.steps = 8\noptions.cache = {kind = "first_block", measured_cost = "x"}',
            "options.cache: it cannot",
        ),
        ("WanImageToVideoPipeline", "LTX2ImageToVideoPipeline", "options.pipeline: of several GPUs together only Wan"),
    ],
)
def test_what_several_gpus_cannot_do_is_refused(tmp_path: Path, before: str, after: str, said: str) -> None:
    assert before in ENTRY
    path = tmp_path / "catalog.toml"
    path.write_text(ENTRY.replace(before, after))
    with pytest.raises(CatalogError) as caught:
        read_catalog(path)
    assert f"model wan: {said}" in str(caught.value)


@pytest.mark.parametrize(
    "adapter", [None, "models.speech.vits:VitsSpeaker", "models.draft.animator:DraftAnimator", "acme.models:Own"]
)
def test_adapters_that_know_nothing_of_gangs_run_on_one(adapter: str | None) -> None:
    fields: dict[str, Any] = {"id": "m", "display_name": "M", "tasks": ["speech"], "license": "x", "device": "gpu"}
    fields |= {"adapter": adapter, "gpus": 2}
    if adapter == "models.speech.vits:VitsSpeaker":
        fields["weights"] = {"hub": "acme/vits"}
    if adapter == "acme.models:Own":  # whose own affair it is
        assert Model.model_validate(fields).gpus == 2
    else:
        with pytest.raises(ValueError, match="runs on one"):
            Model.model_validate(fields)


def test_a_helper_runs_on_whatever_it_helps_so_it_has_one_gpu(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(
        """
[[model]]
id = "voice"
display_name = "Voice"
tasks = ["speech"]
license = "x"
uses.alignment = "words"

[[model]]
id = "words"
display_name = "Words"
tasks = ["alignment"]
adapter = "acme.models:Words"
device = "gpu"
gpus = 2
license = "x"
"""
    )
    with pytest.raises(CatalogError, match="words needs several GPUs"):
        read_catalog(path)
