"""The asset library."""

from control_plane.accounts.actor import Access
from control_plane.assets import library, service
from control_plane.assets.schemas import (
    BatchDelete,
    CategoryList,
    CategoryQuery,
    CharacterItem,
    CharacterQuery,
    CreateCharacter,
    CreateMusic,
    CreateStyle,
    CreateVoice,
    MusicItem,
    MusicQuery,
    SearchQuery,
    SearchResponse,
    StyleItem,
    StyleQuery,
    UpdateCharacter,
    UpdateStyle,
    VoiceItem,
    VoiceQuery,
)
from control_plane.errors import NoModel, NotFound, StorageFull
from control_plane.web.models import Page
from control_plane.web.routes import FILES, Call, Routes

routes = Routes("assets")


@routes.get("/assets/characters", access=Access.READ, query=CharacterQuery, response=Page[CharacterItem])
async def list_characters(call: Call, query: CharacterQuery) -> Page[CharacterItem]:
    """The character library: the presets, then the current space's own, the newest first."""
    return await library.list_characters(call.work, call.actor, query)


@routes.post(
    "/assets/characters",
    access=Access.WRITE,
    body=CreateCharacter,
    response=CharacterItem,
    errors=(StorageFull,),
    gate=FILES,
)
async def create_character(call: Call, body: CreateCharacter) -> CharacterItem:
    """Add a character with its picture."""
    return await service.create_character(call.work, call.actor, body)


@routes.get("/assets/characters/{asset_id}", access=Access.READ, response=CharacterItem)
async def character(call: Call) -> CharacterItem:
    """One character."""
    return await service.character(call.work, call.actor, call.path["asset_id"])


@routes.put(
    "/assets/characters/{asset_id}",
    access=Access.WRITE,
    body=UpdateCharacter,
    response=CharacterItem,
    errors=(StorageFull,),
    gate=FILES,
)
async def update_character(call: Call, body: UpdateCharacter) -> CharacterItem:
    """Change a character; generations that have started keep it as it was."""
    return await service.update_character(call.work, call.actor, call.path["asset_id"], body)


@routes.delete("/assets/characters/{asset_id}", access=Access.WRITE)
async def delete_character(call: Call) -> None:
    """Take a character out of the library; projects that use it keep it."""
    await library.delete(call.work, call.actor, "character", call.path["asset_id"])


@routes.get("/assets/styles", access=Access.READ, query=StyleQuery, response=Page[StyleItem])
async def list_styles(call: Call, query: StyleQuery) -> Page[StyleItem]:
    """The style library: the presets, then the current space's own, the newest first."""
    return await library.list_styles(call.work, call.actor, query)


@routes.post(
    "/assets/styles",
    access=Access.WRITE,
    body=CreateStyle,
    response=StyleItem,
    errors=(StorageFull, NoModel),
    gate=FILES,
)
async def create_style(call: Call, body: CreateStyle) -> StyleItem:
    """Add a style; without a preview of its own one is painted."""
    return await service.create_style(call.work, call.actor, body)


@routes.get("/assets/styles/{asset_id}", access=Access.READ, response=StyleItem)
async def style(call: Call) -> StyleItem:
    """One style."""
    return await service.style(call.work, call.actor, call.path["asset_id"])


@routes.put(
    "/assets/styles/{asset_id}",
    access=Access.WRITE,
    body=UpdateStyle,
    response=StyleItem,
    errors=(StorageFull, NoModel),
    gate=FILES,
)
async def update_style(call: Call, body: UpdateStyle) -> StyleItem:
    """Change a style; generations that have started keep it as it was."""
    return await service.update_style(call.work, call.actor, call.path["asset_id"], body)


@routes.delete("/assets/styles/{asset_id}", access=Access.WRITE)
async def delete_style(call: Call) -> None:
    """Take a style out of the library; projects that use it keep it."""
    await library.delete(call.work, call.actor, "style", call.path["asset_id"])


@routes.get("/assets/voices", access=Access.READ, query=VoiceQuery, response=Page[VoiceItem])
async def list_voices(call: Call, query: VoiceQuery) -> Page[VoiceItem]:
    """The voice library: the presets, then the current space's own, the newest first."""
    return await library.list_voices(call.work, call.actor, query)


@routes.post(
    "/assets/voices",
    access=Access.WRITE,
    body=CreateVoice,
    response=VoiceItem,
    errors=(StorageFull, NoModel),
    gate=FILES,
)
async def create_voice(call: Call, body: CreateVoice) -> VoiceItem:
    """Add a voice; `voice_id` of the answer is the one that speaks."""
    return await service.create_voice(call.work, call.actor, body)


@routes.delete("/assets/voices/{asset_id}", access=Access.WRITE)
async def delete_voice(call: Call) -> None:
    """Take a voice out of the library; projects that use it keep it."""
    await library.delete(call.work, call.actor, "voice", call.path["asset_id"])


@routes.get("/assets/music", access=Access.READ, query=MusicQuery, response=Page[MusicItem])
async def list_music(call: Call, query: MusicQuery) -> Page[MusicItem]:
    """The music library: the presets, then the current space's own, the newest first."""
    return await library.list_music(call.work, call.actor, query)


@routes.post(
    "/assets/music",
    access=Access.WRITE,
    body=CreateMusic,
    response=MusicItem,
    errors=(StorageFull,),
    gate=FILES,
)
async def create_music(call: Call, body: CreateMusic) -> MusicItem:
    """Add a piece of music; `duration` must be the file's."""
    return await service.create_music(call.work, call.actor, body)


@routes.delete("/assets/music/{asset_id}", access=Access.WRITE)
async def delete_music(call: Call) -> None:
    """Take a piece of music out of the library; projects that use it keep it."""
    await library.delete(call.work, call.actor, "music", call.path["asset_id"])


@routes.get("/assets/search", access=Access.READ, query=SearchQuery, response=SearchResponse)
async def search(call: Call, query: SearchQuery) -> SearchResponse:
    """Assets of every kind, or of those named, by a part of their words."""
    return await library.search(call.work, call.actor, query)


@routes.post("/assets/batch-delete", access=Access.WRITE, body=BatchDelete, errors=(NotFound,))
async def batch_delete(call: Call, body: BatchDelete) -> None:
    """Take several assets of one kind out of the library: all of them or none."""
    await library.batch_delete(call.work, call.actor, body)


@routes.get("/assets/categories", access=Access.USER, query=CategoryQuery, response=CategoryList)
async def categories(call: Call, query: CategoryQuery) -> CategoryList:
    """The categories of a kind, parents before their children."""
    return library.categories(query, call.language)
