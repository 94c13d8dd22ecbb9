"""What a project is made from: its text and configuration, and the files attached to it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, and_, delete, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from control_plane.accounts.access import granted, may_see, role_in
from control_plane.accounts.actor import Actor
from control_plane.errors import NotFound
from control_plane.projects.tables import ProjectRow
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


def origin_of(row: AttachmentRow) -> str:
    """The upload that an attachment, or what it is a copy of, came by."""
    return row.upload_id.partition("@")[0]


async def input_of(session: AsyncSession, project_id: str) -> InputRow | None:
    return await session.get(InputRow, project_id)


async def lock_attachments(session: AsyncSession, project: ProjectRow, ids: list[str]) -> list[AttachmentRow]:
    """What the project has, and what is named of all that its space owns. In the order of their ids."""
    rows = await session.scalars(
        select(AttachmentRow)
        .where(
            or_(
                AttachmentRow.project_id == project.id,
                and_(AttachmentRow.id.in_(ids), AttachmentRow.tenant_id == project.tenant_id),
            )
        )
        .order_by(AttachmentRow.id)
        .with_for_update(of=AttachmentRow)
        .execution_options(populate_existing=True)
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


async def delete_attachments(session: AsyncSession, project_id: str) -> None:
    await session.execute(delete(AttachmentRow).where(AttachmentRow.project_id == project_id))


async def delete_of_tenant(session: AsyncSession, tenant_id: str) -> None:
    """The templates of a space without projects, and the attachments that belong to no project."""
    await lock_templates(session, tenant_id)
    await session.execute(delete(ConfigTemplateRow).where(ConfigTemplateRow.tenant_id == tenant_id))
    loose = AttachmentRow.tenant_id == tenant_id, AttachmentRow.project_id.is_(None)
    await session.execute(delete(AttachmentRow).where(*loose))


class ConfigTemplateRow(Base):
    """A configuration that a space keeps for its projects; at most one is the space's default. ``config_data`` holds
    the fields that were given."""

    __tablename__ = "config_templates"
    __table_args__ = (
        Index("uq_config_templates_default", "tenant_id", unique=True, postgresql_where=text("is_default")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(index=True)
    template_name: Mapped[str]
    config_data: Mapped[dict[str, Any]]
    is_default: Mapped[bool] = mapped_column(default=False)
    usage_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)


async def load_attachment(
    session: AsyncSession, actor: Actor, attachment_id: str, *, lock: bool = False
) -> AttachmentRow:
    """An attachment; whoever locks one of a project locks the project first. Raises NotFound and Forbidden."""
    statement = select(AttachmentRow, role_in(actor, AttachmentRow.tenant_id)).where(
        AttachmentRow.id == attachment_id, may_see(actor, AttachmentRow.tenant_id)
    )
    if lock:
        statement = statement.with_for_update(of=AttachmentRow)
    missing = NotFound("附件不存在", "no such attachment", field="attachment_id")
    (row,) = await granted(session, actor, statement, missing)
    return row


async def load_template(session: AsyncSession, actor: Actor, template_id: str) -> ConfigTemplateRow:
    """Raises NotFound and Forbidden."""
    statement = select(ConfigTemplateRow, role_in(actor, ConfigTemplateRow.tenant_id)).where(
        ConfigTemplateRow.id == template_id, may_see(actor, ConfigTemplateRow.tenant_id)
    )
    missing = NotFound("模板不存在", "no such template", field="template_id")
    (row,) = await granted(session, actor, statement, missing)
    return row


async def lock_templates(session: AsyncSession, tenant_id: str) -> None:
    """Whoever adds a template or chooses the default of a space takes turns with others."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"config_templates {tenant_id}", 0))))


async def templates_of(session: AsyncSession, tenant_id: str) -> list[ConfigTemplateRow]:
    """The default first, then the newest first."""
    rows = await session.scalars(
        select(ConfigTemplateRow)
        .where(ConfigTemplateRow.tenant_id == tenant_id)
        .order_by(ConfigTemplateRow.is_default.desc(), ConfigTemplateRow.created_at.desc(), ConfigTemplateRow.id)
    )
    return list(rows)


async def count_templates(session: AsyncSession, tenant_id: str) -> int:
    statement = select(func.count()).select_from(ConfigTemplateRow).where(ConfigTemplateRow.tenant_id == tenant_id)
    return await session.scalar(statement) or 0


async def readable_template(session: AsyncSession, actor: Actor, template_id: str) -> ConfigTemplateRow | None:
    return await session.scalar(
        select(ConfigTemplateRow).where(
            ConfigTemplateRow.id == template_id, may_see(actor, ConfigTemplateRow.tenant_id)
        )
    )


async def default_template(session: AsyncSession, tenant_id: str) -> ConfigTemplateRow | None:
    return await session.scalar(
        select(ConfigTemplateRow).where(ConfigTemplateRow.tenant_id == tenant_id, ConfigTemplateRow.is_default)
    )


async def clear_default(session: AsyncSession, tenant_id: str) -> None:
    """The caller holds the lock of the space's templates."""
    await session.execute(
        update(ConfigTemplateRow)
        .where(ConfigTemplateRow.tenant_id == tenant_id, ConfigTemplateRow.is_default)
        .values(is_default=False)
    )


async def count_use_of_template(session: AsyncSession, template_id: str) -> None:
    await session.execute(
        update(ConfigTemplateRow)
        .where(ConfigTemplateRow.id == template_id)
        .values(usage_count=ConfigTemplateRow.usage_count + 1, updated_at=ConfigTemplateRow.updated_at)
        .execution_options(synchronize_session=False)
    )
