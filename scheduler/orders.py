"""What the farm is ordered to do: to drain nodes and workers, and to restart workers.

Orders are rows, so they outlive whoever gave them and the scheduler that follows them, which reads them once a second.
Each function works inside the caller's transaction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.database import utc_now
from scheduler.farm_tables import DrainRow, RestartRow


@dataclass(frozen=True)
class Restart:
    """``at_once``: what the worker runs is not waited for, and runs elsewhere instead."""

    at_once: bool
    reason: str


@dataclass(frozen=True)
class Orders:
    """Those in force: drained nodes and slots, and restarts by the name of the worker."""

    drained: frozenset[str] = frozenset()
    restarts: Mapping[str, Restart] = field(default_factory=dict)

    def drain_too(self, nodes: Iterable[str]) -> "Orders":
        """These orders with more nodes drained."""
        return replace(self, drained=self.drained.union(nodes))

    def close(self, worker: str, *, node: str, slot: str) -> bool:
        """Whether they keep new tasks from a worker."""
        return node in self.drained or slot in self.drained or worker in self.restarts


SCHEDULER = "the scheduler"
"""Who gives the orders that nobody else gave."""


async def load(session: AsyncSession) -> Orders:
    drained = await session.scalars(
        select(DrainRow.target).where(or_(DrainRow.until.is_(None), DrainRow.until > utc_now()))
    )
    restarts = await session.scalars(select(RestartRow).where(RestartRow.done_at.is_(None)))
    return Orders(frozenset(drained), {row.worker: Restart(row.at_once, row.reason) for row in restarts})


async def drain(session: AsyncSession, target: str, *, reason: str, ordered_by: str) -> None:
    """Let no new task start on a node or a slot. Draining it again changes who did and why."""
    order = {"reason": reason, "ordered_by": ordered_by, "ordered_at": utc_now(), "until": None}
    statement = insert(DrainRow).values(target=target, **order)
    await session.execute(statement.on_conflict_do_update(index_elements=[DrainRow.target], set_=order))


async def pause(session: AsyncSession, slot: str, *, reason: str, pause_s: float) -> None:
    """Drain a slot for a while, unless somebody has drained it until further notice."""
    now = utc_now()
    order = {"reason": reason, "ordered_by": SCHEDULER, "ordered_at": now, "until": now + timedelta(seconds=pause_s)}
    statement = insert(DrainRow).values(target=slot, **order)
    unless = DrainRow.until.is_not(None)
    await session.execute(statement.on_conflict_do_update(index_elements=[DrainRow.target], set_=order, where=unless))


async def undrain(session: AsyncSession, target: str) -> None:
    """Let tasks start again on what was drained under this id."""
    await session.execute(delete(DrainRow).where(DrainRow.target == target))


async def restart(
    session: AsyncSession, workers: Mapping[str, str], *, at_once: bool, reason: str, ordered_by: str
) -> None:
    """Replace these processes, given with their slots, by fresh ones. One that waits for that can be restarted at once.
    Of one that is gone it is noted that and why it was replaced."""
    if not workers:
        return
    order = {"at_once": at_once, "reason": reason, "ordered_by": ordered_by, "ordered_at": utc_now()}
    # In one order, so that two who restart a node do not wait for each other.
    rows = [{"worker": worker, "slot": slot, **order} for worker, slot in sorted(workers.items())]
    statement = insert(RestartRow).values(rows)
    await session.execute(statement.on_conflict_do_update(index_elements=[RestartRow.worker], set_=order))
