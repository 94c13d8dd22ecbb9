"""The farm as tables: what its scheduler sees of it, and what it is ordered to do.

Api processes and commands never speak to the farm: they read and write these rows, and the scheduler does the rest.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from runtime.database import Base
from scheduler.tables import one_of
from scheduler.task import WorkerState


class NodeRow(Base):
    """A machine of the farm. One that is ``lost`` is kept for a while, so that it is seen to be."""

    __tablename__ = "farm_nodes"

    id: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str]
    lost: Mapped[bool]
    seen_at: Mapped[datetime]


class WorkerRow(Base):
    """What is known of a slot and of the worker on it."""

    __tablename__ = "farm_workers"
    __table_args__ = (CheckConstraint(one_of("state", [state.value for state in WorkerState]), "state"),)

    slot: Mapped[str] = mapped_column(primary_key=True)
    """A place for a worker. Its worker may be replaced, the slot stays."""
    worker: Mapped[str]
    """The name of the process, which carries its incarnation."""
    node_id: Mapped[str]
    device: Mapped[str]
    state: Mapped[str]
    task_id: Mapped[str | None]
    resident: Mapped[list[str]]
    """The ids of the models it has in memory."""
    seen_at: Mapped[datetime]
    """When it last answered."""
    failures: Mapped[int] = mapped_column(default=0)
    """Of different tasks in a row, by the slot's fault; see scheduler.suspects."""
    last_failure: Mapped[str | None]


class DrainRow(Base):
    """An order that no new task starts on a node or on a worker's slot, whichever process is there."""

    __tablename__ = "farm_drains"

    target: Mapped[str] = mapped_column(primary_key=True)
    """A node's id or a slot."""
    reason: Mapped[str]
    ordered_by: Mapped[str]
    ordered_at: Mapped[datetime]
    until: Mapped[datetime | None]
    """When it is over by itself."""


class RestartRow(Base):
    """An order that a worker's process ends once it has nothing to do, or ``at_once``; another takes its slot. Until
    then it takes no new task."""

    __tablename__ = "farm_restarts"

    worker: Mapped[str] = mapped_column(primary_key=True)
    """The process, so that the order is over when it is gone."""
    slot: Mapped[str] = mapped_column(index=True)
    at_once: Mapped[bool]
    reason: Mapped[str]
    ordered_by: Mapped[str]
    ordered_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    """When the process was gone. Kept to say why it was restarted."""
