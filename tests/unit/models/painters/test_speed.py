"""What makes pipelines faster changes no picture, unless the catalog says so."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from torch._inductor.runtime.cache_dir_utils import default_cache_dir

from models.catalog import CatalogError
from models.device import Device
from models.diffusion.painter import DiffusionPainter
from models.diffusion.reuse import Reused, reusing
from models.diffusion.schedules import scheduler_class
from models.diffusion.speed import best_attention, choose_attention, choose_compile
from models.options import SCHEDULERS, Scheduler
from models.weighted import BadWeightsError
from pipelines.context import LocalContext, PartOfTask, TaskCancelled
from tests.unit.models.painters.conftest import NAMES, Make, picture, spec_of

pytestmark = pytest.mark.xdist_group("torch")

Get = Callable[[str], DiffusionPainter]


@pytest.fixture
def context(tmp_path: Path) -> LocalContext:
    return LocalContext(tmp_path / "context")


def paint(painter: DiffusionPainter, context: LocalContext, images: dict[str, Any] | None = None, **fields: Any) -> Any:
    return painter.paint(spec_of(**fields), images or {}, PartOfTask(context, 0.0, 1.0)).pixels


def counted(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[None]:
    """A list that grows by one with every call of a method."""
    calls: list[None] = []
    original = getattr(owner, name)

    def counting(*arguments: Any, **named: Any) -> Any:
        calls.append(None)
        return original(*arguments, **named)

    monkeypatch.setattr(owner, name, counting)
    return calls


@pytest.mark.parametrize("name", NAMES)
def test_prompts_are_encoded_once(
    name: str, make: Make, painter: Get, context: LocalContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = make(name)
    fresh.load()
    calls = counted(monkeypatch, fresh.pipeline.text_encoder, "forward")
    first = paint(fresh, context, seed=1)
    once = len(calls)
    assert once >= 1
    again = paint(fresh, context, seed=1)
    other_seed = paint(fresh, context, seed=2)
    assert len(calls) == once
    paint(fresh, context, prompt="a blue whale", seed=1)
    assert len(calls) > once
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other_seed)
    assert fresh.cache_bytes == fresh._prompts.held_bytes + fresh._latents.held_bytes > 0
    fresh.park()  # forgets
    assert fresh.cache_bytes == 0
    fresh.resume()
    assert np.array_equal(paint(fresh, context, seed=2), other_seed)
    assert len(calls) > once + 1
    fresh.unload()
    assert fresh._prompts.held_bytes == fresh._latents.held_bytes == 0


@pytest.mark.parametrize("name", ["flux2_klein", "qwen_image_edit"])
def test_references_are_encoded_once(
    name: str, make: Make, context: LocalContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = make(name)
    fresh.load()
    calls = counted(monkeypatch, fresh.pipeline.vae, "_encode")
    images = {"a": picture(1), "b": picture(2)}
    first = paint(fresh, context, images, reference_keys=["a"])
    assert len(calls) == 1
    assert np.array_equal(paint(fresh, context, images, reference_keys=["a"]), first)
    assert len(calls) == 1
    paint(fresh, context, images, reference_keys=["a", "b"])
    assert len(calls) == 2


def test_a_source_is_encoded_once_and_noised_anew(
    make: Make, context: LocalContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = make("sdxl")
    fresh.load()
    calls = counted(monkeypatch, fresh.pipeline.vae, "_encode")
    report = PartOfTask(context, 0.0, 1.0)
    one, same, other = (fresh.repaint(spec_of(seed=seed), picture(1), {}, report).pixels for seed in (1, 1, 2))
    assert len(calls) == 1
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


class Encoder:
    def __init__(self) -> None:
        self.calls = 0

    def encode(self, *arguments: Any, **named: Any) -> Any:
        self.calls += 1
        return [torch.full((256,), float(self.calls))]


def test_results_are_kept_by_content_in_so_many_bytes() -> None:
    encoder, kept = Encoder(), Reused(limit_bytes=2 * 1024)
    with reusing(encoder, "encode", kept):
        first = encoder.encode(torch.zeros(3), size=[1, 2])
        again = encoder.encode(torch.zeros(3), size=[1, 2])
        assert again[0] is first[0]
        again.clear()  # whoever changes the list that it got changes its own
        first.clear()
        assert len(encoder.encode(torch.zeros(3), size=[1, 2])) == 1
        encoder.encode(torch.ones(3), size=[1, 2])
        assert encoder.calls == 2
        encoder.encode(torch.zeros(3), size=[1, 2])
        encoder.encode(torch.zeros(3, dtype=torch.float64), size=[1, 2])  # the ones were used longest ago
        assert encoder.calls == 3
        assert kept.held_bytes == 2 * 1024
        encoder.encode(torch.zeros(3), size=[1, 2])
        assert encoder.calls == 3
        encoder.encode(torch.ones(3), size=[1, 2])
        assert encoder.calls == 4
    encoder.encode(torch.ones(3), size=[1, 2])
    assert encoder.calls == 5


def test_what_is_too_large_or_has_no_content_is_not_kept() -> None:
    encoder, kept = Encoder(), Reused(limit_bytes=1000)
    with reusing(encoder, "encode", kept):
        encoder.encode("a")
        encoder.encode("a")
        assert (encoder.calls, kept.held_bytes) == (2, 0)
    kept = Reused()
    with reusing(encoder, "encode", kept):
        encoder.encode(torch.Generator())
    assert kept.held_bytes == 0


@pytest.mark.parametrize("name", ["z_image", "flux2_klein", "sdxl"])
def test_compiled_blocks_paint_the_same(
    name: str, make: Make, painter: Get, context: LocalContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The eager backend of torch.compile traces as inductor does, and generates no code, which takes a minute.
    monkeypatch.setattr(DiffusionPainter, "compile_backend", "eager")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", default_cache_dir())
    fast = make(name, compile=True)
    fast.load()
    assert np.abs(paint(fast, context).astype(int) - paint(painter(name), context).astype(int)).max() <= 1
    assert context.phases[0] == "compile"
    compiled = context.phases.count("compile")
    paint(fast, context, seed=8)
    assert context.phases.count("compile") == compiled
    paint(fast, context, width=128, height=128)
    assert context.phases.count("compile") > compiled
    torch.compiler.reset()


def test_compiled_code_is_kept_where_the_operator_or_the_worker_says_or_in_the_users_cache(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(DiffusionPainter, "compile_backend", "eager")
    own, temporary = str(tmp_path / "operator"), default_cache_dir()
    for before, of_worker, after in (
        (own, tmp_path / "compiled", own),
        (temporary, tmp_path / "compiled", str(tmp_path / "compiled" / "inductor")),
        (temporary, None, str(tmp_path / "reelfarm" / "inductor")),
    ):
        monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", before)
        painter = make("sdxl", compile=True)
        painter.device = Device("cpu", cache_dir=of_worker)
        painter.load()
        assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == after


class CancelledAtTheThirdStep(PartOfTask):
    def __call__(self, fraction: float, /, preview: Any = None) -> None:
        if fraction >= 0.5:
            raise TaskCancelled


@pytest.mark.parametrize(
    ("kind", "more"), [("first_block", {"threshold": 10.0}), ("taylorseer", {"interval": 3})], ids=["first", "taylor"]
)
def test_a_step_cache_computes_less(
    kind: str, more: dict[str, Any], make: Make, painter: Get, context: LocalContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: dict[str, int] = {}
    pictures = {}
    for label, options in (("exact", {}), ("cached", {"cache": {"kind": kind, "measured_cost": "none yet", **more}})):
        fresh = make("qwen_image_edit", steps=6, **options)
        fresh.load()
        last = fresh.pipeline.transformer.transformer_blocks[-1].attn.to_q
        calls: list[None] = []
        last.register_forward_hook(lambda *_, calls=calls: calls.append(None))
        pictures[label] = paint(fresh, context)
        runs[label] = len(calls)
        with pytest.raises(TaskCancelled):
            fresh.paint(spec_of(seed=9), {}, CancelledAtTheThirdStep(context, 0.0, 1.0))
        assert np.array_equal(paint(fresh, context), pictures[label])
    assert runs["cached"] < runs["exact"]
    assert not np.array_equal(pictures["cached"], pictures["exact"])


def test_a_model_that_knows_no_step_cache_says_so(make: Make) -> None:
    with pytest.raises(CatalogError, match="takes no cache"):
        make("sdxl", cache={"kind": "first_block", "measured_cost": "none yet"}).load()


def lora_file(folder: Path, layer: str, shape: tuple[int, int], name: str = "lora.safetensors") -> Path:
    torch.manual_seed(0)
    out, into = shape
    tensors = {
        f"transformer.{layer}.lora_A.weight": torch.randn(2, into),
        f"transformer.{layer}.lora_B.weight": torch.randn(out, 2),
    }
    save_file(tensors, folder / name)
    return folder / name


LAYER = "layers.0.attention.to_v"


def test_a_lora_is_added_to_the_weights(make: Make, painter: Get, context: LocalContext, tmp_path: Path) -> None:
    file = lora_file(tmp_path, LAYER, (32, 32))
    changed = make("z_image", lora={"path": str(file), "scale": 0.5, "measured_cost": "none yet"})
    changed.load()
    plain = painter("z_image").pipeline.transformer.get_submodule(LAYER).weight
    tensors = load_file(file)
    down, up = (tensors[f"transformer.{LAYER}.lora_{part}.weight"] for part in "AB")
    fused = changed.pipeline.transformer.get_submodule(LAYER).weight
    torch.testing.assert_close(fused, plain + 0.5 * up @ down)
    assert not np.array_equal(paint(changed, context), paint(painter("z_image"), context))


def test_files_of_other_trainers_are_read_with_their_alphas(make: Make, painter: Get, tmp_path: Path) -> None:
    torch.manual_seed(0)
    layers = {
        "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_v": (
            "unet", "mid_block.attentions.0.transformer_blocks.0.attn1.to_v"
        ),
        "lora_unet_mid_block_resnets_0_conv1": ("unet", "mid_block.resnets.0.conv1"),
        "lora_te1_text_model_encoder_layers_1_mlp_fc1": ("text_encoder", "encoder.layers.1.mlp.fc1"),
    }  # fmt: skip
    tensors, expected = {}, {}
    for name, (component, layer) in layers.items():
        weight = getattr(painter("sdxl").pipeline, component).get_submodule(layer).weight
        down, up = torch.randn(4, *weight.shape[1:]), torch.randn(weight.shape[0], 4, *[1] * (weight.ndim - 2))
        tensors |= {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up, f"{name}.alpha": torch.tensor(1.0)}
        expected[component, layer] = weight + 0.25 * (up.flatten(1) @ down.flatten(1)).view_as(weight)
    save_file(tensors, tmp_path / "kohya.safetensors")
    changed = make("sdxl", lora={"path": str(tmp_path / "kohya.safetensors"), "measured_cost": "none yet"})
    changed.load()
    for (component, layer), weight in expected.items():
        torch.testing.assert_close(getattr(changed.pipeline, component).get_submodule(layer).weight, weight)


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [("layers.9.attention.to_v", (32, 32), "has no"), (LAYER, (16, 32), "another size")],
    ids=["layer", "size"],
)
def test_a_lora_of_another_model_is_refused(
    layer: str, shape: tuple[int, int], message: str, make: Make, tmp_path: Path
) -> None:
    file = lora_file(tmp_path, layer, shape)
    with pytest.raises(BadWeightsError, match=message):
        make("z_image", lora={"path": str(file), "measured_cost": "none yet"}).load()


def test_a_missing_lora_is_refused(make: Make, tmp_path: Path) -> None:
    with pytest.raises(BadWeightsError):
        make("z_image", lora={"path": str(tmp_path / "none.safetensors"), "measured_cost": "none yet"}).load()


def test_several_loras_are_added(make: Make, painter: Get, tmp_path: Path) -> None:
    one = lora_file(tmp_path, LAYER, (32, 32))
    both = make("z_image", lora=[{"path": str(path), "measured_cost": "none yet"} for path in (one, one)])
    both.load()
    plain = painter("z_image").pipeline.transformer.get_submodule(LAYER).weight
    tensors = load_file(one)
    down, up = (tensors[f"transformer.{LAYER}.lora_{part}.weight"] for part in "AB")
    fused = both.pipeline.transformer.get_submodule(LAYER).weight
    torch.testing.assert_close(fused, plain + 2 * up @ down)


def test_another_scheduler_paints_another_picture(make: Make, painter: Get, context: LocalContext) -> None:
    other = make("sdxl", scheduler={"name": "DDIMScheduler", "arguments": {"timestep_spacing": "trailing"}})
    other.load()
    own = painter("sdxl").pipeline.scheduler.config
    assert type(other.pipeline.scheduler).__name__ == "DDIMScheduler"
    assert other.pipeline.scheduler.config.beta_schedule == own.beta_schedule
    assert other.pipeline.scheduler.config.timestep_spacing == "trailing"
    assert not np.array_equal(paint(other, context), paint(painter("sdxl"), context))


def test_a_scheduler_that_does_not_fit_is_refused(make: Make) -> None:
    with pytest.raises(ValidationError, match=r"scheduler\.name: ZImagePipeline takes FlowMatchEuler.*not DDIM"):
        make("z_image", scheduler={"name": "DDIMScheduler"})
    with pytest.raises(CatalogError, match="takes no shaft") as caught:
        wrong = make("z_image", scheduler={"name": "FlowMatchEulerDiscreteScheduler", "arguments": {"shaft": 3}})
        wrong.check(wrong.model, wrong.folder)
    assert caught.value.field == "options.scheduler.arguments"


@pytest.mark.parametrize(("pipeline", "names"), SCHEDULERS.items())
def test_every_scheduler_that_an_entry_may_name_is_there(pipeline: str, names: tuple[str, ...]) -> None:
    import diffusers

    assert hasattr(diffusers, pipeline)
    for name in names:
        assert scheduler_class(Scheduler(name=name)).__name__ == name


def test_an_attention_backend_is_set(make: Make, painter: Get, context: LocalContext) -> None:
    other = make("flux2_klein", attention="_native_math")
    other.load()
    processors = [module.processor for module in other.pipeline.transformer.modules() if hasattr(module, "processor")]
    assert {processor._attention_backend.value for processor in processors} == {"_native_math"}
    near = np.abs(paint(other, context).astype(int) - paint(painter("flux2_klein"), context).astype(int))
    assert near.max() <= 2
    for backend in ("imaginary", "_flash_3"):
        with pytest.raises(CatalogError):
            make("flux2_klein", attention=backend).load()


@pytest.mark.parametrize(
    ("capability", "installed", "masked", "dtype", "backend"),
    [
        (None, {"flash_attn_interface"}, False, torch.bfloat16, "native"),
        ((8, 9), {"flash_attn_interface"}, False, torch.bfloat16, "native"),
        ((9, 0), {"flash_attn_interface"}, False, torch.bfloat16, "_flash_3"),
        ((9, 0), {"flash_attn_interface"}, False, torch.float32, "native"),
        ((9, 0), {"flash_attn_interface"}, True, torch.bfloat16, "native"),
        ((9, 0), set(), False, torch.bfloat16, "native"),
        ((10, 0), {"flash_attn_interface"}, False, torch.bfloat16, "native"),
    ],
)
def test_the_best_attention_of_a_card(
    capability: tuple[int, int] | None, installed: set[str], masked: bool, dtype: torch.dtype, backend: str
) -> None:
    assert choose_attention(capability, installed, masked=masked, dtype=dtype) == backend


@pytest.mark.parametrize(
    ("capability", "first"), [(None, False), ((8, 9), False), ((9, 0), True), ((12, 0), True)], ids=str
)
def test_cudnn_is_asked_first_from_a_hopper_on(capability: tuple[int, int] | None, first: bool) -> None:
    before = torch._C._get_sdp_priority_order()
    with best_attention(capability):
        inside = torch._C._get_sdp_priority_order()
        query = torch.ones(1, 2, 3, 4)
        assert torch.nn.functional.scaled_dot_product_attention(query, query, query).shape == query.shape
    assert (inside[0] == int(torch.nn.attention.SDPBackend.CUDNN_ATTENTION)) is first
    assert torch._C._get_sdp_priority_order() == before


@pytest.mark.parametrize(
    ("change", "compiled"),
    [
        ({}, True),
        ({"gpu": False}, False),
        ({"offloading": "model"}, True),
        ({"offloading": "group"}, False),
        ({"offloading": "sequential"}, False),
        ({"quantization": "fp8"}, False),
        ({"quantization": "nf4"}, True),
        ({"cached": True}, False),
        ({"gpu": False, "wanted": True}, True),
        ({"wanted": False}, False),
    ],
    ids=str,
)
def test_what_is_compiled(change: dict[str, Any], compiled: bool) -> None:
    usual: dict[str, Any] = {
        "wanted": "auto", "gpu": True, "offloading": "none", "quantization": "none", "cached": False
    }  # fmt: skip
    arguments = usual | change
    assert choose_compile(arguments.pop("wanted"), **arguments) is compiled
