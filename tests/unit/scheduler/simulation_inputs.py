"""Small fleets and traces, made in a line."""

import math
from typing import Any

from scheduler.simulation.fleet import Fleet
from scheduler.simulation.trace import Trace


def fleet(gpus: int = 1, *, sizes_gb: dict[str, float] | None = None, **fields: Any) -> Fleet:
    """By default a load takes 1 s and 1 s per 10 GB from RAM or 1 s per 2 GB from the disk. ``sizes_gb`` are sizes
    and peaks."""
    models = {name: {"size_gb": size, "peak_gb": size} for name, size in (sizes_gb or {"m0": 20.0}).items()}
    values = {
        "gpus": gpus,
        "gpus_per_node": 2,
        "vram_gb": 50.0,
        "host_ram_gb": 100.0,
        "disk_gb_per_s": 2.0,
        "pcie_gb_per_s": 10.0,
        "load_fixed_s": 1.0,
        "models": models,
    }
    return Fleet.model_validate(values | fields)


def trace(
    *tasks: tuple[float, float] | tuple[float, float, str] | tuple[float, float, str, str], **columns: Any
) -> Trace:
    """Of (arrival, service, model, tenant), by default m0 and t0."""
    count = len(tasks)
    full = [(*task, *("m0", "t0")[len(task) - 2 :]) for task in tasks]
    values: dict[str, Any] = {
        "arrival_s": [float(task[0]) for task in full],
        "service_s": [float(task[1]) for task in full],
        "model": [task[2] for task in full],
        "tenant": [task[3] for task in full],
        "weight": [1.0] * count,
        "shape": ["speech"] * count,
        "deadline_s": [math.inf] * count,
    }
    return Trace(**(values | columns))
