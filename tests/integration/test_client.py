"""The API client against servers that restart, refuse and time out."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from control_plane.client import ApiClient, ClientError, NotReadyError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
TOKENS = {"session_token": "s1", "refresh_token": "r1"}


@asynccontextmanager
async def serving(routes: dict[str, Handler], port: int = 0) -> AsyncIterator[str]:
    app = web.Application()
    for route, handler in routes.items():
        method, path = route.split()
        app.router.add_route(method, path, handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def ok(data: dict[str, object]) -> web.Response:
    return web.json_response({"code": 0, "message": "success", "data": data})


async def test_a_post_is_repeated_with_its_key_while_the_server_is_away() -> None:
    keys: list[str] = []

    async def start(request: web.Request) -> web.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) == 1:
            return web.Response(status=503)
        if len(keys) == 2:
            assert request.transport is not None
            request.transport.abort()
        return ok({"status": "generating"})

    async with serving({"POST /api/v1/start": start}) as server, ApiClient(server) as client:
        assert await client.post("/start", {"a": 1}, key="k1") == {"status": "generating"}
    assert keys == ["k1"] * 3


async def test_a_refusal_is_told_with_its_code_and_not_repeated() -> None:
    calls: list[int] = []

    async def submit(request: web.Request) -> web.Response:
        calls.append(1)
        message = "invalid parameter: config.aspect_ratio: 3:1 is not supported"
        return web.json_response({"code": 1001, "message": message, "data": None}, status=400)

    async with serving({"POST /api/v1/submit": submit}) as server, ApiClient(server) as client:
        with pytest.raises(ClientError, match=r"config\.aspect_ratio") as refused:
            await client.post("/submit", key="k")
    assert refused.value.code == 1001
    assert len(calls) == 1


async def test_a_server_that_stays_away_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("control_plane.client._RETRY_FOR_S", 0.5)
    async with serving({}) as server:
        pass
    async with ApiClient(server) as client:
        with pytest.raises(ClientError, match="no answer to GET /input/options of http:"):
            await client.get("/input/options")


async def test_something_else_than_reelfarm_is_told() -> None:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text="<html>", content_type="text/html")

    async with serving({"GET /api/v1/user/me": page}) as server, ApiClient(server) as client:
        with pytest.raises(ClientError, match="is not a Reelfarm server"):
            await client.get("/user/me")


async def test_an_expired_token_is_refreshed_once() -> None:
    seen: list[str] = []

    async def login(request: web.Request) -> web.Response:
        return ok(dict(TOKENS))

    async def refresh(request: web.Request) -> web.Response:
        assert (await request.json())["refresh_token"] == "r1"
        return ok({"session_token": "s2", "refresh_token": "r2"})

    async def me(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        if seen[-1] != "Bearer s2":
            return web.json_response({"code": 1002, "message": "expired", "data": None}, status=401)
        return ok({"id": "usr_1"})

    routes: dict[str, Handler] = {
        "POST /api/v1/auth/login": login,
        "POST /api/v1/auth/refresh": refresh,
        "GET /api/v1/user/me": me,
    }
    async with serving(routes) as server, ApiClient(server) as client:
        await client.login("ada", "password")
        assert await client.get("/user/me") == {"id": "usr_1"}
    assert seen == ["Bearer s1", "Bearer s2"]


async def test_events_go_on_from_the_last_one_after_a_lost_connection() -> None:
    subscriptions: list[dict[str, object]] = []

    async def socket(request: web.Request) -> web.WebSocketResponse:
        response = web.WebSocketResponse()
        await response.prepare(request)
        subscriptions.append(await response.receive_json())
        first = 2 * len(subscriptions) - 1
        for number in (first, first + 1):
            await response.send_json({"event": "video.progress", "id": str(number), "data": {}})
        await response.close()
        return response

    async with serving({"GET /ws": socket}) as server, ApiClient(server) as client:
        got: list[str] = []
        async for event in client.events("prj_1"):
            got.append(event["id"])
            if len(got) == 4:
                break
    assert got == ["1", "2", "3", "4"]
    assert "last_event_id" not in subscriptions[0]
    assert subscriptions[1]["last_event_id"] == "2"


async def test_a_download_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    body = bytes(range(256)) * 4096
    tries: list[int] = []
    film = tmp_path / "film.mp4"

    async def file(request: web.Request) -> web.StreamResponse:
        tries.append(1)
        assert not film.exists()  # above all after half of it came
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        if len(tries) == 1:
            assert request.transport is not None
            request.transport.abort()
            return response
        await response.write(body[len(body) // 2 :])
        return response

    async with serving({"GET /files/art_1": file}) as server, ApiClient(server) as client:
        size = await client.download("http://elsewhere/files/art_1?exp=1&sig=x", film)
    assert size == len(body)
    assert film.read_bytes() == body
    assert os.listdir(tmp_path) == ["film.mp4"]  # noqa: PTH208  no part of it is left


async def test_a_file_that_is_still_made_is_told_from_one_that_never_was() -> None:
    async def making(request: web.Request) -> web.Response:
        return web.json_response({"code": 1004, "message": "x"}, status=404, headers={"Retry-After": "2"})

    async def never(request: web.Request) -> web.Response:
        return web.json_response({"code": 1004, "message": "not found"}, status=404)

    routes: dict[str, Handler] = {"GET /files/making": making, "GET /files/never": never}
    async with serving(routes) as server, ApiClient(server) as client:
        with pytest.raises(NotReadyError):
            await client.probe_file(f"{server}/files/making?sig=1")
        with pytest.raises(ClientError, match="not found") as refused:
            await client.probe_file(f"{server}/files/never?sig=1")
    assert not isinstance(refused.value, NotReadyError)
