"""Whatever is loaded through the reader is what the libraries would have loaded by themselves."""

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from safetensors.torch import load_file, save_file

from models import pretrained, weight_reader
from models.catalog import Model
from models.catalog_file import read_catalog
from models.device import Device
from models.diffusion import pipeline
from models.language import writer
from models.weight_reader import WeightReader, reading
from models.weighted import BadWeightsError
from models.weights import sole_weight_files
from tests.tiny.collection import build, entries

pytestmark = pytest.mark.xdist_group("torch")

CPU = torch.device("cpu")
TENSORS = {
    "odd": torch.arange(13, dtype=torch.uint8),
    "none": torch.empty(0, 4),
    "scalar": torch.tensor(3),
    "truth": torch.tensor([True, False]),
    "eight": torch.linspace(-3, 3, 7).to(torch.float8_e4m3fn),
    "half": torch.randn(31, 9).to(torch.bfloat16),
    "whole": torch.randn(50, 21),
    "double": torch.randn(2, 2, 2, dtype=torch.float64),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save_file(TENSORS, tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Model]:
    """By their folder; they are built when they are first asked for."""
    catalog = build(tmp_path_factory.mktemp("tiny"), [])
    found = {}
    for model in read_catalog(catalog).entries:
        if model.weights is not None and model.weights.path is not None:
            found.setdefault(model.weights.path.name, model)
    return found


def open_files() -> list[str]:
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


def names() -> Iterator[str]:
    for path in entries():
        for model in read_catalog(path).entries:
            assert model.weights is not None and model.weights.path is not None
            yield model.weights.path.name


def loaded(model: Model, **options: Any) -> Any:
    assert model.adapter is not None and model.weights is not None and model.weights.path is not None
    module, _, name = model.adapter.partition(":")
    changed = Model.model_validate({**model.model_dump(), "options": {**model.options, **options}})
    adapter = getattr(import_module(module), name)(changed, model.weights.path, Device("cpu"))
    adapter.load()
    return adapter


def weights_of(adapter: Any) -> list[dict[str, torch.Tensor]]:
    return [
        dict([*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)])
        for module in adapter._modules()
    ]


def tied(weights: dict[str, torch.Tensor]) -> set[frozenset[str]]:
    by_place: dict[int, set[str]] = {}
    for name, tensor in weights.items():
        if tensor.numel():
            by_place.setdefault(tensor.data_ptr(), set()).add(name)
    return {frozenset(alike) for alike in by_place.values() if len(alike) > 1}


