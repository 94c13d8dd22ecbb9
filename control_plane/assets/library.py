"""Finding and deleting assets of any kind."""

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel

from control_plane.accounts.access import refuse
from control_plane.accounts.actor import Access, Actor, check_role
from control_plane.artifacts.tables import PUBLIC_TENANT
from control_plane.assets import present, previews, rules, tables
from control_plane.assets.schemas import (
    BatchDelete,
    CategoryItem,
    CategoryList,
    CategoryQuery,
    CharacterItem,
    CharacterQuery,
    MusicItem,
    MusicQuery,
    SearchQuery,
    SearchResponse,
    SearchResults,
    StyleItem,
    StyleQuery,
    VoiceItem,
    VoiceQuery,
)
from control_plane.errors import Forbidden, InvalidParameter, NotFound
from control_plane.web.models import Page, PageQuery
from control_plane.work import Work
from runtime.database import utc_now

Item = TypeVar("Item", bound=BaseModel)


async def list_characters(work: Work, actor: Actor, query: CharacterQuery) -> Page[CharacterItem]:
    wanted = tables.Filter(
        keyword=rules.search_key(query.keyword or ""),
        is_preset=query.is_preset,
        categories=_categories("character", query.category_id),
        attributes={"gender": query.character_type},
    )
    return await _page(work, actor, "character", wanted, query, present.character)


async def list_styles(work: Work, actor: Actor, query: StyleQuery) -> Page[StyleItem]:
    wanted = tables.Filter(
        keyword=rules.search_key(query.keyword or ""),
        is_preset=query.is_preset,
        categories=_categories("style", query.category_id),
    )
    return await _page(work, actor, "style", wanted, query, present.style)


async def list_voices(work: Work, actor: Actor, query: VoiceQuery) -> Page[VoiceItem]:
    wanted = tables.Filter(
        keyword=rules.search_key(query.keyword or ""),
        is_preset=query.is_preset,
        categories=_categories("voice", query.category_id),
        attributes={
            "use": query.voice_type,
            "gender": query.gender,
            "language": rules.primary_language(query.language) if query.language is not None else None,
        },
    )
    return await _page(work, actor, "voice", wanted, query, present.voice)


async def list_music(work: Work, actor: Actor, query: MusicQuery) -> Page[MusicItem]:
    wanted = tables.Filter(
        keyword=rules.search_key(query.keyword or ""),
        is_preset=query.is_preset,
        attributes={"genre": query.genre, "mood": query.mood},
    )
    return await _page(work, actor, "music", wanted, query, present.music)


async def search(work: Work, actor: Actor, query: SearchQuery) -> SearchResponse:
    """The same page of every type asked for; each type's own total says whether there is more."""
    types = set(query.asset_types or ("character", "style", "voice", "music"))
    wanted = tables.Filter(keyword=rules.search_key(query.keyword))
    results = SearchResults()
    if "character" in types:
        results.characters = await _page(work, actor, "character", wanted, query, present.character)
    if "style" in types:
        results.styles = await _page(work, actor, "style", wanted, query, present.style)
    if "voice" in types:
        results.voices = await _page(work, actor, "voice", wanted, query, present.voice)
    if "music" in types:
        results.music = await _page(work, actor, "music", wanted, query, present.music)
    return SearchResponse(results=results)


async def _page(
    work: Work,
    actor: Actor,
    asset_type: str,
    wanted: tables.Filter,
    query: PageQuery,
    show: Callable[[tables.AssetRow], Item],
) -> Page[Item]:
    rows, total = await tables.page_of(
        work.session, actor, asset_type, wanted, page=query.page, page_size=query.page_size
    )
    await previews.ask_for(work, rows)
    return Page[Item](list=[show(row) for row in rows], total=total, page=query.page, page_size=query.page_size)


def _categories(asset_type: str, category_id: str | None) -> list[str] | None:
    if category_id is None:
        return None
    found = rules.categories_within(asset_type, category_id)
    if not found:
        raise InvalidParameter(
            f"{asset_type} 没有分类 {category_id}", f"{asset_type} has no category {category_id}", field="category_id"
        )
    return found


def categories(query: CategoryQuery, language: str) -> CategoryList:
    return CategoryList(
        list=[
            CategoryItem(
                id=category.id,
                name=category.en if language == "en" else category.zh,
                display_order=order,
                parent_id=category.parent_id,
            )
            for order, category in enumerate(rules.CATEGORIES[query.category_type], start=1)
        ]
    )


async def load(work: Work, actor: Actor, asset_type: str, asset_id: str) -> tables.AssetRow:
    """One asset, its row locked unless the endpoint only reads.

    Raises NotFound; Forbidden for too low a role and for whoever wants to change a preset.
    """
    (asset,) = await _load_all(work, actor, asset_type, {asset_id: "asset_id"})
    return asset


async def _load_all(work: Work, actor: Actor, asset_type: str, fields: dict[str, str]) -> list[tables.AssetRow]:
    """Assets by id; each id comes with the field that named it."""
    statement = tables.named_assets(actor, asset_type, list(fields))
    rows = (await work.session.execute(statement.execution_options(populate_existing=True))).all()
    roles = {asset.id: role for asset, role in rows}
    for asset_id, field in fields.items():
        if asset_id not in roles:
            await refuse(work.session, actor, NotFound("资产不存在", "no such asset", field=field))
    for asset, role in rows:
        if asset.tenant_id == PUBLIC_TENANT and actor.needs is not Access.READ:
            raise Forbidden("预设资产不能修改或删除", "presets cannot be changed or deleted", field=fields[asset.id])
        check_role(role, actor.needs)
    return [asset for asset, _ in rows]


async def delete(work: Work, actor: Actor, asset_type: str, asset_id: str) -> None:
    """Take an asset out of the library. Projects that use it keep it."""
    _remove(await load(work, actor, asset_type, asset_id))


async def batch_delete(work: Work, actor: Actor, request: BatchDelete) -> None:
    """All of them or, where one cannot be deleted, none."""
    fields = {asset_id: f"asset_ids.{index}" for index, asset_id in reversed(list(enumerate(request.asset_ids)))}
    for asset in await _load_all(work, actor, request.asset_type, fields):
        _remove(asset)


def _remove(asset: tables.AssetRow) -> None:
    """Its files go with it where no project looks for them here: a protagonist's picture is a reference whenever its
    film is generated, a voice's sample is heard with whoever speaks by it."""
    asset.deleted_at = utc_now()
    asset.thumbnail_artifact_id = None
    if asset.asset_type in {"style", "music"}:
        asset.content_artifact_id = None
