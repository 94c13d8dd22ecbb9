"""Events: everything that matters arrives, in order, after whatever was missed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from control_plane.events.schemas import EVENTS
from tests.integration.control_plane.conftest import Client, Plane, generated, submission

pytestmark = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def listening(
    user: Client, project_id: str, **options: Any
) -> AsyncIterator[tuple[aiohttp.ClientWebSocketResponse, list[dict[str, Any]]]]:
    """Subscribed; what was replayed before the confirmation comes with it."""
    async with user.session.ws_connect(f"{user.url}/ws?token={user.token}") as socket:
        await socket.send_json({"action": "subscribe", "channel": "project", "project_id": project_id, **options})
        replayed = []
        while (message := await socket.receive_json(timeout=20))["event"] not in {"subscribed", "error"}:
            replayed.append(message)
        yield socket, [*replayed, message]


async def until(socket: aiohttp.ClientWebSocketResponse, event: str) -> list[dict[str, Any]]:
    heard = []
    while not heard or heard[-1]["event"] != event:
        heard.append(await socket.receive_json(timeout=30))
    return heard


async def start(user: Client) -> str:
    project_id = (await user.post("/input/submit", submission()))["project_id"]
    await user.post("/generation/start", {"project_id": project_id})
    return str(project_id)


async def test_a_generation_is_told_from_start_to_end(user: Client) -> None:
    project_id = (await user.post("/input/submit", submission()))["project_id"]
    async with listening(user, project_id) as (socket, _):
        await user.post("/generation/start", {"project_id": project_id})
        heard = await until(socket, "generation.completed")
    assert [int(message["id"]) for message in heard] == list(range(1, len(heard) + 1))
    progress = [message["data"]["progress"] for message in heard if message["event"] == "generation.progress"]
    assert progress == sorted(progress)
    assert progress[-1] == 100
    materials = heard[-1]["data"]["materials"]
    assert materials["storyboards"][0]["reference_image_url"].startswith("http://")
    for message in heard:
        EVENTS[message["event"]].model_validate(message["data"])


async def test_a_client_that_comes_back_gets_what_it_missed_once(user: Client) -> None:
    project_id = await start(user)
    async with listening(user, project_id, last_event_id="0") as (socket, before):
        seen = [message for message in before if message["event"] != "subscribed"]
        seen += await until(socket, "generation.progress")
    await user.until(f"/generation/progress/{project_id}", lambda a: a["status"] == "completed")
    async with listening(user, project_id, last_event_id=seen[-1]["id"]) as (_, replayed):
        pass
    ids = [int(message["id"]) for message in [*seen, *replayed[:-1]]]
    assert ids == list(range(1, len(ids) + 1))
    assert replayed[-2]["event"] == "generation.completed"


async def test_events_arrive_when_redis_tells_nobody(
    plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise RedisConnectionError("away")

    monkeypatch.setattr(plane.services.redis, "publish", away)
    project_id = (await user.post("/input/submit", submission()))["project_id"]
    async with listening(user, project_id) as (socket, _):
        await user.post("/generation/start", {"project_id": project_id})
        heard = await until(socket, "generation.completed")
    assert [int(message["id"]) for message in heard] == list(range(1, len(heard) + 1))


async def test_a_stranger_hears_nothing(plane: Plane, user: Client) -> None:
    project_id, _ = await generated(user)
    stranger = await plane.new_user("eavesdropper")
    async with listening(stranger, project_id, last_event_id="0") as (_, answers):
        assert [(answer["event"], answer["code"]) for answer in answers] == [("error", 1004)]


async def test_a_socket_needs_a_token_and_an_origin_of_ours(user: Client) -> None:
    for url, origin in (
        (f"{user.url}/ws", None),
        (f"{user.url}/ws?token=x", None),
        (f"{user.url}/ws?token={user.token}", "https://evil.example.org"),
    ):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await user.session.ws_connect(url, origin=origin)
    async with user.session.ws_connect(f"{user.url}/ws?token={user.token}", origin=user.url) as socket:
        await socket.send_json({"action": "ping"})
        assert (await socket.receive_json(timeout=5))["event"] == "pong"
        await socket.send_str("nonsense")
        assert (await socket.receive_json(timeout=5))["code"] == 1001


async def test_worker_progress_reaches_the_watchers(plane: Plane, user: Client) -> None:
    import orjson

    from runtime.redis import PROGRESS

    project_id, _ = await generated(user)
    clip = (await user.get(f"/projects/{project_id}/timeline"))["clips"][0]
    async with listening(user, project_id) as (socket, answers):
        report = {
            "task_id": "tsk_1",
            "project_id": project_id,
            "reaction": "timeline.video",
            "context": {"clip_id": clip["id"], "shot_number": 1},
            "phase": "run",
            "fraction": 0.8,
        }
        await plane.services.redis.publish(PROGRESS, orjson.dumps(report))
        (message,) = await until(socket, "video.progress")
    assert message["id"] == answers[-1]["id"]
    assert message["data"] == {"clip_id": clip["id"], "shot_number": 1, "status": "processing", "progress": 80}
