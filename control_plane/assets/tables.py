"""The asset library: styles, characters, voices and music, the presets and everybody's own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, and_, case, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from control_plane.accounts.access import AnySelect, may_see, role_in
from control_plane.accounts.actor import Access, Actor
from control_plane.artifacts.tables import PUBLIC_TENANT
from runtime.database import Base, utc_now

MOST_OPTIONS = 200
"""How many assets of a kind the options list; the library's own lists page through all of them."""


class AssetRow(Base):
    """``attributes`` holds what only one type has; ``content_artifact_id`` is its picture or its sound. A deleted asset
    keeps its row, since projects that use it go on. ``preview_asked_at``: when a preset's was queued to be made."""

    __tablename__ = "assets"
    __table_args__ = (
        CheckConstraint("asset_type IN ('character', 'style', 'voice', 'music')", name="asset_type"),
        Index("ix_assets_tenant_id", "tenant_id", "asset_type", "created_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str]
    asset_type: Mapped[str]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    category_id: Mapped[str | None]
    search_text: Mapped[str] = mapped_column(default="")
    content_artifact_id: Mapped[str | None] = mapped_column(ForeignKey("artifacts.id"))
    thumbnail_artifact_id: Mapped[str | None] = mapped_column(ForeignKey("artifacts.id"))
    is_preset: Mapped[bool] = mapped_column(default=False)
    display_order: Mapped[int] = mapped_column(default=0)
    usage_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)
    deleted_at: Mapped[datetime | None]
    preview_asked_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Filter:
    """What a list asks for; everything absent lets all pass. ``keyword`` is a search key (see rules.py)."""

    keyword: str = ""
    is_preset: bool | None = None
    categories: list[str] | None = None
    attributes: Mapping[str, str | None] = field(default_factory=dict)

    def conditions(self) -> Iterable[ColumnElement[bool]]:
        if self.keyword:
            yield func.strpos(AssetRow.search_text, self.keyword) > 0
        if self.is_preset is not None:
            yield AssetRow.is_preset == self.is_preset
        if self.categories is not None:
            yield AssetRow.category_id.in_(self.categories)
        for name, value in self.attributes.items():
            if value is not None:
                yield func.lower(AssetRow.attributes[name].astext) == func.lower(value)


def _in_space(actor: Actor, asset_type: str) -> ColumnElement[bool]:
    return and_(
        AssetRow.asset_type == asset_type,
        AssetRow.deleted_at.is_(None),
        AssetRow.tenant_id.in_([actor.tenant_id, PUBLIC_TENANT]),
    )


# Presets in their order, then what the space owns, the newest first.
_ORDER = (
    AssetRow.is_preset.desc(),
    AssetRow.display_order,
    AssetRow.created_at.desc(),
    AssetRow.id.desc(),
)


async def page_of(
    session: AsyncSession, actor: Actor, asset_type: str, wanted: Filter, *, page: int, page_size: int
) -> tuple[list[AssetRow], int]:
    """One page of the presets and what the current space owns, and how many there are in all. Two queries."""
    conditions = [_in_space(actor, asset_type), *wanted.conditions()]
    total = await session.scalar(select(func.count()).select_from(AssetRow).where(*conditions)) or 0
    rows = await session.scalars(
        select(AssetRow).where(*conditions).order_by(*_ORDER).offset((page - 1) * page_size).limit(page_size)
    )
    return list(rows), total


async def visible_assets(session: AsyncSession, actor: Actor, asset_type: str) -> list[AssetRow]:
    """The presets and the newest of what the current space owns."""
    rows = await session.scalars(
        select(AssetRow).where(_in_space(actor, asset_type)).order_by(*_ORDER).limit(MOST_OPTIONS)
    )
    return list(rows)


async def visible_asset(session: AsyncSession, actor: Actor, asset_type: str, asset_id: str) -> AssetRow | None:
    """A preset, or an asset of the actor's own or of a team of theirs."""
    return await session.scalar(
        select(AssetRow).where(
            AssetRow.id == asset_id,
            AssetRow.asset_type == asset_type,
            AssetRow.deleted_at.is_(None),
            or_(AssetRow.tenant_id == PUBLIC_TENANT, may_see(actor, AssetRow.tenant_id)),
        )
    )


def named_assets(actor: Actor, asset_type: str, asset_ids: list[str]) -> AnySelect:
    """The assets with the actor's role in their tenants, locked for an actor that writes. Everybody is a viewer of a
    preset. For a statement that may be the only one to look at the session, see access.py."""
    is_public = AssetRow.tenant_id == PUBLIC_TENANT
    logged_in = may_see(actor, literal(actor.user_id))  # whoever is, sees the own space
    statement = (
        select(AssetRow, case((is_public, literal("viewer")), else_=role_in(actor, AssetRow.tenant_id)))
        .where(
            AssetRow.id.in_(asset_ids),
            AssetRow.asset_type == asset_type,
            AssetRow.deleted_at.is_(None),
            or_(and_(is_public, logged_in), may_see(actor, AssetRow.tenant_id)),
        )
        .order_by(AssetRow.id)
    )
    return statement if actor.needs is Access.READ else statement.with_for_update(of=AssetRow)


async def asset_by_id(session: AsyncSession, asset_id: str) -> AssetRow | None:
    """Deleted ones too: what was made with one is made again as it was."""
    return await session.get(AssetRow, asset_id)


async def assets_by_ids(session: AsyncSession, asset_ids: set[str]) -> dict[str, AssetRow]:
    """Deleted ones too."""
    rows = await session.scalars(select(AssetRow).where(AssetRow.id.in_(asset_ids)))
    return {row.id: row for row in rows}


async def presets(session: AsyncSession) -> dict[str, AssetRow]:
    """Those withdrawn too."""
    return {row.id: row for row in await session.scalars(select(AssetRow).where(AssetRow.is_preset))}


async def lock_unseen_presets(
    session: AsyncSession, which: ColumnElement[bool], asset_types: Sequence[str]
) -> list[AssetRow]:
    """Presets whose preview nobody has asked for, in their order; locked in the order of their ids, as by count_use."""
    rows = await session.scalars(
        select(AssetRow)
        .where(
            which,
            AssetRow.tenant_id == PUBLIC_TENANT,
            AssetRow.is_preset,
            AssetRow.asset_type.in_(asset_types),
            AssetRow.deleted_at.is_(None),
            AssetRow.preview_asked_at.is_(None),
        )
        .order_by(AssetRow.id)
        .with_for_update(key_share=True)
    )
    return sorted(rows, key=lambda row: row.display_order)


async def note_preview_asked(session: AsyncSession, asset_ids: Sequence[str]) -> None:
    await session.execute(
        update(AssetRow)
        .where(AssetRow.id.in_(asset_ids))
        .values(preview_asked_at=utc_now(), updated_at=AssetRow.updated_at)
        .execution_options(synchronize_session=False)
    )


async def count_use(session: AsyncSession, *asset_ids: str) -> None:
    """Somebody chose these assets for a project. Whoever holds a project's lock took it before: everybody locks the
    project first, then assets in the order of their ids."""
    for asset_id in sorted(set(asset_ids)):
        await session.execute(
            update(AssetRow)
            .where(AssetRow.id == asset_id)
            .values(usage_count=AssetRow.usage_count + 1, updated_at=AssetRow.updated_at)
            .execution_options(synchronize_session=False)
        )


async def music_of_artifact(session: AsyncSession, actor: Actor, artifact_id: str) -> AssetRow | None:
    """The music asset that a sound is, where the actor may see one; presets first."""
    return await session.scalar(
        select(AssetRow)
        .where(
            AssetRow.content_artifact_id == artifact_id,
            AssetRow.asset_type == "music",
            AssetRow.deleted_at.is_(None),
            or_(AssetRow.tenant_id == PUBLIC_TENANT, may_see(actor, AssetRow.tenant_id)),
        )
        .order_by(AssetRow.is_preset.desc(), AssetRow.created_at)
        .limit(1)
    )


async def first_preset(session: AsyncSession, asset_type: str) -> AssetRow | None:
    return await session.scalar(
        select(AssetRow)
        .where(AssetRow.is_preset, AssetRow.asset_type == asset_type)
        .order_by(AssetRow.display_order, AssetRow.id)
        .limit(1)
    )
