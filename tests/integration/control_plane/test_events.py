"""Events: everything that matters arrives, in order, after whatever was missed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import text

from control_plane.events.schemas import EVENTS
from runtime.redis import PROGRESS
from scheduler.task import OutcomeClass
from tests.integration.control_plane.conftest import PASSWORD, Client, Plane, generated, submission

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
        for sent, field in (
            ("nonsense", "message"),
            ('{"action": "shout"}', "action"),
            ('{"action": "subscribe", "channel": "team"}', "channel"),
            ('{"action": "subscribe", "project_id": 1}', "project_id"),
        ):
            await socket.send_str(sent)
            refused = await socket.receive_json(timeout=5)
            assert (refused["code"], refused["message"].split("：")[1]) == (1001, field)


async def closed(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """The code with which the server ends a socket."""
    async with asyncio.timeout(20):
        while not socket.closed:
            await socket.receive()
    return socket.close_code


@pytest.mark.parametrize("end", ["logout", "another password", "expiry"])
async def test_a_socket_ends_with_its_session(plane: Plane, user: Client, end: str) -> None:
    project_id = (await user.post("/input/submit", submission()))["project_id"]
    other = await user.login(user.name)
    async with listening(user, project_id) as (ending, _), listening(other, project_id) as (staying, _):
        if end == "logout":
            await user.post("/auth/logout")
        elif end == "another password":
            change = {"old_password": PASSWORD, "new_password": "another horse"}
            await other.post("/auth/change-password", change)
        else:
            async with plane.services.database.transaction() as session:
                await session.execute(
                    text(
                        "UPDATE sessions SET expires_at = now() WHERE id = (SELECT id FROM sessions WHERE user_id ="
                        " (SELECT id FROM users WHERE username = :name) ORDER BY created_at LIMIT 1)"
                    ),
                    {"name": user.name},
                )
        assert await closed(ending) == aiohttp.WSCloseCode.POLICY_VIOLATION
        await staying.send_json({"action": "ping"})
        assert (await staying.receive_json(timeout=5))["event"] == "pong"


async def test_who_leaves_a_team_hears_no_more_of_it(plane: Plane, user: Client) -> None:
    team = (await user.post("/teams", {"name": "剧组"}))["id"]
    code = (await user.post(f"/teams/{team}/invites"))["invite_code"]
    member = await plane.new_user(f"member-of-{user.name}")
    await member.post("/team/join", {"invite_code": code})
    project_id = (await user.post("/projects", {"team_space_id": team}))["id"]
    async with listening(member, project_id) as (leaving, _), listening(user, project_id) as (staying, _):
        await member.post(f"/teams/{team}/leave")
        assert await leaving.receive_json(timeout=20) == {"event": "unsubscribed", "project_id": project_id}
        await user.post("/input/submit", submission(project_id=project_id))
        await user.post("/generation/start", {"project_id": project_id})
        await until(staying, "generation.completed")
        await leaving.send_json({"action": "ping"})
        assert (await leaving.receive_json(timeout=5))["event"] == "pong"


async def test_a_failure_is_told_in_the_language_of_who_listens(plane: Plane, user: Client) -> None:
    project_id = (await user.post("/input/submit", submission()))["project_id"]
    english = await user.login(user.name)
    crash = {"outcome": OutcomeClass.TASK, "error_message": "KeyError: 'shots'"}
    plane.farm.instead["script"] = lambda assignment: crash
    try:
        async with listening(user, project_id) as (chinese_socket, _):
            await user.put("/user/me", {"settings": {"language": "en"}})
            async with listening(english, project_id) as (english_socket, _):
                await user.post("/generation/start", {"project_id": project_id})
                heard = [await until(s, "generation.failed") for s in (chinese_socket, english_socket)]
    finally:
        plane.farm.instead.clear()
    told = [messages[-1]["data"] for messages in heard]
    steps = [[m["data"]["current_step"] for m in messages if "current_step" in m["data"]] for messages in heard]
    assert {steps[0][0], steps[0][-1]} <= {"正在构思故事线...", "故事线失败"}
    assert {steps[1][0], steps[1][-1]} <= {"Thinking of the storyline...", "Storyline failed"}
    assert [data["error_message"] for data in told] == ["生成失败，请重试", "it could not be made, try again"]
    # Asked without a word of the language, the stored choice counts; with one, that does.
    for headers, message in (({}, told[1]), ({"Accept-Language": "zh"}, told[0])):
        progress = await user.get(f"/generation/progress/{project_id}", headers=headers)
        (failed,) = [task for task in progress["tasks"] if task["status"] == "failed"]
        assert failed["error_message"] == message["error_message"]
        assert progress["current_step"] == ("Storyline failed" if message is told[1] else "故事线失败")
        assert failed["display_name"] == ("Storyline" if message is told[1] else "故事线")
    said = (await user.get(f"/projects/{project_id}/conversations"))["list"][-1]["message_content"]
    assert said.endswith("生成失败，请重试")


async def test_worker_progress_reaches_the_watchers(plane: Plane, user: Client) -> None:
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


async def test_a_picture_is_seen_while_it_is_painted(plane: Plane, user: Client) -> None:
    project_id = (await user.post("/projects", {"name": "海"}))["id"]
    report = {
        "task_id": "tsk_1",
        "project_id": project_id,
        "reaction": "materials.image",
        "context": {"image_id": "img_1", "package_id": "pkg_1"},
        "label": "shot",
        "phase": "run",
        "fraction": 0.5,
        "preview": "c21hbGw=",
    }
    async with listening(user, project_id) as (socket, _):
        await plane.services.redis.publish(PROGRESS, orjson.dumps(report))
        (message,) = await until(socket, "image.progress")
    assert message["data"] == {
        "candidate_id": "img_1",
        "status": "processing",
        "progress": 50,
        "preview": "data:image/jpeg;base64,c21hbGw=",
    }
