"""One WebSocket and what is queued for it.

No client can make this process keep much: what waits to be sent is bounded, and whoever asks is read no further while
many answers wait.
"""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any

import orjson
import structlog
from aiohttp import WSCloseCode, web

from control_plane.accounts.actor import Actor
from control_plane.events.schemas import PROGRESS_EVENTS
from control_plane.web.reasons import in_language

log = structlog.get_logger(__name__)

_MAX_PROGRESS_QUEUED = 100
_MAX_QUEUED = 2000
_FEW = 100
"""How many messages may wait while the client is read on, or more of a replay is loaded."""
_STALLED_S = 30.0
_CLOSE_S = 5.0


class Message:
    """What is sent to many clients: written as JSON once for each language."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self.is_progress = content.get("event") in PROGRESS_EVENTS
        self._written: dict[str, str] = {}

    def in_language(self, language: str) -> str:
        if language not in self._written:
            self._written[language] = orjson.dumps(in_language(self.content, language)).decode()
        return self._written[language]


class Client:
    """A slow reader loses progress; if it does not even read what matters, it is closed and can come back with the
    last id it saw."""

    def __init__(
        self, socket: web.WebSocketResponse, transport: asyncio.Transport, actor: Actor, language: str
    ) -> None:
        self.socket = socket
        self.actor = actor
        self._transport = transport
        self._language = language
        self._queue: deque[Message] = deque()
        self._progress_queued = 0
        self._ready = asyncio.Event()
        self._few = asyncio.Event()
        self._few.set()
        self._sent = 0
        self.gone = False
        """Whether nothing can be sent to it any more."""
        self._closing: asyncio.Task[None] | None = None

    def send(self, message: Message) -> None:
        if self.gone or (message.is_progress and self._progress_queued >= _MAX_PROGRESS_QUEUED):
            return
        if len(self._queue) >= _MAX_QUEUED:
            self._close_slow()
            return
        self._progress_queued += message.is_progress
        self._queue.append(message)
        if len(self._queue) > _FEW:
            self._few.clear()
        self._ready.set()

    async def drained(self) -> None:
        """Wait until few messages are queued, or the client is gone. One that takes nothing meanwhile is closed."""
        while not self._few.is_set():
            before = self._sent
            with suppress(TimeoutError):
                async with asyncio.timeout(_STALLED_S):
                    await self._few.wait()
            if self._sent == before and not self._few.is_set():
                self._close_slow()

    def _close_slow(self) -> None:
        log.info("a reader of events is too slow", user_id=self.actor.user_id, queued=len(self._queue))
        self.close(WSCloseCode.TRY_AGAIN_LATER, b"too slow")

    def close(self, code: WSCloseCode, reason: bytes) -> asyncio.Task[None]:
        """Send nothing more and end the socket, in a task of its own: a client that does not answer takes its time to
        close, and the others do not wait."""
        self._let_go()
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(code, reason))
        return self._closing

    def _let_go(self) -> None:
        self.gone = True
        self._queue.clear()
        self._few.set()

    async def _close(self, code: WSCloseCode, reason: bytes) -> None:
        # In order, a transport closes when all is written: with a peer that does not read, never.
        asyncio.get_running_loop().call_later(_CLOSE_S, self._transport.abort)
        await self.socket.close(code=code, message=reason)

    async def finish(self) -> None:
        """When nothing more comes from the client: whatever is left of its connection ends."""
        if self._closing is not None:
            await self._closing
        elif self.socket.close_code == WSCloseCode.ABNORMAL_CLOSURE:
            self._transport.abort()  # it did not answer a heartbeat, and will not read what is still to be written

    async def write_forever(self) -> None:
        """Raises ConnectionError when the client has gone."""
        try:
            while True:
                await self._ready.wait()
                self._ready.clear()
                while self._queue:
                    message = self._queue.popleft()
                    self._progress_queued -= message.is_progress
                    await self.socket.send_str(message.in_language(self._language))
                    self._sent += 1
                    if len(self._queue) <= _FEW:
                        self._few.set()
        finally:
            self._let_go()
