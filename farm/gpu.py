"""The GPUs that NVML sees."""

from dataclasses import dataclass

import pynvml
import structlog

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Gpu:
    index: int
    name: str
    memory_bytes: int


def list_gpus() -> list[Gpu]:
    """Every GPU of this machine; empty, with one line in the log, where there is no NVIDIA driver."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        log.info("no GPU here", reason=str(error))
        return []
    try:
        return [_describe(index) for index in range(pynvml.nvmlDeviceGetCount())]
    finally:
        pynvml.nvmlShutdown()


def _describe(index: int) -> Gpu:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    return Gpu(
        index=index,
        name=pynvml.nvmlDeviceGetName(handle),
        memory_bytes=int(pynvml.nvmlDeviceGetMemoryInfo(handle).total),
    )
