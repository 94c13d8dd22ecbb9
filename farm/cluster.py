"""The Ray cluster: connecting to it as a driver, and the slots its nodes offer."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

from scheduler.ports import Device, FarmLostError, Place

# Ray reads these when it is imported. Without the first, 127.0.0.1 is rewritten to the machine's outer
# address, and the connection may hang.
_ENVIRONMENT = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
}
for _name, _value in _ENVIRONMENT.items():
    os.environ.setdefault(_name, _value)

import ray  # noqa: E402

T = TypeVar("T")

_GANG_OF = "gang_of_"
"""A node whose resources say ``gang_of_4: 1`` has four of its GPUs work as one gang, the others alone."""
_CONNECT_TIMEOUT_S = 2.0
_CHECK_INTERVAL_S = 1.0


@dataclass(frozen=True)
class Slot:
    """Room for one worker: a CPU or a GPU of a node, or a gang of several of its GPUs."""

    node_id: str
    device: Device
    index: int
    gpus: int = 1

    @property
    def place(self) -> Place:
        return Place(self.device, self.gpus)

    @property
    def node(self) -> str:
        return short(self.node_id)

    @property
    def number(self) -> str:
        """Tells it from others of its device: the fourth gang of eight GPUs is ``3x8``."""
        return str(self.index) if self.gpus == 1 else f"{self.index}x{self.gpus}"

    def __str__(self) -> str:
        return f"{self.node}-{self.device}{self.number}"


@dataclass(frozen=True)
class Cluster:
    """The nodes that are alive, Ray's ids with their addresses, and the slots they offer. ``gangs`` are the workers for
    which GPUs are held together, alive or not."""

    node_ids: dict[str, str]
    slots: tuple[Slot, ...]
    gangs: frozenset[str] = frozenset()


def short(node_id: str) -> str:
    """What the farm calls a node: enough of Ray's id to tell it from others, and to be typed."""
    return node_id[:12]


def connect(address: str, namespace: str) -> None:
    """Become a driver of the cluster. To be called once, from the main thread, before signals are handled.

    Raises ConnectionError or RuntimeError, as ray.init does.
    """
    ray.init(address=address, namespace=namespace, log_to_driver=False, logging_level="warning")


async def check_head(address: str) -> None:
    """Raises FarmLostError when the head's control store takes no connections.

    Ray itself notices after a minute, and then by ending the process.
    """
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            _, writer = await asyncio.open_connection(host, int(port))
    except (OSError, TimeoutError) as error:
        raise FarmLostError(f"the Ray head at {address} is gone") from error
    writer.close()


async def ask(address: str, question: Callable[[], T]) -> T:
    """The answer to a question to Ray that blocks. Raises FarmLostError when the head at ``address`` goes meanwhile.

    Ray then waits for a minute and ends the process, so the thread is a daemon: nothing waits for it.
    """
    answer: Future[T] = Future()

    def put_question() -> None:
        try:
            answer.set_result(question())
        except Exception as error:  # noqa: BLE001 - raised where the answer is awaited
            answer.set_exception(error)

    await check_head(address)
    threading.Thread(target=put_question, name="ask-ray", daemon=True).start()
    awaited = asyncio.wrap_future(answer)
    while not (await asyncio.wait({awaited}, timeout=_CHECK_INTERVAL_S))[0]:
        await check_head(address)
    return awaited.result()


def survey() -> Cluster:
    """Ask Ray for its nodes. Blocks."""
    nodes = [node for node in ray.nodes() if node["Alive"]]
    slots = [slot for node in nodes for slot in _slots(node["NodeID"], node["Resources"])]
    return Cluster({node["NodeID"]: node["NodeManagerAddress"] for node in nodes}, tuple(slots))


def resources(place: Place) -> dict[str, float]:
    """What a slot takes of a node, in Ray's books."""
    if place.gpus == 1:
        return {place.device.upper(): 1}
    return {"GPU": place.gpus, f"{_GANG_OF}{place.gpus}": 1}


def devices_of_node() -> list[Device]:
    """Those of all the workers that this process's node has room for, a gang's for each of its GPUs. Blocks."""
    here = own_node_id()
    return [slot.device for slot in survey().slots if slot.node_id == here for _ in range(slot.gpus)]


def own_node_id() -> str:
    return str(ray.get_runtime_context().get_node_id())


def _slots(node_id: str, resources: dict[str, float]) -> Iterator[Slot]:
    for index in range(int(resources.get("CPU", 0))):
        yield Slot(node_id, "cpu", index)
    left = int(resources.get("GPU", 0))
    sizes = {size: int(count) for name, count in resources.items() if (size := _gang_size(name)) > 1}
    for size, count in sorted(sizes.items(), reverse=True):
        fitting = min(count, left // size)
        left -= fitting * size
        yield from (Slot(node_id, "gpu", index, size) for index in range(fitting))
    for index in range(left):
        yield Slot(node_id, "gpu", index)


def _gang_size(resource: str) -> int:
    """Of ``gang_of_4`` 4; 0 for another resource."""
    size = resource.removeprefix(_GANG_OF)
    return int(size) if resource.startswith(_GANG_OF) and size.isdecimal() else 0