@pytest.mark.parametrize("name", dict.fromkeys(names()))
def test_a_model_is_the_same_as_its_library_loads_it(
    name: str, tiny: dict[str, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny[name]
    assert model.weights is not None and model.weights.path is not None
    build(model.weights.path.parent, [name])
    # Of the files' type, and cast; VITS and the codecs make their weights anew in each pass.
    dtype = "float32" if name == "vits" else "bfloat16"
    taken = []
    take = WeightReader.take

    def noted(self: WeightReader, path: Any) -> Any:
        tensors = take(self, path)
        taken.extend([os.path.realpath(path)] if tensors is not None else [])
        return tensors

    with monkeypatch.context() as patch:
        patch.setattr(WeightReader, "take", noted)
        # Where blocks and allocations end among tensors and inside of them.
        patch.setattr(weight_reader, "_BLOCK", 5000)
        patch.setattr(weight_reader, "_GROUP", 20_000)
        read = loaded(model, dtype=dtype)
    assert {*taken} == {os.path.realpath(path) for path in model.weights.path.rglob("*.safetensors")}
    for module in (pipeline, pretrained, writer):
        monkeypatch.setattr(module, "sole_weight_files", lambda *_: [])
    library = loaded(model, dtype=dtype)
    assert len(taken) == len({*taken})
    for ours, theirs in zip(weights_of(read), weights_of(library), strict=True):
        assert ours.keys() == theirs.keys()
        assert tied(ours) == tied(theirs)
        for key, tensor in theirs.items():
            assert (ours[key].dtype, ours[key].stride()) == (tensor.dtype, tensor.stride()), key
            assert torch.equal(ours[key].view(-1).view(torch.uint8), tensor.reshape(-1).view(torch.uint8)), key
            assert ours[key].data_ptr() % 64 == 0, "kernels are slow where memory is not aligned"


def test_shards_and_files_of_a_variant_are_read(tiny: dict[str, Model], tmp_path: Path) -> None:
    model = tiny["sdxl"]
    assert model.weights is not None and model.weights.path is not None
    build(model.weights.path.parent, ["sdxl"])
    whole = loaded(model)
    whole.pipeline.save_pretrained(tmp_path / "shards", variant="fp16")
    (tmp_path / "shards" / "unet" / "diffusion_pytorch_model.fp16.safetensors").unlink()
    unet = diffusers.UNet2DConditionModel.from_pretrained(model.weights.path / "unet")
    unet.save_pretrained(tmp_path / "shards" / "unet", variant="fp16", max_shard_size="40KB")
    assert len(sole_weight_files(tmp_path / "shards" / "unet", "fp16")) > 3
    weights = model.weights.model_copy(update={"path": tmp_path / "shards", "variant": "fp16"})
    sharded = loaded(model.model_copy(update={"weights": weights}))
    for ours, theirs in zip(weights_of(sharded), weights_of(whole), strict=True):
        assert all(torch.equal(ours[key], tensor) for key, tensor in theirs.items())


@pytest.mark.parametrize(("block", "pieces", "group"), [(8 << 20, 1000, 256 << 20), (7, 1000, 600), (100, 2, 1)])
def test_tensors_of_every_kind_are_read(
    file: Path, block: int, pieces: int, group: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weight_reader, "_BLOCK", block)
    monkeypatch.setattr(weight_reader, "_MOST_PIECES", pieces)
    monkeypatch.setattr(weight_reader, "_GROUP", group)
    with reading([(file, torch.float32)], CPU) as reader:
        read = reader.take(file)
        assert read is not None
        assert reader.take(file) is None, "it was given away"
    assert read.keys() == TENSORS.keys()
    for name, tensor in load_file(file).items():
        assert (read[name].dtype, read[name].shape) == (tensor.dtype, tensor.shape)
        assert torch.equal(read[name].reshape(-1).view(torch.uint8), tensor.reshape(-1).view(torch.uint8))


def test_a_file_that_is_cut_off_while_it_is_read_is_told_and_left(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = open_files()
    preadv = os.preadv

    def cut(descriptor: int, buffers: Any, offset: int) -> int:
        os.truncate(file, 1000)
        return preadv(descriptor, buffers, offset)

    monkeypatch.setattr(os, "preadv", cut)
    with reading([(file, torch.float32)], CPU) as reader, pytest.raises(OSError, match="ended at byte 1000"):
        reader.take(file)
    assert open_files() == before


def test_a_model_whose_file_is_cut_off_meanwhile_is_bad_weights(
    tiny: dict[str, Model], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny["qwen3"]
    assert model.weights is not None and model.weights.path is not None
    build(model.weights.path.parent, ["qwen3"])
    monkeypatch.setattr(os, "preadv", lambda *_: 0)
    with pytest.raises(BadWeightsError, match=r"qwen3: the file ended at byte"):
        loaded(model)


def test_what_takes_much_casting_or_is_broken_is_left_to_the_libraries(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.safetensors").write_bytes(b"no header" * 100)
    monkeypatch.setattr(weight_reader, "_MOST_CAST", 50 * 21 * 4 + 2 * 2 * 2 * 8 + 7 - 1)
    files = [file, tmp_path / "broken.safetensors", tmp_path / "missing.safetensors"]
    with reading([(path, torch.bfloat16) for path in files], CPU) as reader:
        assert reader.paths == []
    with reading([(path, torch.float32) for path in files], CPU) as reader:
        assert reader.paths == [str(file.resolve())]


def test_no_room_leaves_nothing_open(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = open_files()
    empty = torch.empty

    def full(size: int, **named: Any) -> torch.Tensor:
        if size > 5000:
            raise torch.OutOfMemoryError("as a GPU would say")
        return empty(size, **named)

    small = file.with_name("small.safetensors")
    save_file({"a": torch.ones(4)}, small)
    monkeypatch.setattr(torch, "empty", full)
    with (
        pytest.raises(torch.OutOfMemoryError),
        reading([(small, torch.float32), (file, torch.float32)], CPU),
    ):
        pass
    assert open_files() == before


@pytest.mark.parametrize(
    ("files", "sole"),
    [
        (["model.safetensors", "model.fp16.safetensors"], ["model.safetensors"]),
        (["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"], None),
        (["model.safetensors", "model-00001-of-00002.safetensors"], []),
        (["model.safetensors", "consolidated.safetensors"], []),
    ],
)
def test_a_folder_with_two_sets_of_weights_is_left_to_the_libraries(
    files: list[str], sole: list[str] | None, tmp_path: Path
) -> None:
    for name in files:
        (tmp_path / name).touch()
    assert [path.name for path in sole_weight_files(tmp_path)] == (files if sole is None else sole)
