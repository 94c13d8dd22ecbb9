"""The GPU exporter: this machine's GPUs as Prometheus metrics, one process a node."""

import signal
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import prometheus_client
import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitoring.nvml import GpuReading, Nvml, Unreadable

log = structlog.get_logger(__name__)

_LABELS = ("gpu", "uuid")
# What is read of each GPU; a further reading is a field of GpuReading and a line here.
_READINGS: tuple[tuple[str, str, Callable[[GpuReading], float | None]], ...] = (
    ("reelfarm_gpu_utilization_ratio", "Share of time in which a kernel ran", lambda gpu: gpu.utilization_ratio),
    ("reelfarm_gpu_memory_used_bytes", "Memory in use, by any process", lambda gpu: gpu.memory_used_bytes),
    ("reelfarm_gpu_memory_total_bytes", "Memory of the GPU", lambda gpu: gpu.memory_total_bytes),
    ("reelfarm_gpu_temperature_celsius", "Temperature of the GPU's die", lambda gpu: gpu.temperature_celsius),
    ("reelfarm_gpu_power_watts", "Power drawn", lambda gpu: gpu.power_watts),
    ("reelfarm_gpu_sm_clock_hertz", "Clock of the multiprocessors", lambda gpu: gpu.sm_clock_hertz),
)


@dataclass
class _Known:
    """A GPU that was seen once, under the index it had last."""

    index: int
    answers: bool = True
    losses: int = 0


class GpuCollector(Collector):
    """Reads the GPUs whenever Prometheus asks. Registered once per process; thread-safe.

    A GPU that is lost drops its own readings only; it is logged once and counted, and ``reelfarm_gpu_up`` is 0
    until it answers again. Without an NVIDIA driver there is only ``reelfarm_nvml_up``, which is 0 then.
    """

    def __init__(self, nvml: Nvml | None = None) -> None:
        self._nvml = nvml or Nvml()
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}

    def describe(self) -> Iterable[Metric]:
        """Every family there can be, without asking the driver."""
        return [_nvml_up(), _up(), _losses(), *(_gauge(name, text) for name, text, _ in _READINGS)]

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            found = self._nvml.read()
            nvml_up = _nvml_up()
            nvml_up.add_metric([], found is not None)
            if found is None:
                return [nvml_up]
            readings = [gpu for gpu in found if isinstance(gpu, GpuReading)]
            self._note(readings, [gpu for gpu in found if isinstance(gpu, Unreadable)])
            return [nvml_up, *self._states(), *_families(readings)]

    def _note(self, readings: list[GpuReading], unreadable: list[Unreadable]) -> None:
        """Say and count which GPUs went away, by their error or by not being listed any more, and which came back."""
        answering = {gpu.uuid for gpu in readings}
        for gpu in readings:
            self._known.pop(_nameless(gpu.index), None)
            known = self._known.setdefault(gpu.uuid, _Known(gpu.index))
            if not known.answers:
                log.info("GPU is back", gpu=gpu.index, uuid=gpu.uuid)
            known.index, known.answers = gpu.index, True
        reasons: dict[str, str] = {}
        for lost in unreadable:
            uuid = lost.uuid or self._last_seen_at(lost.index, answering) or _nameless(lost.index)
            self._known.setdefault(uuid, _Known(lost.index))
            reasons[uuid] = lost.reason
        for uuid, known in self._known.items():
            if known.answers and uuid not in answering:
                known.answers = False
                known.losses += 1
                reason = reasons.get(uuid, "the driver does not list it any more")
                log.error("GPU lost", gpu=known.index, uuid=uuid, reason=reason)

    def _last_seen_at(self, index: int, answering: set[str]) -> str | None:
        """The UUID of a GPU that is too broken to tell it."""
        return next(
            (uuid for uuid, known in self._known.items() if known.index == index and uuid not in answering), None
        )

    def _states(self) -> list[Metric]:
        up, losses = _up(), _losses()
        for uuid, known in self._known.items():
            up.add_metric([str(known.index), uuid], known.answers)
            losses.add_metric([str(known.index), uuid], known.losses)
        return [up, losses]


def serve(host: str, port: int) -> None:
    """Answer Prometheus on `/metrics` until a SIGTERM or SIGINT. Raises OSError where the address is taken."""
    registry = CollectorRegistry()
    registry.register(GpuCollector())
    server, thread = prometheus_client.start_http_server(port, addr=host, registry=registry)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: ended.set())
    log.info("serving", host=host, port=server.server_port)
    ended.wait()
    server.shutdown()
    server.server_close()
    thread.join()


def _families(readings: list[GpuReading]) -> Iterable[Metric]:
    for name, text, read in _READINGS:
        family = _gauge(name, text)
        for gpu in readings:
            value = read(gpu)
            if value is not None:
                family.add_metric([str(gpu.index), gpu.uuid], value)
        yield family


def _nameless(index: int) -> str:
    """What stands for the UUID of a GPU that has not told it since the exporter started."""
    return f"unknown-{index}"


def _gauge(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=_LABELS)


def _nvml_up() -> GaugeMetricFamily:
    return GaugeMetricFamily("reelfarm_nvml_up", "1 while the NVIDIA driver answers", labels=())


def _up() -> GaugeMetricFamily:
    return _gauge("reelfarm_gpu_up", "1 while the GPU answers, of those seen since the exporter started")


def _losses() -> CounterMetricFamily:
    return CounterMetricFamily("reelfarm_gpu_losses", "How often the GPU stopped answering", labels=_LABELS)
