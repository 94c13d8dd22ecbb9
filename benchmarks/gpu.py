"""Adapters on a GPU against plain diffusers on the same pipeline, and what the farm adds.

    python -m benchmarks.gpu [--runs 3] [--only image,video,farm,read,load,swap,leak] [--root FOLDER] [--tiny] [--json]

Full-size architectures with random weights, so it shows time and memory, not pictures. ``--tiny`` runs all of it on a
CPU, to see that it runs. Ratios compare the two sides in the same process, in turn. ``--root`` keeps the models that it
builds, for the next run.
"""

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from benchmarks import full_size
from benchmarks.report import median, show
from models.bench import Watch
from models.catalog import Model
from models.device import Device
from models.diffusion.animator import DiffusionAnimator
from models.diffusion.painter import DiffusionPainter
from models.peaks import Peaks
from models.residency import Residency
from models.specs import ArtStyle, ImageSpec, VideoSpec
from models.weight_reader import reading

NOTES = {
    "image_off_vs_diffusers": "steps per second, SDXL 1024 px: adapter, everything off / plain diffusers (goal: 1.0)",
    "image_vs_diffusers": "the same with the defaults, which lose nothing (goal: 1.25)",
    "image_steps_per_s": "SDXL 1024 px with the defaults",
    "video_off_vs_diffusers": "Wan 1.3B image-to-video, 832x480x33: everything off / plain diffusers (goal: 1.0)",
    "video_vs_diffusers": "the same with the defaults (goal: 1.25)",
    "video_steps_per_s": "Wan 1.3B image-to-video with the defaults",
    "farm_overhead": "of a 4-step picture: what a task takes beyond the model's own time (goal: 0.02)",
    "gpu_busy": "GPU utilisation by NVML under a backlog of pictures (goal: 0.95)",
    "pcie_gb_per_s": "a pinned copy to the device",
    "read_gb_per_s": "a file of 2 GB from the page cache to the device as models are read",
    "safetensors_gb_per_s": "the same by safetensors.torch.load_file, every byte looked at",
    "load_s": "SDXL from the page cache to the device",
    "load_vs_pcie": "bytes of weights per second of loading from the page cache / a pinned copy",
    "first_step_s": "from there to the end of the first step at 1024 px",
    "first_step_vs_pcie": "the same as bytes of weights per second / a pinned copy (goal: 0.6)",
    "swap_s": "from one model in host memory to another, both kept",
    "swap_vs_pcie": "bytes of weights per second of coming back from host memory / a pinned copy",
    "leak_mb": "device memory after 50 tasks of two models, cancels and out-of-memory errors, beyond before",
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
            if not (path / "built").exists():
                {"sdxl": full_size.build_sdxl, "wan": full_size.build_wan}[name](path, tiny=self.tiny)
                (path / "built").touch()
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
        off, defaults = self.adapter(name, **OFF), self.adapter(name)
        pipeline = type(off.pipeline).from_pretrained(self.folder(name), dtype=off.dtype, use_safetensors=True)
        pipeline.to(self.device.torch)
        pipeline.set_progress_bar_config(disable=True)
        plain, bare, fast = self._steps_per_s(
            (pipeline, lambda seed: self._plain(name, pipeline, off.options, seed)),
            (off.pipeline, lambda seed: self.call(name, off, seed)),
            (defaults.pipeline, lambda seed: self.call(name, defaults, seed)),
        )
        off.unload()
        defaults.unload()
        self.figures[f"{prefix}_off_vs_diffusers"] = round(bare / plain, 3)
        self.figures[f"{prefix}_vs_diffusers"] = round(fast / plain, 3)
        self.figures[f"{prefix}_steps_per_s"] = round(fast, 3)

    def _steps_per_s(self, *sides: tuple[Any, Callable[[int], object]]) -> list[float]:
        """Of pipelines that run in turn, after one run each to warm up: from the end of the first step to that of the
        last."""
        rates: list[list[float]] = [[] for _ in sides]
        for seed in range(self.runs + 1):
            for (pipeline, run), mine in zip(sides, rates, strict=True):
                with _steps_of(pipeline, self.device) as steps:
                    run(seed)
                mine.append((len(steps.stamps) - 1) / steps.between_s())
        return [median(mine[1:]) for mine in rates]

    def _plain(self, name: str, pipeline: Any, options: Any, seed: int) -> None:
        """The pipeline as diffusers' documentation calls it."""
        arguments: dict[str, Any] = {
            "prompt": f"a lighthouse {seed}",
            "num_inference_steps": options.steps,
            "guidance_scale": options.guidance_scale,
            "generator": torch.Generator("cpu").manual_seed(seed),
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
            pipeline(**arguments)

    def farm(self) -> None:
        from benchmarks.gpu_farm import backlog

        model = self.model("sdxl", steps=4)
        overhead, busy = backlog(model, self.root, tiny=self.tiny, tasks=4 if self.tiny else 24)
        self.figures["farm_overhead"] = round(overhead, 4)
        if busy is not None:
            self.figures["gpu_busy"] = round(busy, 3)

    def read(self) -> None:
        path = self.root / "two.safetensors"
        if not path.exists():
            rows = 32 if self.tiny else 976
            save_file({f"block.{n}": torch.randn(rows, 1024).to(torch.bfloat16) for n in range(1000)}, path)
        size, device = path.stat().st_size, self.device.torch

        def by_reader() -> Any:
            with reading([(path, torch.bfloat16)], device) as reader:
                return reader.take(path)

        def by_safetensors() -> Any:
            # On a CPU it maps the file and reads nothing until it is looked at.
            return {name: one.to(device, copy=device.type == "cpu") for name, one in load_file(path).items()}

        for name, read in (("read", by_reader), ("safetensors", by_safetensors)):
            times = []
            for _ in range(self.runs + 1):
                started = time.perf_counter()
                tensors = read()
                self._wait()
                times.append(time.perf_counter() - started)
                del tensors
            self.figures[f"{name}_gb_per_s"] = round(size / median(times[1:]) / 1e9, 2)

    def load(self) -> None:
        limit = self._pinned_bytes_per_s()
        loads, firsts, size = [], [], 0
        for seed in range(self.runs + 1):
            started = time.perf_counter()
            adapter = self.adapter("sdxl", **OFF, steps=4)
            self._wait()
            loads.append(time.perf_counter() - started)
            with _steps_of(adapter.pipeline, self.device, wait_for_first=True) as steps:
                self.call("sdxl", adapter, seed)
            firsts.append(steps.first_at - started)
            size = adapter.weight_bytes
            adapter.unload()
        load_s, first_s = median(loads[1:]), median(firsts[1:])  # the first also reads code and makes CUDA's context
        self.figures["pcie_gb_per_s"] = round(limit / 1e9, 2)
        self.figures["load_s"] = load_s
        self.figures["load_vs_pcie"] = round(size / load_s / limit, 3)
        self.figures["first_step_s"] = first_s
        self.figures["first_step_vs_pcie"] = round(size / first_s / limit, 3)

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
        """Two models in turn on a device that holds one of them: each task parks the other's weights."""
        models = [self.model("sdxl", steps=4, **OFF).model_copy(update={"id": name}) for name in ("one", "other")]
        size = sum(file.stat().st_size for file in self.folder("sdxl").rglob("*.safetensors"))
        device = Device(self.device.kind, limit_bytes=int(size * 1.9), cache_dir=self.device.cache_dir)
        peaks = Peaks(self.root / "peaks-of-two.json")
        residency = Residency(device, models_dir=self.root, host_bytes=2 * size, peaks=peaks)

        def task(number: int, watch: Watch, size: int = 512) -> None:
            with residency.use(models[number % 2], f"{size}x{size}", watch) as adapter:
                self.call("sdxl", adapter, number, watch, size)

        task(0, Watch())
        residency.unload_all()
        before = device.used_bytes()
        for number in range(50):
            match number % 5:
                case 3:
                    _raises(_Cancelled, lambda number=number: task(number, _CancelsAt(2)))
                case 4:
                    _raises(torch.OutOfMemoryError, lambda number=number: task(number, _RunsOutAt(2, device)))
                case _:
                    task(number, Watch(), size=512 + 256 * (number % 3))
        residency.unload_all()
        self.figures["leak_mb"] = round((device.used_bytes() - before) / 1e6, 1)

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


class _CancelsAt(Watch):
    def __init__(self, step: int) -> None:
        super().__init__()
        self._step = step

    def __call__(self, fraction: float, /, preview: Any = None) -> None:
        super().__call__(fraction, preview)
        if len(self.times) == self._step:
            self._stop()

    def _stop(self) -> None:
        raise _Cancelled


class _RunsOutAt(_CancelsAt):
    """Asks for more than the device has, amid a step."""

    def __init__(self, step: int, device: Device) -> None:
        super().__init__(step)
        self._device = device

    def _stop(self) -> None:
        if self._device.kind == "cpu":
            raise torch.OutOfMemoryError("as a GPU would say")
        torch.empty(1 << 40, dtype=torch.uint8, device=self._device.torch)


class _Steps:
    """The ends of a loop's steps, on the device's own clock: nothing waits for the device meanwhile."""

    def __init__(self, device: Device) -> None:
        self.stamps: list[Any] = []
        self.first_at = 0.0
        self._device = device

    def note(self, *, wait: bool) -> None:
        if self._device.kind == "cuda":
            event = torch.cuda.Event(enable_timing=True)
            event.record()
            self.stamps.append(event)
            if wait:
                event.synchronize()
        else:
            self.stamps.append(time.perf_counter())
        if wait:
            self.first_at = time.perf_counter()

    def between_s(self) -> float:
        first, last = self.stamps[0], self.stamps[-1]
        if self._device.kind == "cpu":
            return float(last - first)
        last.synchronize()
        return float(first.elapsed_time(last)) / 1000


@contextmanager
def _steps_of(pipeline: Any, device: Device, *, wait_for_first: bool = False) -> Iterator[_Steps]:
    steps = _Steps(device)
    scheduler = pipeline.scheduler
    step = scheduler.step

    def noted(*arguments: Any, **named: Any) -> Any:
        result = step(*arguments, **named)
        steps.note(wait=wait_for_first and not steps.stamps)
        return result

    scheduler.step = noted
    try:
        yield steps
    finally:
        del scheduler.step


def _raises(error: type[BaseException], act: Callable[[], object]) -> None:
    try:
        act()
    except error:
        return
    raise AssertionError(f"no {error.__name__}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="image,video,farm,read,load,swap,leak")
    parser.add_argument("--root", type=Path, help="keep the models there")
    parser.add_argument("--tiny", action="store_true", help="on a CPU, with models of no size")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not given.tiny and not torch.cuda.is_available():
        sys.exit("no GPU that torch can use; --tiny shows that the benchmark runs")
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(given.root or Path(scratch), tiny=given.tiny, runs=given.runs)
        parts = {
            "image": lambda: bench.against_diffusers("sdxl", "image"),
            "video": lambda: bench.against_diffusers("wan", "video"),
            "farm": bench.farm,
            "read": bench.read,
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
