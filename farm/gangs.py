"""Gangs: workers whose slot is several GPUs of one node. They hold a STRICT_PACK placement group of Ray, by their name.

The lead is the worker itself, in the group's first bundle: one lease, one status, one attempt. Each other bundle has a
rank, an actor that the lead makes and owns, with a process that follows it (models/gang.py). A process of the gang that
dies is seen at once by the others, whose sockets to it close: a lead ends with any of its ranks, a rank with its lead.
"""

import os
import socket
import tempfile
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import ray
import structlog
from ray.util.placement_group import PlacementGroup, placement_group, placement_group_table, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from farm.cluster import Slot, resources
from farm.process import enter_process, note_process, work_root
from models.device import Device
from models.gang import Follower, Lead

log = structlog.get_logger(__name__)

_PREFIX = "reelfarm-gang"
_GATHER_TIMEOUT_S = 100.0
"""A worker that is made is waited for a little longer."""


def reserve(worker: str, slot: Slot) -> PlacementGroup:
    """The GPUs of a gang's slot, all of its node; Ray may take a while to give them. Blocks."""
    first = {**resources(slot.place), "GPU": 1}
    return placement_group(
        [first, *({"GPU": 1} for _ in range(slot.gpus - 1))],
        strategy="STRICT_PACK",
        name=_name(worker),
        lifetime="detached",  # as the worker: whoever made it may die
        bundle_label_selector=[{"ray.io/node-id": slot.node_id}] * slot.gpus,
    )


def release(worker: str) -> None:
    """Give a worker's GPUs back, and end what is left on them. Nothing to do for a worker without a group. Blocks."""
    try:
        group = ray.util.get_placement_group(_name(worker))
    except ValueError:
        return
    remove_placement_group(group)


def reserved() -> frozenset[str]:
    """The workers, alive or not, that have groups in this namespace. Blocks."""
    ours = _name("")
    groups = placement_group_table().values()
    return frozenset(
        str(group["name"]).removeprefix(ours)
        for group in groups
        if group["state"] != "REMOVED" and str(group["name"]).startswith(ours)
    )


def _name(worker: str) -> str:
    # Ray lists the groups of all namespaces.
    return f"{_PREFIX}:{ray.get_runtime_context().namespace}:{worker}"


def gather(worker: str, gpus: int, device: Device, config: Any) -> list[Any]:
    """Make the ranks of this worker, and ``device`` that of a gang's lead. Returns the ranks' handles: Ray ends them
    with the last one. Raises TimeoutError where they do not come."""
    group = ray.util.get_placement_group(_name(worker))
    # Not in the work directory: a socket's path is short. Open to this user alone.
    with tempfile.TemporaryDirectory(prefix="reelfarm-gang-") as directory, socket.socket(socket.AF_UNIX) as server:
        address = str(Path(directory) / "lead")
        server.bind(address)
        server.listen(gpus)
        server.settimeout(_GATHER_TIMEOUT_S)
        handles = [
            Rank.options(  # type: ignore[attr-defined]
                num_cpus=0, num_gpus=1, scheduling_strategy=PlacementGroupSchedulingStrategy(group, rank)
            ).remote(worker, rank, gpus, address, config)
            for rank in range(1, gpus)
        ]
        connections: dict[int, Connection] = {}
        while len(connections) < gpus - 1:
            accepted, _ = server.accept()
            accepted.setblocking(True)
            connection = Connection(accepted.detach())
            connections[connection.recv()] = connection
    followers = [connections[rank] for rank in sorted(connections)]
    device.gang = Lead(followers, _store(worker, config), on_broken=_end)
    return handles


def _store(worker: str, config: Any) -> Path:
    """Where torch's processes meet; it goes with the worker's work directory."""
    root = work_root(config.scratch_dir, worker)
    root.mkdir(parents=True, exist_ok=True)
    return root / "gang"


def _end(reason: str) -> None:
    """What an orderly end would do may hang: others of the gang may be missing in a call that the GPU waits in."""
    log.error("the worker ends with its gang", reason=reason)
    os._exit(1)


@ray.remote(max_restarts=0, max_task_retries=0)
class Rank:
    """A GPU of a gang beside the lead's. ``address`` is the lead's socket, ``config`` its WorkerConfig."""

    def __init__(self, worker: str, rank: int, size: int, address: str, config: Any) -> None:
        enter_process(config.log_level)
        note_process(config.scratch_dir, f"{worker}.{rank}")
        connected = socket.socket(socket.AF_UNIX)
        connected.connect(address)
        lead = Connection(connected.detach())
        lead.send(rank)
        limit = None if config.vram_gb is None else int(config.vram_gb * 1e9)
        follower = Follower(
            lead,
            Device("cuda", limit_bytes=limit, cache_dir=config.scratch_dir / "compiled"),
            rank=rank,
            size=size,
            store=_store(worker, config),
            on_gone=lambda: os._exit(0),
        )
        threading.Thread(target=follower.serve, name="follower", daemon=True).start()
