"""A package's rows as the API shows them."""

from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.assets import tables as assets
from control_plane.materials import tables
from control_plane.materials.schemas import (
    ArtStyleMaterial,
    CharacterImage,
    CharacterMaterial,
    CharacterVoice,
    Materials,
    SceneImage,
    SceneMaterial,
    StoryboardMaterial,
    StorylineMaterial,
)
from models.specs import ArtStyle, Character, Framing, Scene, Shot, Storyline


async def materials(session: AsyncSession, package_id: str) -> Materials:
    """Everything a package holds, in a constant number of queries. Parts that are not there yet are absent."""
    elements = await tables.elements_of(session, package_id)
    ids = [element.id for element in elements]
    images: dict[str, list[tables.ImageRow]] = {}
    for image in await tables.images_of(session, ids):
        if image.status != "failed":
            images.setdefault(image.element_id, []).append(image)
    voices: dict[str, list[tables.CharacterVoiceRow]] = {}
    for voice in await tables.voices_of(session, ids):
        voices.setdefault(voice.element_id, []).append(voice)
    voice_assets = await assets.assets_by_ids(session, {row.asset_id for rows in voices.values() for row in rows})
    by_kind: dict[str, list[tables.ElementRow]] = {}
    for element in elements:
        by_kind.setdefault(element.kind, []).append(element)
    scene_ids = {row.data["name"]: row.id for row in by_kind.get("scene", [])}
    character_ids = {row.data["name"]: row.id for row in by_kind.get("character", [])}
    characters = [
        _character(row, images.get(row.id, []), voices.get(row.id, []), voice_assets)
        for row in by_kind.get("character", [])
    ]
    scenes = [_scene(row, images.get(row.id, [])) for row in by_kind.get("scene", [])]
    shots = [_shot(row, images.get(row.id, []), scene_ids, character_ids) for row in by_kind.get("storyboard", [])]
    storyline = next(iter(by_kind.get("storyline", [])), None)
    style = next(iter(by_kind.get("artstyle", [])), None)
    return Materials(
        storyline=_storyline(storyline) if storyline else None,
        art_style=_style(style, images.get(style.id, [])) if style else None,
        characters=characters or None,
        scenes=scenes or None,
        storyboards=shots or None,
    )


def _storyline(row: tables.ElementRow) -> StorylineMaterial:
    data = Storyline.model_validate(row.data)
    return StorylineMaterial(id=row.id, **data.model_dump(exclude={"language"}), is_selected=row.is_selected)


def _style(row: tables.ElementRow, images: list[tables.ImageRow]) -> ArtStyleMaterial:
    data = ArtStyle.model_validate(row.data)
    selected = next((image for image in images if image.is_selected), None)
    return ArtStyleMaterial(
        id=row.id,
        style_name=data.style_name,
        description=data.description,
        prompt_template=data.prompt_template,
        reference_image_url=selected.artifact_id if selected else "",
        is_selected=row.is_selected,
    )


def _character(
    row: tables.ElementRow,
    images: list[tables.ImageRow],
    voices: list[tables.CharacterVoiceRow],
    voice_assets: dict[str, assets.AssetRow],
) -> CharacterMaterial:
    data = Character.model_validate(row.data)
    return CharacterMaterial(
        id=row.id,
        character_name=data.name,
        character_type=data.character_type,
        description=data.description,
        personality=data.personality,
        appearance=data.appearance,
        voice_style=data.voice_style,
        images=[
            CharacterImage(
                id=image.id,
                image_type=image.image_type,
                image_url=image.artifact_id,
                thumbnail_url=image.thumbnail_artifact_id,
                is_selected=image.is_selected,
            )
            for image in images
        ],
        voices=[
            CharacterVoice(
                id=voice.id,
                voice_name=voice_assets[voice.asset_id].name,
                voice_id=voice.asset_id,
                audio_sample_url=voice_assets[voice.asset_id].content_artifact_id or "",
                is_selected=voice.is_selected,
            )
            for voice in voices
        ],
        is_selected=row.is_selected,
    )


def _scene(row: tables.ElementRow, images: list[tables.ImageRow]) -> SceneMaterial:
    data = Scene.model_validate(row.data)
    return SceneMaterial(
        id=row.id,
        scene_name=data.name,
        scene_type=data.scene_type,
        description=data.description,
        atmosphere=data.atmosphere,
        lighting=data.lighting,
        camera_angle=data.camera_angle,
        images=[
            SceneImage(
                id=image.id,
                image_url=image.artifact_id,
                thumbnail_url=image.thumbnail_artifact_id,
                is_selected=image.is_selected,
            )
            for image in images
        ],
        is_selected=row.is_selected,
    )


def _shot(
    row: tables.ElementRow,
    images: list[tables.ImageRow],
    scene_ids: dict[str, str],
    character_ids: dict[str, str],
) -> StoryboardMaterial:
    data = Shot.model_validate(row.data)
    selected = next((i for i in images if i.is_selected and i.image_type == Framing.SHOT), None)
    names = [name for name in data.characters if name in character_ids]
    lines = "\n".join(f"{line.character}：{line.text}" for line in data.dialogue)
    return StoryboardMaterial(
        id=row.id,
        shot_number=data.shot_number,
        shot_type=data.shot_type.value,
        scene_id=scene_ids.get(data.scene) if data.scene else None,
        character_id=character_ids[names[0]] if names else None,
        description=data.description,
        dialogue=lines or None,
        action=data.action or None,
        duration=data.duration_s,
        camera_movement=data.camera_movement.value,
        transition=data.transition.value,
        reference_image_url=selected.artifact_id if selected else None,
        is_selected=row.is_selected,
    )
