"""What pipelines are loaded from and kept in: wrong files are told, weights move without changing, bits are saved."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from models.catalog import CatalogError
from models.device import Device
from models.diffusion import memory
from models.diffusion.painter import DiffusionPainter
from models.weighted import BadOutputError, BadWeightsError
from models.weights import weight_files
from pipelines.context import LocalContext, PartOfTask
from tests.unit.models.painters.conftest import NAMES, Make, spec_of

pytestmark = pytest.mark.xdist_group("torch")

Get = Callable[[str], DiffusionPainter]
GB = 1 << 30


@pytest.fixture
def context(tmp_path: Path) -> LocalContext:
    return LocalContext(tmp_path / "context")


@pytest.fixture
def copy(folders: dict[str, Path], tmp_path: Path) -> Path:
    """Of the Z-Image folder, to be spoilt."""
    return shutil.copytree(folders["z_image"], tmp_path / "copy")


def paint(painter: DiffusionPainter, context: LocalContext, **fields: Any) -> Any:
    return painter.paint(spec_of(**fields), {}, PartOfTask(context, 0.0, 1.0)).pixels


def change_tensors(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata={"format": "pt"})


def denoiser(folder: Path) -> Path:
    return folder / "transformer" / "diffusion_pytorch_model.safetensors"


def test_a_folder_of_another_class_is_refused(make: Make, folders: dict[str, Path]) -> None:
    with pytest.raises(BadWeightsError, match=r"StableDiffusionXLPipeline.*ZImagePipeline"):
        make("z_image", folders["sdxl"]).load()


def test_a_class_that_diffusers_lacks_is_refused(make: Make) -> None:
    with pytest.raises(CatalogError, match="no pipeline PaintAnythingPipeline"):
        make("z_image", pipeline="PaintAnythingPipeline").load()


def test_arguments_that_the_pipeline_lacks_are_refused(make: Make) -> None:
    with pytest.raises(CatalogError, match="takes no sharpness"):
        make("z_image", arguments={"sharpness": 3}).load()


def test_references_for_a_pipeline_that_takes_none_are_refused(make: Make) -> None:
    with pytest.raises(CatalogError, match="takes no references"):
        make("sdxl", references=2).load()


def test_an_empty_folder_is_refused(make: Make, tmp_path: Path) -> None:
    with pytest.raises(BadWeightsError, match="model_index"):
        make("z_image", tmp_path).load()


def test_a_truncated_file_is_refused(make: Make, copy: Path) -> None:
    denoiser(copy).write_bytes(denoiser(copy).read_bytes()[:5000])
    with pytest.raises(BadWeightsError):
        make("z_image", copy).load()


def test_pickled_weights_are_not_read(make: Make, copy: Path) -> None:
    tensors = load_file(denoiser(copy))
    torch.save(tensors, copy / "transformer" / "diffusion_pytorch_model.bin")
    denoiser(copy).unlink()
    with pytest.raises(BadWeightsError):
        make("z_image", copy).load()


def test_a_missing_tensor_is_not_made_up(make: Make, copy: Path) -> None:
    change_tensors(denoiser(copy), lambda tensors: tensors.pop("x_pad_token"))
    with pytest.raises(BadWeightsError, match="x_pad_token"):
        make("z_image", copy).load()


def test_a_missing_tensor_of_a_text_encoder_is_not_made_up(make: Make, copy: Path) -> None:
    file = copy / "text_encoder" / "model.safetensors"
    change_tensors(file, lambda tensors: tensors.pop(next(name for name in tensors if "layers.1.mlp" in name)))
    with pytest.raises(BadWeightsError, match="fewer weights"):
        make("z_image", copy).load()


def test_a_folder_without_weights_is_refused(make: Make, copy: Path) -> None:
    for path in copy.rglob("*.safetensors"):
        path.unlink()
    with pytest.raises(BadWeightsError, match="no safetensors"):
        make("z_image", copy).load()


def test_a_tensor_of_another_shape_is_refused(make: Make, copy: Path) -> None:
    change_tensors(denoiser(copy), lambda tensors: tensors.update({"x_pad_token": torch.zeros(1, 8)}))
    with pytest.raises(BadWeightsError):
        make("z_image", copy).load()


def test_code_in_the_folder_is_not_run(make: Make, copy: Path) -> None:
    index = json.loads((copy / "model_index.json").read_text())
    index["_class_name"] = ["pipeline", "ZImagePipeline"]
    (copy / "model_index.json").write_text(json.dumps(index))
    (copy / "pipeline.py").write_text("raise SystemExit('the code was run')")
    with pytest.raises(BadWeightsError):
        make("z_image", copy).load()


def test_a_denoiser_of_nan_is_told_before_it_is_decoded(make: Make, copy: Path, context: LocalContext) -> None:
    change_tensors(denoiser(copy), lambda tensors: tensors["x_pad_token"].fill_(float("nan")))
    painter = make("z_image", copy)
    painter.load()
    with pytest.raises(BadOutputError, match="latents"):
        paint(painter, context)
    assert context.phases == []
    with pytest.raises(BadOutputError):
        paint(painter, context)


def test_a_decoder_of_nan_is_told(make: Make, copy: Path, context: LocalContext) -> None:
    vae = copy / "vae" / "diffusion_pytorch_model.safetensors"
    change_tensors(vae, lambda tensors: tensors["decoder.conv_out.bias"].fill_(float("nan")))
    painter = make("z_image", copy)
    painter.load()
    with pytest.raises(BadOutputError, match="picture"):
        paint(painter, context)


@pytest.mark.parametrize("name", NAMES)
def test_parked_and_resumed_it_paints_the_same(name: str, painter: Get, context: LocalContext) -> None:
    before = paint(painter(name), context)
    held = painter(name).weight_bytes
    painter(name).park()
    assert painter(name).weight_bytes == held > 100_000
    painter(name).resume()
    assert np.array_equal(paint(painter(name), context), before)


@pytest.mark.parametrize("name", ["z_image", "flux2_klein", "sdxl"])
def test_weights_of_eight_bits_take_less_and_paint_nearly_the_same(
    name: str, make: Make, painter: Get, context: LocalContext
) -> None:
    small = make(name, quantization="fp8")
    small.load()
    # Most of the tiny Z-Image is its embedding of time, which is left as it is.
    assert small.weight_bytes < (0.9 if name == "z_image" else 0.6) * painter(name).weight_bytes
    exact, near, other = (
        paint(one, context, seed=seed).astype(int) for one, seed in ((painter(name), 5), (small, 5), (painter(name), 6))
    )
    assert 0 < np.abs(exact - near).mean() < 0.6 * np.abs(exact - other).mean()
    small.park()
    small.resume()
    assert np.array_equal(paint(small, context, seed=5).astype(int), near)


def test_weights_are_made_smaller_before_they_go_to_the_device(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """No card has to hold a model in 16 bits that it is to keep in 8."""
    moved: list[torch.dtype] = []
    to = torch.nn.Module.to

    def noted(self: torch.nn.Module, *arguments: Any, **named: Any) -> Any:
        if any(isinstance(one, torch.device | str) and str(one).startswith("meta") for one in arguments):
            moved.extend(weight.dtype for weight in self.parameters() if weight.device.type == "cpu")
        return to(self, *arguments, **named)

    class Card(Device):
        kind = "cuda"  # type: ignore[assignment]
        torch = torch.device("meta")  # type: ignore[assignment]
        capability = None
        total_bytes = 10**9

        def __init__(self) -> None:
            pass

        cache_dir = None

    painter = make("sdxl", quantization="fp8", compile=False)
    painter.device = Card()
    monkeypatch.setattr(torch.nn.Module, "to", noted)
    painter.load()
    unet = painter.pipeline.unet
    assert {weight.device.type for weight in unet.parameters()} == {"meta"}
    small = [dtype for dtype in moved if dtype == torch.float8_e4m3fn]
    assert len(small) >= sum(weight.dtype == torch.float8_e4m3fn for weight in unet.parameters()) > 20


def test_a_vae_of_older_names_is_whole(make: Make, copy: Path, painter: Get, folders: dict[str, Path]) -> None:
    import diffusers

    config = dict(painter("z_image").pipeline.vae.config) | {"mid_block_add_attention": True}
    diffusers.AutoencoderKL.from_config(config).save_pretrained(copy / "vae")
    older = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}

    def rename(tensors: dict[str, Any]) -> None:
        for name in [name for name in tensors if "attentions" in name]:
            renamed = name
            for now, then in older.items():
                renamed = renamed.replace(f".{now}.", f".{then}.")
            tensors[renamed] = tensors.pop(name)

    change_tensors(copy / "vae" / "diffusion_pytorch_model.safetensors", rename)
    make("z_image", copy).load()


def test_weights_of_four_bits_need_a_gpu(make: Make) -> None:
    with pytest.raises(CatalogError, match="needs a GPU"):
        make("flux2_klein", quantization="nf4").load()


def test_the_large_parts_are_kept_in_four_bits() -> None:
    config = memory.nf4(["scheduler", "text_encoder", "transformer", "vae"], torch.bfloat16)
    assert config.components_to_quantize == ["text_encoder", "transformer"]
    for is_diffusers, name in ((True, "transformer"), (False, "text_encoder")):
        chosen = config._resolve_quant_config(is_diffusers=is_diffusers, module_name=name)
        assert chosen.load_in_4bit
        assert chosen.bnb_4bit_quant_type == "nf4"
        assert chosen.bnb_4bit_compute_dtype is torch.bfloat16
    assert config._resolve_quant_config(is_diffusers=True, module_name="vae") is None


@pytest.mark.parametrize("name", NAMES)
def test_offloaded_by_groups_it_paints_the_same(name: str, make: Make, painter: Get, context: LocalContext) -> None:
    small = make(name, offload="group")
    small.load()
    assert small.offloading == "group"
    assert small.weight_bytes == painter(name).weight_bytes
    assert np.array_equal(paint(small, context), paint(painter(name), context))
    small.park()
    small.resume()
    assert np.array_equal(paint(small, context), paint(painter(name), context))


def test_a_small_card_decodes_in_tiles(make: Make, monkeypatch: pytest.MonkeyPatch, context: LocalContext) -> None:
    monkeypatch.setattr(memory, "choose_tiling", lambda activation, card: True)
    painter = make("z_image")
    painter.load()
    assert painter.pipeline.vae.use_tiling
    paint(painter, context)


def test_component_bytes_are_those_of_the_loaded_weights(painter: Get, folders: dict[str, Path]) -> None:
    for name in ("z_image", "flux2_klein", "sdxl"):
        sizes = memory.component_bytes(folders[name], torch.float32)
        assert sum(sizes.values()) == pytest.approx(painter(name).weight_bytes, rel=0.02)
    assert (
        memory.component_bytes(folders["sdxl"], torch.float16)["unet"] * 2
        == (memory.component_bytes(folders["sdxl"], torch.float32)["unet"])
    )
    eight = memory.component_bytes(folders["sdxl"], torch.float32, quantization="fp8")
    assert eight["vae"] == memory.component_bytes(folders["sdxl"], torch.float32)["vae"]
    assert eight["unet"] * 4 == memory.component_bytes(folders["sdxl"], torch.float32)["unet"]
    exact = memory.component_bytes(folders["sdxl"], torch.bfloat16, exact=["vae"])
    assert exact["vae"] == memory.component_bytes(folders["sdxl"], torch.float32)["vae"]
    assert exact["unet"] == memory.component_bytes(folders["sdxl"], torch.bfloat16)["unet"]


def test_only_files_of_the_variant_count(tmp_path: Path) -> None:
    names = ("model.safetensors", "model.fp16.safetensors", "model.fp16-00001-of-00002.safetensors")
    for name in names:
        (tmp_path / name).touch()
    assert [path.name for path in weight_files(tmp_path)] == ["model.safetensors"]
    assert {path.name for path in weight_files(tmp_path, "fp16")} == set(names[1:])


@pytest.mark.parametrize(
    ("card_gb", "mode"), [(48, "none"), (29, "none"), (27, "model"), (18, "model"), (12, "group"), (3, "sequential")]
)
def test_offloading_follows_the_card(card_gb: float, mode: str) -> None:
    components = {"transformer": 14 * GB, "text_encoder": 10 * GB, "vae": 1 * GB}
    assert memory.choose_offload("auto", components, 3 * GB, int(card_gb * GB)) == mode
    assert memory.choose_offload("model", components, 3 * GB, int(card_gb * GB)) == "model"


def test_tiles_are_for_cards_that_decoding_would_fill() -> None:
    megapixel = memory.activation_bytes(1024 * 1024, torch.bfloat16)
    assert not memory.choose_tiling(megapixel, 24 * GB)
    assert memory.choose_tiling(megapixel, 8 * GB)
    assert memory.activation_bytes(1024 * 1024, torch.float32) == 2 * megapixel
