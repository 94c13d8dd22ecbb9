"""Uploads and files, on a local store and on an S3 server; each test runs on both."""

import asyncio
import hashlib
import secrets
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from control_plane.accounts import passwords
from control_plane.artifacts.tables import ArtifactRow, UploadRow
from control_plane.assets import media as assets_media
from control_plane.inputs import uploads
from control_plane.web import handler
from farm.cache import ArtifactCache
from runtime.artifacts import ArtifactStore, content_key
from runtime.database import utc_now
from runtime.embedded.postgres import EmbeddedPostgres
from tests.conftest import fresh_database
from tests.contract.fields import shows
from tests.integration.control_plane.conftest import ApiError, Client, Plane, generated, submission
from tests.integration.control_plane.uploading import attach, fetch, picture, put, registration

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module", params=["local", "s3"])
def plane_settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"artifacts_url": request.getfixturevalue("s3_url")} if request.param == "s3" else {}


@pytest.fixture(scope="module")
def module_database_url(
    plane_settings: dict[str, Any], postgres: EmbeddedPostgres, database_template: str
) -> Iterator[str]:
    """One for each store."""
    with fresh_database(postgres, database_template) as url:
        yield url


async def stored(plane: Plane, folder: str) -> list[str]:
    return [found.key async for batch in plane.services.store.list_async(folder) for found in batch]


async def refused(call: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await call
    return caught.value


@shows(
    "POST /attachments",
    "file_name",
    "file_type",
    "file_category",
    "file_size",
    "file_url",
    "file_hash",
)
@shows("GET /projects/{project_id}/attachments", "category")
async def test_an_upload_goes_straight_to_the_store_and_is_registered_once(plane: Plane, user: Client) -> None:
    data = picture()
    config = await user.get("/attachments/upload-config")
    goes_to_store = plane.services.store.local_root is None
    assert (urlsplit(config["upload_url"]).netloc != urlsplit(user.url).netloc) is goes_to_store
    attachment = await attach(user, data)
    assert (attachment["file_name"], attachment["file_size"]) == ("参考.png", len(data))
    assert attachment["upload_status"] == "completed"
    status, answer, body = await fetch(user.session, attachment["file_url"])
    assert (status, body, answer.headers["Content-Type"]) == (200, data, "image/png")
    assert not await stored(plane, "uploads")
    words = "山上的故事。".encode()
    document = await attach(
        user, words, file_name="a.txt", file_type="text/plain", file_category="document", file_hash=None
    )
    body = submission(attachments=[{"id": attachment["id"]}, {"id": document["id"]}])
    project_id = (await user.post("/input/submit", body))["project_id"]
    listed = (await user.get(f"/projects/{project_id}/attachments"))["list"]
    assert {(row["file_name"], row["file_type"], row["file_category"]) for row in listed} == {
        ("参考.png", "image/png", "image"),
        ("a.txt", "text/plain", "document"),
    }
    only = (await user.get(f"/projects/{project_id}/attachments?category=document"))["list"]
    assert [row["id"] for row in only] == [document["id"]]


async def test_only_who_asked_for_it_can_register_an_upload(plane: Plane, user: Client) -> None:
    data = picture("green")
    file_url = await put(user, data)
    stranger = await plane.new_user(f"stranger-{time.monotonic_ns()}")
    for changed in (file_url, file_url.replace("sig=", "sig=x"), file_url.split("?")[0]):
        error = await refused(stranger.post("/attachments", registration(data, changed)))
        assert (error.code, "file_url" in error.message) == (1001, True)
    await user.post("/attachments", registration(data, file_url))
    assert (await refused(user.post("/attachments", registration(data, file_url)))).code == 1005


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"file_name": "../../etc/passwd"}, 1007, "file_name"),
        ({"file_name": "..\\x.png"}, 1007, "file_name"),
        ({"file_name": "a\nb.png"}, 1007, "file_name"),
        ({"file_name": ".."}, 1007, "file_name"),
        ({"file_type": "image/svg+xml"}, 1007, "file_type"),
        ({"file_type": "text/html"}, 1007, "file_type"),
        ({"file_type": "image/jpeg"}, 1007, "file_type"),
        ({"file_type": "audio/wav"}, 1007, "file_category"),
        ({"file_category": "document"}, 1007, "file_category"),
        ({"file_category": "video"}, 1007, "file_category"),
        ({"file_hash": "0" * 64}, 1007, "file_hash"),
        ({"file_size": 7}, 1007, "file_size"),
        ({"file_url": "https://example.org/uploads/upl_00000000000000000000000000"}, 1001, "file_url"),
        ({"file_url": "http://169.254.169.254/latest/meta-data"}, 1001, "file_url"),
        ({"file_url": "file:///etc/passwd"}, 1001, "file_url"),
    ],
)
async def test_a_lie_is_named_and_nothing_is_kept(
    plane: Plane, user: Client, changes: dict[str, Any], code: int, field: str
) -> None:
    data = picture(f"#{secrets.token_hex(3)}")
    file_url = await put(user, data)
    error = await refused(user.post("/attachments", registration(data, file_url) | changes))
    assert (error.status, error.code, field in error.message) == (400, code, True), error.message
    key = content_key(hashlib.sha256(data).hexdigest(), ".png")
    assert not await plane.services.store.size_async(key)
    await user.post("/attachments", registration(data, file_url))


