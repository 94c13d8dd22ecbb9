"""What Reelfarm uses of Redis behaves alike on the embedded server and on a real one."""

import asyncio
import time
from contextlib import suppress
from typing import Any

import pytest
import redis.asyncio

from runtime.embedded.redis_server import EmbeddedRedis
from runtime.redis import connect, subscribed

MESSAGES = 200


async def test_a_subscriber_gets_every_message_in_order(redis_url: str) -> None:
    publisher, listener = connect(redis_url), connect(redis_url)
    async with listener.pubsub(ignore_subscribe_messages=True) as channel:
        await channel.subscribe("first", "second")
        for number in range(MESSAGES):
            await publisher.publish("second" if number % 2 else "first", str(number))
        got: list[tuple[bytes, int]] = []
        async with asyncio.timeout(10):
            while len(got) < MESSAGES:
                message = await channel.get_message(timeout=1.0)
                if message is not None:
                    got.append((message["channel"], int(message["data"])))
    assert got == [(b"second" if number % 2 else b"first", number) for number in range(MESSAGES)]
    await publisher.aclose()
    await listener.aclose()


async def test_publishing_to_nobody_is_no_error(redis_url: str) -> None:
    client = connect(redis_url)
    assert await client.publish("nobody", "{}") == 0
    await client.aclose()


async def test_many_connections_at_once(redis_url: str) -> None:
    clients = [connect(redis_url) for _ in range(60)]
    assert all(await asyncio.gather(*(client.ping() for client in clients)))
    await asyncio.gather(*(client.aclose() for client in clients))


async def test_a_subscriber_finds_the_server_again() -> None:
    server = EmbeddedRedis()
    server.start()
    client = connect(server.url)
    async with client.pubsub(ignore_subscribe_messages=True) as channel:
        await channel.subscribe("news")
        assert await channel.get_message(timeout=1.0) is None
        server.stop()
        again = EmbeddedRedis(server.port)
        again.start()
        publisher = connect(again.url)
        try:
            assert await _eventually_hears(channel, publisher)
        finally:
            await publisher.aclose()
            await client.aclose()
            again.stop()


async def _eventually_hears(channel: redis.asyncio.client.PubSub, publisher: redis.asyncio.Redis) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            await publisher.publish("news", "hello")
            if await channel.get_message(timeout=0.2) is not None:
                return True
        except redis.ConnectionError:
            continue
    return False


def test_it_listens_on_the_loopback_interface_alone() -> None:
    server = EmbeddedRedis()
    server.start()
    try:
        assert server.url.startswith("redis://127.0.0.1:")
        with pytest.raises(OSError, match="in use"):
            EmbeddedRedis(server.port)
    finally:
        server.stop()


async def test_a_loop_ends_though_the_client_lost_its_cancellation(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As asyncio.wait_for does in Python 3.11 when it is cancelled just as what it waits for is done."""
    client = connect(redis_url)
    waiting = asyncio.Event()

    async def lose(*args: Any, **options: Any) -> None:
        waiting.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)

    async def listen() -> None:
        async with subscribed(client, "channel") as messages:
            async for _ in messages:
                pass

    async def publish() -> None:
        while True:
            await client.publish("channel", b"")

    for act, place, name in (
        (listen, redis.asyncio.client.PubSub, "get_message"),
        (publish, redis.asyncio.Redis, "execute_command"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(place, name, lose)
            task = asyncio.create_task(act())
            await waiting.wait()
            waiting.clear()
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=5)
            assert done
            assert task.cancelled()
    await client.aclose()
