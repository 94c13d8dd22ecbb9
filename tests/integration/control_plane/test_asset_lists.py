"""The lists of the asset library: pages, filters, search, categories, deletion, and whose they are."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import event, text

from runtime.ids import new_id
from tests.contract.fields import shows
from tests.integration.control_plane.assets import a_character, a_piece, a_style, a_voice, own, refused, team_of
from tests.integration.control_plane.conftest import Client, Plane

pytestmark = pytest.mark.asyncio(loop_scope="module")


@shows("GET /assets/characters", "is_preset", "page", "page_size")
@shows("GET /assets/styles", "is_preset", "page", "page_size")
@shows("GET /assets/voices", "is_preset", "page", "page_size")
@shows("GET /assets/music", "is_preset", "page", "page_size")
async def test_presets_come_first_then_ones_own_the_newest_first(user: Client) -> None:
    for kind, make in (("characters", a_character), ("styles", a_style), ("voices", a_voice), ("music", a_piece)):
        made = [(await make(user))["id"] for _ in range(3)]
        whole = await user.get(f"/assets/{kind}?page_size=100")
        ids = [item["id"] for item in whole["list"]]
        presets = [item["id"] for item in (await user.get(f"/assets/{kind}?is_preset=true&page_size=100"))["list"]]
        assert ids == [*presets, *reversed(made)]
        assert [item["id"] for item in await own(user, kind)] == made[::-1]
        pages = [await user.get(f"/assets/{kind}?page={page}&page_size=5") for page in range(1, 10)]
        assert [item["id"] for page in pages for item in page["list"]] == ids
        assert {(page["total"], page["page_size"]) for page in pages} == {(len(ids), 5)}
        assert [page["page"] for page in pages] == list(range(1, 10))


@contextmanager
def counted_queries(plane: Plane) -> Iterator[list[str]]:
    statements: list[str] = []

    def count(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if "FROM assets" in statement:
            statements.append(statement)

    engine = plane.services.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", count)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", count)


async def test_a_page_takes_two_queries_however_much_there_is(plane: Plane, user: Client) -> None:
    tenant = (await user.get("/user/me"))["id"]
    async with plane.services.database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO assets (id, tenant_id, asset_type, name, description, attributes, search_text, is_preset,"
                " display_order, usage_count, created_at, updated_at, content_artifact_id, thumbnail_artifact_id)"
                " SELECT 'ast_many_' || n, :tenant, 'style',"
                " 's' || n, '', attributes, 's' || n, false, 0, 0, now() + n * interval '1 second', now(),"
                " content_artifact_id, thumbnail_artifact_id"
                " FROM assets, generate_series(1, 500) AS n WHERE id = 'style_oil'"
            ),
            {"tenant": tenant},
        )
    await user.get("/assets/search?keyword=s")  # the first to see presets asks for their previews
    with counted_queries(plane) as statements:
        page = await user.get("/assets/styles?is_preset=false&page=3&page_size=50")
        assert [item["style_name"] for item in page["list"][:2]] == ["s400", "s399"]
        assert page["total"] == 500
        assert len(statements) == 2
        await user.get("/assets/search?keyword=s")
        assert len(statements) == 2 + 8
    assert len((await user.get("/input/options"))["styles"]) <= 200


@shows("GET /assets/characters", "keyword", "character_type", "category_id")
@shows("GET /assets/styles", "keyword", "category_id")
@shows("GET /assets/music", "keyword", "genre", "mood")
async def test_filters(user: Client) -> None:
    async def ids(path: str) -> set[str]:
        return {item["id"] for item in (await user.get(path))["list"]}

    girl = (await a_character(user, description="山里的少女", appearance="绿色斗篷"))["id"]
    boy = (await a_character(user, character_name="石头", character_type="male"))["id"]
    assert await ids(f"/assets/characters?keyword={quote('绿色斗')}") == {girl}
    assert girl in await ids(f"/assets/characters?keyword={quote('少女')}")
    assert {girl, boy} & await ids("/assets/characters?character_type=male") == {boy}
    assert {girl, boy} & await ids("/assets/characters?category_id=character.female") == {girl}
    assert {girl, boy} & await ids("/assets/characters?category_id=character.female.young") == {girl}
    assert await ids(f"/assets/characters?keyword={quote('斗篷')}&character_type=male") == set()

    mural = (await a_style(user, visual_keywords=["Fresco", "100%_pure"]))["id"]
    assert await ids("/assets/styles?keyword=FRESC") == {mural}
    assert await ids("/assets/styles?category_id=style.custom") == {mural}
    assert await ids(f"/assets/styles?keyword={quote('%')}") == {mural}
    assert await ids(f"/assets/styles?keyword={quote('0%_p')}") == {mural}
    assert await ids(f"/assets/styles?keyword={quote('ＦＲＥＳＣＯ')}") == {mural}  # full width
    assert await ids(f"/assets/styles?keyword={quote('水墨')}") == {"style_ink-wash"}

    piece = (await a_piece(user, genre="Jazz", mood="late"))["id"]
    assert await ids("/assets/music?genre=jazz") == {piece}
    assert await ids("/assets/music?mood=late") == {piece}
    assert await ids("/assets/music?genre=jazz&mood=early") == set()
    assert await ids(f"/assets/music?keyword={quote('渔')}") == {piece}
    assert await ids("/assets/music?genre=orchestra") == {"music_heroes"}


@shows("GET /assets/voices", "voice_type", "gender", "language", "keyword", "category_id")
async def test_filters_of_voices(user: Client) -> None:
    mine = (await a_voice(user, voice_name="邻家", voice_id="zh-female-1"))["id"]
    for query, expected in (
        ("voice_type=narration", {"voice_zh-narrator", "voice_en-narrator"}),
        ("gender=neutral&language=en", {"voice_en-child-1", "voice_en-elder-1"}),
        ("language=zh&gender=female", {"voice_zh-female-1", "voice_zh-female-2", mine}),
        (f"keyword={quote('邻家')}", {mine}),
        ("keyword=gentle&is_preset=true", {"voice_zh-female-1", "voice_en-female-1"}),
        ("category_id=voice.en.narration", {"voice_en-narrator"}),
        ("category_id=voice.zh&is_preset=false", {mine}),
    ):
        found = await user.get(f"/assets/voices?{query}&page_size=100")
        assert {item["id"] for item in found["list"]} == expected, query


@shows("GET /assets/search", "keyword", "asset_types", "page", "page_size")
async def test_search_over_kinds(user: Client) -> None:
    style = (await a_style(user, style_name="霜月画"))["id"]
    voice = (await a_voice(user, voice_name="霜月声"))["id"]
    pieces = [(await a_piece(user, music_name=f"霜月{n}"))["id"] for n in range(3)]
    word = quote("霜月")
    results = (await user.get(f"/assets/search?keyword={word}"))["results"]
    assert {name: [item["id"] for item in page["list"]] for name, page in results.items()} == {
        "characters": [],
        "styles": [style],
        "voices": [voice],
        "music": pieces[::-1],
    }
    for query in ("asset_types=style&asset_types=music", "asset_types=style,music"):
        some = (await user.get(f"/assets/search?keyword={word}&{query}"))["results"]
        assert some == {"styles": results["styles"], "music": results["music"]}
    second = (await user.get(f"/assets/search?keyword={word}&page=2&page_size=2&asset_types=music"))["results"]
    assert [item["id"] for item in second["music"]["list"]] == pieces[:1]
    assert (second["music"]["total"], second["music"]["page"]) == (3, 2)
    error = await refused(user.get(f"/assets/search?keyword={word}&asset_types=style,film"))
    assert (error.code, "asset_types" in error.message) == (1001, True)
    assert (await refused(user.get("/assets/search"))).code == 1001


@shows("GET /assets/categories", "category_type")
async def test_categories_are_where_assets_are(user: Client) -> None:
    for kind, path in (("character", "characters"), ("style", "styles"), ("voice", "voices")):
        listed = (await user.get(f"/assets/categories?category_type={kind}"))["list"]
        assert [item["display_order"] for item in listed] == list(range(1, len(listed) + 1))
        ids = {item["id"] for item in listed}
        assert all(item.get("parent_id", item["id"]) in ids for item in listed)
        roots = [item["id"] for item in listed if "parent_id" not in item]
        found = [await user.get(f"/assets/{path}?category_id={root}&page_size=100") for root in roots]
        total = (await user.get(f"/assets/{path}"))["total"]
        assert sum(page["total"] for page in found) == total
    english = await user.get("/assets/categories?category_type=style", headers={"Accept-Language": "en"})
    assert english["list"][0]["name"] == "Realistic"


# --- deleting, and who may


@shows("POST /assets/batch-delete", "asset_type", "asset_ids")
async def test_several_are_deleted_at_once_or_none(user: Client) -> None:
    ids = [(await a_style(user))["id"] for _ in range(3)]
    for body, code in (
        ({"asset_type": "style", "asset_ids": [ids[0], "style_oil"]}, 1003),
        ({"asset_type": "style", "asset_ids": [ids[0], "ast_nothing"]}, 1004),
        ({"asset_type": "voice", "asset_ids": [ids[0]]}, 1004),
        ({"asset_type": "style", "asset_ids": []}, 1001),
    ):
        error = await refused(user.post("/assets/batch-delete", body))
        assert (error.code, "asset_ids" in error.message) == (code, True)
    assert len(await own(user, "styles")) == 3
    await user.post("/assets/batch-delete", {"asset_type": "style", "asset_ids": [*ids[:2], ids[0]]})
    assert [item["id"] for item in await own(user, "styles")] == ids[2:]


async def test_what_was_deleted_is_gone_from_the_library(user: Client) -> None:
    makers = {"characters": a_character, "styles": a_style, "voices": a_voice, "music": a_piece}
    for kind, make in makers.items():
        made = await make(user)
        await user.call("DELETE", f"/assets/{kind}/{made['id']}")
        assert await own(user, kind) == []
        assert (await refused(user.call("DELETE", f"/assets/{kind}/{made['id']}"))).code == 1004
    found = (await user.get(f"/assets/search?keyword={quote('渔舟')}"))["results"]
    assert found["music"]["total"] == 0
    assert "敦煌" not in [style["name"] for style in (await user.get("/input/options"))["styles"]]


async def test_a_teams_library_is_its_own(plane: Plane) -> None:
    admin, editor, viewer, stranger = [await plane.new_user(f"{name}-{new_id('x')}") for name in "aevs"]
    await team_of(plane, admin=admin, editor=editor, viewer=viewer)
    style = await a_style(editor)
    path = f"/assets/styles/{style['id']}"
    for member in (admin, editor, viewer):
        assert [item["id"] for item in await own(member, "styles")] == [style["id"]]
        assert (await member.get(path))["id"] == style["id"]
    assert (await admin.put(path, {"style_name": "阳关"}))["style_name"] == "阳关"
    batch = {"asset_type": "style", "asset_ids": [style["id"]]}
    for calls, code in (
        (viewer, 1003),
        (stranger, 1004),
    ):
        assert (await refused(calls.put(path, {"style_name": "x"}))).code == code
        assert (await refused(calls.call("DELETE", path))).code == code
        assert (await refused(calls.post("/assets/batch-delete", batch))).code == code
    assert (await refused(a_style(viewer))).code == 1003
    assert (await refused(stranger.get(path))).code == 1004
    assert await own(stranger, "styles") == []
    await editor.post("/assets/batch-delete", batch)
    assert await own(admin, "styles") == []


async def test_a_session_that_ended_sees_no_preset(plane: Plane) -> None:
    user = await plane.new_user(f"gone-{new_id('x')}")
    await user.get("/assets/styles/style_oil")
    async with plane.services.database.transaction() as session:
        await session.execute(
            text("UPDATE sessions SET revoked_at = now() FROM users WHERE users.id = user_id AND username = :name"),
            {"name": user.name},
        )
    for path in ("/assets/styles/style_oil", "/assets/styles"):
        assert (await refused(user.get(path))).code == 1002
