"""Creating and changing assets of the current space."""

from typing import Any

from control_plane.accounts.access import hold_space
from control_plane.accounts.actor import Actor
from control_plane.artifacts import disk
from control_plane.artifacts import tables as artifacts
from control_plane.artifacts.service import readable
from control_plane.artifacts.sound import sound_length_s
from control_plane.assets import library, media, present, presets, previews, rules, tables
from control_plane.assets.schemas import (
    CharacterItem,
    CreateCharacter,
    CreateMusic,
    CreateStyle,
    CreateVoice,
    MusicItem,
    StyleItem,
    UpdateCharacter,
    UpdateStyle,
    VoiceItem,
)
from control_plane.errors import InvalidParameter
from control_plane.work import Work
from models.catalog import Voice
from runtime.ids import new_id

_VOICE_GENDERS = ("male", "female", "neutral")


async def character(work: Work, actor: Actor, asset_id: str) -> CharacterItem:
    asset = await library.load(work, actor, "character", asset_id)
    await previews.ask_for(work, [asset])
    return present.character(asset)


async def create_character(work: Work, actor: Actor, request: CreateCharacter) -> CharacterItem:
    """Raises InvalidParameter for a picture that may not be read or is none."""
    asset = await _new(work, actor, "character", request.character_name, request.description)
    asset.attributes = {
        "gender": request.character_type,
        "personality": request.personality or [],
        "appearance": request.appearance or "",
        "prompt_template": request.prompt_template or "",
    }
    await _use_picture(work, asset, actor, request.image_url, field="image_url")
    _describe_character(asset)
    return present.character(await _added(work, asset))


async def update_character(work: Work, actor: Actor, asset_id: str, request: UpdateCharacter) -> CharacterItem:
    asset = await library.load(work, actor, "character", asset_id)
    _change(asset, request.character_name, request.description)
    _change_attributes(asset, personality=request.personality, appearance=request.appearance)
    if request.image_url is not None:
        await _use_picture(work, asset, actor, request.image_url, field="image_url")
    _describe_character(asset)
    await work.session.flush()
    return present.character(asset)


def _describe_character(asset: tables.AssetRow) -> None:
    """What follows from the words: the age, and with it the category."""
    age = rules.age_of(asset.attributes["appearance"], asset.description, asset.name)
    asset.attributes = asset.attributes | {"age": age}
    asset.category_id = rules.character_category(asset.attributes["gender"], age)
    _index(asset)


async def style(work: Work, actor: Actor, asset_id: str) -> StyleItem:
    asset = await library.load(work, actor, "style", asset_id)
    await previews.ask_for(work, [asset])
    return present.style(asset)


async def create_style(work: Work, actor: Actor, request: CreateStyle) -> StyleItem:
    """A style; without a picture of its own its preview is rendered. Raises InvalidParameter."""
    asset = await _new(work, actor, "style", request.style_name, request.description)
    asset.attributes = {
        "prompt_template": request.prompt_template,
        "visual_keywords": request.visual_keywords or [],
        "color_palette": request.color_palette or {},
        "has_own_picture": request.preview_image_url is not None,
    }
    _describe_style(asset)
    if request.preview_image_url is not None:
        await _use_picture(work, asset, actor, request.preview_image_url, field="preview_image_url")
        return present.style(await _added(work, asset))
    await _render_preview(work, asset)
    return present.style(await _added(work, asset))


async def update_style(work: Work, actor: Actor, asset_id: str, request: UpdateStyle) -> StyleItem:
    asset = await library.load(work, actor, "style", asset_id)
    looked = presets.style_of(asset.name, asset.description, asset.attributes)
    _change(asset, request.style_name, request.description)
    _change_attributes(
        asset,
        prompt_template=request.prompt_template,
        visual_keywords=request.visual_keywords,
        color_palette=request.color_palette,
    )
    _describe_style(asset)
    if request.preview_image_url is not None:
        await _use_picture(work, asset, actor, request.preview_image_url, field="preview_image_url")
        asset.attributes = asset.attributes | {"has_own_picture": True}
    looks = presets.style_of(asset.name, asset.description, asset.attributes)
    if looks != looked and not asset.attributes["has_own_picture"]:
        await _render_preview(work, asset)
    await work.session.flush()
    return present.style(asset)


def _describe_style(asset: tables.AssetRow) -> None:
    try:
        palette = rules.colours_of(asset.attributes["color_palette"])
    except rules.NotAColourError as error:
        raise InvalidParameter(
            "必须是颜色，如 #e0a458", "must be a colour such as #e0a458", field=f"color_palette.{error.path}"
        ) from error
    family = rules.style_category(asset.attributes["visual_keywords"], presets.style_families())
    asset.attributes = asset.attributes | {"palette": palette, "category": family}
    asset.category_id = f"style.{family}"
    _index(asset)


async def _render_preview(work: Work, asset: tables.AssetRow) -> None:
    """Have the farm paint what the style looks like, when it has nothing else to do; nobody pays for it. New addresses
    each time, so that an older preview that is still being painted cannot replace a newer one."""
    asset.content_artifact_id = await artifacts.promise(work.session, asset.tenant_id, asset.id)
    asset.thumbnail_artifact_id = await artifacts.promise(work.session, asset.tenant_id, asset.id)
    await previews.enqueue(work, [asset])


