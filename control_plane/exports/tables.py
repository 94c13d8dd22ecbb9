"""Exports and the files they made."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from control_plane.accounts.access import granted, may_see, role_in
from control_plane.accounts.actor import Actor
from control_plane.errors import NotFound
from control_plane.projects.tables import ProjectRow, granted_in_project
from runtime.database import Base, utc_now


class ExportRow(Base):
    """``waiting``: something of the film is still being made; the encoding is queued when it is there."""

    __tablename__ = "export_tasks"

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    package_id: Mapped[str] = mapped_column(ForeignKey("material_packages.id", ondelete="CASCADE"))
    name: Mapped[str]
    config: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(default="pending")
    waiting: Mapped[bool] = mapped_column(default=True)
    job_id: Mapped[str]
    task_id: Mapped[str | None]
    edit_count: Mapped[int] = mapped_column(default=0)
    error_message: Mapped[str | None]
    completed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class ExportFileRow(Base):
    __tablename__ = "export_files"

    id: Mapped[str] = mapped_column(primary_key=True)
    export_id: Mapped[str] = mapped_column(ForeignKey("export_tasks.id", ondelete="CASCADE"), index=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    file_type: Mapped[str]
    file_name: Mapped[str]
    artifact_id: Mapped[str] = mapped_column(ForeignKey("artifacts.id"))
    file_size: Mapped[int] = mapped_column(BigInteger)
    duration_s: Mapped[float | None]
    resolution: Mapped[str | None]
    format: Mapped[str | None]
    download_count: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


async def load_export(session: AsyncSession, actor: Actor, export_id: str) -> tuple[ExportRow, ProjectRow]:
    """An export with its project, the project locked for an actor that writes. Raises NotFound."""
    statement = (
        select(ExportRow, ProjectRow, role_in(actor, ProjectRow.tenant_id))
        .join(ProjectRow, ProjectRow.id == ExportRow.project_id)
        .where(ExportRow.id == export_id)
    )
    export, project = await granted_in_project(session, actor, statement, "导出任务不存在", "no such export", "task_id")
    return export, project


async def job_of(session: AsyncSession, actor: Actor, export_id: str) -> str:
    """The export's job, without locking anything. Raises NotFound and Forbidden."""
    statement = (
        select(ExportRow.job_id, role_in(actor, ProjectRow.tenant_id))
        .join(ProjectRow, ProjectRow.id == ExportRow.project_id)
        .where(ExportRow.id == export_id, may_see(actor, ProjectRow.tenant_id))
    )
    missing = NotFound("导出任务不存在", "no such export", field="task_id")
    (job_id,) = await granted(session, actor, statement, missing)
    return job_id


async def export_by_id(session: AsyncSession, export_id: str) -> ExportRow | None:
    return await session.get(ExportRow, export_id, populate_existing=True)


async def waiting_exports(session: AsyncSession, project_id: str) -> list[ExportRow]:
    rows = await session.scalars(
        select(ExportRow)
        .where(ExportRow.project_id == project_id, ExportRow.status == "pending", ExportRow.waiting)
        .order_by(ExportRow.created_at)
    )
    return list(rows)


async def history_of(
    session: AsyncSession, project_id: str, *, page: int, page_size: int
) -> tuple[list[ExportRow], int]:
    """A page of the exports that ended, the latest first, and how many there are in all."""
    over = select(ExportRow).where(ExportRow.project_id == project_id, ExportRow.status != "pending")
    total = await session.scalar(select(func.count()).select_from(over.subquery())) or 0
    latest = over.order_by(func.coalesce(ExportRow.completed_at, ExportRow.created_at).desc(), ExportRow.id.desc())
    return list(await session.scalars(latest.limit(page_size).offset((page - 1) * page_size))), total


async def summaries_of(session: AsyncSession, export_ids: list[str]) -> dict[str, tuple[int, int]]:
    """How many videos, and bytes of all files, there are of each export that has any."""
    rows = await session.execute(
        select(
            ExportFileRow.export_id,
            func.count().filter(ExportFileRow.file_type == "video"),
            func.sum(ExportFileRow.file_size),
        )
        .where(ExportFileRow.export_id.in_(export_ids), _is_kept())
        .group_by(ExportFileRow.export_id)
    )
    return {export_id: (videos, int(size)) for export_id, videos, size in rows}


def _is_kept() -> ColumnElement[bool]:
    return or_(ExportFileRow.expires_at.is_(None), ExportFileRow.expires_at > func.now())


async def delete_expired_files(session: AsyncSession) -> None:
    """Forget the files whose time is over, everybody's: what they name in the store is then free."""
    await session.execute(delete(ExportFileRow).where(ExportFileRow.expires_at <= func.now()))


async def files_of(session: AsyncSession, project_id: str) -> list[ExportFileRow]:
    rows = await session.scalars(
        select(ExportFileRow)
        .where(ExportFileRow.project_id == project_id, _is_kept())
        .order_by(ExportFileRow.created_at.desc(), ExportFileRow.id)
    )
    return list(rows)


async def load_file(session: AsyncSession, actor: Actor, file_id: str) -> ExportFileRow:
    statement = (
        select(ExportFileRow, role_in(actor, ProjectRow.tenant_id))
        .join(ProjectRow, ProjectRow.id == ExportFileRow.project_id)
        .where(ExportFileRow.id == file_id, _is_kept())
    )
    (row,) = await granted_in_project(session, actor, statement, "文件不存在", "no such file", "file_id")
    return row


async def count_download(session: AsyncSession, file_id: str) -> None:
    await session.execute(
        update(ExportFileRow).where(ExportFileRow.id == file_id).values(download_count=ExportFileRow.download_count + 1)
    )
