"""From event rows to WebSockets.

One hub per api process. It keeps for every watched project the last sequence it has sent; Redis says when there is
more, and a slow poll of the sequences finds what Redis lost. Progress that workers report goes straight through: it is
not worth a row.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from aiohttp import WSCloseCode
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from control_plane.events import audience, service, tables
from control_plane.events.client import Client, Message
from control_plane.materials import present
from control_plane.web.models import to_json
from control_plane.work import Services
from monitoring.metrics import WEBSOCKET_CLIENTS
from runtime import redis as channels

log = structlog.get_logger(__name__)

_POLL_S = 2.0
_AFTER_ERROR_S = 1.0
_BATCH = 500
_PROGRESS_EVENT = {
    "timeline.video": "video.progress",
    "exports.encoded": "export.progress",
    "materials.image": "image.progress",
    "materials.candidate": "image.progress",
}


@dataclass
class _Watch:
    sent_seq: int
    joining: int = 0
    clients: set[Client] = field(default_factory=set)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Hub:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._watches: dict[str, _Watch] = {}
        self._clients: set[Client] = set()

    def add(self, client: Client) -> None:
        self._clients.add(client)
        WEBSOCKET_CLIENTS.set(len(self._clients))

    async def close(self) -> None:
        """Tell every client to come back to another process."""
        closing = [client.close(WSCloseCode.GOING_AWAY, b"server is stopping") for client in self._clients]
        await asyncio.gather(*closing)

    async def subscribe(self, client: Client, project_id: str, last_seq: int | None) -> int:
        """Replay what the client missed, then everything new. Returns the sequence the replay reached."""
        async with self._services.database.reading() as session:
            seqs = await tables.last_seqs(session, [project_id])
        watch = self._watches.setdefault(project_id, _Watch(sent_seq=seqs.get(project_id, 0)))
        # Counted at once: a watch that somebody is about to join must not be dropped by the last who leaves.
        watch.joining += 1
        try:
            return await self._join(client, project_id, watch, last_seq)
        finally:
            watch.joining -= 1
            self._drop_if_unwatched(project_id)

    async def _join(self, client: Client, project_id: str, watch: "_Watch", last_seq: int | None) -> int:
        at = last_seq
        while True:
            async with watch.lock:
                rows = await self._load(project_id, at, until=watch.sent_seq) if at is not None else []
                for message in rows:
                    client.send(message)
                if len(rows) < _BATCH or client.gone:
                    watch.clients.add(client)
                    return watch.sent_seq
            # Sequences have gaps where old events were deleted.
            at = int(rows[-1].content["id"])
            # Apart from the lock: the other watchers do not wait for one that reads slowly.
            await client.drained()

    def unsubscribe(self, client: Client, project_id: str) -> bool:
        """Whether it was subscribed."""
        watch = self._watches.get(project_id)
        if watch is None or client not in watch.clients:
            return False
        watch.clients.remove(client)
        self._drop_if_unwatched(project_id)
        return True

    def _drop_if_unwatched(self, project_id: str) -> None:
        watch = self._watches.get(project_id)
        if watch is not None and not watch.clients and not watch.joining:
            del self._watches[project_id]

    def remove(self, client: Client) -> None:
        for project_id in list(self._watches):
            self.unsubscribe(client, project_id)
        self._clients.discard(client)
        WEBSOCKET_CLIENTS.set(len(self._clients))

    async def _load(self, project_id: str, after: int, *, until: int | None = None) -> list[Message]:
        """The next events, ``_BATCH`` at most."""
        signer = self._services.signer
        messages = []
        async with self._services.database.reading() as session:
            for row in await tables.events_after(session, project_id, after, _BATCH, until=until):
                data = row.data
                if row.event == "generation.completed":
                    package = await present.materials(session, data["material_package_id"])
                    data = {**data, "materials": to_json(package, signer)}
                messages.append(Message(service.message(row.event, project_id, str(row.seq), data, signer)))
        return messages

    async def deliver(self, project_id: str) -> None:
        """Send a project's new rows to its watchers, in order."""
        watch = self._watches.get(project_id)
        if watch is None:
            return
        async with watch.lock:
            while messages := await self._load(project_id, watch.sent_seq):
                for message in messages:
                    for client in watch.clients:
                        client.send(message)
                watch.sent_seq = int(messages[-1].content["id"])

    def relay_progress(self, report: dict[str, Any]) -> None:
        """A worker's progress, to those who watch its project."""
        watch = self._watches.get(report.get("project_id", ""))
        event = _PROGRESS_EVENT.get(report.get("reaction", ""))
        if watch is None or event is None:
            return
        context = report["context"]
        percent = min(99, int(100 * report["fraction"]))
        data = {"status": "processing", "progress": percent}
        if "preview" in report:
            data["preview"] = f"data:image/jpeg;base64,{report['preview']}"
        if event == "video.progress":
            data |= {"clip_id": context["clip_id"], "shot_number": context["shot_number"]}
        elif event == "export.progress":
            data |= {"export_task_id": context["export_id"]}
        else:
            data |= {"candidate_id": context["image_id"]}
        message = Message(
            service.message(event, report["project_id"], str(watch.sent_seq), data, self._services.signer)
        )
        for client in watch.clients:
            client.send(message)

    async def listen(self) -> None:
        """Hear of new rows and of progress by Redis; run until cancelled."""
        while True:
            try:
                async with channels.subscribed(self._services.redis, channels.EVENTS, channels.PROGRESS) as messages:
                    async for heard in messages:
                        await self._hear(heard)
            except (RedisError, OSError, SQLAlchemyError) as error:
                log.info("events fall back to polling", error=str(error))
                await asyncio.sleep(_AFTER_ERROR_S)

    async def _hear(self, heard: dict[str, Any]) -> None:
        try:
            message = orjson.loads(heard["data"])
            if heard["channel"] == channels.PROGRESS.encode():
                self.relay_progress(message)
            else:
                await self.deliver(message["project_id"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("not a message of ours", channel=heard["channel"], error=repr(error))

    async def _dismiss(self) -> None:
        """Close the sockets of sessions that have ended, and end subscriptions of those who may not see a project any
        more."""
        clients = list(self._clients)
        if not clients:
            return
        watched = {name: {client.actor for client in watch.clients} for name, watch in self._watches.items()}
        async with self._services.database.reading() as session:
            live = await audience.live_sessions(session, {client.actor.session_id for client in clients})
            strangers = await audience.strangers(session, watched)
        for project_id, users in strangers.items():
            for client in [c for c in clients if c.actor.user_id in users]:
                if self.unsubscribe(client, project_id):
                    client.send(Message({"event": "unsubscribed", "project_id": project_id}))
        ended = [client for client in clients if client.actor.session_id not in live]
        for client in ended:
            self.remove(client)
            client.close(WSCloseCode.POLICY_VIOLATION, b"the session has ended")

    async def poll(self) -> None:
        """Find rows that Redis did not tell of, and clients that may hear no more; run until cancelled."""
        while True:
            await asyncio.sleep(_POLL_S)
            try:
                await self._dismiss()
                if not self._watches:
                    continue
                async with self._services.database.reading() as session:
                    seqs = await tables.last_seqs(session, list(self._watches))
                for project_id, seq in seqs.items():
                    watch = self._watches.get(project_id)
                    if watch is not None and watch.sent_seq < seq:
                        await self.deliver(project_id)
            except (SQLAlchemyError, OSError) as error:
                log.warning("database is away, events wait", error=str(error))