async def create_voice(work: Work, actor: Actor, request: CreateVoice) -> VoiceItem:
    """A voice of one's own: spoken by the catalog's voice that is named or, without one, by the one that fits best,
    heard in the library as its sample. Raises InvalidParameter."""
    asset = await _new(work, actor, "voice", request.voice_name, request.description)
    language = rules.primary_language(request.language) if request.language is not None else None
    voices = {
        voice.id: (model.id, voice) for model in work.services.catalog.for_task("speech") for voice in model.voice
    }
    spoken = sorted({voice.language for _, voice in voices.values()})
    if language is not None and language not in spoken:
        raise InvalidParameter(
            f"没有会说 {request.language} 的音色，可选：{', '.join(spoken)}",
            f"no voice speaks {request.language}, only {', '.join(spoken)}",
            field="language",
        )
    if request.gender is not None and request.gender not in _VOICE_GENDERS:
        known = ", ".join(_VOICE_GENDERS)
        raise InvalidParameter(f"可选：{known}", f"must be one of {known}", field="gender")
    if request.voice_id is not None:
        model_id, voice = await _named_voice(work, actor, voices, request.voice_id)
    else:
        default = work.services.catalog.default_for("speech")
        fitting = rules.best_voice(
            default.voice,
            use=request.voice_type,
            gender=request.gender,
            age_range=request.age_range,
            tone=request.tone,
            language=language,
        )
        if fitting is None:
            raise InvalidParameter("没有可用的音色", "the catalog has no voices", field="voice_id")
        model_id, voice = default.id, fitting
    asset.attributes = {
        "use": request.voice_type,
        "gender": request.gender or voice.gender,
        "age_range": request.age_range or voice.age_range,
        "tone": request.tone or voice.tone,
        "language": language or voice.language,
        "voice": voice.id,
        "model": model_id,
    }
    asset.category_id = rules.voice_category(asset.attributes["language"], request.voice_type)
    _index(asset)
    sample = await readable(work, actor, request.audio_sample_url, field="audio_sample_url", media="audio")
    await sound_length_s(work.services, sample, field="audio_sample_url")
    asset.content_artifact_id = await _taken(work, asset, sample)
    return present.voice(await _added(work, asset))


async def _named_voice(
    work: Work, actor: Actor, voices: dict[str, tuple[str, Voice]], voice_id: str
) -> tuple[str, Voice]:
    """A catalog's voice by its id or by that of an asset that it speaks for."""
    asset = None if voice_id in voices else await tables.visible_asset(work.session, actor, "voice", voice_id)
    found = voices.get(asset.attributes["voice"] if asset is not None else voice_id)
    if found is None:
        raise InvalidParameter(
            f"没有音色 {voice_id}，可选：{', '.join(voices)}",
            f"no voice {voice_id} among {', '.join(voices)}",
            field="voice_id",
        )
    return found


async def create_music(work: Work, actor: Actor, request: CreateMusic) -> MusicItem:
    """Raises InvalidParameter for a sound that may not be read, is none, or is not as long as it is said to be."""
    asset = await _new(work, actor, "music", request.music_name, request.description)
    sound = await readable(work, actor, request.audio_url, field="audio_url", media="audio")
    length_s = await sound_length_s(work.services, sound, field="audio_url")
    if not rules.is_duration(request.duration, length_s):
        raise InvalidParameter(f"文件长 {length_s:.2f} 秒", f"the file lasts {length_s:.2f} s", field="duration")
    optional = {
        "genre": request.genre,
        "mood": request.mood,
        "tempo": request.tempo,
        "instruments": request.instruments,
    }
    asset.attributes = {name: value for name, value in optional.items() if value is not None}
    asset.attributes["duration_s"] = round(length_s, 3)
    _index(asset)
    asset.content_artifact_id = await _taken(work, asset, sound)
    return present.music(await _added(work, asset))


# --- what they share


async def _new(work: Work, actor: Actor, asset_type: str, name: str, description: str | None) -> tables.AssetRow:
    return tables.AssetRow(
        id=new_id("ast"),
        tenant_id=await hold_space(work.session, actor),
        asset_type=asset_type,
        name=name.strip(),
        description=description or "",
        is_preset=False,
    )


async def _added(work: Work, asset: tables.AssetRow) -> tables.AssetRow:
    work.session.add(asset)
    await work.session.flush()
    return asset


def _change(asset: tables.AssetRow, name: str | None, description: str | None) -> None:
    asset.name = name.strip() if name is not None else asset.name
    asset.description = description if description is not None else asset.description


def _change_attributes(asset: tables.AssetRow, **changes: Any) -> None:
    asset.attributes = asset.attributes | {name: value for name, value in changes.items() if value is not None}


def _index(asset: tables.AssetRow) -> None:
    asset.search_text = presets.search_text(asset.asset_type, asset.name, asset.description, asset.attributes)


async def _use_picture(work: Work, asset: tables.AssetRow, actor: Actor, url: str, *, field: str) -> None:
    picture = await readable(work, actor, url, field=field, media="image")
    small = await media.thumbnail(work.services, picture, field=field)
    await disk.check(work.session, work.services.settings, asset.tenant_id, small.size)
    asset.content_artifact_id = await _taken(work, asset, picture)
    asset.thumbnail_artifact_id = await artifacts.keep(work.session, asset.tenant_id, f"{asset.id}-thumbnail", small)


async def _taken(work: Work, asset: tables.AssetRow, file: artifacts.ArtifactRow) -> str:
    """A file as the asset's own. Raises StorageFull where it comes from another space and finds no room."""
    if file.tenant_id != asset.tenant_id:
        await disk.check(work.session, work.services.settings, asset.tenant_id, file.size)
    return await artifacts.share(work.session, asset.tenant_id, file)
