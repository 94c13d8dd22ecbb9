"""What the library shows of its presets is made when somebody asks for it first, and once."""

import asyncio
from collections import Counter

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import unused_port
from sqlalchemy import text

from control_plane.app import make_app
from control_plane.assets.presets import sync_presets
from control_plane.work import unit_of_work
from tests.integration.control_plane.assets import refused
from tests.integration.control_plane.conftest import Client, Plane
from tests.integration.control_plane.files import fetch, fetch_made

pytestmark = pytest.mark.asyncio(loop_scope="module")

_PREVIEW = "preview of "


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def unseen(plane: Plane) -> None:
    """Presets as on a new server."""
    async with unit_of_work(plane.services) as work:
        await work.session.execute(text("UPDATE tasks SET label = 'of another test'"))
        await work.session.execute(text("DELETE FROM assets"))
        await sync_presets(work)


async def asked(plane: Plane) -> Counter[str]:
    """How often the preview of each asset was queued."""
    async with plane.services.database.transaction() as session:
        rows = await session.execute(text("SELECT label FROM tasks WHERE label LIKE 'preview of %'"))
        return Counter(row.label.removeprefix(_PREVIEW) for row in rows)


async def sample_url(plane: Plane, asset_id: str) -> str:
    """The address of a file that nobody has been shown."""
    async with plane.services.database.transaction() as session:
        statement = text("SELECT content_artifact_id FROM assets WHERE id = :id")
        return plane.services.signer.file_url(await session.scalar(statement, {"id": asset_id}))


async def status(user: Client, url: str) -> int:
    async with user.session.get(url) as answer:
        assert (answer.status == 404) == ("Retry-After" in answer.headers)
        return answer.status


async def test_a_new_server_makes_nothing_that_nobody_has_seen(plane: Plane, user: Client) -> None:
    await user.get("/input/options")
    await user.get("/assets/styles?is_preset=false")
    assert await asked(plane) == Counter()


async def test_what_a_list_shows_is_made_once_and_for_nothing(plane: Plane, user: Client) -> None:
    for _ in range(2):
        listed = (await user.get("/assets/voices?page_size=3"))["list"]
        assert await asked(plane) == Counter(voice["id"] for voice in listed)
    sounds = [await fetch_made(user, voice["audio_sample_url"]) for voice in listed]
    assert len(set(sounds)) == 3
    assert (await user.get("/assets/voices?page_size=3"))["list"][0]["id"] == listed[0]["id"]
    assert await asked(plane) == Counter(voice["id"] for voice in listed)
    async with plane.services.database.transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM quota_ledger")) == 0
        tasks = await session.execute(text("SELECT priority, project_id FROM tasks WHERE label LIKE 'preview of %'"))
        assert {tuple(task) for task in tasks} == {(-100, "")}


async def test_one_asset_is_made_when_it_alone_is_seen(plane: Plane, user: Client) -> None:
    style = await user.get("/assets/styles/style_oil")
    person = (await user.get("/assets/characters?page_size=1"))["list"][0]
    again = await user.get(f"/assets/characters/{person['id']}")
    assert again["updated_at"] == person["updated_at"]
    assert await asked(plane) == Counter(["style_oil", person["id"]])
    picture = await fetch_made(user, style["preview_image_url"])
    assert len(picture) > len(await fetch(user, style["thumbnail_url"])) > 0


async def test_a_search_shows_kinds_of_every_sort(plane: Plane, user: Client) -> None:
    found = (await user.get("/assets/search?keyword=a&page_size=2"))["results"]
    shown = [asset["id"] for assets in found.values() for asset in assets["list"]]
    assert await asked(plane) == Counter(shown)
    assert {asset.partition("_")[0] for asset in shown} >= {"style", "voice"}


async def test_a_file_is_made_when_it_is_opened(plane: Plane, user: Client) -> None:
    """Options show pictures too; whoever reads them to start a film opens none."""
    shown = (await user.get("/input/options"))["styles"][2]
    assert await status(user, shown["preview_image_url"]) == 404
    assert await asked(plane) == Counter([shown["id"]])
    await fetch_made(user, shown["preview_image_url"])
    assert await asked(plane) == Counter([shown["id"]])


async def test_a_file_that_is_used_before_it_was_opened_is_refused_and_made(plane: Plane, user: Client) -> None:
    url = await sample_url(plane, "voice_en-male-1")
    body = {"voice_name": "mine", "voice_type": "dialogue", "audio_sample_url": url}
    error = await refused(user.post("/assets/voices", body))
    assert (error.code, "audio_sample_url" in error.message) == (1001, True)
    assert await asked(plane) == Counter(["voice_en-male-1"])
    await fetch_made(user, url)
    assert (await user.post("/assets/voices", body))["voice_name"] == "mine"


async def test_many_who_ask_at_once_of_several_servers_get_one(plane: Plane, user: Client) -> None:
    """More of them than a server has connections to the database."""
    port = unused_port()
    runner = web.AppRunner(make_app(plane.services.settings))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        async with aiohttp.ClientSession() as http:
            other = Client(http, f"http://127.0.0.1:{port}", user.token)
            url = await sample_url(plane, "voice_zh-child-1")
            calls = [
                call
                for client in (user, other)
                for call in (
                    *(client.get(f"/assets/voices?page_size={size}") for size in range(1, 41)),
                    *(status(client, url) for _ in range(10)),
                )
            ]
            async with asyncio.timeout(20):
                await asyncio.gather(*calls)
    finally:
        await runner.cleanup()
    counts = await asked(plane)
    assert len(counts) >= 10
    assert set(counts.values()) == {1}


@pytest.mark.parametrize("write", ["INSERT ON jobs", "INSERT ON tasks", "UPDATE ON assets"])
async def test_a_crash_at_any_write_loses_no_preview(plane: Plane, user: Client, write: str) -> None:
    async with plane.services.database.transaction() as session:
        crash = "BEGIN RAISE EXCEPTION USING ERRCODE = 'admin_shutdown', MESSAGE = 'crash'; END"
        await session.execute(text(f"CREATE FUNCTION crash() RETURNS trigger LANGUAGE plpgsql AS $${crash}$$"))
        await session.execute(text(f"CREATE TRIGGER crash AFTER {write} EXECUTE FUNCTION crash()"))
    path = "/assets/styles/style_anime"
    try:
        assert (await refused(user.get(path))).status == 503
        assert await asked(plane) == Counter()
    finally:
        async with plane.services.database.transaction() as session:
            await session.execute(text("DROP FUNCTION crash CASCADE"))
    await fetch_made(user, (await user.get(path))["preview_image_url"])
    assert await asked(plane) == Counter(["style_anime"])


async def test_what_no_model_can_make_is_asked_for_later(
    plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        catalog = plane.services.catalog
        served = {key: model for key, model in catalog.models.items() if "music" not in model.tasks}
        without.setattr(catalog, "models", served)
        tune = (await user.get("/assets/music?page_size=1"))["list"][0]
        assert await status(user, tune["audio_url"]) == 404
        assert await asked(plane) == Counter()
    assert await status(user, tune["audio_url"]) == 404
    assert await asked(plane) == Counter([tune["id"]])
