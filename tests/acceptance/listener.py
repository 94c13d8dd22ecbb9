"""What a browser's WebSocket hears of a project."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

import aiohttp

from tests.acceptance.product import Api, wait_for


class Listener:
    """What a browser's WebSocket hears of a project, in order."""

    def __init__(self, api: Api, project_id: str, last_event_id: str | None = None) -> None:
        self.heard: list[dict[str, Any]] = []
        self.subscribed = threading.Event()
        self._url = f"{api.url.replace('http', 'ws')}/ws?token={api.token}"
        self._subscription = {"action": "subscribe", "channel": "project", "project_id": project_id}
        if last_event_id is not None:
            self._subscription["last_event_id"] = last_event_id
        self._loop = asyncio.new_event_loop()

    async def _listen(self) -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(self._url) as socket:
            await socket.send_json(self._subscription)
            async for message in socket:
                event = message.json()
                if event["event"] == "subscribed":
                    self.subscribed.set()
                else:
                    self.heard.append(event)

    @contextmanager
    def listening(self) -> Iterator[Self]:
        task = self._loop.create_task(self._listen())

        def run() -> None:
            with suppress(asyncio.CancelledError):
                self._loop.run_until_complete(task)

        thread = threading.Thread(target=run)
        thread.start()
        assert self.subscribed.wait(30)
        yield self
        self._loop.call_soon_threadsafe(task.cancel)
        thread.join()
        self._loop.close()

    def wait_for(self, name: str, **data: Any) -> dict[str, Any]:
        """The first event of that name with such data."""

        def look() -> dict[str, Any] | None:
            events = (event for event in self.heard if event["event"] == name)
            return next((event for event in events if data.items() <= event["data"].items()), None)

        return wait_for(f"{name} {data}", look)
