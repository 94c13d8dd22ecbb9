"""What the scheduler sees of the farm, written down for whoever wants to know. Works inside a fenced transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.database import Base, utc_now
from scheduler.farm_tables import DrainRow, NodeRow, RestartRow, WorkerRow
from scheduler.ports import Device, Node, Place
from scheduler.suspects import Suspects
from scheduler.task import WorkerState

_KEEP_LOST = timedelta(hours=1)
_KEEP_RESTARTS = timedelta(days=7)


@dataclass(frozen=True)
class Sighting:
    """A worker as it was just now; ``silent_s`` is how long ago it last answered. Its slot is ``gpus`` of its node."""

    worker: str
    slot: str
    node: str
    device: Device
    state: WorkerState
    task_id: str | None
    resident: tuple[str, ...]
    silent_s: float
    gpus: int = 1

    @property
    def place(self) -> Place:
        return Place(self.device, self.gpus)


async def record(
    session: AsyncSession, nodes: Sequence[Node], sightings: Sequence[Sighting], suspects: Suspects
) -> None:
    """Write down all that is there; what is not there any more is lost, and forgotten after a while with the orders
    about it."""
    now = utc_now()
    await _upsert(session, NodeRow, [_node(node, now) for node in nodes])
    await _upsert(session, WorkerRow, [_worker(sighting, suspects, now) for sighting in sightings])
    gone = NodeRow.id.not_in([node.id for node in nodes])
    await session.execute(update(NodeRow).where(gone, ~NodeRow.lost).values(lost=True))
    absent = WorkerRow.slot.not_in([sighting.slot for sighting in sightings])
    await session.execute(
        update(WorkerRow)
        .where(absent, WorkerRow.state != WorkerState.LOST.value)
        .values(state=WorkerState.LOST.value, task_id=None, resident=[])
    )
    ended = RestartRow.worker.not_in([sighting.worker for sighting in sightings])
    await session.execute(update(RestartRow).where(ended, RestartRow.done_at.is_(None)).values(done_at=now))
    await _forget(session, now)


async def _upsert(session: AsyncSession, table: type[Base], rows: Sequence[dict[str, object]]) -> None:
    if not rows:
        return
    statement = insert(table)
    key, *others = (column.name for column in table.__table__.columns)
    changes = {name: statement.excluded[name] for name in others}
    await session.execute(statement.on_conflict_do_update(index_elements=[key], set_=changes), rows)


def _node(node: Node, now: datetime) -> dict[str, object]:
    return {"id": node.id, "address": node.address, "lost": False, "seen_at": now}


def _worker(sighting: Sighting, suspects: Suspects, now: datetime) -> dict[str, object]:
    failures = suspects.failures(sighting.slot)
    return {
        "slot": sighting.slot,
        "worker": sighting.worker,
        "node_id": sighting.node,
        "device": sighting.device,
        "state": sighting.state.value,
        "task_id": sighting.task_id,
        "resident": list(sighting.resident),
        "seen_at": now - timedelta(seconds=sighting.silent_s),
        "failures": len(failures),
        "last_failure": failures[-1].message if failures else None,
    }


async def _forget(session: AsyncSession, now: datetime) -> None:
    await session.execute(delete(RestartRow).where(RestartRow.done_at < now - _KEEP_RESTARTS))
    await session.execute(delete(DrainRow).where(DrainRow.until < now))
    old = delete(NodeRow).where(NodeRow.lost, NodeRow.seen_at < now - _KEEP_LOST)
    nodes = list(await session.scalars(old.returning(NodeRow.id)))
    if nodes:
        here = delete(WorkerRow).where(WorkerRow.node_id.in_(nodes))
        slots = list(await session.scalars(here.returning(WorkerRow.slot)))
        await session.execute(delete(DrainRow).where(DrainRow.target.in_(nodes + slots)))
