"""The GPU of a worker: how much of it models may take, and what it can do."""

from collections.abc import Sequence

import ray
import structlog

from models.device import USABLE_SHARE
from monitoring.nvml import GpuReading, Nvml

log = structlog.get_logger(__name__)


def own_vram_gb() -> float | None:
    """What models may take of the GPU that Ray gave to this worker; None where it does not answer."""
    return vram_gb_of([str(gpu) for gpu in ray.get_runtime_context().get_accelerator_ids().get("GPU", ())])


def vram_gb_of(ids: Sequence[str]) -> float | None:
    """The same of the first of these GPUs, given by index or UUID, that answers to NVML, which needs no CUDA context;
    None, with a line in the log, where none does."""
    nvml = Nvml()
    try:
        for gpu in nvml.read() or ():
            if isinstance(gpu, GpuReading) and (str(gpu.index) in ids or gpu.uuid in ids):
                log.info("worker on a GPU", gpu=gpu.name, memory_bytes=gpu.memory_total_bytes)
                return None if gpu.memory_total_bytes is None else gpu.memory_total_bytes * USABLE_SHARE / 1e9
    finally:
        nvml.close()
    log.warning("a worker's GPU does not answer", ids=ids)
    return None


def probed() -> tuple[str, ...]:
    """What this worker can do that not every GPU can, found out by doing it."""
    from pipelines.media.encode import NVENC, choose_encoder

    return ("nvenc",) if choose_encoder() == NVENC else ()
