"""The GPUs that NVML sees."""

from dataclasses import dataclass

import structlog

from monitoring.nvml import GpuReading, Nvml

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Gpu:
    index: int
    name: str
    memory_bytes: int


def list_gpus() -> list[Gpu]:
    """Every GPU of this machine that answers; empty, with one line in the log, where there is no NVIDIA driver."""
    nvml = Nvml()
    gpus = []
    try:
        for gpu in nvml.read() or []:
            if isinstance(gpu, GpuReading):
                gpus.append(Gpu(gpu.index, gpu.name, gpu.memory_total_bytes or 0))
            else:
                log.warning("a GPU does not answer", gpu=gpu.index, reason=gpu.reason)
    finally:
        nvml.close()
    return gpus
