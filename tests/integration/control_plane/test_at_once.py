"""Requests that wait for each other's lock of a project, or a team, go by what is there once they hold it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text

from tests.integration.control_plane.conftest import ApiError, Client, Plane, generated
from tests.integration.control_plane.test_teams import id_of, member
from tests.integration.control_plane.watching import clips, idle, ran

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOARD = "\n".join(
    ["镜号,景别,场景,画面,旁白,时长", "1,远景,海边,傍晚的海滩,海浪唱着歌。,2", "2,远景,海边,海滩和灯塔,灯亮了。,2"]
)
EXPORT = {"resolution": "720p", "width": 1280, "height": 720, "format": "MP4", "aspect_ratio": "16:9"}


class Queue:
    """Requests that all wait for one row, in the order in which they were sent."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._sent: list[asyncio.Task[Any]] = []

    async def send(self, *requests: Coroutine[Any, Any, Any]) -> None:
        for request in requests:
            self._sent.append(asyncio.create_task(request))
            await self._wait_for_waiting(len(self._sent))

    async def _wait_for_waiting(self, count: int) -> None:
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        async with asyncio.timeout(20):
            while True:
                async with self._plane.services.database.transaction() as session:
                    if (await session.scalar(waiting) or 0) >= count:
                        return
                await asyncio.sleep(0.01)

    async def answers(self) -> list[Any]:
        """Each's data, or the code of its refusal."""
        found = await asyncio.gather(*self._sent, return_exceptions=True)
        for answer in found:
            if isinstance(answer, BaseException) and not isinstance(answer, ApiError):
                raise answer
        return [answer.code if isinstance(answer, ApiError) else answer for answer in found]


@asynccontextmanager
async def held(plane: Plane, table: str, row_id: str) -> AsyncIterator[Queue]:
    """Whoever needs the row waits until the end of the block."""
    async with plane.services.database.transaction() as session:
        await session.execute(text(f"SELECT 1 FROM {table} WHERE id = :id FOR UPDATE"), {"id": row_id})
        yield Queue(plane)


async def board(plane: Plane, user: Client) -> tuple[str, str, str]:
    """A project and the clips of it."""
    project_id, _ = await generated(user, content=BOARD, input_type="storyboard")
    await idle(plane, project_id)
    first, second = [clip["id"] for clip in await clips(user, project_id)]
    return project_id, first, second


async def test_edits_of_one_clip_are_all_kept(plane: Plane, user: Client) -> None:
    project_id, clip, _ = await board(plane, user)
    path = f"/timeline-clips/{clip}/edit-config"
    edits: dict[str, Any] = {
        "zoom_level": 1.5,
        "pan_x": 0.25,
        "pan_y": -0.25,
        "rotation": 10.0,
        "filter_type": "vintage",
        "transition": "fade_black",
        "camera_movement": "pan_left",
    }
    async with held(plane, "projects", project_id) as queue:
        await queue.send(*(user.put(path, {field: value}) for field, value in edits.items()))
    assert await queue.answers() == [None] * len(edits)
    shown = await user.get(path)
    assert {field: shown.get(field) for field in edits} == edits


@pytest.mark.parametrize(
    ("path", "body"), [("duration", {"duration": 4.5}), ("narration", {"text_content": "风起了。"})]
)
async def test_a_clip_that_was_deleted_meanwhile_is_not_there(
    plane: Plane, user: Client, path: str, body: dict[str, Any]
) -> None:
    project_id, first, second = await board(plane, user)
    async with held(plane, "projects", project_id) as queue:
        await queue.send(
            user.call("DELETE", f"/timeline-clips/{first}"), user.put(f"/timeline-clips/{first}/{path}", body)
        )
    assert await queue.answers() == [None, 1004]
    assert [clip["id"] for clip in await clips(user, project_id)] == [second]


async def test_a_cancelled_export_is_tried_again_once(plane: Plane, user: Client) -> None:
    project_id, _, _ = await board(plane, user)
    plane.farm.hold.add("encode")
    try:
        export = (await user.post(f"/projects/{project_id}/export", {"config": EXPORT}))["export_task_id"]
        await user.post(f"/export-tasks/{export}/cancel")
    finally:
        plane.farm.release()
    await idle(plane, project_id)
    before = len(ran(plane, project_id, "encode"))
    async with held(plane, "projects", project_id) as queue:
        await queue.send(*(user.post(f"/export-tasks/{export}/retry") for _ in range(4)))
    first, *rest = await queue.answers()
    assert (first["export_task_id"], rest) == (export, [1005] * 3)
    await idle(plane, project_id)
    assert len(ran(plane, project_id, "encode")) == before + 1


async def test_who_was_made_less_than_an_admin_meanwhile_changes_nothing(plane: Plane, user: Client) -> None:
    team = (await user.post("/teams", {"name": "片场"}))["id"]
    other = await member(plane, user, team, "admin")
    ids = {client.name: await id_of(client) for client in (user, other)}
    async with held(plane, "teams", team) as queue:
        await queue.send(
            user.put(f"/teams/{team}/members/{ids[other.name]}", {"role": "viewer"}),
            other.call("DELETE", f"/teams/{team}/members/{ids[user.name]}"),
        )
    assert await queue.answers() == [None, 1003]
    roles = {member["username"]: member["role"] for member in (await user.get(f"/teams/{team}/members"))["list"]}
    assert roles == {user.name: "admin", other.name: "viewer"}
