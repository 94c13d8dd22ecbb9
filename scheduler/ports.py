"""What the loop needs of a farm. farm.fleet implements it with Ray, scheduler.testing in memory."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict

from scheduler.task import OutcomeClass

Device = Literal["cpu", "gpu"]


class Place(NamedTuple):
    """The kind of slot that a worker has and a task wants: a CPU, a GPU, or a gang of several GPUs of one machine,
    which run one model together. Neither of two kinds does the other's work."""

    device: Device
    gpus: int = 1


AttemptId = tuple[str, int]
"""Task id and epoch."""


class FarmLostError(RuntimeError):
    """The whole farm is unreachable, such as after the end of the Ray head; attach anew to go on."""


class WorkerLostError(RuntimeError):
    """The worker is gone; a WorkerLost event follows once its process is known to be dead."""


@dataclass(frozen=True)
class Assignment:
    """All a worker has to know to run one attempt. Sending it again to the same worker joins the attempt."""

    task_id: str
    epoch: int
    kind: str
    model: str
    spec: dict[str, Any]
    job_id: str
    project_id: str
    label: str
    reaction: str
    context: dict[str, Any]

    @property
    def attempt(self) -> AttemptId:
        return (self.task_id, self.epoch)

    @property
    def trace(self) -> dict[str, str | int]:
        """The ids by which log lines about this attempt are found."""
        return {
            "task_id": self.task_id,
            "epoch": self.epoch,
            "job_id": self.job_id,
            "project_id": self.project_id,
        }


class AttemptReport(BaseModel):
    """How an attempt ended, as the worker says; also the content of its manifest. Durations are seconds. A failure is
    ``permanent`` where another try would end alike, such as with a model that no worker of this size can hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task_id: str
    epoch: int
    worker: str
    outcome: OutcomeClass
    permanent: bool = False
    result: dict[str, Any] | None = None
    error_message: str | None = None
    error_field: str | None = None
    duration_s: float | None = None
    timings_s: dict[str, float] = {}
    log_key: str | None = None
    batch: int = 1
    """Tasks that were made together with it, itself included. Its durations are its share."""
    peak_gb: float | None = None
    """The most that its model was seen to take of a device for such a task, weights and all; None for one without."""

    @property
    def attempt(self) -> AttemptId:
        return (self.task_id, self.epoch)


@dataclass(frozen=True)
class WorkerStatus:
    """A worker's answer. ``attempts`` is what it runs: nothing, one, or several together. ``since_progress_s`` counts
    from its last step or phase, by its own clock."""

    attempts: tuple[AttemptId, ...] = ()
    phase: str | None = None
    fraction: float = 0.0
    since_progress_s: float = 0.0
    budget_s: float = 0.0
    resident: tuple[str, ...] = ()
    """The ids of the models on its device."""
    parked: tuple[str, ...] = ()
    """The ids of those that it keeps in host memory."""
    vram_gb: float | None = None
    """What models may take of its device; None where it cannot tell."""
    capabilities: tuple[str, ...] = ()
    """What was probed there by now, such as ``nvenc``."""


@dataclass(frozen=True)
class Node:
    """A machine of the farm. ``address`` is what people know it by."""

    id: str
    address: str


@dataclass(frozen=True)
class WorkerUp:
    """A worker exists, found or made; its status says whether it is free. ``worker`` names this process, ``slot`` the
    place in the farm that it has, where another follows it; ``node`` is the id of the slot's machine, ``gpus`` how many
    of its GPUs the slot is."""

    worker: str
    device: Device
    node: str
    slot: str
    gpus: int = 1


@dataclass(frozen=True)
class WorkerLost:
    """A worker is gone and its process is known to be dead, so what it ran may run elsewhere."""

    worker: str
    outcome: OutcomeClass
    message: str


@dataclass(frozen=True)
class AttemptEnded:
    report: AttemptReport


FarmEvent = WorkerUp | WorkerLost | AttemptEnded


class Farm(Protocol):
    """Keeps a worker on every slot and speaks to it. ``run`` raises FarmLostError when the whole farm is
    gone."""

    events: asyncio.Queue[FarmEvent]

    async def attach(self, generation: int, may_act: Callable[[], bool]) -> None:
        """Find the workers that exist already; a WorkerUp for each is in ``events`` on return.

        ``generation`` fences a former leader's calls at the workers. ``may_act`` is asked before a worker is
        made: false when another process may be leading.
        """
        ...

    async def run(self) -> None:
        """Keep every slot staffed, until cancelled. Workers outlive it."""
        ...

    def nodes(self) -> list[Node]:
        """The machines that are there, with workers or without."""
        ...

    async def demand(self, slots: Mapping[Place, int]) -> None:
        """Tell the cluster's autoscaler the whole size that the farm should have. Raises FarmLostError."""
        ...

    def vacate(self, nodes: frozenset[str]) -> None:
        """End the workers of these nodes and make none there, so that the autoscaler may take the machines; of others
        make them again. Their workers must have nothing to do."""
        ...

    def start(self, worker: str, *assignments: Assignment) -> None:
        """Hand over an attempt, or several of one batch, or join those that run already; AttemptEnded for each, or
        WorkerLost follows."""
        ...

    async def status(self, worker: str) -> WorkerStatus:
        """Raises WorkerLostError; does not return while the worker is silent."""
        ...

    async def cancel(self, worker: str, attempt: AttemptId) -> None:
        """Ask for a stop at the next step. Raises WorkerLostError."""
        ...

    def prepare(self, worker: str, model: str) -> None:
        """Tell a worker which model it may be asked for next. Nothing depends on its being heard."""
        ...

    async def kill(self, worker: str, message: str) -> None:
        """End the worker's process; returns once it is known to be dead and WorkerLost is in ``events``."""
        ...

    async def manifest(self, attempt: AttemptId) -> AttemptReport | None:
        """What the attempt left as its last act, or None if it never got there. Raises OSError for a broken
        store."""
        ...

    async def close(self) -> None:
        """Let go of the farm; the workers go on."""
        ...
