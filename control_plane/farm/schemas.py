"""Requests and responses about the farm."""

from typing import Annotated, Literal

from pydantic import Field

from control_plane.web.models import RequestModel, ResponseModel, ShortText, Timestamp
from scheduler.ports import Device
from scheduler.task import WorkerState

OrderReason = Annotated[str, Field(max_length=200)]


class DrainRequest(RequestModel):
    """``target`` is a worker's id, a node's id, or a node's address where no other node has it."""

    target: ShortText
    reason: OrderReason = ""


class UndrainRequest(RequestModel):
    target: ShortText


class RestartRequest(RequestModel):
    """``now``: what runs is not waited for. It runs elsewhere, as after the loss of a worker."""

    target: ShortText
    now: bool = False
    reason: OrderReason = ""


class Ordered(ResponseModel):
    """The ids of the workers that the order is about, as far as they are there."""

    workers: list[str]


class Drain(ResponseModel):
    """It is over at ``until``, or when it is taken back."""

    reason: str
    ordered_by: str
    ordered_at: Timestamp
    until: Timestamp | None = None


class Restart(ResponseModel):
    """``done_at`` is absent while the worker's process goes on."""

    reason: str
    ordered_by: str
    ordered_at: Timestamp
    now: bool
    done_at: Timestamp | None = None


class FarmNode(ResponseModel):
    id: str
    address: str
    state: Literal["up", "lost"]
    seen_at: Timestamp
    drain: Drain | None = None


class FarmWorker(ResponseModel):
    """``id`` is that of its slot and stays when its process is replaced, ``name`` that of the process. ``models`` are
    in its memory. ``seen_at`` is when it last answered. ``failures`` counts different tasks in a row that failed by its
    fault. ``drain`` is about this worker alone, ``restart`` the last."""

    id: str
    name: str
    node_id: str
    device: Device
    state: WorkerState
    task_id: str | None = None
    task_label: str | None = None
    models: list[str]
    seen_at: Timestamp
    failures: int
    last_failure: str | None = None
    drain: Drain | None = None
    restart: Restart | None = None


class FarmTask(ResponseModel):
    """A task that failed too often by its own making, or whose result could not be applied, and why."""

    id: str
    kind: str
    label: str
    model_id: str
    project_id: str | None = None
    attempts: int
    reason: str
    finished_at: Timestamp


class FarmStatus(ResponseModel):
    """The farm as its scheduler saw it last, at most a few seconds ago while one leads; with the tasks that were
    quarantined last."""

    nodes: list[FarmNode]
    workers: list[FarmWorker]
    tasks_queued: int
    tasks_running: int
    quarantined: list[FarmTask]
