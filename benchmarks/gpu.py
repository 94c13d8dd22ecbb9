"""Adapters on a GPU against plain diffusers on the same pipeline, and what the farm adds.

    python -m benchmarks.gpu [--runs 3] [--only image,video,farm,load,swap,leak] [--tiny] [--json]

Full-size architectures with random weights, so it shows time and memory, not pictures. ``--tiny`` runs all of it on a
CPU, to see that it runs. Ratios compare the two sides in the same process, in turn.
"""

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import full_size
from benchmarks.report import median, show
from models.bench import Watch
from models.catalog import Model
from models.device import Device
from models.diffusion.animator import DiffusionAnimator
from models.diffusion.painter import DiffusionPainter
from models.specs import ArtStyle, ImageSpec, VideoSpec

NOTES = {
    "image_off_vs_diffusers": "steps per second, SDXL 1024 px: adapter, everything off / plain diffusers (goal: 1.0)",
    "image_vs_diffusers": "the same with the defaults, which lose nothing (goal: 1.25)",
    "image_steps_per_s": "SDXL 1024 px with the defaults",
    "video_off_vs_diffusers": "Wan 1.3B image-to-video, 832x480x33: everything off / plain diffusers (goal: 1.0)",
    "video_vs_diffusers": "the same with the defaults (goal: 1.25)",
    "video_steps_per_s": "Wan 1.3B image-to-video with the defaults",
    "farm_overhead": "of a 4-step picture: what a task takes beyond the model's own time (goal: 0.02)",
    "gpu_busy": "GPU utilisation by NVML under a backlog of pictures (goal: 0.95)",
    "load_vs_pcie": "bytes of weights per second of loading from the page cache / a pinned copy (goal: 0.6)",
    "swap_s": "from one model in host memory to another, both kept",
    "swap_vs_pcie": "bytes of weights per second of coming back from host memory / a pinned copy",
    "leak_mb": "device memory after 50 tasks, cancels and out-of-memory errors, beyond before",
}
OFF = {"compile": False, "attention": "native", "preview_every": 0}


