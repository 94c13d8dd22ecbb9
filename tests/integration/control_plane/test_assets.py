"""The asset library through the API: presets, one's own, finding them, who may change what."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import event, text

from control_plane.artifacts.disk import set_limit
from runtime.database import utc_now
from runtime.ids import new_id
from tests.contract.fields import shows
from tests.integration.control_plane.conftest import ApiError, Client, Plane
from tests.integration.control_plane.files import (
    fetch,
    looks,
    picture,
    sound,
    upload,
    upload_picture,
    upload_sound,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

KINDS = ("characters", "styles", "voices", "music")


async def refused(call: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await call
    return caught.value


async def a_character(user: Client, **changes: Any) -> Any:
    body = {"character_name": "白鹿", "character_type": "female"} | changes
    if "image_url" not in body:
        body["image_url"] = (await upload_picture(user))["file_url"]
    return await user.post("/assets/characters", body)


async def a_style(user: Client, **changes: Any) -> Any:
    return await user.post("/assets/styles", {"style_name": "敦煌", "prompt_template": "{prompt}, mural"} | changes)


async def a_voice(user: Client, **changes: Any) -> Any:
    body = {"voice_name": "我的声音", "voice_type": "dialogue"} | changes
    if "audio_sample_url" not in body:
        body["audio_sample_url"] = (await upload_sound(user))["file_url"]
    return await user.post("/assets/voices", body)


async def a_piece(user: Client, **changes: Any) -> Any:
    body = {"music_name": "渔舟", "duration": 2.0} | changes
    if "audio_url" not in body:
        body["audio_url"] = (await upload_sound(user, 2.0))["file_url"]
    return await user.post("/assets/music", body)


async def own(user: Client, kind: str) -> list[Any]:
    return list((await user.get(f"/assets/{kind}?is_preset=false"))["list"])


async def team_of(plane: Plane, **roles: Client) -> str:
    """A team whose members work in its space."""
    team_id = new_id("team")
    async with plane.services.database.transaction() as session:
        now = utc_now()
        await session.execute(
            text("INSERT INTO teams (id, name, created_at, updated_at) VALUES (:id, 'team', :now, :now)"),
            {"id": team_id, "now": now},
        )
        for role, member in roles.items():
            user_id = (await member.get("/user/me"))["id"]
            await session.execute(
                text("INSERT INTO memberships (team_id, user_id, role, created_at) VALUES (:team, :user, :role, :now)"),
                {"team": team_id, "user": user_id, "role": role, "now": now},
            )
            await session.execute(
                text("UPDATE sessions SET space_id = :team WHERE user_id = :user"), {"team": team_id, "user": user_id}
            )
    return team_id


# --- presets


async def test_presets_of_every_kind_are_shipped_and_get_their_pictures_and_sounds(user: Client) -> None:
    urls = []
    for kind, at_least in (("characters", 4), ("styles", 10), ("voices", 10), ("music", 8)):
        page = await user.get(f"/assets/{kind}?page_size=100")
        assert page["total"] == len(page["list"]) >= at_least
        assert all(item["is_preset"] for item in page["list"])
        first = page["list"][0]
        urls += [first[name] for name in first if name.endswith("_url")]
    music = (await user.get("/assets/music"))["list"]
    assert {item["duration"] for item in music} == {30.0}
    async with asyncio.timeout(120):
        for url in urls:
            while True:
                async with user.session.get(url) as answer:
                    if answer.status == 200:
                        break
                await asyncio.sleep(0.2)
    assert (await fetch(user, music[0]["audio_url"]))[:4] == b"fLaC"


async def test_presets_can_neither_be_changed_nor_deleted(user: Client) -> None:
    for kind in KINDS:
        preset = (await user.get(f"/assets/{kind}"))["list"][0]["id"]
        calls = [user.call("DELETE", f"/assets/{kind}/{preset}")]
        if kind in {"characters", "styles"}:
            calls.append(user.put(f"/assets/{kind}/{preset}", {"description": "mine"}))
        kind_name = kind.removesuffix("s") if kind != "music" else kind
        calls.append(user.post("/assets/batch-delete", {"asset_type": kind_name, "asset_ids": [preset]}))
        for call in calls:
            error = await refused(call)
            assert (error.status, error.code) == (403, 1003)
        assert (await user.get(f"/assets/{kind}"))["list"][0]["id"] == preset
    assert (await user.get("/assets/styles/style_anime"))["style_name"] == "动漫"


async def test_presets_that_were_withdrawn_or_reworded_follow_what_ships(plane: Plane, user: Client) -> None:
    from control_plane.assets.presets import sync_presets
    from control_plane.work import unit_of_work

    async with plane.services.database.transaction() as session:
        await session.execute(text("UPDATE assets SET name = 'old', category_id = NULL WHERE id = 'style_oil'"))
        await session.execute(
            text(
                "INSERT INTO assets (id, tenant_id, asset_type, name, description, attributes, search_text, is_preset,"
                " display_order, usage_count, created_at, updated_at) SELECT 'style_gone', tenant_id, asset_type,"
                " 'gone', '', attributes, 'gone', true, 99, 0, created_at, updated_at FROM assets"
                " WHERE id = 'style_oil'"
            )
        )
    async with unit_of_work(plane.services) as work:
        await sync_presets(work)
    styles = {style["id"]: style for style in (await user.get("/assets/styles?page_size=100"))["list"]}
    assert styles["style_oil"]["style_name"] == "油画"
    assert "style_gone" not in styles
    painted = await user.get("/assets/styles?category_id=style.painting")
    assert "style_oil" in {style["id"] for style in painted["list"]}


# --- one's own: every field shows


@shows(
    "POST /assets/characters",
    "character_name",
    "character_type",
    "description",
    "personality",
    "appearance",
    "image_url",
)
async def test_a_character_is_kept_as_it_was_given(user: Client) -> None:
    uploaded = await upload_picture(user, "#c02040", (1200, 1600))
    words = {
        "character_name": "白鹿",
        "character_type": "male",
        "description": "林中的少年",
        "personality": ["寡言"],
        "appearance": "白色长袍",
    }
    made = await a_character(user, **words, image_url=uploaded["file_url"])
    assert await own(user, "characters") == [made] == [await user.get(f"/assets/characters/{made['id']}")]
    assert {name: made[name] for name in words} == words
    assert await fetch(user, made["image_url"]) == await fetch(user, uploaded["file_url"])
    assert made["images"] == {"front_view": made["image_url"]}
    thumbnail = await looks(user, made["thumbnail_url"])
    assert thumbnail.size == (320, 427)
    assert max(abs(a - b) for a, b in zip(thumbnail.getpixel((9, 9)), (0xC0, 0x20, 0x40), strict=True)) < 6


@shows(
    "PUT /assets/characters/{asset_id}",
    "character_name",
    "description",
    "personality",
    "appearance",
    "image_url",
)
async def test_a_character_is_changed(user: Client) -> None:
    made = await a_character(user, description="林中的少女")
    path = f"/assets/characters/{made['id']}"
    words = {"character_name": "青鹿", "description": "山中的老妇人", "personality": ["健谈"], "appearance": "灰色长袍"}
    changed = await user.put(path, words)
    assert {name: changed[name] for name in words} == words
    assert changed["image_url"] == made["image_url"]
    repainted = await user.put(path, {"image_url": (await upload_picture(user, "#0000ff"))["file_url"]})
    assert (await looks(user, repainted["thumbnail_url"])).getpixel((3, 3))[2] > 240
    assert {name: repainted[name] for name in words} == words
    found = await user.get(f"/assets/characters?keyword={quote('健谈')}&is_preset=false")
    assert [item["id"] for item in found["list"]] == [made["id"]]
    by_age = await user.get("/assets/characters?category_id=character.female.elder&is_preset=false")
    assert [item["id"] for item in by_age["list"]] == [made["id"]]


STYLE = {
    "style_name": "敦煌",
    "description": "千年的壁画",
    "prompt_template": "{prompt}, mural",
    "visual_keywords": ["watercolor", "矿物颜料"],
    "color_palette": {"main": "#8a3324", "accents": ["teal", "#fc0"]},
}


@shows("POST /assets/styles", "style_name", "description", "preview_image_url")
async def test_a_style_is_kept_as_it_was_given(user: Client) -> None:
    shown = (await upload_picture(user, "#2030e0"))["file_url"]
    made = await a_style(user, **STYLE, preview_image_url=shown)
    assert await own(user, "styles") == [made] == [await user.get(f"/assets/styles/{made['id']}")]
    assert {name: made[name] for name in STYLE} == STYLE
    assert (await looks(user, made["preview_image_url"])).getpixel((5, 5)) == (0x20, 0x30, 0xE0)
    options = {style["id"]: style for style in (await user.get("/input/options"))["styles"]}
    assert options[made["id"]]["category"] == "painting"
    assert options[made["id"]]["name"] == "敦煌"


@shows(
    "PUT /assets/styles/{asset_id}",
    "style_name",
    "description",
    "prompt_template",
    "visual_keywords",
    "color_palette",
    "preview_image_url",
)
async def test_a_style_without_a_picture_is_painted_and_painted_again_when_it_changes(user: Client) -> None:
    made = await a_style(user)
    path = f"/assets/styles/{made['id']}"
    before = await painted(user, made["preview_image_url"])
    renamed = await user.put(path, {"description": "千年的壁画"})
    assert renamed["description"] == "千年的壁画"
    seen = {before}
    for change in (
        {"style_name": "莫高窟"},
        {"prompt_template": "{prompt}, faded mural, muted colours"},
        {"visual_keywords": ["pixel"]},
        {"color_palette": {"main": ["#ff0000", "#200000"]}},
    ):
        changed = await user.put(path, change)
        assert {name: changed[name] for name in change} == change
        now = await painted(user, changed["preview_image_url"])
        assert now not in seen, change
        seen.add(now)
    other = (await upload_picture(user, "#00ff00"))["file_url"]
    shown = await user.put(path, {"preview_image_url": other})
    kept = await user.put(path, {"style_name": "榆林窟"})
    assert kept["preview_image_url"] == shown["preview_image_url"]
    assert (await looks(user, kept["preview_image_url"])).getpixel((5, 5)) == (0, 255, 0)


async def painted(user: Client, url: str) -> bytes:
    async with asyncio.timeout(60):
        while True:
            async with user.session.get(url) as answer:
                if answer.status == 200:
                    return await answer.read()
            await asyncio.sleep(0.05)


@shows(
    "POST /assets/voices",
    "voice_name",
    "voice_type",
    "voice_id",
    "description",
    "audio_sample_url",
    "gender",
    "age_range",
    "tone",
    "language",
)
async def test_a_voice_is_spoken_by_the_one_named_or_the_one_that_fits(user: Client) -> None:
    sample = (await upload_sound(user, 1.5))["file_url"]
    made = await a_voice(user, voice_id="zh-elder-1", description="外公", tone="慢", audio_sample_url=sample)
    assert await own(user, "voices") == [made]
    assert made["voice_id"] == "zh-elder-1"
    assert (made["voice_name"], made["voice_type"], made["description"]) == ("我的声音", "dialogue", "外公")
    assert (made["gender"], made["age_range"], made["tone"], made["language"]) == ("neutral", "elder", "慢", "zh")
    assert await fetch(user, made["audio_sample_url"]) == sound(1.5)
    by_asset = await a_voice(user, voice_id="voice_en-male-1")
    assert (by_asset["voice_id"], by_asset["language"]) == ("en-male-1", "en")
    for wish, voice_id in (
        ({"language": "en", "gender": "male"}, "en-male-1"),
        ({"language": "zh-CN", "gender": "female", "age_range": "adult"}, "zh-female-2"),
        ({"language": "zh", "gender": "male", "tone": "浑厚"}, "zh-male-2"),
        ({"language": "zh", "gender": "female", "age_range": "儿童"}, "zh-child-1"),
        ({"language": "en", "voice_type": "narration"}, "en-narrator"),
    ):
        assert (await a_voice(user, **wish))["voice_id"] == voice_id, wish


@shows(
    "POST /assets/music",
    "music_name",
    "description",
    "audio_url",
    "duration",
    "genre",
    "mood",
    "tempo",
    "instruments",
)
async def test_music_is_kept_as_it_was_given(user: Client) -> None:
    words = {
        "music_name": "渔舟",
        "description": "晚归",
        "genre": "古风",
        "mood": "悠然",
        "tempo": "slow",
        "instruments": ["古筝"],
    }
    made = await a_piece(user, **words, duration=2.4)
    assert await own(user, "music") == [made]
    assert {name: made[name] for name in words} == words
    assert made["duration"] == 2.0
    assert await fetch(user, made["audio_url"]) == sound(2.0)
    error = await refused(a_piece(user, duration=10))
    assert (error.code, "duration" in error.message) == (1001, True)


async def test_an_assets_file_is_its_own(plane: Plane, user: Client) -> None:
    """It stays when what it was taken from goes, and belongs to the space that the asset is in."""
    uploaded = await upload_picture(user)
    made = await a_character(user, image_url=uploaded["file_url"])
    await user.call("DELETE", f"/attachments/{uploaded['id']}")
    assert await fetch(user, made["image_url"]) == picture()
    assert made["image_url"].partition("?")[0] != uploaded["file_url"].partition("?")[0]


# --- what is refused


async def test_files_that_are_not_ones_own_or_not_of_the_kind_are_refused(plane: Plane, user: Client) -> None:
    stranger = await plane.new_user(f"stranger-{new_id('x')}")
    theirs = (await upload_picture(stranger))["file_url"]
    my_sound, my_picture = (await upload_sound(user))["file_url"], (await upload_picture(user))["file_url"]
    for url in (theirs, "https://example.org/a.png", my_sound, "file:///etc/passwd"):
        error = await refused(a_character(user, image_url=url))
        assert (error.code, "image_url" in error.message) == (1001, True), url
        error = await refused(a_style(user, preview_image_url=url))
        assert (error.code, "preview_image_url" in error.message) == (1001, True), url
    for url in (theirs, my_picture):
        assert (await refused(a_voice(user, audio_sample_url=url))).code == 1001
        assert (await refused(a_piece(user, audio_url=url))).code == 1001
    for kind in KINDS:
        assert await own(user, kind) == []


async def test_an_asset_of_anothers_space_needs_room_there(plane: Plane) -> None:
    member = await plane.new_user(f"full-{new_id('x')}")
    mine = (await upload_sound(member, 2.0))["file_url"]
    team_id = await team_of(plane, editor=member)
    async with plane.services.database.transaction() as session:
        await set_limit(session, team_id, 1000)
    error = await refused(a_piece(member, audio_url=mine))
    assert error.status == 507
    async with plane.services.database.transaction() as session:
        await set_limit(session, team_id, 100_000)
    await a_piece(member, audio_url=mine)


async def test_a_text_that_calls_itself_sound_is_no_music(user: Client) -> None:
    fake = b"ID3\x03\0\0\0\0\0\0" + b"no sound at all " * 64
    try:
        uploaded = await upload(user, fake, "a.mp3", "audio/mpeg", "audio")
    except ApiError as error:
        assert error.code == 1007  # refused even earlier
        return
    error = await refused(a_piece(user, audio_url=uploaded["file_url"]))
    assert (error.code, "audio_url" in error.message) == (1001, True)


@pytest.mark.parametrize(
    ("kind", "change", "field"),
    [
        ("styles", {"color_palette": {"main": ["#123456", "no colour"]}}, "color_palette.main.1"),
        ("styles", {"color_palette": {"main": 5}}, "color_palette.main"),
        ("styles", {"color_palette": {"main": "rgb(999,300,900)"}}, "color_palette.main"),
        ("styles", {"color_palette": {"main": "hsl(0,300%,50%)"}}, "color_palette.main"),
        ("styles", {"style_name": "  "}, "style_name"),
        ("styles", {"prompt_template": ""}, "prompt_template"),
        ("voices", {"language": "ja"}, "language"),
        ("voices", {"gender": "女"}, "gender"),
        ("voices", {"voice_id": "zh-nobody"}, "voice_id"),
        ("voices", {"voice_type": "song"}, "voice_type"),
        ("characters", {"character_type": "neutral"}, "character_type"),
        ("characters", {"personality": [""]}, "personality.0"),
        ("music", {"duration": -1}, "duration"),
        ("music", {"instruments": "piano"}, "instruments"),
    ],
)
async def test_a_bad_field_is_named(user: Client, kind: str, change: dict[str, Any], field: str) -> None:
    make = {"styles": a_style, "voices": a_voice, "characters": a_character, "music": a_piece}[kind]
    error = await refused(make(user, **change))
    assert (error.status, error.code) == (400, 1001)
    assert f"：{field}：" in error.message


async def test_a_category_that_is_not_there_is_refused(user: Client) -> None:
    for kind in ("characters", "styles", "voices"):
        error = await refused(user.get(f"/assets/{kind}?category_id=nothing"))
        assert (error.code, "category_id" in error.message) == (1001, True)


# --- finding


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
