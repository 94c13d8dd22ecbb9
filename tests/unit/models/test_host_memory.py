"""How much memory models may take of a machine, a container, and a node's workers."""

from pathlib import Path

import pytest

from farm.worker import host_share
from models import host_memory
from models.catalog import Catalog, Model
from models.sources import Weights
from scheduler.ports import Device

GB = 10**9
MACHINE = f"MemTotal:       {64 * GB // 1024} kB\nMemFree:        1 kB\n"


@pytest.mark.parametrize(
    ("cgroup", "files", "expected"),
    [
        ("0::/\n", {}, 64 * GB),
        ("0::/\n", {"memory.max": "max"}, 64 * GB),
        ("0::/\n", {"memory.max": f"{8 * GB}"}, 8 * GB),
        ("0::/a/b\n", {"a/memory.max": f"{8 * GB}", "a/b/memory.max": f"{16 * GB}"}, 8 * GB),
        ("0::/of/the/host\n", {"memory.max": f"{8 * GB}"}, 8 * GB),
        ("5:cpu:/\n4:memory:/p/q\n0::/\n", {"memory/p/memory.limit_in_bytes": f"{4 * GB}"}, 4 * GB),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712"}, 64 * GB),
        ("3:memory,cpu:/\n0::/\n", {"unified/memory.max": f"{2 * GB}"}, 2 * GB),
        ("5:cpu:/p\n", {"p/memory.limit_in_bytes": "1"}, 64 * GB),
    ],
)
def test_the_least_limit_counts(tmp_path: Path, cgroup: str, files: dict[str, str], expected: int) -> None:
    written = {"proc/meminfo": MACHINE, "proc/self/cgroup": cgroup}
    for name, text in {**written, **{f"sys/fs/cgroup/{name}": text for name, text in files.items()}}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert host_memory.total_bytes(tmp_path) == expected


def test_this_machine_has_memory() -> None:
    assert 10**8 < host_memory.total_bytes() < 10**14


def entry(name: str, device: Device, *, weighted: bool) -> Model:
    model = Model(id=name, display_name=name, tasks=("music",), license="x", device=device)
    return model.model_copy(update={"weights": Weights(path=Path("/x"))}) if weighted else model


@pytest.mark.parametrize(
    ("devices", "weighted", "parts"),
    [
        (["gpu", "gpu", "cpu", "cpu", "cpu"], {"gpu"}, 2),
        (["gpu", "cpu", "cpu", "cpu"], {"gpu", "cpu"}, 4),
        (["cpu", "cpu"], {"cpu"}, 2),
        (["cpu", "cpu"], set(), 1),
    ],
)
def test_a_nodes_memory_is_shared_by_the_workers_that_hold_weights(
    devices: list[Device], weighted: set[Device], parts: int
) -> None:
    catalog = Catalog([entry(device, device, weighted=device in weighted) for device in ("cpu", "gpu")])  # type: ignore[arg-type]
    assert host_share(12, catalog, devices) == 12 * GB // parts
    assert host_share(None, catalog, devices) == host_memory.total_bytes() // 2 // parts
    assert host_share(0, catalog, devices) == 0
