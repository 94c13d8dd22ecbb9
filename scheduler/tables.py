"""The durable queue's tables, and the trigger by which the database itself refuses an illegal transition."""

from datetime import datetime
from typing import Any

from sqlalchemy import DDL, BigInteger, CheckConstraint, ForeignKey, Identity, Index, event, text
from sqlalchemy.orm import Mapped, mapped_column

from runtime.database import Base, utc_now
from scheduler.task import TERMINAL, TRANSITIONS, JobState, OutcomeClass, TaskState


def one_of(column: str, values: list[str]) -> str:
    """The condition of a check: the column has one of these values."""
    return f"{column} IN ({', '.join(repr(value) for value in sorted(values))})"


class JobRow(Base):
    """Tasks that belong together: they are cancelled together, and what follows them is decided once."""

    __tablename__ = "jobs"
    __table_args__ = (CheckConstraint(one_of("state", [state.value for state in JobState]), "state"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    project_id: Mapped[str] = mapped_column(index=True)
    tenant_id: Mapped[str]
    state: Mapped[str] = mapped_column(default=JobState.ACTIVE.value)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class TaskRow(Base):
    """One unit of work. ``epoch`` counts its attempts; only that of the current epoch may change it."""

    __tablename__ = "tasks"
    __table_args__ = (
        CheckConstraint(one_of("state", [state.value for state in TaskState]), "state"),
        CheckConstraint(f"outcome IS NULL OR {one_of('outcome', [o.value for o in OutcomeClass])}", "outcome"),
        CheckConstraint(
            f"(outcome IS NOT NULL AND finished_at IS NOT NULL) = "
            f"({one_of('state', [state.value for state in TERMINAL])})",
            "terminal_has_outcome",
        ),
        Index("ix_tasks_queued", "seq", postgresql_where=text("state = 'queued'")),
        Index("ix_tasks_running", "id", postgresql_where=text("state = 'running'")),
        Index(
            "ix_tasks_unapplied",
            "reaction_failures",
            "finished_at",
            postgresql_where=text("finished_at IS NOT NULL AND applied_at IS NULL AND quarantined_at IS NULL"),
        ),
        Index(
            "ix_tasks_set_aside",
            "finished_at",
            postgresql_where=text("(state = 'failed' AND outcome = 'task') OR quarantined_at IS NOT NULL"),
        ),
        Index("ix_tasks_measured", "kind", "model", "finished_at", postgresql_where=text("state = 'succeeded'")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), index=True)
    project_id: Mapped[str]
    tenant_id: Mapped[str]
    kind: Mapped[str]
    model: Mapped[str]
    spec: Mapped[dict[str, Any]]
    units: Mapped[float]
    """How much work it is, in the unit of its kind: see scheduler.estimates.units_of."""
    shape: Mapped[str]
    """What its duration depends on beside its size and its model: see pipelines.registry.TaskKind.shape."""
    batch: Mapped[str]
    """What it has in common with those that it can be made together with: see pipelines.registry.TaskKind.batch."""
    label: Mapped[str]
    reaction: Mapped[str]
    context: Mapped[dict[str, Any]]
    priority: Mapped[int]
    weight: Mapped[float]
    deadline_at: Mapped[datetime | None]

    state: Mapped[str] = mapped_column(default=TaskState.QUEUED.value)
    epoch: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime | None]
    """Earliest start of the next attempt: the backoff after a failure."""
    cancel_requested_at: Mapped[datetime | None]
    task_failures: Mapped[int] = mapped_column(default=0)
    """Failures of the task's own making; only these count towards its limit of attempts."""
    farm_failures: Mapped[int] = mapped_column(default=0)
    """Attempts lost with their worker or node."""
    progress: Mapped[float] = mapped_column(default=0.0)
    phase: Mapped[str | None]

    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    duration_s: Mapped[float | None]
    """Seconds the successful attempt took on its worker."""
    outcome: Mapped[str | None]
    result: Mapped[dict[str, Any] | None]
    error_message: Mapped[str | None]
    error_field: Mapped[str | None]

    applied_at: Mapped[datetime | None]
    reaction_failures: Mapped[int] = mapped_column(default=0)
    reaction_error: Mapped[str | None]
    quarantined_at: Mapped[datetime | None]


class AttemptRow(Base):
    """One try of a task on one worker incarnation; ``outcome`` is null while it runs."""

    __tablename__ = "attempts"
    __table_args__ = (
        CheckConstraint(f"outcome IS NULL OR {one_of('outcome', [o.value for o in OutcomeClass])}", "outcome"),
        Index("ix_attempts_running", "task_id", postgresql_where=text("outcome IS NULL")),
    )

    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.id"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    worker: Mapped[str]
    """The worker's name, which carries its slot and incarnation."""
    generation: Mapped[int] = mapped_column(BigInteger)
    """The scheduler generation that started it."""
    lease_expires_at: Mapped[datetime]
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    error_message: Mapped[str | None]
    timings: Mapped[dict[str, Any] | None]
    """Seconds per phase."""
    log_key: Mapped[str | None]
    batch: Mapped[int | None]
    """How many were made together with it, itself included."""
    peak_gb: Mapped[float | None]
    """What its model was seen to take of a device for such a task, weights and all."""


class LeaderRow(Base):
    """Which scheduler process is active. A takeover raises ``generation``; older ones cannot write."""

    __tablename__ = "leaders"

    name: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(BigInteger)
    holder: Mapped[str]
    expires_at: Mapped[datetime]


def _transition_trigger() -> tuple[str, ...]:
    legal = ", ".join(f"('{old.value}', '{new.value}')" for old, new in sorted(TRANSITIONS))
    return (
        f"""
CREATE FUNCTION check_task_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state NOT IN ('queued', 'cancelled') OR NEW.epoch <> 0 THEN
            RAISE EXCEPTION USING ERRCODE = 'check_violation',
                MESSAGE = 'task ' || NEW.id || ' may not be created ' || NEW.state;
        END IF;
    ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN ({legal}) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            MESSAGE = 'task ' || OLD.id || ' may not go from ' || OLD.state || ' to ' || NEW.state;
    ELSIF NEW.epoch <> OLD.epoch + (CASE WHEN OLD.state = 'queued' AND NEW.state = 'running'
                                    THEN 1 ELSE 0 END) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            MESSAGE = 'task ' || OLD.id || ' counts an attempt that did not start';
    END IF;
    RETURN NEW;
END $$
""".strip(),
        "CREATE TRIGGER check_task_transition BEFORE INSERT OR UPDATE ON tasks "
        "FOR EACH ROW EXECUTE FUNCTION check_task_transition()",
    )


TRANSITION_TRIGGER: tuple[str, ...] = _transition_trigger()
"""The statements that make the trigger, for a migration; ``Base.metadata.create_all`` runs them by itself."""

DROP_TRANSITION_TRIGGER: tuple[str, ...] = (
    "DROP TRIGGER IF EXISTS check_task_transition ON tasks",
    "DROP FUNCTION IF EXISTS check_task_transition()",
)

for _statement in TRANSITION_TRIGGER:
    event.listen(TaskRow.__table__, "after_create", DDL(_statement))
event.listen(TaskRow.__table__, "after_drop", DDL(DROP_TRANSITION_TRIGGER[1]))