async def test_a_polyglot_is_served_as_nothing_but_its_picture(user: Client) -> None:
    data = picture("olive") + b"<html><script>alert(1)</script></html>"
    attachment = await attach(user, data)
    status, answer, body = await fetch(user.session, attachment["file_url"])
    assert (status, b"<script>" in body) == (200, False)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_parts_of_a_file(user: Client) -> None:
    data = picture("maroon", size=(301, 203))
    url = (await attach(user, data))["file_url"]
    size = len(data)
    _, whole, body = await fetch(user.session, url)
    etag = whole.headers["ETag"]
    assert (body, whole.headers["Accept-Ranges"]) == (data, "bytes")
    for wanted, expected in (
        ("bytes=0-0", data[:1]),
        ("bytes=10-19", data[10:20]),
        ("bytes=100-", data[100:]),
        ("bytes=-7", data[-7:]),
        (f"bytes=-{size + 50}", data),
        (f"bytes={size - 1}-{size + 1000}", data[-1:]),
    ):
        status, answer, body = await fetch(user.session, url, Range=wanted)
        assert (status, body) == (206, expected), wanted
        start = size - len(expected) if expected == data[-len(expected) :] else data.index(expected)
        assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(expected) - 1}/{size}"
        assert answer.headers["Content-Type"] == "image/png"
    for wanted in (f"bytes={size}-", f"bytes={size + 5}-{size + 9}", "bytes=-0"):
        status, answer, _ = await fetch(user.session, url, Range=wanted)
        assert (status, answer.headers["Content-Range"]) == (416, f"bytes */{size}"), wanted
    for wanted in ("bytes=5-2", "bytes=0-1,4-5", "lines=0-1", "bytes=a-b"):
        assert (await fetch(user.session, url, Range=wanted))[0::2] == (200, data), wanted
    assert (await fetch(user.session, url, Range="bytes=0-1", If_Range=etag))[0::2] == (206, data[:2])
    assert (await fetch(user.session, url, Range="bytes=0-1", If_Range='"other"'))[0::2] == (200, data)
    assert (await fetch(user.session, url, If_None_Match=f'"x", {etag}'))[0::2] == (304, b"")
    status, answer, body = await fetch(user.session, url, "HEAD")
    assert (status, body, answer.headers["Content-Length"]) == (200, b"", str(size))
    _, answer, _ = await fetch(user.session, url + "&download=1")
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%E5%8F%82%E8%80%83.png"


async def test_a_file_whose_object_is_gone_is_not_found(plane: Plane, user: Client) -> None:
    attachment = await attach(user, picture("lime", size=(33, 44)))
    artifact_id = plane.services.signer.artifact_id_of(attachment["file_url"].split("?")[0])
    async with plane.services.database.transaction() as session:
        row = await session.get(ArtifactRow, artifact_id)
        assert row is not None
        await plane.services.store.delete_async(str(row.key))
    assert (await fetch(user.session, attachment["file_url"]))[0] == 404


