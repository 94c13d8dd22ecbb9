"""Timing one model on this machine: `python -m models.bench CATALOG ID [--runs N] [--size WxH] [--json]`.

A model with lossy options is timed without them too, on the same seeds: how much faster, and how far the pictures are
apart, is the line that its catalog entry gives as ``measured_cost``.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from models.catalog import Model
from models.catalog_file import read_catalog
from models.device import Device
from models.interfaces import UserInputError
from models.peaks import Peaks
from models.residency import Residency
from models.sources import Usage
from models.specs import ArtStyle, ImageSpec, MusicSpec, ScriptSpec, ScriptStep, SpeechSpec, VideoSpec
from monitoring.logs import configure_logging
from runtime.settings import get_settings

_PROMPT = "A lighthouse on a cliff above the sea at dusk, a girl in a red coat looks at the waves"
_TEXT = {"en": "The light goes on above the sea, and the girl waves.", "zh": "海上的灯亮了，女孩挥了挥手。"}
_SIZES = {"image_to_video": (832, 480)}
_LOSSY = ("lora", "cache")


@dataclass
class Watch:
    """Counts steps, and times between them."""

    times: list[float] = field(default_factory=list)
    phases_s: dict[str, float] = field(default_factory=dict)

    def __call__(self, fraction: float, /, preview: Any = None) -> None:
        self.times.append(time.perf_counter())

    @contextmanager
    def phase(self, name: str, /) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.phases_s[name] = self.phases_s.get(name, 0.0) + time.perf_counter() - started

    def stop_if_cancelled(self) -> None:
        """Nobody cancels a bench."""

    def note(self, **parameters: Any) -> None:
        """Nothing is kept of a bench."""

    @property
    def steps_per_s(self) -> float | None:
        if len(self.times) < 3:
            return None
        return 1.0 / statistics.median(np.diff(self.times))


Call = Callable[[Any, Watch, int], np.ndarray | None]


def call_for(kind: str, size: tuple[int, int], model: Model) -> Call:
    """One run of a task of that kind with a seed; answers its picture, to compare, where it makes one."""
    width, height = size
    ground = np.linspace(0, 255, width * height * 3).reshape(height, width, 3).astype(np.uint8)
    style = ArtStyle(style_name="")

    def paint(adapter: Any, watch: Watch, seed: int) -> np.ndarray:
        spec = ImageSpec(prompt=_PROMPT, width=width, height=height, seed=seed, style=style)
        if kind == "image_to_image":
            return np.asarray(adapter.repaint(spec, ground, {}, watch).pixels)
        return np.asarray(adapter.paint(spec, {}, watch).pixels)

    def animate(adapter: Any, watch: Watch, seed: int) -> np.ndarray:
        spec = VideoSpec(image_key="", prompt=_PROMPT, duration_s=3, fps=24, width=width, height=height, seed=seed)
        return np.stack(list(adapter.animate(spec, ground, None, watch).frames)[::12])

    def speak(adapter: Any, watch: Watch, seed: int) -> None:
        voice = model.voice[0]
        adapter.speak(SpeechSpec(text=_TEXT[voice.language], language=voice.language, voice=voice.id, seed=seed), watch)

    def compose(adapter: Any, watch: Watch, seed: int) -> None:
        adapter.compose(MusicSpec(prompt="calm piano", mood="calm", duration_s=20, seed=seed), watch)

    def write(adapter: Any, watch: Watch, seed: int) -> None:
        spec = ScriptSpec(step=ScriptStep.STORYLINE, input_type="text", content=_TEXT["en"], seed=seed)
        adapter.write(spec, watch)

    def embed(adapter: Any, watch: Watch, seed: int) -> None:
        adapter.embed([ground])

    calls: dict[str, Call] = {
        "text_to_image": paint,
        "image_to_image": paint,
        "image_to_video": animate,
        "speech": speak,
        "music": compose,
        "script": write,
        "embedding": embed,
    }
    if kind not in calls:
        raise UserInputError(f"there is no bench of {kind}", field="model")
    return calls[kind]


def bench(
    model: Model, *, runs: int, size: tuple[int, int] | None, vram_gb: float | None, models_dir: Path
) -> dict[str, Any]:
    """Figures of one model. Seconds; bytes as GB."""
    kind = model.tasks[0]
    call = call_for(kind, size or _SIZES.get(kind, (1024, 1024)), model)
    with tempfile.TemporaryDirectory() as scratch:
        figures, pictures = _time(model, call, runs, vram_gb, models_dir, Path(scratch))
        lossy = [name for name in _LOSSY if model.options.get(name)]
        if lossy:
            plain = {name: value for name, value in model.options.items() if name not in _LOSSY}
            baseline = Model.model_validate({**model.model_dump(), "options": plain})
            slower, originals = _time(baseline, call, runs, vram_gb, models_dir, Path(scratch))
            figures["lossy"] = "+".join(lossy)
            figures["speedup"] = round(slower["run_s"] / figures["run_s"], 2)
            figures["psnr_db"] = round(statistics.mean(map(_psnr, pictures, originals)), 1) if pictures else None
    return {"model": model.id, "task": kind, **figures}


def _time(
    model: Model, call: Call, runs: int, vram_gb: float | None, models_dir: Path, scratch: Path
) -> tuple[dict[str, Any], list[np.ndarray]]:
    device = Device(
        "cuda" if model.device == "gpu" else "cpu",
        limit_bytes=None if vram_gb is None else int(vram_gb * 1e9),
    )
    peaks = Peaks(scratch / f"{len(list(scratch.iterdir()))}.json")
    residency = Residency(device, models_dir=models_dir, host_bytes=0, peaks=peaks)
    times, rates, pictures = [], [], []
    for seed in range(runs + 1):
        watch = Watch()
        with residency.use(model, "bench", watch) as adapter:
            started = time.perf_counter()
            picture = call(adapter, watch, seed)
            times.append(time.perf_counter() - started)
        rates.append(watch.steps_per_s)
        if picture is not None:
            pictures.append(picture)
    residency.unload_all()
    measured = [rate for rate in rates[1:] if rate is not None]
    return {
        "load_s": peaks.load_s(model),
        "first_s": round(times[0], 3),
        "run_s": round(statistics.median(times[1:]), 3),
        "steps_per_s": round(statistics.median(measured), 3) if measured else None,
        "weights_gb": round((peaks.weight_bytes(model) or 0) / 1e9, 3),
        "peak_gb": round(((peaks.weight_bytes(model) or 0) + (peaks.run_bytes(model, "bench") or 0)) / 1e9, 3),
    }, pictures


def _psnr(picture: np.ndarray, original: np.ndarray) -> float:
    error = float(np.mean((picture.astype(np.float64) - original.astype(np.float64)) ** 2))
    return 99.0 if error == 0 else 10 * float(np.log10(255**2 / error))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.bench")
    parser.add_argument("catalog", type=Path)
    parser.add_argument("id")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--size", help="such as 1024x1024")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    settings = get_settings()
    configure_logging("bench", "WARNING", stream=sys.stderr)
    catalog = read_catalog(given.catalog, Usage.of(settings))
    model = catalog.get(given.id)
    if model is None:
        sys.stderr.write(f"{given.id}: {catalog.refused.get(given.id, 'no such model in the catalog')}\n")
        return 1
    if model.adapter is None:
        sys.stderr.write(f"{given.id} runs no model\n")
        return 1
    if model.gpus > 1:
        sys.stderr.write(f"{given.id} runs on gangs of {model.gpus} GPUs alone: they are not timed here\n")
        return 1
    size = None
    if given.size is not None:
        width, _, height = given.size.partition("x")
        size = (int(width), int(height))
    figures = bench(model, runs=given.runs, size=size, vram_gb=settings.vram_gb, models_dir=settings.models_folder)
    if given.json:
        sys.stdout.write(json.dumps(figures) + "\n")
    else:
        for name, value in figures.items():
            sys.stdout.write(f"{name:12} {value}\n")
        if "lossy" in figures:
            cost = f"{figures['speedup']} x as fast, PSNR {figures['psnr_db']} dB on {given.runs + 1} seeds"
            sys.stdout.write(f'measured_cost = "{cost}"\n')
    return 0


if __name__ == "__main__":
    sys.exit(main())
