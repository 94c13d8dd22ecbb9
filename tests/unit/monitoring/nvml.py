"""A machine's GPUs without the machine: the part of pynvml that is read, with its real errors and constants."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pynvml


@dataclass
class FakeGpu:
    uuid: str
    error: int | None = None
    """The NVML error that every question about this GPU is answered with."""
    unsupported: set[str] = field(default_factory=set)


class FakeNvml:
    """Stands in for the pynvml module. ``driver_error`` is what `nvmlInit` fails with."""

    def __init__(self, *gpus: FakeGpu, driver_error: int | None = None) -> None:
        self.gpus = list(gpus)
        self.driver_error = driver_error
        self.opened = self.closed = 0

    def __getattr__(self, name: str) -> Any:
        if name.startswith("nvml"):
            raise AssertionError(f"{name} is not expected here")
        return getattr(pynvml, name)

    def nvmlInit(self) -> None:
        if self.driver_error is not None:
            raise pynvml.NVMLError(self.driver_error)
        self.opened += 1

    def nvmlShutdown(self) -> None:
        self.closed += 1

    def nvmlDeviceGetCount(self) -> int:
        if self.driver_error is not None:
            raise pynvml.NVMLError(self.driver_error)
        assert self.opened > self.closed
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> FakeGpu:
        return self._answer(self.gpus[index], self.gpus[index], "handle")

    def nvmlDeviceGetUUID(self, gpu: FakeGpu) -> str:
        return self._answer(gpu, gpu.uuid, "uuid")

    def nvmlDeviceGetName(self, gpu: FakeGpu) -> str:
        return self._answer(gpu, "NVIDIA H100", "name")

    def nvmlDeviceGetUtilizationRates(self, gpu: FakeGpu) -> Any:
        return self._answer(gpu, SimpleNamespace(gpu=73, memory=20), "utilization")

    def nvmlDeviceGetMemoryInfo(self, gpu: FakeGpu) -> Any:
        return self._answer(gpu, SimpleNamespace(total=80 * 2**30, used=2**30, free=79 * 2**30), "memory")

    def nvmlDeviceGetTemperature(self, gpu: FakeGpu, sensor: int) -> int:
        assert sensor == pynvml.NVML_TEMPERATURE_GPU
        return self._answer(gpu, 61, "temperature")

    def nvmlDeviceGetPowerUsage(self, gpu: FakeGpu) -> int:
        return self._answer(gpu, 412_500, "power")

    def nvmlDeviceGetClockInfo(self, gpu: FakeGpu, clock: int) -> int:
        assert clock == pynvml.NVML_CLOCK_SM
        return self._answer(gpu, 1980, "clock")

    def _answer(self, gpu: FakeGpu, value: Any, what: str) -> Any:
        if gpu.error is not None:
            raise pynvml.NVMLError(gpu.error)
        if what in gpu.unsupported:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return value
