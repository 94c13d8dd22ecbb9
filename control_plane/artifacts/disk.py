"""How much of the store a tenant fills, and the limit.

The counts are kept by a trigger (migration 0007) that runs when a transaction commits, so that whoever writes artifacts
is counted, and the tenant's row is the last that any transaction locks.
"""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.artifacts.tables import PUBLIC_TENANT, ArtifactRow, DiskAccountRow
from control_plane.errors import StorageFull
from runtime.settings import Settings


async def usage(session: AsyncSession, tenant_id: str, settings: Settings) -> tuple[int, int]:
    """Bytes used, and the limit."""
    account = (
        await session.execute(
            select(DiskAccountRow.used_bytes, DiskAccountRow.limit_bytes).where(DiskAccountRow.tenant_id == tenant_id)
        )
    ).first()
    used, limit = account if account is not None else (0, None)
    return used, settings.tenant_disk_bytes if limit is None else limit


async def check(session: AsyncSession, settings: Settings, tenant_id: str, size: int) -> None:
    """Whether ``size`` more bytes fit. Raises StorageFull.

    What is being stored at the same moment is not counted yet: a limit can be passed by as much as runs at once.
    """
    if tenant_id == PUBLIC_TENANT:
        return
    used, limit = await usage(session, tenant_id, settings)
    if used + size > limit:
        raise StorageFull(
            f"已用 {used} 字节，上限 {limit} 字节；请删除不再需要的项目",
            f"{used} bytes of {limit} are used; delete projects that you no longer need",
        )


async def set_limit(session: AsyncSession, tenant_id: str, limit_bytes: int | None) -> None:
    """A limit of the tenant's own, or that of the settings again."""
    row = {"tenant_id": tenant_id, "used_bytes": 0, "limit_bytes": limit_bytes}
    statement = insert(DiskAccountRow).values(row)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[DiskAccountRow.tenant_id], set_={"limit_bytes": statement.excluded.limit_bytes}
        )
    )


async def counted_anew(session: AsyncSession) -> dict[str, int]:
    """Used bytes by tenant, from the artifacts themselves: what the accounts must say."""
    distinct = (
        select(ArtifactRow.tenant_id, ArtifactRow.key, func.max(ArtifactRow.size).label("size"))
        .where(ArtifactRow.key.is_not(None))
        .group_by(ArtifactRow.tenant_id, ArtifactRow.key)
        .subquery()
    )
    rows: Any = await session.execute(
        select(distinct.c.tenant_id, func.sum(distinct.c.size)).group_by(distinct.c.tenant_id)
    )
    return {tenant_id: int(size) for tenant_id, size in rows}
