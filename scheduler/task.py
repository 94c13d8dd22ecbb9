"""The vocabulary of the queue: job, task, attempt, outcome, worker, and which state may follow which."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel


class JobState(StrEnum):
    ACTIVE = "active"
    CANCELLED = "cancelled"  # none of its tasks starts any more


class TaskState(StrEnum):
    QUEUED = "queued"  # waits for a worker (again)
    RUNNING = "running"  # an attempt holds the lease
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


TERMINAL = frozenset({TaskState.SUCCEEDED, TaskState.FAILED, TaskState.CANCELLED})

TRANSITIONS: frozenset[tuple[TaskState, TaskState]] = frozenset(
    {
        (TaskState.QUEUED, TaskState.RUNNING),
        (TaskState.QUEUED, TaskState.CANCELLED),
        (TaskState.RUNNING, TaskState.QUEUED),
        (TaskState.RUNNING, TaskState.SUCCEEDED),
        (TaskState.RUNNING, TaskState.FAILED),
        (TaskState.RUNNING, TaskState.CANCELLED),
    }
)


class WorkerState(StrEnum):
    IDLE = "idle"
    BUSY = "busy"
    DRAINING = "draining"  # takes no new task; what it runs goes on
    DRAINED = "drained"  # takes no new task and runs none
    DYING = "dying"  # being killed
    LOST = "lost"  # its process is gone, and its slot has no other yet


WORKER_TRANSITIONS: frozenset[tuple[WorkerState, WorkerState]] = frozenset(
    {
        (WorkerState.IDLE, WorkerState.BUSY),
        (WorkerState.BUSY, WorkerState.IDLE),
        (WorkerState.IDLE, WorkerState.DRAINED),
        (WorkerState.BUSY, WorkerState.DRAINING),
        (WorkerState.DRAINING, WorkerState.DRAINED),
        (WorkerState.DRAINING, WorkerState.BUSY),
        (WorkerState.DRAINED, WorkerState.IDLE),
        *((state, WorkerState.DYING) for state in WorkerState if state not in {WorkerState.DYING, WorkerState.LOST}),
        *((state, WorkerState.LOST) for state in WorkerState if state is not WorkerState.LOST),
        (WorkerState.LOST, WorkerState.IDLE),
        (WorkerState.LOST, WorkerState.DRAINED),
    }
)


def worker_state(*, busy: bool, closed: bool, dying: bool) -> WorkerState:
    """Of a worker that exists. ``closed``: an order keeps new tasks from it."""
    if dying:
        return WorkerState.DYING
    if closed:
        return WorkerState.DRAINING if busy else WorkerState.DRAINED
    return WorkerState.BUSY if busy else WorkerState.IDLE


class OutcomeClass(StrEnum):
    """How an attempt ended. Only USER and TASK count towards the task's own limit of failures."""

    SUCCEEDED = "succeeded"
    USER = "user"  # the request cannot be rendered; trying again would fail alike
    TASK = "task"  # the task's own failure: an exception of the pipeline, a result that fails its check
    MODEL_OUT_OF_MEMORY = "model_out_of_memory"
    WORKER = "worker"  # the worker process died or hung
    NODE = "node"
    PREEMPTED = "preempted"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class NewTask:
    """A task to enqueue. ``reaction`` names the control-plane function applying the result; ``context`` is
    its own small data. ``label`` is for people: it appears in logs, never in metrics."""

    kind: str
    spec: BaseModel
    model: str
    job_id: str
    project_id: str
    tenant_id: str
    reaction: str
    label: str
    context: dict[str, Any] = field(default_factory=dict)
    priority: int = 0
    deadline_at: datetime | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class FinishedTask:
    """A task in a terminal state whose result was not applied yet."""

    id: str
    kind: str
    job_id: str
    project_id: str
    state: TaskState
    reaction: str
    context: dict[str, Any]
    spec: dict[str, Any]
    result: dict[str, Any] | None
    outcome: OutcomeClass
    error_message: str | None
    error_field: str | None
    reaction_failures: int


@dataclass(frozen=True)
class QuarantinedTask:
    """A task set aside, and why: it failed too often by its own making, or its result could not be applied."""

    id: str
    kind: str
    label: str
    model: str
    project_id: str
    attempts: int
    reason: str
    finished_at: datetime


@dataclass(frozen=True)
class TaskView:
    """A task as a person asks about it. ``progress`` is 0 to 1."""

    id: str
    kind: str
    label: str
    state: TaskState
    progress: float
    reaction: str
    context: dict[str, Any]
    error_message: str | None
    started_at: datetime | None
    finished_at: datetime | None