class Bench:
    """One run of everything asked for."""

    def __init__(self, root: Path, *, tiny: bool, runs: int) -> None:
        self.root, self.tiny, self.runs = root, tiny, runs
        self.device = Device("cpu" if tiny else "cuda", cache_dir=root / "compiled")
        self.figures: dict[str, float] = {}
        self._built: set[str] = set()

    # --- the models

    def folder(self, name: str) -> Path:
        path = self.root / name
        if name not in self._built:
            {"sdxl": full_size.build_sdxl, "wan": full_size.build_wan}[name](path, tiny=self.tiny)
            self._built.add(name)
            gc.collect()
        return path

    def model(self, name: str, **options: Any) -> Model:
        image = name == "sdxl"
        own = (
            {"pipeline": "StableDiffusionXLPipeline", "steps": 4 if self.tiny else 20, "guidance_scale": 5.0}
            if image
            else {
                "pipeline": "WanImageToVideoPipeline",
                "steps": 3 if self.tiny else 8,
                "guidance_scale": 5.0,
                "fps": 16,
                "max_frames": 9 if self.tiny else 33,
                "max_pixels": 64 * 96 if self.tiny else 832 * 480,
            }
        )
        return Model.model_validate(
            {
                "id": name,
                "display_name": name,
                "tasks": ["text_to_image" if image else "image_to_video"],
                "adapter": "models.diffusion.painter:DiffusionPainter"
                if image
                else "models.diffusion.animator:DiffusionAnimator",
                "device": "cpu" if self.tiny else "gpu",
                "license": "none",
                "weights": {"path": self.folder(name)},
                "options": {"dtype": "float32" if self.tiny else "bfloat16", **own, **options},
            }
        )

    def adapter(self, name: str, **options: Any) -> Any:
        kind = DiffusionPainter if name == "sdxl" else DiffusionAnimator
        made = kind(self.model(name, **options), self.folder(name), self.device)
        made.load()
        return made

    def call(self, name: str, adapter: Any, seed: int, watch: Watch | None = None, size: int = 1024) -> Watch:
        """One picture or clip."""
        watch = watch or Watch()
        if name == "sdxl":
            side = 64 if self.tiny else size
            adapter.paint(
                ImageSpec(
                    prompt=f"a lighthouse {seed}", width=side, height=side, seed=seed, style=ArtStyle(style_name="")
                ),
                {},
                watch,
            )
        else:
            width, height, frames = (96, 64, 9) if self.tiny else (832, 480, 33)
            spec = VideoSpec(
                image_key="", prompt="waves", duration_s=frames / 16, fps=16, width=width, height=height, seed=seed
            )
            still = np.full((height, width, 3), 128, np.uint8)
            list(adapter.animate(spec, still, None, watch).frames)
        return watch

    # --- the figures

    def against_diffusers(self, name: str, prefix: str) -> None:
        off = self.adapter(name, **OFF)
        plain = _steps_per_s(lambda seed: self._plain(name, off, seed), self.runs)
        bare = _steps_per_s(lambda seed: self.call(name, off, seed).times, self.runs)
        off.unload()
        defaults = self.adapter(name)
        fast = _steps_per_s(lambda seed: self.call(name, defaults, seed).times, self.runs)
        defaults.unload()
        self.figures[f"{prefix}_off_vs_diffusers"] = round(bare / plain, 3)
        self.figures[f"{prefix}_vs_diffusers"] = round(fast / plain, 3)
        self.figures[f"{prefix}_steps_per_s"] = round(fast, 3)

    def _plain(self, name: str, adapter: Any, seed: int) -> list[float]:
        """The pipeline as diffusers' documentation calls it."""
        times: list[float] = []

        def seen(pipeline: Any, step: int, timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
            times.append(time.perf_counter())
            return values

        options = adapter.options
        arguments: dict[str, Any] = {
            "prompt": f"a lighthouse {seed}",
            "num_inference_steps": options.steps,
            "guidance_scale": options.guidance_scale,
            "generator": torch.Generator("cpu").manual_seed(seed),
            "callback_on_step_end": seen,
        }
        if name == "sdxl":
            side = 64 if self.tiny else 1024
            arguments |= {"width": side, "height": side}
        else:
            from PIL import Image

            width, height, frames = (96, 64, 9) if self.tiny else (832, 480, 33)
            arguments |= {
                "image": Image.new("RGB", (width, height), (128, 128, 128)),
                "width": width,
                "height": height,
                "num_frames": frames,
            }
        with torch.inference_mode():
            adapter.pipeline(**arguments)
        return times

    def farm(self) -> None:
        from benchmarks.gpu_farm import backlog

        model = self.model("sdxl", steps=4)
        overhead, busy = backlog(model, self.root, tiny=self.tiny, tasks=4 if self.tiny else 24)
        self.figures["farm_overhead"] = round(overhead, 4)
        if busy is not None:
            self.figures["gpu_busy"] = round(busy, 3)

    def load(self) -> None:
        limit = self._pinned_bytes_per_s()
        times, size = [], 0
        for _ in range(self.runs):
            started = time.perf_counter()
            adapter = self.adapter("sdxl", **OFF)
            self._wait()
            times.append(time.perf_counter() - started)
            size = adapter.weight_bytes
            adapter.unload()
        self.figures["load_vs_pcie"] = round(size / median(times) / limit, 3)

    def swap(self) -> None:
        limit = self._pinned_bytes_per_s()
        one, other = self.adapter("sdxl", **OFF), self.adapter("sdxl", **OFF)
        other.park()
        both, back = [], []
        for _ in range(self.runs):
            started = time.perf_counter()
            one.park()
            between = time.perf_counter()
            other.resume()
            self._wait()
            both.append(time.perf_counter() - started)
            back.append(time.perf_counter() - between)
            one, other = other, one
        self.figures["swap_s"] = median(both)
        self.figures["swap_vs_pcie"] = round(one.weight_bytes / median(back) / limit, 3)
        one.unload()
        other.unload()

    def leak(self) -> None:
        adapter = self.adapter("sdxl", **OFF, steps=4)
        self.call("sdxl", adapter, 0)
        self.device.empty_cache()
        before = self.device.used_bytes()
        for task in range(50):
            match task % 5:
                case 3:
                    _raises(_Cancelled, lambda: self.call("sdxl", adapter, 1, _CancelsAt(2)))
                case 4:
                    _raises(torch.OutOfMemoryError, lambda: self.call("sdxl", adapter, 1, _RunsOutAt(2)))
                case _:
                    self.call("sdxl", adapter, task, size=512 + 256 * (task % 3))
        self.device.empty_cache()
        self.figures["leak_mb"] = round((self.device.used_bytes() - before) / 1e6, 1)
        adapter.unload()

    def _pinned_bytes_per_s(self) -> float:
        """Host to device, from pinned memory: what the bus gives."""
        size = 1 << 24 if self.tiny else 1 << 30
        host = torch.empty(size, dtype=torch.uint8, pin_memory=not self.tiny)
        times = []
        for _ in range(5):
            started = time.perf_counter()
            host.to(self.device.torch, copy=True)
            self._wait()
            times.append(time.perf_counter() - started)
        return size / median(times)

    def _wait(self) -> None:
        if self.device.kind == "cuda":
            torch.cuda.synchronize()


class _Cancelled(Exception):
    pass


class _StopsAt(Watch):
    def __init__(self, step: int, error: type[BaseException]) -> None:
        super().__init__()
        self._step, self._error = step, error

    def __call__(self, fraction: float, /, preview: Any = None) -> None:
        super().__call__(fraction, preview)
        if len(self.times) >= self._step:
            raise self._error


class _CancelsAt(_StopsAt):
    def __init__(self, step: int) -> None:
        super().__init__(step, _Cancelled)


class _RunsOutAt(_StopsAt):
    def __init__(self, step: int) -> None:
        super().__init__(step, torch.OutOfMemoryError)


def _raises(error: type[BaseException], act: Callable[[], object]) -> None:
    try:
        act()
    except error:
        return
    raise AssertionError(f"no {error.__name__}")


def _steps_per_s(run: Callable[[int], list[float]], runs: int) -> float:
    """After one run to warm up. A step's time is that of the whole loop over its steps: they are not waited for one by
    one."""
    run(0)
    rates = []
    for seed in range(1, runs + 1):
        times = run(seed)
        rates.append((len(times) - 1) / (times[-1] - times[0]))
    return median(rates)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="image,video,farm,load,swap,leak")
    parser.add_argument("--tiny", action="store_true", help="on a CPU, with models of no size")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not given.tiny and not torch.cuda.is_available():
        sys.exit("no GPU that torch can use; --tiny shows that the benchmark runs")
    with tempfile.TemporaryDirectory() as root:
        bench = Bench(Path(root), tiny=given.tiny, runs=given.runs)
        parts = {
            "image": lambda: bench.against_diffusers("sdxl", "image"),
            "video": lambda: bench.against_diffusers("wan", "video"),
            "farm": bench.farm,
            "load": bench.load,
            "swap": bench.swap,
            "leak": bench.leak,
        }
        for name in given.only.split(","):
            parts[name]()
    card = "CPU, tiny" if given.tiny else torch.cuda.get_device_name(0)
    import diffusers

    title = f"{card}, torch {torch.__version__}, diffusers {diffusers.__version__}"
    show(title, bench.figures, NOTES, as_json=given.json)


if __name__ == "__main__":
    main()
