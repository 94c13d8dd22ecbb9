"""A Ray cluster of several nodes, each as a machine that can fail: its raylet, its agents, its workers."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.chaos.storm.processes import send, tree

SLOTS_PER_MACHINE = 2
_NODE = {"object_store_memory": 80_000_000}
_WORKING = {**_NODE, "num_cpus": 1, "num_gpus": 1}
_HEAD = {
    "num_cpus": 0,
    "num_gpus": 0,
    "include_dashboard": False,
    "no_monitor": True,
    "include_log_monitor": False,
    # A machine that does not answer is given up within some ten seconds; by default it takes more than a minute.
    "_system_config": {
        "health_check_initial_delay_ms": 2000,
        "health_check_period_ms": 1000,
        "health_check_timeout_ms": 2000,
        "health_check_failure_threshold": 4,
    },
}


@dataclass
class Machine:
    node: Any
    id: str
    members: list[psutil.Process] = field(default_factory=list)
    """The processes that were stopped with it."""

    @property
    def raylet(self) -> Any:
        return self.node.all_processes["raylet"][0].process

    def die(self, *, with_workers: bool) -> None:
        """kill -9 of the raylet and its agents; the workers die with it, or notice by themselves."""
        processes = tree(self.raylet.pid)
        doomed = [one for one in processes if with_workers or not _is_worker(one)]
        send(doomed, signal.SIGKILL)
        self.raylet.wait()  # while it is a zombie, its workers believe that it lives

    def stop(self) -> None:
        self.members = tree(self.raylet.pid)
        send(self.members, signal.SIGSTOP)

    def resume(self) -> None:
        send(self.members, signal.SIGCONT)


def _is_worker(process: psutil.Process) -> bool:
    try:
        return process.cmdline()[:1] not in (["ray::DashboardAgent"], ["ray::RuntimeEnvAgent"]) and (
            "raylet/raylet" not in " ".join(process.cmdline()[:1])
        )
    except psutil.NoSuchProcess:
        return False


class Machines:
    """The head, which has no slots, and the machines that have."""

    def __init__(self, cluster: Any, count: int) -> None:
        self._cluster = cluster
        self.machines: list[Machine] = []
        for _ in range(count):
            self.add(wait=True)

    @property
    def address(self) -> str:
        return str(self._cluster.address)

    def add(self, *, wait: bool) -> Machine:
        node = self._cluster.add_node(wait=wait, **_WORKING)
        machine = Machine(node, node.node_id)
        self.machines.append(machine)
        return machine

    def forget(self, machine: Machine) -> None:
        """Of a dead one: what is left of it, other than its workers, ends."""
        self.machines.remove(machine)
        self._cluster.worker_nodes.discard(machine.node)

    def alive(self) -> set[str]:
        """The machines that Ray believes in, the head left out."""
        head = self._cluster.head_node.node_id
        return {str(node) for node in self._cluster.global_state._live_node_ids()} - {head}

    def pids(self) -> set[int]:
        """Of the processes that this process started and waits for itself."""
        nodes = [self._cluster.head_node, *(machine.node for machine in self.machines)]
        return {info.process.pid for node in nodes if node for infos in node.all_processes.values() for info in infos}


@contextmanager
def cluster(run_dir: Path, python_path: str, count: int) -> Iterator[Machines]:
    """``count`` machines beside a head; its files are in ``run_dir``, whose path must be short."""
    os.environ["RAY_TMPDIR"] = str(run_dir)
    os.environ["PYTHONPATH"] = python_path
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={**_HEAD, **_NODE})
    try:
        yield Machines(made, count)
    finally:
        made.shutdown()
