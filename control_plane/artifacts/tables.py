"""Artifacts: the rows behind every file URL. ``key`` is null until the file is there."""

from datetime import datetime

from sqlalchemy import BigInteger, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from control_plane.accounts.access import may_see
from control_plane.accounts.actor import Actor
from models.specs import StoredArtifact
from runtime.database import Base, utc_now
from runtime.ids import new_id


class ArtifactRow(Base):
    __tablename__ = "artifacts"

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(index=True)
    key: Mapped[str | None] = mapped_column(index=True)
    media_type: Mapped[str | None]
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    sha256: Mapped[str | None]
    file_name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


PUBLIC_TENANT = "public"
"""Owner of what ships with the product; everybody may read it."""


async def promise(session: AsyncSession, tenant_id: str, file_name: str) -> str:
    """The id of a file that is still to be made; its URL answers 404 with Retry-After until then."""
    row = ArtifactRow(id=new_id("art"), tenant_id=tenant_id, file_name=file_name)
    session.add(row)
    await session.flush()
    return row.id


async def keep(session: AsyncSession, tenant_id: str, file_name: str, stored: StoredArtifact) -> str:
    """The id of a file that is in the store."""
    artifact_id = await promise(session, tenant_id, file_name)
    await fulfil(session, artifact_id, stored)
    return artifact_id


async def fulfil(session: AsyncSession, artifact_id: str, stored: StoredArtifact) -> None:
    await session.execute(
        update(ArtifactRow)
        .where(ArtifactRow.id == artifact_id)
        .values(key=stored.key, media_type=stored.media_type, size=stored.size, sha256=stored.sha256)
    )


async def artifact(session: AsyncSession, artifact_id: str) -> ArtifactRow | None:
    return await session.get(ArtifactRow, artifact_id, populate_existing=True)


async def readable_artifact(session: AsyncSession, actor: Actor, artifact_id: str) -> ArtifactRow | None:
    """One that ships with the product, or that belongs to the actor or a team of theirs."""
    return await session.scalar(
        select(ArtifactRow)
        .where(
            ArtifactRow.id == artifact_id,
            or_(ArtifactRow.tenant_id == PUBLIC_TENANT, may_see(actor, ArtifactRow.tenant_id)),
        )
        .execution_options(populate_existing=True)
    )


async def keys_of(session: AsyncSession, artifact_ids: list[str]) -> dict[str, str]:
    """Store keys by artifact id, of those that are there."""
    rows = await session.execute(
        select(ArtifactRow.id, ArtifactRow.key).where(ArtifactRow.id.in_(artifact_ids), ArtifactRow.key.is_not(None))
    )
    return {artifact_id: key for artifact_id, key in rows if key is not None}
