"""Projects. Loading one is the permission check: there is no other way to a project or anything inside it."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    UniqueConstraint,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from control_plane.accounts.access import AnySelect, granted, granted_locked, may_see, role_in
from control_plane.accounts.actor import Access, Actor
from control_plane.errors import NotFound
from runtime.database import Base, utc_now


class ProjectRow(Base):
    """``event_seq`` numbers the project's events; whoever appends one holds this row's lock. ``edit_count`` tells an
    export whether the film was changed since it was planned. A name that nobody chose (``auto_named``) gives way to
    the story's title. ``total_duration_s`` and ``video_count`` are the active timeline's, kept by timeline.build."""

    __tablename__ = "projects"
    __table_args__ = (Index("ix_projects_latest", "tenant_id", text("updated_at DESC"), "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str]
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    auto_named: Mapped[bool] = mapped_column(default=False)
    description: Mapped[str] = mapped_column(default="")
    tags: Mapped[list[str]] = mapped_column(default=list)
    status: Mapped[str] = mapped_column(default="draft")
    stage: Mapped[str] = mapped_column(default="input")
    progress: Mapped[int] = mapped_column(default=0)
    event_seq: Mapped[int] = mapped_column(default=0)
    edit_count: Mapped[int] = mapped_column(default=0)
    total_duration_s: Mapped[float | None]
    video_count: Mapped[int | None]
    thumbnail_artifact_id: Mapped[str | None]
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)


class ProjectCountRow(Base):
    """How many projects a tenant has, kept by triggers on the projects table: counting 100,000 takes too long."""

    __tablename__ = "project_counts"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    projects: Mapped[int]


class ConversationRow(Base):
    """A message of a project's conversation; numbered under the project's lock."""

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("project_id", "display_order"),
        CheckConstraint("message_type IN ('system', 'user')", name="message_type"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    display_order: Mapped[int]
    message_type: Mapped[str]
    message_content: Mapped[str]
    context_data: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


async def load_project(session: AsyncSession, actor: Actor, project_id: str) -> ProjectRow:
    """A project, its row locked unless the endpoint only reads. Raises NotFound, Forbidden and NotLoggedIn."""
    statement = select(ProjectRow, role_in(actor, ProjectRow.tenant_id)).where(
        ProjectRow.id == project_id, may_see(actor, ProjectRow.tenant_id)
    )
    if actor.needs is not Access.READ:
        statement = statement.with_for_update(of=ProjectRow)
    missing = NotFound("项目不存在", "no such project", field="project_id")
    (project,) = await granted(session, actor, statement, missing)
    return project


async def granted_in_project(
    session: AsyncSession, actor: Actor, statement: AnySelect, zh: str, en: str, field: str
) -> list[Any]:
    """The one row of a statement over ProjectRow and what lies inside it, whose last column is the actor's role in
    the project's tenant; the project is locked unless the endpoint only reads.

    Raises NotFound with the message given, Forbidden and NotLoggedIn.
    """
    statement = statement.where(may_see(actor, ProjectRow.tenant_id))
    missing = NotFound(zh, en, field=field)
    if actor.needs is not Access.READ:
        return await granted_locked(session, actor, statement, ProjectRow, missing)
    return await granted(session, actor, statement, missing)


async def lock_project(session: AsyncSession, project_id: str) -> ProjectRow | None:
    """For reactions: what a finished task belongs to was checked when the task was queued."""
    statement = select(ProjectRow).where(ProjectRow.id == project_id)
    return await session.scalar(statement.with_for_update().execution_options(populate_existing=True))


async def conversation_of(session: AsyncSession, project_id: str) -> list[ConversationRow]:
    rows = await session.scalars(
        select(ConversationRow).where(ConversationRow.project_id == project_id).order_by(ConversationRow.display_order)
    )
    return list(rows)


async def count_of(session: AsyncSession, tenant_id: str) -> int:
    """How many projects a tenant has."""
    return await session.scalar(select(ProjectCountRow.projects).where(ProjectCountRow.tenant_id == tenant_id)) or 0
