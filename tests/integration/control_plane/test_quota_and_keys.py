"""Quota under concurrency, and requests that are sent twice."""

import asyncio

import pytest
from sqlalchemy import text

from control_plane.errors import QuotaExceeded
from control_plane.quota import service as quota
from control_plane.work import unit_of_work
from models.specs import MusicSpec
from scheduler import queue
from scheduler.task import NewTask
from tests.integration.control_plane.conftest import ApiError, Client, Plane, submission

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_generation_without_quota_is_refused_and_leaves_nothing(plane: Plane) -> None:
    poor = await plane.new_user("poor", daily_limit=0)
    project_id = (await poor.post("/input/submit", submission()))["project_id"]
    with pytest.raises(ApiError) as caught:
        await poor.post("/generation/start", {"project_id": project_id})
    assert (caught.value.status, caught.value.code) == (402, 1006)
    assert "1" in caught.value.message
    assert (await poor.get(f"/projects/{project_id}"))["status"] == "draft"
    assert (await poor.get(f"/projects/{project_id}/material-packages"))["list"] == []


async def test_quota_that_ends_in_the_middle_fails_the_step_and_is_told(plane: Plane) -> None:
    short = await plane.new_user("short", daily_limit=6)
    project_id = (await short.post("/input/submit", submission()))["project_id"]
    async with short.session.ws_connect(f"{short.url}/ws?token={short.token}") as socket:
        await socket.send_json({"action": "subscribe", "channel": "project", "project_id": project_id})
        await short.post("/generation/start", {"project_id": project_id})
        async with asyncio.timeout(30):
            while (message := await socket.receive_json())["event"] != "quota.insufficient":
                pass
    assert message["data"]["required"] > message["data"]["remaining"] >= 0
    failed = await short.until(f"/generation/progress/{project_id}", lambda a: a["status"] != "generating")
    assert failed["status"] == "failed"
    assert any("配额不足" in task.get("error_message", "") for task in failed["tasks"])


async def test_no_concurrency_spends_above_the_limit(plane: Plane) -> None:
    limit = 10
    user = await plane.new_user("crowd", daily_limit=limit)
    tenant = (await user.get("/user/me"))["id"]
    plane.farm.hold.add("music")

    async def spend() -> str | None:
        async with unit_of_work(plane.services) as work:
            job_id = await queue.create_job(work.session, kind="music", project_id="", tenant_id=tenant)
            task = NewTask(
                kind="music",
                spec=MusicSpec(duration_s=5),
                model="draft-music",
                job_id=job_id,
                project_id="",
                tenant_id=tenant,
                reaction="assets.preview",
                label="music",
                context={"content": "", "thumbnail": ""},
            )
            return (await quota.enqueue_paid(work, [task]))[0]

    results = await asyncio.gather(*(spend() for _ in range(16)), return_exceptions=True)
    spent = [result for result in results if isinstance(result, str)]
    assert all(isinstance(result, str | QuotaExceeded) for result in results), results
    assert len(spent) == limit // 2
    assert (await user.get("/user/me"))["quota_info"]["used"] == limit

    # Settling twice, at once and again later, moves each reservation once.
    async def settle(task_id: str, succeeded: bool) -> None:
        async with unit_of_work(plane.services) as work:
            await quota.settle(work.session, task_id, succeeded=succeeded)

    await asyncio.gather(*(settle(task, index == 0) for index, task in enumerate(spent) for _ in range(3)))
    assert (await user.get("/user/me"))["quota_info"]["used"] == 2
    async with plane.services.database.transaction() as session:
        total = await session.scalar(text("SELECT sum(amount) FROM quota_ledger WHERE tenant_id = :id"), {"id": tenant})
    assert total == 2
    plane.farm.release()


async def test_the_same_key_acts_once_and_answers_alike(user: Client) -> None:
    headers = {"Idempotency-Key": "a key of mine"}
    answers = await asyncio.gather(*(user.post("/input/submit", submission(), headers=headers) for _ in range(5)))
    assert len({answer["project_id"] for answer in answers}) == 1
    assert (await user.get("/projects"))["total"] == 1
    with pytest.raises(ApiError) as caught:
        await user.post("/input/submit", submission("另一个故事，另一片海。"), headers=headers)
    assert (caught.value.status, caught.value.code) == (409, 1005)


async def test_a_refused_request_does_not_use_up_its_key(user: Client) -> None:
    headers = {"Idempotency-Key": "again"}
    with pytest.raises(ApiError):
        await user.post("/input/submit", submission(config={"style_id": "none"}), headers=headers)
    await user.post("/input/submit", submission(), headers=headers)


async def test_a_refresh_token_works_once_and_its_reuse_ends_the_session(plane: Plane, user: Client) -> None:
    from tests.integration.control_plane.conftest import PASSWORD

    login = await plane.anonymous.post("/auth/login", {"username": user.name, "password": PASSWORD})
    first = await plane.anonymous.post("/auth/refresh", {"refresh_token": login["refresh_token"]})
    for token in (login["refresh_token"], first["refresh_token"]):
        with pytest.raises(ApiError) as caught:
            await plane.anonymous.post("/auth/refresh", {"refresh_token": token})
        assert caught.value.code == 1002
