"""Event rows: the truth behind the WebSocket. Numbered per project under the project row's lock, so that a reader
that saw number n has seen everything up to n."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from control_plane.projects.tables import ProjectRow
from runtime.database import Base, utc_now


class EventRow(Base):
    __tablename__ = "events"

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    event: Mapped[str]
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


async def append(session: AsyncSession, project_id: str, event: str, data: dict[str, Any]) -> int:
    """Number and store one event; returns its sequence."""
    seq = await session.scalar(
        update(ProjectRow)
        .where(ProjectRow.id == project_id)
        .values(event_seq=ProjectRow.event_seq + 1, updated_at=utc_now())
        .returning(ProjectRow.event_seq)
        .execution_options(synchronize_session=False)
    )
    if seq is None:
        raise LookupError(f"no project {project_id}")
    session.add(EventRow(project_id=project_id, seq=seq, event=event, data=data))
    return seq


async def events_after(
    session: AsyncSession, project_id: str, seq: int, limit: int, *, until: int | None = None
) -> list[EventRow]:
    """In order; ``until`` is the last sequence wanted."""
    statement = select(EventRow).where(EventRow.project_id == project_id, EventRow.seq > seq)
    if until is not None:
        statement = statement.where(EventRow.seq <= until)
    return list(await session.scalars(statement.order_by(EventRow.seq).limit(limit)))


async def last_seqs(session: AsyncSession, project_ids: list[str]) -> dict[str, int]:
    rows = await session.execute(select(ProjectRow.id, ProjectRow.event_seq).where(ProjectRow.id.in_(project_ids)))
    return {row.id: row.event_seq for row in rows}
