"""What fails within the server: an answer in the envelope, or none at all once one has begun; and CORS, which must be
right on both."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import aiohttp
import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout
from yarl import URL

from runtime.artifacts import ArtifactStore
from tests.integration.control_plane.conftest import Client, Plane
from tests.integration.control_plane.walk import attachment

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORIGIN = "https://studio.example.org"


@pytest.fixture(scope="module")
def plane_settings() -> dict[str, Any]:
    return {"allowed_origins": (ORIGIN,)}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConnectionResetError("by the database"), 503),
        (TimeoutError(), 503),
        (PoolTimeout(), 503),
        (ZeroDivisionError(), 500),
    ],
)
async def test_whatever_fails_is_answered_in_the_envelope(
    plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(plane.services.database, "reader", fail)
    headers = {"Authorization": f"Bearer {user.token}", "Accept-Language": "en"}
    async with user.session.get(f"{user.url}/api/v1/user/me", headers=headers) as answer:
        envelope = await answer.json()
    assert (answer.status, envelope["code"]) == (status, 1000)
    assert "Error" not in envelope["message"]


async def test_bytes_that_are_no_text_are_no_token(plane: Plane) -> None:
    url = URL(plane.anonymous.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"GET /api/v1/user/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer \xff\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b'"code":1002' in answer


async def test_a_file_that_breaks_off_holds_no_other_answer(
    plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = (await attachment(user))["file_url"]
    async with user.session.get(url) as answer:
        whole = await answer.read()

    async def broken(self: ArtifactStore, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        yield whole[:20]
        raise OSError("the store went away")

    monkeypatch.setattr(ArtifactStore, "stream", broken)
    address = URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(f"GET {address.raw_path_qs} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    body = b""
    with suppress(ConnectionResetError, TimeoutError):
        async with asyncio.timeout(5):
            while chunk := await reader.read(1000):
                body += chunk
    writer.close()
    assert head.startswith(b"HTTP/1.1 200 ")
    assert whole[:20].startswith(body)


async def test_a_client_that_hangs_up_is_no_failure(
    plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    url = (await attachment(user))["file_url"]
    reached, go_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def endless(self: ArtifactStore, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        try:
            yield b"x"
            reached.set()
            await go_on.wait()
            while True:
                await asyncio.sleep(0)
                yield b"x" * 1000
        finally:
            ended.set()

    monkeypatch.setattr(ArtifactStore, "stream", endless)
    async with aiohttp.ClientSession() as session:
        answer = await session.get(url)
        await reached.wait()
        answer.close()
    go_on.set()
    await asyncio.wait_for(ended.wait(), 10)
    assert (await user.get("/user/me"))["username"] == user.name
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_pages_of_allowed_origins_may_read_answers_and_files(user: Client) -> None:
    file_url = (await attachment(user))["file_url"]
    token = {"Authorization": f"Bearer {user.token}"}
    for url, headers, status in (
        (f"{user.url}/api/v1/user/me", token, 200),
        (f"{user.url}/api/v1/user/me", {}, 401),
        (file_url, {}, 200),
        (file_url, {"Range": "bytes=0-3"}, 206),
    ):
        async with user.session.get(url, headers=headers | {"Origin": ORIGIN}) as answer:
            assert answer.status == status
            assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
            assert "Origin" in answer.headers["Vary"]
            exposed = answer.headers["Access-Control-Expose-Headers"]
            assert {"Retry-After", "Content-Range", "ETag", "X-Request-Id"} <= set(exposed.split(", "))
        for origin in ({}, {"Origin": "https://elsewhere.example.org"}):
            async with user.session.get(url, headers=headers | origin) as answer:
                assert answer.status == status
                assert not [name for name in answer.headers if name.startswith("Access-Control")]


async def test_pages_of_allowed_origins_may_ask_first(user: Client) -> None:
    url = f"{user.url}/api/v1/input/submit"
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    async with user.session.options(url, headers=asked | {"Origin": ORIGIN}) as answer:
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, ORIGIN)
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert {"Authorization", "Idempotency-Key"} <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    async with user.session.options(url, headers=asked | {"Origin": "https://elsewhere.example.org"}) as answer:
        assert answer.status == 405
        assert "Access-Control-Allow-Origin" not in answer.headers
