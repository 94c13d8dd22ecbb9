"""What NVML, the NVIDIA driver's own library, says of this machine's GPUs. All of our code reads them here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pynvml
import structlog

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class GpuReading:
    """One GPU at one moment. What its model or mode does not tell, such as the utilisation under MIG, is None."""

    index: int
    uuid: str
    name: str
    utilization_ratio: float | None
    memory_used_bytes: int | None
    memory_total_bytes: int | None
    temperature_celsius: int | None
    power_watts: float | None
    sm_clock_hertz: int | None


@dataclass(frozen=True)
class Unreadable:
    """A GPU that the driver counts and cannot speak to, such as one that fell off the bus."""

    index: int
    uuid: str
    """Empty where not even that could be read."""
    reason: str


class Nvml:
    """A connection to the driver, opened by the first reading and again after whatever broke it.

    It stays open between readings, since opening wakes every GPU. ``library`` stands in for pynvml in tests. Not
    thread-safe.
    """

    def __init__(self, library: Any = pynvml) -> None:
        self._library = library
        self._is_open = False
        self._was_absent = False

    def read(self) -> list[GpuReading | Unreadable] | None:
        """Every GPU of this machine; None, with one line in the log, while there is no NVIDIA driver."""
        try:
            if not self._is_open:
                self._library.nvmlInit()
                self._is_open = True
            count = int(self._library.nvmlDeviceGetCount())
        except self._library.NVMLError as error:
            if not self._was_absent:
                log.info("no GPU here", reason=str(error))
            self._was_absent = True
            self.close()
            return None
        self._was_absent = False
        found = [self._read_one(index) for index in range(count)]
        if any(isinstance(gpu, Unreadable) for gpu in found):
            # A connection from before a GPU's reset does not see it come back, and may keep it from being reset.
            self.close()
        return found

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            try:
                self._library.nvmlShutdown()
            except self._library.NVMLError as error:
                log.debug("NVML did not close", reason=str(error))

    def _read_one(self, index: int) -> GpuReading | Unreadable:
        nvml = self._library
        uuid = ""
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            uuid = nvml.nvmlDeviceGetUUID(handle)
            utilization = self._offered(nvml.nvmlDeviceGetUtilizationRates, handle)
            memory = self._offered(nvml.nvmlDeviceGetMemoryInfo, handle)
            milliwatts = self._offered(nvml.nvmlDeviceGetPowerUsage, handle)
            megahertz = self._offered(nvml.nvmlDeviceGetClockInfo, handle, nvml.NVML_CLOCK_SM)
            return GpuReading(
                index=index,
                uuid=uuid,
                name=nvml.nvmlDeviceGetName(handle),
                utilization_ratio=None if utilization is None else utilization.gpu / 100,
                memory_used_bytes=None if memory is None else int(memory.used),
                memory_total_bytes=None if memory is None else int(memory.total),
                temperature_celsius=self._offered(nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU),
                power_watts=None if milliwatts is None else milliwatts / 1000,
                sm_clock_hertz=None if megahertz is None else megahertz * 1_000_000,
            )
        except nvml.NVMLError as error:
            return Unreadable(index, uuid, str(error))

    def _offered(self, read: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return read(*arguments)
        except self._library.NVMLError as error:
            if error.value in {self._library.NVML_ERROR_NOT_SUPPORTED, self._library.NVML_ERROR_NO_PERMISSION}:
                return None
            raise