async def test_a_film_can_be_made_and_a_worker_reads_through_its_cache(
    plane: Plane, user: Client, tmp_path: Path
) -> None:
    data = picture("purple", size=(320, 240))
    attachment = await attach(user, data)
    project_id, _ = await generated(user, attachments=[{"id": attachment["id"], "label": "林晓雨"}])
    assert (await user.get(f"/projects/{project_id}"))["stage"] in {"editing", "completed"}
    store = plane.services.store
    keys = await stored(plane, "content")
    cache = ArtifactCache(store, tmp_path / "cache", max_bytes=10**9)
    for round_ in range(2):
        for key in keys:
            path = cache.fetch(key, tmp_path / f"task-{round_}")
            assert path.read_bytes() == store.get_bytes(key)
    with pytest.raises(FileNotFoundError):
        cache.fetch("content/00/" + "0" * 64 + ".png", tmp_path / "task")
    again = tmp_path / "again.png"
    again.write_bytes(data)
    key = next(key for key in keys if store.get_bytes(key) == data)
    changed_at = (await store.info_async(key)).changed_at  # type: ignore[union-attr]
    store.keep_file(key, again)
    assert (await store.info_async(key)).changed_at == changed_at  # type: ignore[union-attr]


async def test_a_place_in_a_bucket_holds_nothing_of_its_neighbour(plane: Plane, tmp_path: Path) -> None:
    url = plane.services.settings.artifacts_url
    other = ArtifactStore(url.replace("/one", "/one-more") if url.startswith("s3:") else f"file://{tmp_path}/more")
    await other.put_bytes_async("content/aa/x.txt", b"x")
    assert "content/aa/x.txt" not in await stored(plane, "content")
    assert [found.key async for batch in other.list_async("content") for found in batch] == ["content/aa/x.txt"]


async def test_what_is_uploaded_through_the_api_is_bounded_and_whole_or_not_at_all(plane: Plane, user: Client) -> None:
    signer, store = plane.services.signer, plane.services.store
    url = signer.upload_url("upl_00000000000000000000000001", 60)
    async with plane.services.database.transaction() as session:
        opened = {
            "id": "upl_00000000000000000000000001",
            "tenant_id": "t",
            "expires_at": utc_now() + timedelta(hours=1),
        }
        session.add(UploadRow(**opened))
    limit = plane.services.settings.upload_max_bytes

    async def endless() -> Any:
        for _ in range(limit // (1 << 20) + 2):
            yield b"\0" * (1 << 20)

    async with user.session.put(url, data=endless()) as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, 1007)
    async with user.session.put(url, data=b"") as answer:
        assert answer.status == 400
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0)) as half:
        request = f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
        half.sendall(request.encode() + b"\0" * 300_000)
        await asyncio.sleep(0.2)
    async with asyncio.timeout(10):
        while store.local_root is not None and list((store.local_root / ".scratch").glob("*")):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert "uploads/upl_00000000000000000000000001" not in await stored(plane, "uploads")
    async with user.session.put(url, data=b"whole") as answer:
        assert (await answer.json())["data"]["file_size"] == 5
    assert await store.get_bytes_async("uploads/upl_00000000000000000000000001") == b"whole"


@asynccontextmanager
async def held(monkeypatch: pytest.MonkeyPatch, where: Any, name: str) -> AsyncIterator[None]:
    """A function that runs in threads waits there until the block ends."""
    may_go_on, real = threading.Event(), getattr(where, name)
    monkeypatch.setattr(where, name, lambda *given: (may_go_on.wait(30), real(*given))[1])
    try:
        yield
    finally:
        may_go_on.set()


async def arrived(plane: Plane, monkeypatch: pytest.MonkeyPatch, requests: list[Any]) -> list[asyncio.Task[Any]]:
    """The requests, sent, once all of them have been parsed and as many as can have begun."""
    parsed = asyncio.Semaphore(0)

    async def check(*given: Any) -> None:
        parsed.release()

    with monkeypatch.context() as patch:
        patch.setattr(handler, "check_request", check)
        tasks = [asyncio.create_task(request) for request in requests]
        for _ in tasks:
            await parsed.acquire()
    pool = plane.services.database.engine.pool
    before = -1
    while before != (before := pool.checkedout()):  # type: ignore[attr-defined]  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    return tasks


