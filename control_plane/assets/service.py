"""Listing the asset library."""

from control_plane.accounts.actor import Actor
from control_plane.assets import tables
from control_plane.assets.schemas import VoiceItem, VoiceQuery
from control_plane.web.models import Page
from control_plane.work import Work


async def list_voices(work: Work, actor: Actor, query: VoiceQuery) -> Page[VoiceItem]:
    """Voices that fit the query, presets first."""
    rows = await tables.visible_assets(work.session, actor, "voice")
    keyword = (query.keyword or "").casefold()
    fitting = [
        row
        for row in rows
        if (query.voice_type is None or row.attributes["use"] == query.voice_type)
        and (query.gender is None or row.attributes["gender"] == query.gender)
        and (query.language is None or row.attributes["language"] == query.language)
        and (query.is_preset is None or row.is_preset == query.is_preset)
        and keyword in f"{row.name} {row.description} {row.id}".casefold()
    ]
    start = (query.page - 1) * query.page_size
    return Page[VoiceItem](
        list=[_voice(row) for row in fitting[start : start + query.page_size]],
        total=len(fitting),
        page=query.page,
        page_size=query.page_size,
    )


def _voice(row: tables.AssetRow) -> VoiceItem:
    attributes = row.attributes
    return VoiceItem(
        id=row.id,
        voice_name=row.name,
        voice_type=attributes["use"],
        voice_id=attributes["voice"],
        description=row.description or None,
        audio_sample_url=row.content_artifact_id or "",
        gender=attributes["gender"],
        age_range=attributes["age_range"],
        tone=attributes["tone"],
        language=attributes["language"],
        is_preset=row.is_preset,
        usage_count=row.usage_count,
        created_at=row.created_at,
    )
