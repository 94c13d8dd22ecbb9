"""What a project is made from: its text and configuration, and the files attached to it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from control_plane.accounts.access import may_see
from control_plane.accounts.actor import Actor
from runtime.database import Base, utc_now


class InputRow(Base):
    """``config`` is the request's config as given; ``seed`` follows from content and config, so that the same input
    gives the same film."""

    __tablename__ = "inputs"

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    input_mode: Mapped[str]
    input_type: Mapped[str]
    content: Mapped[str]
    config: Mapped[dict[str, Any]]
    language: Mapped[str]
    subtitle_enabled: Mapped[bool]
    seed: Mapped[str]
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)


class AttachmentRow(Base):
    __tablename__ = "attachments"

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(index=True)
    project_id: Mapped[str | None] = mapped_column(ForeignKey("projects.id", ondelete="SET NULL"), index=True)
    upload_id: Mapped[str] = mapped_column(unique=True)
    artifact_id: Mapped[str] = mapped_column(ForeignKey("artifacts.id"))
    file_name: Mapped[str]
    file_type: Mapped[str]
    file_category: Mapped[str]
    file_size: Mapped[int]
    label: Mapped[str | None]
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


async def input_of(session: AsyncSession, project_id: str) -> InputRow | None:
    return await session.get(InputRow, project_id)


async def readable_attachments(session: AsyncSession, actor: Actor, ids: list[str]) -> list[AttachmentRow]:
    rows = await session.scalars(
        select(AttachmentRow).where(AttachmentRow.id.in_(ids), may_see(actor, AttachmentRow.tenant_id))
    )
    return list(rows)


async def attachment_by_upload(session: AsyncSession, upload_id: str) -> AttachmentRow | None:
    return await session.scalar(select(AttachmentRow).where(AttachmentRow.upload_id == upload_id))


async def project_attachments(
    session: AsyncSession, project_id: str, category: str | None = None
) -> list[AttachmentRow]:
    statement = select(AttachmentRow).where(AttachmentRow.project_id == project_id)
    if category is not None:
        statement = statement.where(AttachmentRow.file_category == category)
    return list(await session.scalars(statement.order_by(AttachmentRow.created_at, AttachmentRow.id)))