async def test_others_are_answered_while_many_uploads_are_looked_into(
    plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than there are connections to the database."""
    data = picture("navy", size=(41, 43))
    bodies = [registration(data, await put(user, data)) for _ in range(24)]
    drawn = {"character_name": "a", "character_type": "other", "image_url": (await attach(user, data))["file_url"]}
    async with held(monkeypatch, uploads.media, "checked_file"), held(monkeypatch, assets_media, "_shrunk"):
        requests = [user.post("/attachments", body) for body in bodies]
        requests += [user.post("/assets/characters", drawn) for _ in range(24)]
        waiting = await arrived(plane, monkeypatch, requests)
        async with asyncio.timeout(5):
            await user.get("/user/me")
            await plane.anonymous.login(user.name)
    await asyncio.gather(*waiting)


async def test_others_are_answered_while_many_log_in(
    plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with held(monkeypatch, passwords, "_verify"):
        change = {"old_password": "wrong password", "new_password": "another password"}
        requests = [plane.anonymous.login(user.name) for _ in range(24)]
        requests += [user.post("/auth/change-password", change) for _ in range(24)]
        waiting = await arrived(plane, monkeypatch, requests)
        async with asyncio.timeout(5):
            await user.get("/user/me")
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_nothing_is_taken_for_an_upload_that_is_registered_or_over(
    plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, services = picture("teal", size=(21, 23)), plane.services

    async def sent(upload_id: str, body: Any) -> tuple[int, int]:
        async with user.session.put(services.signer.upload_url(upload_id, 60), data=body) as answer:
            return answer.status, (await answer.json())["code"]

    async def opened() -> tuple[str, str]:
        config = await user.get("/attachments/upload-config")
        return str(config["file_url"]), urlsplit(config["file_url"]).path.rpartition("/")[2]

    file_url, upload_id = await opened()
    assert await sent(upload_id, data) == (200, 0)
    registering = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"\0" * 1000
        await registering.wait()
        yield b"\0" * 1000

    # One is sent again while the first is registered.
    sending = asyncio.create_task(sent(upload_id, slow()))
    await asyncio.sleep(0.1)
    await user.post("/attachments", registration(data, file_url))
    registering.set()
    assert await sending == (403, 1003)
    assert await sent(upload_id, data) == (403, 1003)
    _, upload_id = await opened()
    async with services.database.transaction() as session:
        row = await session.get(UploadRow, upload_id)
        assert row is not None
        row.expires_at = utc_now()
    assert await sent(upload_id, data) == (403, 1003)
    assert f"uploads/{upload_id}" not in await stored(plane, "uploads")


async def test_of_two_who_register_an_upload_at_once_one_is_told(plane: Plane, user: Client) -> None:
    data = picture("tan", size=(25, 23))
    body = registration(data, await put(user, data))
    answers = await asyncio.gather(*(user.post("/attachments", body) for _ in range(2)), return_exceptions=True)
    assert sorted(getattr(answer, "code", 0) for answer in answers) == [0, 1005]


@pytest.mark.parametrize("step", ["size_async", "take"])
async def test_who_finds_nothing_because_another_was_faster_is_told_so(
    plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The first registration goes through, upload deleted and all, while the second is about to take that step."""
    data = picture("tan", size=(26, 23))
    body = registration(data, await put(user, data))
    held, going = threading.Event(), threading.Event()
    original = getattr(ArtifactStore, step)

    async def size_later(store: ArtifactStore, key: str) -> Any:
        held.set()
        await asyncio.to_thread(going.wait, 10)
        return await original(store, key)

    def take_later(store: ArtifactStore, key: str, target: Path) -> Any:
        held.set()
        going.wait(10)
        return original(store, key, target)

    with monkeypatch.context() as patch:
        patch.setattr(ArtifactStore, step, size_later if step == "size_async" else take_later)
        slow = asyncio.ensure_future(refused(user.post("/attachments", body)))
        await asyncio.to_thread(held.wait, 10)
        patch.setattr(ArtifactStore, step, original)
        await user.post("/attachments", body)
        going.set()
        assert (await slow).code == 1005


async def test_a_late_answer_of_the_store_loses_nothing(
    plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The api dies, or the store fails, between any two steps: the registration can be sent again."""
    data = picture("silver", size=(50, 41))
    file_url = await put(user, data)

    def broken(*_arguments: object) -> None:
        raise OSError("the store is away")

    for step in ("take", "keep_file"):
        with monkeypatch.context() as patch:
            patch.setattr(ArtifactStore, step, broken)
            assert (await refused(user.post("/attachments", registration(data, file_url)))).status >= 500
    with monkeypatch.context() as patch:
        patch.setattr(ArtifactStore, "delete_async", broken)
        attachment = await user.post("/attachments", registration(data, file_url))
    assert (await fetch(user.session, attachment["file_url"]))[2] == data
    assert await stored(plane, "uploads")  # left to the collector
