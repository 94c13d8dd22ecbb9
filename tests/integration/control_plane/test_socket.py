"""A WebSocket whose client reads slowly, not at all, or is no more; and what a client gets that missed much."""

import asyncio
import itertools
import socket as sockets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from control_plane.events import client as clients
from control_plane.events import hub, socket
from control_plane.events.client import Client as Listener
from runtime.redis import PROGRESS
from tests.integration.control_plane.conftest import Client, Plane
from tests.integration.control_plane.test_events import closed, listening, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

FAT = "很" * 1000
"""A word that fills what lies between a server and a client that does not read."""


async def wait_until(happened: Callable[[], bool], *, within_s: float = 10) -> None:
    async with asyncio.timeout(within_s):
        while not happened():  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.02)


async def new_project(user: Client) -> str:
    return str((await user.post("/projects", {"name": "海"}))["id"])


async def happen(plane: Plane, project_id: str, count: int) -> None:
    """Events of a project that matter, without a word to the hub."""
    data = {"material_package_id": "pkg_1", "step": "scenes", "error_message": FAT}
    async with plane.services.database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO events (project_id, seq, event, data, created_at) SELECT id, event_seq + n,"
                " 'generation.failed', CAST(:data AS json), now() FROM projects, generate_series(1, :count) AS n"
                " WHERE id = :id"
            ),
            {"id": project_id, "count": count, "data": orjson.dumps(data).decode()},
        )
        await session.execute(
            text("UPDATE projects SET event_seq = event_seq + :count WHERE id = :id"),
            {"id": project_id, "count": count},
        )


@asynccontextmanager
async def deaf(plane: Plane, user: Client) -> AsyncIterator[tuple[aiohttp.ClientWebSocketResponse, Listener]]:
    """A socket whose client does not read until it is asked to, with little room on its way, and what the server has
    of it."""
    before = set(plane.hub._clients)
    # Its heartbeats are answered by whoever calls receive().
    async with user.session.ws_connect(f"{user.url}/ws?token={user.token}") as connected:
        await wait_until(lambda: bool(plane.hub._clients - before))
        (listener,) = plane.hub._clients - before
        give_room(connected, listener, 4096)
        transport_of(connected).pause_reading()
        try:
            yield connected, listener
        finally:
            if not transport_of(connected).is_closing():
                transport_of(connected).abort()


def give_room(connected: aiohttp.ClientWebSocketResponse, listener: Listener, size: int) -> None:
    listener.socket.get_extra_info("socket").setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, size)
    connected.get_extra_info("socket").setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, size)


def listen_again(connected: aiohttp.ClientWebSocketResponse, listener: Listener) -> None:
    give_room(connected, listener, 1 << 20)
    transport_of(connected).resume_reading()


def transport_of(connected: aiohttp.ClientWebSocketResponse) -> asyncio.Transport:
    transport: asyncio.Transport = connected._writer.transport
    return transport


async def subscribed(
    plane: Plane, connected: aiohttp.ClientWebSocketResponse, listener: Listener, project_id: str
) -> None:
    await connected.send_json({"action": "subscribe", "channel": "project", "project_id": project_id})
    await wait_until(lambda: project_id in plane.hub._watches and listener in plane.hub._watches[project_id].clients)


async def test_who_missed_more_than_may_wait_gets_all_of_it(
    plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "_MAX_QUEUED", 60)
    monkeypatch.setattr(clients, "_FEW", 10)
    monkeypatch.setattr(hub, "_BATCH", 40)
    project_id = await new_project(user)
    await happen(plane, project_id, 500)
    async with listening(user, project_id, last_event_id="20") as (connected, heard):
        assert [int(message["id"]) for message in heard] == [*range(21, 501), 500]
        await happen(plane, project_id, 1)
        await plane.hub.deliver(project_id)
        assert (await connected.receive_json(timeout=10))["id"] == "501"


