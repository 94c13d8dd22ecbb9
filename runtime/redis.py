"""Redis: progress and wake-ups, nothing that cannot be lost. Every reader also polls slowly, so losing a message
costs a moment and never work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import redis.asyncio

# Channels (publish / subscribe). Payloads are JSON objects.
WAKE_SCHEDULER = "reelfarm:wake:scheduler"  # {} — new or cancelled tasks were committed
WAKE_REACTIONS = "reelfarm:wake:reactions"  # {} — tasks finished and wait to be applied
EVENTS = "reelfarm:events"  # {"project_id", "seq"} — event rows up to seq were committed
PROGRESS = "reelfarm:progress"  # {"task_id", "project_id", "reaction", "context", "phase", "fraction"}


# How long to listen before coming up for air; under the client's socket timeout.
_LISTEN_S = 4.0


class Client(redis.asyncio.Redis):
    """redis-py writes by ``asyncio.wait_for``, which before Python 3.12 loses a cancellation that comes as the write is
    done: a loop that is to end would go on for ever. Here it is found again."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        answer = await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        _raise_if_cancelled()
        return answer


class Subscription:
    """An asynchronous iterator over what is published on some channels."""

    def __init__(self, pubsub: redis.asyncio.client.PubSub) -> None:
        self._pubsub = pubsub

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> dict[str, Any]:
        message: dict[str, Any] | None = None
        while message is None:
            _raise_if_cancelled()
            message = await self._pubsub.get_message(ignore_subscribe_messages=True, timeout=_LISTEN_S)
        return message


@asynccontextmanager
async def subscribed(client: redis.asyncio.Redis, *channels: str) -> AsyncIterator[Subscription]:
    """Raises RedisError and OSError, also while it is iterated over."""
    async with client.pubsub() as pubsub:
        await pubsub.subscribe(*channels)
        yield Subscription(pubsub)


def _raise_if_cancelled() -> None:
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def connect(url: str) -> redis.asyncio.Redis:
    """A client with a connection pool; connections are made when first used."""
    return Client.from_url(url, health_check_interval=15, socket_connect_timeout=2, socket_timeout=5)
