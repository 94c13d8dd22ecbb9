"""Reading the folder, keeping it small, and what is wrong with wrong files."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Qwen3MoeConfig, Qwen3MoeForCausalLM

from models.catalog_file import load_catalog
from models.language.writer import LanguageModelWriter
from models.weighted import BadOutputError, BadWeightsError
from tests.unit.models.language.told import Told, open_writer, spec

pytestmark = pytest.mark.xdist_group("torch")

ASKED = spec("artstyle", "A lighthouse at night.")


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def test_the_weights_move_and_go(folder: Path) -> None:
    writer = open_writer(folder)
    assert 100_000 < writer.weight_bytes < 1_000_000
    first = writer.write(ASKED, Told())
    writer.park()
    writer.resume()
    assert writer.write(ASKED, Told()) == first
    writer.unload()
    assert writer.weight_bytes == 0
    with pytest.raises(RuntimeError, match="not loaded"):
        writer.write(ASKED, Told())
    writer.load()
    assert writer.write(ASKED, Told()) == first


def test_the_dtype_is_the_options(folder: Path) -> None:
    full, half = open_writer(folder), open_writer(folder, dtype="bfloat16")
    assert half.weight_bytes * 2 == pytest.approx(full.weight_bytes, rel=0.01)
    assert half.write(ASKED, Told()).art_style is not None


def test_fp8_keeps_the_layers_in_a_byte_a_weight(folder: Path) -> None:
    writer = open_writer(folder, quantization="fp8", dtype="bfloat16")
    layer = writer._language_model.model.layers[0]
    assert layer.mlp.up_proj.weight.dtype == torch.float8_e4m3fn
    assert layer.input_layernorm.weight.dtype == torch.bfloat16
    assert writer.write(ASKED, Told()).art_style is not None
    assert layer.mlp.up_proj.weight.dtype == torch.float8_e4m3fn


def test_fp8_keeps_the_experts_of_a_mixture_in_a_byte_a_weight(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    common = (
        "vocab_size",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "num_key_value_heads",
        "head_dim",
    )
    torch.manual_seed(3)
    mixture = Qwen3MoeForCausalLM(
        Qwen3MoeConfig(
            **{name: config[name] for name in common},
            moe_intermediate_size=32,
            num_experts=4,
            num_experts_per_tok=2,
            max_position_embeddings=32768,
            initializer_range=0.4,
            tie_word_embeddings=True,
        )
    )
    mixture.save_pretrained(copy)
    whole, small = (open_writer(copy, dtype="bfloat16", quantization=kind) for kind in ("none", "fp8"))
    experts = small._language_model.model.layers[0].mlp.experts
    assert experts.gate_up_proj.dtype == experts.down_proj.dtype == torch.float8_e4m3fn
    size = sum(weight.numel() for weight in experts.parameters()) * 2  # layers
    assert whole.weight_bytes - small.weight_bytes >= size
    assert small.write(ASKED, Told()).art_style is not None
    assert experts.down_proj.dtype == torch.float8_e4m3fn
    with pytest.raises(BadWeightsError, match=r"nf4 would leave its experts .* fp8"):
        open_writer(copy, dtype="bfloat16", quantization="nf4")


def test_offloaded_layers_write_the_same(folder: Path) -> None:
    writer = open_writer(folder, offload="group")
    expected = open_writer(folder).write(ASKED, Told())
    assert writer.write(ASKED, Told()) == expected
    writer.park()
    writer.resume()
    assert writer.write(ASKED, Told()) == expected


@pytest.mark.parametrize(
    ("options", "total_bytes", "mode"),
    [
        ({}, 10**9, "none"),
        ({}, 300_000, "group"),
        ({"quantization": "fp8"}, 300_000, "none"),
        ({"offload": "sequential"}, 10**9, "sequential"),
        ({"offload": "model"}, 10**9, "model"),
        ({"offload": "none"}, 1, "none"),
        ({"quantization": "nf4", "offload": "group"}, 1, "none"),
    ],
)
def test_a_small_card_gets_the_layers_one_by_one(
    folder: Path, options: dict[str, Any], total_bytes: int, mode: str
) -> None:
    from models.device import Device
    from models.language.memory import choose_offload
    from models.options import WriterOptions

    card = Device("cuda", limit_bytes=total_bytes)
    assert choose_offload(WriterOptions(dtype="float32", **options), folder, card) == mode


def _truncate(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-5000])


def _corrupt(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"not safetensors at all" * 100)


def _pickle(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({"weight": torch.zeros(1)}, folder / "pytorch_model.bin")


def _another_class(folder: Path) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"model_type": "bert", "architectures": ["BertModel"]}))


def _fewer_layers(folder: Path) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"num_hidden_layers": 3, "layer_types": ["full_attention"] * 3}))


def _code_of_its_own(folder: Path) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(
        json.dumps(
            config | {"model_type": "own", "auto_map": {"AutoConfig": "own.Own", "AutoModelForCausalLM": "own.Own"}}
        )
    )
    (folder / "own.py").write_text("raise SystemExit('this must not run')")


def _no_tokenizer(folder: Path) -> None:
    for path in folder.glob("token*"):
        path.unlink()


@pytest.mark.parametrize(
    "spoil", [_truncate, _corrupt, _pickle, _another_class, _fewer_layers, _code_of_its_own, _no_tokenizer]
)
def test_wrong_files_are_refused_by_the_name_of_their_folder(copy: Path, spoil: Any) -> None:
    spoil(copy)
    with pytest.raises(BadWeightsError, match="copy"):
        open_writer(copy)


def test_a_model_that_computes_no_numbers_is_told_of_and_the_worker_lives(folder: Path) -> None:
    writer = open_writer(folder)
    expected = writer.write(ASKED, Told())
    weight = writer._language_model.model.norm.weight
    before = weight.detach().clone()
    weight.data[0] = torch.nan
    with pytest.raises(BadOutputError, match="not finite"):
        writer.write(ASKED, Told())
    weight.data.copy_(before)
    assert writer.write(ASKED, Told()) == expected


def test_greedy_writing_asks_no_chance(folder: Path) -> None:
    writer = open_writer(folder, temperature=0)
    one = writer.write(ASKED, Told())
    assert writer.write(ASKED.model_copy(update={"seed": 5}), Told()) == one
    assert writer.write(ASKED.model_copy(update={"take": 1}), Told()) != one


def test_a_tokenizer_without_a_chat_template_is_asked_plainly(copy: Path) -> None:
    for path in copy.glob("chat_template*"):
        path.unlink()
    path = copy / "tokenizer_config.json"
    config = json.loads(path.read_text())
    config.pop("chat_template", None)
    path.write_text(json.dumps(config))
    report = Told()
    assert open_writer(copy).write(ASKED, report).art_style is not None
    assert "<|im_start|>" not in report.prompts[0]
    assert "A lighthouse at night." in report.prompts[0]


def test_an_unknown_version_of_the_prompts_fails_when_it_is_loaded(folder: Path) -> None:
    with pytest.raises(ValueError, match="no prompts v99"):
        open_writer(folder, prompts="v99")


@pytest.mark.parametrize("path", ["models/entries/language.toml", "tests/tiny/entries/language.toml"])
def test_the_entries_are_valid(path: str) -> None:
    for model in load_catalog(Path(path).resolve()).entries:
        assert model.tasks == ("script",)
        assert model.adapter == f"{LanguageModelWriter.__module__}:LanguageModelWriter"
        assert model.parsed_options is not None
