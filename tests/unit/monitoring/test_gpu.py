"""The GPU exporter: what it reads, and what a GPU or a driver that goes away does to it."""

import io
import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import closing

import pynvml
import pytest
from prometheus_client import CollectorRegistry

from farm import gpu as farm_gpu
from monitoring.gpu import GpuCollector
from monitoring.logs import configure_logging
from monitoring.nvml import Nvml
from tests.unit.monitoring.nvml import FakeGpu, FakeNvml


def scrape(collector: GpuCollector) -> dict[tuple[str, str], float]:
    """Value by sample name and GPU index; the index is empty for what is not of one GPU."""
    registry = CollectorRegistry()
    registry.register(collector)
    return {
        (sample.name, sample.labels.get("gpu", "")): sample.value
        for family in registry.collect()
        for sample in family.samples
    }


def names_of(samples: dict[tuple[str, str], float], gpu: str) -> set[str]:
    return {name for name, index in samples if index == gpu}


@pytest.fixture
def stream() -> io.StringIO:
    stream = io.StringIO()
    configure_logging("test", "INFO", stream=stream)
    return stream


def events(stream: io.StringIO) -> list[str]:
    return [json.loads(line)["event"] for line in stream.getvalue().splitlines()]


READINGS = {
    "reelfarm_gpu_utilization_ratio": 0.73,
    "reelfarm_gpu_memory_used_bytes": 2**30,
    "reelfarm_gpu_memory_total_bytes": 80 * 2**30,
    "reelfarm_gpu_temperature_celsius": 61,
    "reelfarm_gpu_power_watts": 412.5,
    "reelfarm_gpu_sm_clock_hertz": 1.98e9,
}


def test_every_gpu_is_read_in_base_units() -> None:
    samples = scrape(GpuCollector(Nvml(FakeNvml(FakeGpu("GPU-a"), FakeGpu("GPU-b")))))
    for index in ("0", "1"):
        assert {name: samples[name, index] for name in READINGS} == READINGS
        assert samples["reelfarm_gpu_up", index] == 1
        assert samples["reelfarm_gpu_losses_total", index] == 0
    assert samples["reelfarm_nvml_up", ""] == 1


def test_every_sample_of_a_gpu_names_its_uuid() -> None:
    registry = CollectorRegistry()
    registry.register(GpuCollector(Nvml(FakeNvml(FakeGpu("GPU-a")))))
    labels = [s.labels for family in registry.collect() for s in family.samples if s.name != "reelfarm_nvml_up"]
    assert labels == [{"gpu": "0", "uuid": "GPU-a"}] * (len(READINGS) + 2)


def test_what_is_described_is_what_is_collected() -> None:
    collector = GpuCollector(Nvml(FakeNvml(FakeGpu("GPU-a"))))
    assert {family.name for family in collector.describe()} == {family.name for family in collector.collect()}


def test_a_reading_that_a_gpu_does_not_offer_is_left_out_alone() -> None:
    samples = scrape(GpuCollector(Nvml(FakeNvml(FakeGpu("GPU-a", unsupported={"utilization", "power"})))))
    missing = {"reelfarm_gpu_utilization_ratio", "reelfarm_gpu_power_watts"}
    assert names_of(samples, "0") & set(READINGS) == set(READINGS) - missing
    assert samples["reelfarm_gpu_up", "0"] == 1


def test_a_lost_gpu_drops_its_own_readings_and_is_said_and_counted_once(stream: io.StringIO) -> None:
    library = FakeNvml(FakeGpu("GPU-a"), FakeGpu("GPU-b"))
    collector = GpuCollector(Nvml(library))
    scrape(collector)
    library.gpus[1].error = pynvml.NVML_ERROR_GPU_IS_LOST
    for _ in range(3):
        samples = scrape(collector)
    assert names_of(samples, "0") >= set(READINGS)
    assert names_of(samples, "1") == {"reelfarm_gpu_up", "reelfarm_gpu_losses_total"}
    assert samples["reelfarm_gpu_up", "1"] == 0
    assert samples["reelfarm_gpu_losses_total", "1"] == 1
    assert events(stream) == ["GPU lost"]
    line = json.loads(stream.getvalue())
    assert (line["uuid"], line["gpu"]) == ("GPU-b", 1)

    library.gpus[1].error = None
    back = scrape(collector)
    assert names_of(back, "1") >= set(READINGS)
    assert back["reelfarm_gpu_up", "1"] == 1
    assert back["reelfarm_gpu_losses_total", "1"] == 1
    assert events(stream) == ["GPU lost", "GPU is back"]


