"""The asset library: styles, characters, voices and music, the presets and everybody's own."""

from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from control_plane.accounts.access import may_see
from control_plane.accounts.actor import Actor
from control_plane.artifacts.tables import PUBLIC_TENANT
from runtime.database import Base, utc_now


class AssetRow(Base):
    """``attributes`` holds what only one type has; ``content_artifact_id`` is its picture or its sound."""

    __tablename__ = "assets"

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(index=True)
    asset_type: Mapped[str]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    content_artifact_id: Mapped[str | None]
    thumbnail_artifact_id: Mapped[str | None]
    is_preset: Mapped[bool] = mapped_column(default=False)
    display_order: Mapped[int] = mapped_column(default=0)
    usage_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)


async def visible_assets(session: AsyncSession, actor: Actor, asset_type: str) -> list[AssetRow]:
    """The presets and what the current space owns."""
    rows = await session.scalars(
        select(AssetRow)
        .where(
            AssetRow.asset_type == asset_type,
            or_(AssetRow.tenant_id == actor.tenant_id, AssetRow.tenant_id == PUBLIC_TENANT),
        )
        .order_by(AssetRow.is_preset.desc(), AssetRow.display_order, AssetRow.created_at)
    )
    return list(rows)


async def visible_asset(session: AsyncSession, actor: Actor, asset_type: str, asset_id: str) -> AssetRow | None:
    """A preset, or an asset of the actor's own or of a team of theirs."""
    return await session.scalar(
        select(AssetRow).where(
            AssetRow.id == asset_id,
            AssetRow.asset_type == asset_type,
            or_(AssetRow.tenant_id == PUBLIC_TENANT, may_see(actor, AssetRow.tenant_id)),
        )
    )


async def asset_by_id(session: AsyncSession, asset_id: str) -> AssetRow | None:
    return await session.get(AssetRow, asset_id)


async def assets_by_ids(session: AsyncSession, asset_ids: set[str]) -> dict[str, AssetRow]:
    rows = await session.scalars(select(AssetRow).where(AssetRow.id.in_(asset_ids)))
    return {row.id: row for row in rows}


async def preset_ids(session: AsyncSession) -> set[str]:
    return set(await session.scalars(select(AssetRow.id).where(AssetRow.is_preset)))


async def count_use(session: AsyncSession, asset_id: str) -> None:
    await session.execute(update(AssetRow).where(AssetRow.id == asset_id).values(usage_count=AssetRow.usage_count + 1))
