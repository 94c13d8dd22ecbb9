"""Uploads from when an address for one is given out until it is registered or its time is over.

Each may hold as much as the largest file, so that much of the tenant's room is kept for it. A local store takes an
upload only while it is open. An object store takes them by presigned addresses that know neither this nor a size, since
the library that signs them signs no header: what is sent there beyond is refused at the registration, and collected.
"""

from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.artifacts import disk
from control_plane.artifacts.tables import UploadRow
from control_plane.errors import StorageFull, TooManyRequests
from runtime.artifacts import UPLOADS
from runtime.database import utc_now
from runtime.ids import new_id
from runtime.settings import Settings


def upload_key(upload_id: str) -> str:
    """Where an upload lies until it is registered."""
    return f"{UPLOADS}/{upload_id}"


async def issue(session: AsyncSession, settings: Settings, tenant_id: str, life_s: float) -> str:
    """The id of a new upload. Raises StorageFull where the tenant has no room left, TooManyRequests for too many open
    ones."""
    await disk.check(session, settings, tenant_id, 1)
    # One after the other, so that each counts those before.
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"uploads {tenant_id}", 0))))
    open_ones = await session.scalar(
        select(func.count()).where(UploadRow.tenant_id == tenant_id, UploadRow.expires_at > utc_now())
    )
    count, size = open_ones or 0, settings.upload_max_bytes
    if count >= settings.max_open_uploads:
        raise TooManyRequests(
            f"{count} 个上传尚未登记，请先登记", f"{count} uploads are not registered yet, register them first"
        )
    used, limit = await disk.usage(session, tenant_id, settings)
    if count and used + count * size >= limit:
        raise StorageFull(
            f"{count} 个上传尚未登记，各按 {size} 字节计，已无余量；请先登记",
            f"{count} uploads of up to {size} bytes are not registered yet and leave no room, register them first",
        )
    row = UploadRow(id=new_id("upl"), tenant_id=tenant_id, expires_at=utc_now() + timedelta(seconds=life_s))
    session.add(row)
    await session.flush()
    return row.id


async def is_open(session: AsyncSession, upload_id: str) -> bool:
    """Whether it may be sent, and registered; if so, it stays open until the transaction ends."""
    statement = select(UploadRow.id).where(UploadRow.id == upload_id, UploadRow.expires_at > utc_now())
    return await session.scalar(statement.with_for_update()) is not None


async def close(session: AsyncSession, upload_id: str) -> None:
    """It is being registered. Of two who register it at once, one waits here for the other."""
    await session.execute(delete(UploadRow).where(UploadRow.id == upload_id))
