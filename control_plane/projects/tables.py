"""Projects. Loading one is the permission check: there is no other way to a project or anything inside it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from control_plane.accounts.actor import Access, Actor
from control_plane.errors import NotFound
from runtime.database import Base, utc_now


class ProjectRow(Base):
    """``event_seq`` numbers the project's events; whoever appends one holds this row's lock. ``edit_count`` tells an
    export whether the film was changed since it was planned."""

    __tablename__ = "projects"

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    tags: Mapped[list[str]] = mapped_column(default=list)
    status: Mapped[str] = mapped_column(default="draft")
    stage: Mapped[str] = mapped_column(default="input")
    progress: Mapped[int] = mapped_column(default=0)
    event_seq: Mapped[int] = mapped_column(default=0)
    edit_count: Mapped[int] = mapped_column(default=0)
    thumbnail_artifact_id: Mapped[str | None]
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)


def may_access(actor: Actor) -> ColumnElement[bool]:
    """Which projects an actor may use in the way the endpoint declared. A stranger's project does not exist."""
    if actor.needs not in {Access.READ, Access.WRITE}:
        raise RuntimeError(f"an endpoint declared {actor.needs} loads a project")
    return ProjectRow.tenant_id == actor.tenant_id


async def load_project(session: AsyncSession, actor: Actor, project_id: str) -> ProjectRow:
    """Raises NotFound where there is none or it is somebody else's. Locks the row for an actor that writes."""
    statement = select(ProjectRow).where(ProjectRow.id == project_id, may_access(actor))
    if actor.needs is Access.WRITE:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    project = await session.scalar(statement)
    if project is None:
        raise NotFound("项目不存在", "no such project", field="project_id")
    return project


async def lock_project(session: AsyncSession, project_id: str) -> ProjectRow | None:
    """For reactions: what a finished task belongs to was checked when the task was queued."""
    statement = select(ProjectRow).where(ProjectRow.id == project_id)
    return await session.scalar(statement.with_for_update().execution_options(populate_existing=True))


def visible_projects(actor: Actor, *, status: str | None, keyword: str | None) -> Select[Any]:
    statement = select(ProjectRow).where(may_access(actor))
    if status is not None:
        statement = statement.where(ProjectRow.status == status)
    if keyword:
        statement = statement.where(func.strpos(func.lower(ProjectRow.name), keyword.lower()) > 0)
    return statement
