"""What a task costs beyond its model: attempts as a worker performs them, artifacts and manifests included."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from benchmarks.report import median
from farm.attempt import Attempt, Bench
from farm.cache import ArtifactCache
from farm.perform import perform
from farm.reporter import Reporter
from models.catalog import Catalog, Model
from models.device import Device
from models.peaks import Peaks
from models.residency import Residency
from models.specs import ArtStyle, ImageSpec
from monitoring.nvml import GpuReading, Nvml
from runtime.artifacts import ArtifactStore
from scheduler.ports import Assignment

_SAMPLE_S = 0.1


def backlog(model: Model, root: Path, *, tiny: bool, tasks: int) -> tuple[float, float | None]:
    """The share of a task's time that is not its model's, and the GPU's mean utilisation while tasks follow each other;
    None without a GPU."""
    store = ArtifactStore((root / "artifacts").as_uri())
    bench = Bench(
        worker="bench",
        store=store,
        cache=ArtifactCache(store, root / "cache", max_bytes=10**9),
        catalog=Catalog([model]),
        residency=Residency(
            Device("cpu" if tiny else "cuda", cache_dir=root / "compiled"),
            models_dir=root,
            host_bytes=0,
            peaks=Peaks(root / "peaks.json"),
        ),
        models_dir=root,
        reporter=Reporter("redis://127.0.0.1:1/0"),
        work_root=root / "work",
        budget_scale=10.0,
    )
    side = 64 if tiny else 1024

    def run(number: int) -> tuple[float, float]:
        """Seconds of the whole task and of its model."""
        spec = ImageSpec(
            prompt=f"a lighthouse {number}", width=side, height=side, seed=number, style=ArtStyle(style_name="")
        )
        work = Assignment(
            f"t{number}", 1, "text_to_image", model.id, spec.model_dump(mode="json"), "j", "p", "l", "r", {}
        )
        started = time.perf_counter()
        report = orjson.loads(perform(bench, Attempt(bench, work)))
        whole = time.perf_counter() - started
        assert report["outcome"] == "succeeded", report["error_message"]
        return whole, report["timings_s"]["run"] + report["timings_s"].get("decode", 0.0)

    run(0)
    with _utilisation(tiny) as samples:
        times = [run(number) for number in range(1, tasks + 1)]
    return median([1 - model_s / whole for whole, model_s in times]), (sum(samples) / len(samples) if samples else None)


@contextmanager
def _utilisation(tiny: bool) -> Iterator[list[float]]:
    samples: list[float] = []
    over = threading.Event()

    def sample() -> None:
        nvml = Nvml()
        while not over.wait(_SAMPLE_S):
            for gpu in nvml.read() or []:
                if isinstance(gpu, GpuReading) and gpu.utilization_ratio is not None:
                    samples.append(gpu.utilization_ratio)
                break
        nvml.close()

    thread = threading.Thread(target=sample)
    if not tiny:
        thread.start()
    try:
        yield samples
    finally:
        over.set()
        if not tiny:
            thread.join()
