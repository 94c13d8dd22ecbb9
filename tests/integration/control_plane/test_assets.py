"""The asset library through the API: presets, one's own, finding them, who may change what."""

import asyncio
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import text

from control_plane.artifacts.disk import set_limit
from runtime.ids import new_id
from tests.contract.fields import shows
from tests.integration.control_plane.assets import (
    KINDS,
    a_character,
    a_piece,
    a_style,
    a_voice,
    own,
    refused,
    team_of,
)
from tests.integration.control_plane.conftest import ApiError, Client, Plane
from tests.integration.control_plane.files import (
    fetch,
    fetch_made,
    looks,
    picture,
    sound,
    upload,
    upload_picture,
    upload_sound,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


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
    before = await fetch_made(user, made["preview_image_url"])
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
        now = await fetch_made(user, changed["preview_image_url"])
        assert now not in seen, change
        seen.add(now)
    other = (await upload_picture(user, "#00ff00"))["file_url"]
    shown = await user.put(path, {"preview_image_url": other})
    kept = await user.put(path, {"style_name": "榆林窟"})
    assert kept["preview_image_url"] == shown["preview_image_url"]
    assert (await looks(user, kept["preview_image_url"])).getpixel((5, 5)) == (0, 255, 0)


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