async def test_a_replay_that_is_not_read_holds_nobody_up(
    plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "_BATCH", 200)
    project_id = await new_project(user)
    await happen(plane, project_id, 1000)
    async with deaf(plane, user) as (connected, listener), listening(user, project_id) as (other, _):
        await connected.send_json({"action": "subscribe", "project_id": project_id, "last_event_id": "0"})
        await wait_until(lambda: len(listener._queue) > clients._FEW)
        await happen(plane, project_id, 1)
        await plane.hub.deliver(project_id)
        assert (await other.receive_json(timeout=10))["id"] == "1001"
        assert len(listener._queue) < 400
        listen_again(connected, listener)
        ids = [int((await connected.receive_json(timeout=10))["id"]) for _ in range(1002)]
        assert ids == [*range(1, 1002), 1001]


async def test_what_is_not_delivered_yet_is_heard_once_by_who_comes_now(plane: Plane, user: Client) -> None:
    project_id = await new_project(user)
    async with listening(user, project_id):
        await happen(plane, project_id, 5)
        async with listening(user, project_id, last_event_id="0") as (connected, before):
            await plane.hub.deliver(project_id)
            heard = [message for message in before if message["event"] != "subscribed"]
            while not heard or heard[-1]["id"] != "5":
                heard.append(await connected.receive_json(timeout=10))
            await connected.send_json({"action": "ping"})
            assert (await connected.receive_json(timeout=10))["event"] == "pong"
    assert [message["id"] for message in heard] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("batch", [2, 500])
