"""A made-up trace with its fleet: Poisson arrivals, Zipf tenants, Zipf models inside each kind, log-normal service."""

from array import array
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scheduler.simulation.fleet import Fleet, ModelSize
from scheduler.simulation.trace import Trace

_MODEL_SKEW = 1.1


@dataclass(frozen=True)
class _Kind:
    """``share`` of the tasks and ``models`` of the models; memory of a running model beyond its size."""

    name: str
    share: float
    models: float
    median_s: float
    sigma: float
    sizes_gb: tuple[float, ...]
    activations_gb: float


_KINDS = (
    _Kind("text_to_image", 0.62, 0.57, 3.0, 0.5, (7.0, 13.0, 24.0, 34.0), 4.0),
    _Kind("speech", 0.20, 0.16, 3.0, 0.6, (2.0, 4.0), 1.0),
    _Kind("music", 0.10, 0.13, 12.0, 0.4, (4.0, 8.0), 2.0),
    _Kind("image_to_video", 0.08, 0.14, 75.0, 0.4, (30.0, 40.0, 60.0), 8.0),
)


@dataclass(frozen=True)
class SyntheticOptions:
    """``load`` is the service asked for over what the GPUs can give while tasks arrive; ``tenant_skew`` the Zipf
    exponent of the tenants, 0 for equal demand. All counts are at least 1, ``load`` above 0."""

    gpus: int = 512
    models: int = 60
    tenants: int = 20
    tenant_skew: float = 1.0
    load: float = 0.95
    tasks: int = 40_000
    seed: int = 0


def synthesize(options: SyntheticOptions) -> tuple[Trace, Fleet]:
    """The same for the same options."""
    # A stream for each purpose, so that another number of tenants leaves arrivals and lengths as they are.
    sizes, kinds, models, services, gaps, tenants = (
        np.random.default_rng([options.seed, stream]) for stream in range(6)
    )
    present = _KINDS[: options.models]
    of_kind = _models_by_kind(options.models, present)
    fleet = _fleet(options, present, of_kind, sizes)

    count = options.tasks
    shares = np.array([kind.share for kind in present])
    kind_of = kinds.choice(len(present), count, p=shares / shares.sum())
    model_of = np.empty(count, dtype=np.int32)
    for index, numbers in enumerate(of_kind):
        mine = np.flatnonzero(kind_of == index)
        model_of[mine] = numbers.start + models.choice(len(numbers), len(mine), p=_zipf(len(numbers), _MODEL_SKEW))
    medians = np.array([kind.median_s for kind in present])[kind_of]
    sigmas = np.array([kind.sigma for kind in present])[kind_of]
    service_s = np.maximum(medians * np.exp(sigmas * services.standard_normal(count)), 0.01)
    arrival_s = np.cumsum(gaps.exponential(size=count))
    # The chosen load is met exactly, so that runs of different seeds compare.
    arrival_s *= service_s.sum() / (options.load * options.gpus) / arrival_s[-1]
    tenant_of = tenants.choice(options.tenants, count, p=_zipf(options.tenants, options.tenant_skew))

    trace = Trace(
        arrival_s=array("d", arrival_s.tobytes()),
        tenant=_names([f"t{number}" for number in range(options.tenants)], tenant_of),
        weight=array("d", [1.0]) * count,
        model=_names(list(fleet.models), model_of),
        shape=_names([kind.name for kind in present], kind_of),
        service_s=array("d", service_s.tobytes()),
        deadline_s=array("d", [float("inf")]) * count,
    )
    return trace, fleet


def _fleet(
    options: SyntheticOptions, present: tuple[_Kind, ...], of_kind: list[range], rng: np.random.Generator
) -> Fleet:
    models = {}
    for kind, numbers in zip(present, of_kind, strict=True):
        for number, size_gb in zip(numbers, rng.choice(kind.sizes_gb, len(numbers)).tolist(), strict=True):
            models[f"m{number}"] = ModelSize(size_gb=size_gb, peak_gb=size_gb + kind.activations_gb)
    return Fleet(
        gpus=options.gpus,
        gpus_per_node=8,
        vram_gb=72.0,
        host_ram_gb=700.0,
        disk_gb_per_s=2.0,
        pcie_gb_per_s=20.0,
        load_fixed_s=1.0,
        models=models,
    )


def _models_by_kind(models: int, present: tuple[_Kind, ...]) -> list[range]:
    """The numbers of each kind's models: at least one, about its part of them."""
    spare = models - len(present)
    parts = np.cumsum([kind.models for kind in present])
    ends = [index + 1 + round(spare * part / parts[-1]) for index, part in enumerate(parts)]
    return [range(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def _zipf(count: int, skew: float) -> npt.NDArray[np.float64]:
    weights = np.arange(1, count + 1, dtype=np.float64) ** -skew
    return np.divide(weights, weights.sum(), dtype=np.float64)


def _names(names: list[str], chosen: npt.NDArray[np.integer]) -> list[str]:
    return [names[index] for index in chosen.tolist()]
