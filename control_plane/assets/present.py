"""Rows of the library as the API shows them."""

from control_plane.assets.schemas import CharacterItem, MusicItem, StyleItem, VoiceItem
from control_plane.assets.tables import AssetRow


def character(row: AssetRow) -> CharacterItem:
    picture = row.content_artifact_id or ""
    return CharacterItem(
        id=row.id,
        character_name=row.name,
        character_type=row.attributes["gender"],
        description=row.description,
        personality=row.attributes["personality"],
        appearance=row.attributes["appearance"],
        image_url=picture,
        thumbnail_url=row.thumbnail_artifact_id or "",
        images={"front_view": picture} if picture else {},
        is_preset=row.is_preset,
        usage_count=row.usage_count,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def style(row: AssetRow) -> StyleItem:
    return StyleItem(
        id=row.id,
        style_name=row.name,
        description=row.description or None,
        prompt_template=row.attributes["prompt_template"],
        preview_image_url=row.content_artifact_id or "",
        thumbnail_url=row.thumbnail_artifact_id or "",
        color_palette=row.attributes["color_palette"],
        visual_keywords=row.attributes["visual_keywords"],
        is_preset=row.is_preset,
        usage_count=row.usage_count,
        created_at=row.created_at,
    )


def voice(row: AssetRow) -> VoiceItem:
    return VoiceItem(
        id=row.id,
        voice_name=row.name,
        voice_type=row.attributes["use"],
        voice_id=row.attributes["voice"],
        description=row.description or None,
        audio_sample_url=row.content_artifact_id or "",
        gender=row.attributes["gender"],
        age_range=row.attributes["age_range"],
        tone=row.attributes["tone"],
        language=row.attributes["language"],
        is_preset=row.is_preset,
        usage_count=row.usage_count,
        created_at=row.created_at,
    )


def music(row: AssetRow) -> MusicItem:
    return MusicItem(
        id=row.id,
        music_name=row.name,
        description=row.description or None,
        audio_url=row.content_artifact_id or "",
        duration=row.attributes["duration_s"],
        genre=row.attributes.get("genre"),
        mood=row.attributes.get("mood"),
        tempo=row.attributes.get("tempo"),
        instruments=row.attributes.get("instruments"),
        thumbnail_url=row.thumbnail_artifact_id,
        is_preset=row.is_preset,
        usage_count=row.usage_count,
        created_at=row.created_at,
    )
