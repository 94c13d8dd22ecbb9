"""Every adapter of the tiny catalog on a card, in every way that it can be loaded: whether it runs, runs again after it
was parked, and gives its memory back.

    python -m benchmarks.gpu_adapters [--device cuda] [--only WORD] [--skip WORD] [--json]

Exits with 1 where one of them fails, and says why. ``--device cpu`` leaves out what needs a card.
"""

import argparse
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.bench import Watch, call_for
from models.catalog import Model
from models.catalog_file import read_catalog
from models.device import Device
from models.diffusion.pipeline import DiffusionPipelineAdapter
from tests.tiny.collection import build

SIZE = (96, 64)
_LOWEST_PSNR_DB = 40.0
_KEPT_BYTES = 8_000_000


def ways(model: Model, *, gpu: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and options of the ways to load a model."""
    yield "as listed", {}
    diffusion = issubclass(_class(model), DiffusionPipelineAdapter)
    if not gpu:
        if diffusion:
            yield "fp8", {"quantization": "fp8"}
        return
    yield "bfloat16", {"dtype": "bfloat16"}
    if not diffusion:
        return
    for mode in ("model", "group", "sequential"):
        yield f"offload {mode}", {"dtype": "bfloat16", "offload": mode}
    yield "fp8", {"dtype": "bfloat16", "quantization": "fp8"}
    if find_spec("bitsandbytes") is not None:
        yield "nf4", {"dtype": "bfloat16", "quantization": "nf4"}
    yield "compiled", {"dtype": "bfloat16", "compile": "auto"}


def _class(model: Model) -> type[Any]:
    assert model.adapter is not None
    module, _, name = model.adapter.partition(":")
    found: type[Any] = getattr(import_module(module), name)
    return found


def run(model: Model, folder: Path, device: Device, options: dict[str, Any]) -> None:
    """Not compiled unless ``options`` say so. Raises what the adapter raises, AssertionError for what it ought not to
    have done."""
    listed = (
        {"compile": False} if device.kind == "cuda" and "compile" in type(model.parsed_options).model_fields else {}
    )
    changed = Model.model_validate({**model.model_dump(), "options": {**model.options, **listed, **options}})
    call = call_for(model.tasks[0], SIZE, changed)
    for dtype in (torch.float32, torch.bfloat16):
        torch.ones(8, 8, dtype=dtype, device=device.torch) @ torch.ones(8, 8, dtype=dtype, device=device.torch)
    device.empty_cache()  # cuBLAS keeps its workspace, which is no model's
    before = device.used_bytes()
    adapter = _class(changed)(changed, folder, device)
    adapter.load()
    try:
        first = call(adapter, Watch(), 1)
        adapter.park()
        adapter.resume()
        again = call(adapter, Watch(), 1)
    finally:
        adapter.unload()
    if first is not None and again is not None:
        error = float(np.mean((first.astype(np.float64) - again.astype(np.float64)) ** 2))
        assert error < 255**2 / 10 ** (_LOWEST_PSNR_DB / 10), f"another picture after parking: {error:.1f}"
    kept = device.used_bytes() - before
    assert device.kind == "cpu" or kept < _KEPT_BYTES, f"{kept} bytes are still on the device"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--only", default="", help="models with this in their id, or ways with it in their name")
    parser.add_argument("--skip", help="none of these")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    results: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        device = Device(given.device, cache_dir=folder / "compiled")
        catalog = read_catalog(build(folder))
        for model in catalog.entries:
            if model.adapter is None or model.weights is None or model.tasks[0] == "alignment":
                continue
            for way, options in ways(model, gpu=given.device == "cuda"):
                name = f"{model.id}, {way}"
                if given.only not in name or (given.skip is not None and given.skip in name):
                    continue
                started = time.perf_counter()
                try:
                    run(model, model.weights.path or folder, device, options)
                    results[name] = "ok"
                except Exception as error:  # noqa: BLE001 - one row of many; it is printed and fails the command
                    traceback.print_exc()
                    results[name] = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
                sys.stdout.write(f"{name:40} {time.perf_counter() - started:6.1f} s  {results[name]}\n")
                sys.stdout.flush()
    if given.json:
        sys.stdout.write(json.dumps(results) + "\n")
    return 0 if set(results.values()) == {"ok"} else 1


if __name__ == "__main__":
    sys.exit(main())