async def test_events_of_which_the_first_were_deleted_are_replayed_once(
    plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(hub, "_BATCH", batch)
    project_id = await new_project(user)
    await happen(plane, project_id, 28)
    async with plane.services.database.transaction() as session:
        await session.execute(
            text("DELETE FROM events WHERE project_id = :id AND (seq <= 23 OR seq = 26)"), {"id": project_id}
        )
    async with listening(user, project_id, last_event_id="0") as (_, heard):
        assert [message["id"] for message in heard] == ["24", "25", "27", "28", "28"]
        assert heard[-1]["event"] == "subscribed"


@pytest.mark.parametrize("reads_at_last", [True, False])
async def test_who_does_not_read_is_closed(
    plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch, reads_at_last: bool
) -> None:
    monkeypatch.setattr(clients, "_MAX_QUEUED", 200)
    monkeypatch.setattr(hub, "_BATCH", 50)
    monkeypatch.setattr(clients, "_CLOSE_S", 5.0 if reads_at_last else 0.3)
    project_id = await new_project(user)
    async with deaf(plane, user) as (connected, listener):
        await subscribed(plane, connected, listener, project_id)
        await happen(plane, project_id, 1000)
        await plane.hub.deliver(project_id)
        assert listener.gone
        assert not listener._queue
        if reads_at_last:
            assert listener._transport.get_write_buffer_size()
            listen_again(connected, listener)
            assert await closed(connected) == aiohttp.WSCloseCode.TRY_AGAIN_LATER
        await wait_until(lambda: listener not in plane.hub._clients)
        await wait_until(lambda: listener._transport.get_write_buffer_size() == 0)
        assert listener._transport.is_closing()
    # It comes back for the rest.
    async with listening(user, project_id, last_event_id="990") as (_, heard):
        assert [message["id"] for message in heard] == [*map(str, range(991, 1001)), "1000"]


async def test_who_asks_and_does_not_read_is_read_no_more_and_closed(
    plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "_STALLED_S", 0.4)
    monkeypatch.setattr(clients, "_CLOSE_S", 0.2)
    most = 0
    async with deaf(plane, user) as (connected, listener):

        async def ask() -> None:
            for _ in range(20_000):
                await connected.send_json({"action": "unsubscribe", "project_id": "x" * 64})

        async def look() -> None:
            nonlocal most
            while listener in plane.hub._clients:
                most = max(most, len(listener._queue))
                await asyncio.sleep(0)

        asking = asyncio.create_task(ask())
        await asyncio.wait_for(look(), 20)
        assert clients._FEW < most <= clients._FEW + 1
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def test_a_slow_reader_loses_progress_and_nothing_else(plane: Plane, user: Client) -> None:
    project_id = await new_project(user)
    async with deaf(plane, user) as (connected, listener):
        await subscribed(plane, connected, listener, project_id)
        await happen(plane, project_id, 100)
        await plane.hub.deliver(project_id)
        report = {"project_id": project_id, "reaction": "timeline.video", "fraction": 0.5}
        report["context"] = {"clip_id": FAT, "shot_number": 1}
        for _ in range(1000):
            plane.hub.relay_progress(report)
        assert listener._progress_queued == clients._MAX_PROGRESS_QUEUED
        await happen(plane, project_id, 20)
        await plane.hub.deliver(project_id)
        assert not listener.gone
        listen_again(connected, listener)
        heard: list[dict[str, Any]] = []
        while not heard or heard[-1]["id"] != "120":
            heard.append(await connected.receive_json(timeout=10))
        counted = itertools.groupby(heard, lambda message: message["event"])
        assert [event for event, _ in counted] == [
            "subscribed",
            "generation.failed",
            "video.progress",
            "generation.failed",
        ]
        assert [message["id"] for message in heard if message["event"] == "generation.failed"] == [
            str(n) for n in range(1, 121)
        ]
        assert sum(message["event"] == "video.progress" for message in heard) == clients._MAX_PROGRESS_QUEUED
        # Having read, it hears of progress again.
        await plane.services.redis.publish(PROGRESS, orjson.dumps(report))
        assert (await connected.receive_json(timeout=10))["event"] == "video.progress"


@pytest.mark.parametrize("unread", [0, 150])
async def test_a_dead_peer_is_closed_by_its_missing_heartbeat(
    plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch, unread: int
) -> None:
    monkeypatch.setattr(socket, "_HEARTBEAT_S", 1.0)
    project_id = await new_project(user)
    async with deaf(plane, user) as (connected, listener), listening(user, project_id) as (alive, _):
        await subscribed(plane, connected, listener, project_id)
        await happen(plane, project_id, unread)
        await plane.hub.deliver(project_id)
        hearing = asyncio.create_task(until(alive, "pong"))
        await wait_until(lambda: listener not in plane.hub._clients)
        # Nothing is kept of it, though it never read what lay on the way to it.
        await wait_until(lambda: listener._transport.get_write_buffer_size() == 0)
        assert listener._transport.is_closing()
        await alive.send_json({"action": "ping"})
        assert len(await hearing) == unread + 1


@pytest.mark.parametrize("replays", [False, True])
async def test_a_client_that_vanishes_while_it_is_written_to_is_no_error(
    plane: Plane, user: Client, replays: bool
) -> None:
    project_id = await new_project(user)
    await happen(plane, project_id, 600)
    with capture_logs() as logs:
        async with deaf(plane, user) as (connected, listener):
            if replays:
                await connected.send_json({"action": "subscribe", "project_id": project_id, "last_event_id": "0"})
            else:
                await subscribed(plane, connected, listener, project_id)
                await happen(plane, project_id, 600)
                await plane.hub.deliver(project_id)
            await wait_until(lambda: listener._transport.get_write_buffer_size() > 0)
            assert listener._queue
            transport_of(connected).abort()
            await wait_until(lambda: listener not in plane.hub._clients)
        await asyncio.sleep(0.05)
    assert [entry for entry in logs if entry["event"] == "request failed"] == []


async def test_a_database_that_is_away_is_told_to_who_subscribes(
    plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    project_id = await new_project(user)
    await happen(plane, project_id, 3)

    async def away(*_: Any, **__: Any) -> None:
        raise ConnectionRefusedError(111, "away")

    subscribe = {"action": "subscribe", "project_id": project_id, "last_event_id": "1"}
    async with user.session.ws_connect(f"{user.url}/ws?token={user.token}") as connected:
        for module, name in ((socket, "load_project"), (hub.tables, "last_seqs"), (hub.tables, "events_after")):
            with monkeypatch.context() as patch:
                patch.setattr(module, name, away)
                await connected.send_json(subscribe)
                refused = await connected.receive_json(timeout=10)
            assert refused == {
                "event": "error",
                "code": 1000,
                "message": "服务暂时不可用，请稍后重试",
                "project_id": project_id,
            }
        await connected.send_json(subscribe)
        heard = [await connected.receive_json(timeout=10) for _ in range(3)]
    assert [(message["event"], message["id"]) for message in heard] == [
        ("generation.failed", "2"),
        ("generation.failed", "3"),
        ("subscribed", "3"),
    ]


async def test_frames_are_not_compressed(plane: Plane, user: Client) -> None:
    async with user.session.ws_connect(f"{user.url}/ws?token={user.token}", compress=15) as connected:
        assert not connected.compress