def test_a_gpu_that_is_not_listed_any_more_is_lost_too() -> None:
    library = FakeNvml(FakeGpu("GPU-a"), FakeGpu("GPU-b"))
    collector = GpuCollector(Nvml(library))
    scrape(collector)
    library.gpus.pop()
    assert scrape(collector)["reelfarm_gpu_up", "1"] == 0


def test_gpus_that_were_lost_from_the_start_are_told_apart() -> None:
    library = FakeNvml(FakeGpu("a", pynvml.NVML_ERROR_GPU_IS_LOST), FakeGpu("b", pynvml.NVML_ERROR_GPU_IS_LOST))
    collector = GpuCollector(Nvml(library))
    samples = scrape(collector)
    assert [samples["reelfarm_gpu_up", index] for index in ("0", "1")] == [0, 0]
    library.gpus[0].error = library.gpus[1].error = None
    (up,) = [family for family in collector.collect() if family.name == "reelfarm_gpu_up"]
    assert [(sample.labels["uuid"], sample.value) for sample in up.samples] == [("a", 1), ("b", 1)]


def test_the_driver_is_asked_anew_after_a_loss_and_kept_otherwise() -> None:
    library = FakeNvml(FakeGpu("GPU-a"))
    nvml = Nvml(library)
    for _ in range(3):
        nvml.read()
    assert (library.opened, library.closed) == (1, 0)
    library.gpus[0].error = pynvml.NVML_ERROR_RESET_REQUIRED
    nvml.read()
    nvml.read()
    assert (library.opened, library.closed) == (2, 2)


def test_without_a_driver_there_is_only_a_zero_and_one_line(stream: io.StringIO) -> None:
    library = FakeNvml(FakeGpu("GPU-a"), driver_error=pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)
    collector = GpuCollector(Nvml(library))
    for _ in range(3):
        assert scrape(collector) == {("reelfarm_nvml_up", ""): 0}
    assert events(stream) == ["no GPU here"]
    library.driver_error = None
    assert scrape(collector)["reelfarm_gpu_up", "0"] == 1


@pytest.mark.parametrize(
    ("ids", "vram_gb"),
    [
        (["1"], pytest.approx(80 * 2**30 * 0.95 / 1e9)),
        (["GPU-b"], pytest.approx(80 * 2**30 * 0.95 / 1e9)),
        (["0"], None),
    ],
)
def test_a_worker_knows_the_memory_of_the_gpu_it_was_given(
    monkeypatch: pytest.MonkeyPatch, ids: list[str], vram_gb: object
) -> None:
    library = FakeNvml(FakeGpu("GPU-a", pynvml.NVML_ERROR_GPU_IS_LOST), FakeGpu("GPU-b"))
    monkeypatch.setattr(farm_gpu, "Nvml", lambda: Nvml(library))
    assert farm_gpu.vram_gb_of(ids) == vram_gb
    assert library.opened == library.closed


def exporter(port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "control_plane.cli", "gpu-exporter", "--host", "127.0.0.1", "--port", str(port)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_the_command_serves_until_it_is_told_to_end() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    process = exporter(port)
    try:
        assert process.stderr is not None
        assert json.loads(process.stderr.readline())["event"] == "serving"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert re.search(r"^reelfarm_nvml_up [01]\.0$", text, re.MULTILINE)
    assert process.returncode == 0


def test_a_taken_port_is_said() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        process = exporter(port)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert f"error: cannot listen on 127.0.0.1:{port}" in said
