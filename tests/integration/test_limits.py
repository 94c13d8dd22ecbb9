"""Rate limits on a Redis that runs no scripts and on one that does; without Redis there are none."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import redis.asyncio

from control_plane.errors import TooManyRequests
from control_plane.web import limits
from control_plane.web.limits import Limit, check, check_login
from runtime import redis as channels


@pytest.fixture
async def client(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[redis.asyncio.Redis]:
    monkeypatch.setattr("time.time", lambda: 1_000_020.0)  # a third of a minute has passed
    connected = channels.connect(redis_url)
    yield connected
    await connected.aclose()


async def passes(client: redis.asyncio.Redis, address: str, name: str) -> bool:
    try:
        await check_login(client, 2, address, name)
    except TooManyRequests:
        return False
    return True


async def test_a_client_has_so_many_tries_at_a_user(client: redis.asyncio.Redis) -> None:
    tries = [await passes(client, "192.0.2.1", name) for name in ("lin", "LIN", "lin", "wang")]
    assert tries == [True, True, False, True]
    assert await passes(client, "192.0.2.2", "lin")


async def test_a_user_is_not_tried_from_everywhere(client: redis.asyncio.Redis) -> None:
    tries = [await passes(client, f"192.0.2.{n}", "lin") for n in range(12)]
    assert tries == [True] * 10 + [False] * 2


async def test_a_client_does_not_try_everybody(client: redis.asyncio.Redis) -> None:
    tries = [await passes(client, f"2001:db8::{n}", f"user-{n}") for n in range(22)]
    assert tries == [True] * 20 + [False] * 2
    assert await passes(client, "2001:db8:0:1::1", "lin")


async def test_at_once_no_more_pass_than_one_by_one(client: redis.asyncio.Redis) -> None:
    tries = await asyncio.gather(*(passes(client, "192.0.2.1", "lin") for _ in range(10)))
    assert sum(tries) == 2


async def test_the_window_slides(client: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(6):
        await check(client, Limit(6, ("x",)))
    # Half a minute into the next window half of those six count: three more are let through.
    monkeypatch.setattr("time.time", lambda: (1_000_020 // 60 + 1.5) * 60)
    for _ in range(3):
        await check(client, Limit(6, ("x",)))
    with pytest.raises(TooManyRequests):
        await check(client, Limit(6, ("x",)))
    monkeypatch.setattr("time.time", lambda: (1_000_020 // 60 + 3.5) * 60)
    await check(client, Limit(6, ("x",)))
    assert -1 not in [await client.ttl(key) for key in await client.keys("reelfarm:limit:*")]  # each expires


async def test_without_redis_everybody_passes() -> None:
    away = channels.connect("redis://127.0.0.1:1")
    assert all([await passes(away, "192.0.2.1", "lin") for _ in range(5)])
    await away.aclose()


async def test_a_redis_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stopped.wait()
        writer.close()

    stopped = asyncio.Event()
    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = channels.connect(f"redis://127.0.0.1:{port}")
    monkeypatch.setattr(limits, "_TIMEOUT_S", 0.1)
    async with asyncio.timeout(2):
        assert await passes(client, "192.0.2.1", "lin")
    stopped.set()
    await client.aclose()
    server.close()
