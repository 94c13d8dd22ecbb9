"""Slots and processes at the end: as the scheduler sees them, as Ray does, and as /proc does."""

import contextlib
import signal
from collections import Counter
from pathlib import Path

import psutil

from farm.fleet import slot_of
from runtime.embedded.process import wait_until
from tests.chaos.storm.invariants import Finding
from tests.chaos.storm.machines import Machines
from tests.chaos.storm.processes import bury_orphans, descendants, describe, send
from tests.chaos.storm.truth import Truth
from tests.chaos.storm.victims import living_workers

_PATIENCE_S = 30.0
_TITLE = "ray::Worker"


def judge_slots(truth: Truth, machines: Machines, data_dir: Path, namespace: str) -> Finding:
    """With the product still running: each slot has one idle worker, and nothing else holds any."""
    import ray

    here = {machine.id[:12] for machine in machines.machines}
    slots = {f"{node}-{device}0" for node in here for device in ("cpu", "gpu")}
    rows = [row for row in truth.workers if row["node_id"] in here]
    finding = Finding("every slot is free", {"slots": len(slots)})
    finding.same("slots the scheduler sees", sorted(row["slot"] for row in rows), sorted(slots))
    for row in rows:
        finding.same(f"the scheduler's view of {row['slot']}", (row["state"], row["task_id"]), ("idle", None))
    gone = [row for row in truth.workers if row["node_id"] not in here]
    finding.same("states of slots that are gone", {row["state"] for row in gone} - {"lost"}, set())

    ray.init(address=machines.address, namespace=namespace, log_to_driver=False, logging_level="warning")
    try:
        names = [name for name in ray.util.list_named_actors() if slot_of(name) is not None]
        taken = Counter(str(slot_of(name)) for name in names)
        finding.same("workers by slot, as Ray knows them", taken, Counter(slots))
        living = [worker.name for worker in living_workers(data_dir)]
        finding.same("workers that live, by their notes", sorted(living), sorted(names))
        finding.same("worker processes", len(_worker_processes()), len(slots))
        finding.figures |= {"workers": len(names), "worker processes": len(_worker_processes())}
        for name in names:
            ray.kill(ray.get_actor(name))
        wanted = ray.cluster_resources()
        devices = {device: wanted.get(device, 0.0) for device in ("CPU", "GPU")}
        wait_until(lambda: _free(devices) == devices, _PATIENCE_S)
        finding.same("devices free once the workers are ended", _free(devices), devices)
        finding.figures |= {f"free {device}": int(count) for device, count in _free(devices).items()}
    finally:
        ray.shutdown()
    return finding


def _free(devices: dict[str, float]) -> dict[str, float]:
    import ray

    available = ray.available_resources()
    return {device: available.get(device, 0.0) for device in devices}


def _worker_processes() -> list[psutil.Process]:
    found = []
    for process in descendants():
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.cmdline()[:1] and process.cmdline()[0].startswith(_TITLE):
                found.append(process)
    return found


def judge_processes(before: int) -> Finding:
    """After everything was told to end: whatever still lives below this process got away."""

    def left() -> list[psutil.Process]:
        bury_orphans(set())
        return descendants()

    wait_until(lambda: not left(), _PATIENCE_S)
    finding = Finding("no process is left", {"before": before, "left": len(left())})
    finding.broken += [describe(process) for process in left()]
    send(left(), signal.SIGKILL)  # so that it is not left for good
    return finding
