"""Artifacts: the rows behind every file URL. ``key`` is null until the file is there."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import BigInteger, CheckConstraint, or_, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from control_plane.accounts.access import granted, may_see, role_in
from control_plane.accounts.actor import Actor
from control_plane.errors import NotFound
from control_plane.work import STORE
from models.specs import Provenance, StoredArtifact
from runtime.artifacts import ArtifactStore
from runtime.database import Base, utc_now
from runtime.ids import new_id


class ArtifactRow(Base):
    """``provenance``: how a file that the farm made was made (models.specs.Provenance); null for what was uploaded.
    ``unreferenced_since``: when the collector first found that nothing refers to it; null while something does."""

    __tablename__ = "artifacts"

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(index=True)
    key: Mapped[str | None] = mapped_column(index=True)
    media_type: Mapped[str | None]
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    sha256: Mapped[str | None]
    file_name: Mapped[str]
    provenance: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    unreferenced_since: Mapped[datetime | None] = mapped_column(index=True)


class DiskAccountRow(Base):
    """``used_bytes`` is the sum of a tenant's distinct objects. ``limit_bytes`` is null where the setting counts."""

    __tablename__ = "disk_accounts"
    __table_args__ = (CheckConstraint("used_bytes >= 0", name="used_not_negative"),)

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    used_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    limit_bytes: Mapped[int | None] = mapped_column(BigInteger)


class DiskObjectRow(Base):
    """An object that a tenant's artifacts name, and how many do."""

    __tablename__ = "disk_objects"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    artifacts: Mapped[int]


class CollectedObjectRow(Base):
    """An object that the collector removed, or is about to: whoever names its key again looks whether it is there."""

    __tablename__ = "collected_objects"

    key: Mapped[str] = mapped_column(primary_key=True)
    collected_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)


class UploadRow(Base):
    """An upload that an address was given out for and that is not registered yet."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(index=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ObjectGoneError(RuntimeError):
    """A result names an object that was collected before the result was applied."""


PUBLIC_TENANT = "public"
"""Owner of what ships with the product; everybody may read it."""


async def promise(session: AsyncSession, tenant_id: str, file_name: str) -> str:
    """The id of a file that is still to be made; its URL answers 404 with Retry-After until then."""
    row = ArtifactRow(id=new_id("art"), tenant_id=tenant_id, file_name=file_name)
    session.add(row)
    await session.flush()
    return row.id


async def keep(
    session: AsyncSession, tenant_id: str, file_name: str, stored: StoredArtifact, made: Provenance | None = None
) -> str:
    """The id of a file that is in the store."""
    artifact_id = await promise(session, tenant_id, file_name)
    await fulfil(session, artifact_id, stored, made)
    return artifact_id


async def share(session: AsyncSession, tenant_id: str, row: ArtifactRow) -> str:
    """The id of another artifact over the same stored file, so that what uses it outlives what it was taken from."""
    if row.key is None or row.media_type is None or row.sha256 is None:
        raise LookupError(f"artifact {row.id} is not there yet")
    stored = StoredArtifact(key=row.key, media_type=row.media_type, size=row.size, sha256=row.sha256)
    made = Provenance.model_validate(row.provenance) if row.provenance is not None else None
    return await keep(session, tenant_id, row.file_name, stored, made)


async def fulfil(
    session: AsyncSession, artifact_id: str, stored: StoredArtifact, made: Provenance | None = None
) -> None:
    """Raises ObjectGoneError where the collector was faster: an object without a row is garbage after a while."""
    await lock_key(session, stored.key, shared=True)
    if await session.get(CollectedObjectRow, stored.key, populate_existing=True) is not None:
        store: ArtifactStore = session.info[STORE]
        if await store.info_async(stored.key) is None:
            raise ObjectGoneError(f"{stored.key} was collected before it got a row")
    await session.execute(
        update(ArtifactRow)
        .where(ArtifactRow.id == artifact_id)
        .values(
            key=stored.key,
            media_type=stored.media_type,
            size=stored.size,
            sha256=stored.sha256,
            provenance=made.model_dump(mode="json", exclude_none=True) if made is not None else None,
        )
    )


async def lock_key(session: AsyncSession, key: str, *, shared: bool) -> None:
    """Until the end of the transaction: who names an object holds it shared, who removes it alone."""
    function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    await session.execute(text(f"SELECT {function}(hashtextextended(:key, 20047))"), {"key": key})


async def artifact(session: AsyncSession, artifact_id: str) -> ArtifactRow | None:
    return await session.get(ArtifactRow, artifact_id, populate_existing=True)


async def load_artifact(session: AsyncSession, actor: Actor, artifact_id: str) -> ArtifactRow:
    """One of the actor's or of a team of theirs. Raises NotFound, Forbidden, NotLoggedIn."""
    statement = select(ArtifactRow, role_in(actor, ArtifactRow.tenant_id)).where(
        ArtifactRow.id == artifact_id, may_see(actor, ArtifactRow.tenant_id)
    )
    missing = NotFound("文件不存在", "there is no such file", field="artifact_id")
    (row,) = await granted(session, actor, statement, missing)
    return cast(ArtifactRow, row)


async def readable_artifact(session: AsyncSession, actor: Actor, artifact_id: str) -> ArtifactRow | None:
    """One that ships with the product, or that belongs to the actor or a team of theirs.

    The caller may refer to it from now on: the collector begins to count anew.
    """
    row = await session.scalar(
        select(ArtifactRow)
        .where(
            ArtifactRow.id == artifact_id,
            or_(ArtifactRow.tenant_id == PUBLIC_TENANT, may_see(actor, ArtifactRow.tenant_id)),
        )
        .execution_options(populate_existing=True)
    )
    if row is not None and row.unreferenced_since is not None:
        row.unreferenced_since = None
        await session.flush()
    return row


async def keys_of(session: AsyncSession, artifact_ids: list[str]) -> dict[str, str]:
    """Store keys by artifact id, of those that are there."""
    rows = await session.execute(
        select(ArtifactRow.id, ArtifactRow.key).where(ArtifactRow.id.in_(artifact_ids), ArtifactRow.key.is_not(None))
    )
    return {artifact_id: key for artifact_id, key in rows if key is not None}


async def ids_of_keys(session: AsyncSession, tenant_id: str, keys: list[str]) -> dict[str, str]:
    """Artifact ids by store key, of those that the tenant or everybody may read; the oldest row of a key counts."""
    rows = await session.execute(
        select(ArtifactRow.key, ArtifactRow.id)
        .where(ArtifactRow.key.in_(keys), ArtifactRow.tenant_id.in_([tenant_id, PUBLIC_TENANT]))
        .order_by(ArtifactRow.created_at.desc(), ArtifactRow.id.desc())
    )
    return {key: artifact_id for key, artifact_id in rows if key is not None}
