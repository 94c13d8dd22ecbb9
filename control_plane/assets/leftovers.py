"""What is left of the assets of a team that is deleted."""

from sqlalchemy import delete, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.assets.tables import AssetRow
from control_plane.inputs.tables import InputRow
from control_plane.materials.tables import CharacterVoiceRow, PackageRow
from control_plane.timeline.tables import SpeechLineRow

_NAMED_BY = (
    CharacterVoiceRow.asset_id,
    SpeechLineRow.voice_asset_id,
    PackageRow.narrator_voice_id,
    InputRow.config["style_id"].astext,
    InputRow.config["subject_id"].astext,
)


async def remove_leftovers(session: AsyncSession, tenant_id: str) -> None:
    """The rows of assets that were deleted before, and with them what they keep in the store; not of those that a
    project of another space goes on with."""
    deleted = select(AssetRow.id).where(AssetRow.tenant_id == tenant_id, AssetRow.deleted_at.is_not(None))
    ids = set(await session.scalars(deleted))
    if ids:
        ids -= set(await session.scalars(union(*(select(column).where(column.in_(ids)) for column in _NAMED_BY))))
        await session.execute(delete(AssetRow).where(AssetRow.id.in_(ids)))
