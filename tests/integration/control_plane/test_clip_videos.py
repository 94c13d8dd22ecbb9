"""Videos of clips: many at once, cancelled, failed."""

import asyncio

import pytest
from sqlalchemy import text

from tests.contract.fields import shows
from tests.integration.control_plane.boards import (
    OVER,
    board,
    clips,
    idle,
    used,
)
from tests.integration.control_plane.conftest import ApiError, Client, Plane

pytestmark = pytest.mark.asyncio(loop_scope="module")


@shows("POST /projects/{project_id}/generate-batch-videos", "model_id", "clip_ids")
@shows("GET /timeline-clips/{clip_id}/candidates", "candidate_type")
@shows("POST /timeline-clips/{clip_id}/generate-video", "model_id")
async def test_a_batch_makes_what_is_named_then_what_is_left(user: Client) -> None:
    project_id = await board(user)
    first, second, third = [clip["id"] for clip in await clips(user, project_id)]
    path = f"/projects/{project_id}/generate-batch-videos"
    single = await user.post(f"/timeline-clips/{first}/generate-video", {"model_id": "draft-motion"})
    batch = await user.post(path, {"model_id": "draft-motion", "clip_ids": [second]})
    assert (batch["total_clips"], batch["status"]) == (1, "pending")
    for model in ("draft-painter", "nobody"):
        with pytest.raises(ApiError, match="model_id"):
            await user.post(path, {"model_id": model})
        with pytest.raises(ApiError, match="model_id"):
            await user.post(f"/timeline-clips/{first}/generate-video", {"model_id": model})
    rest = await user.post(path, {"model_id": "draft-motion"})
    assert rest["total_clips"] == 1
    for task_id in (single["generation_id"], batch["task_id"], rest["task_id"]):
        done = await user.until(f"/video-generation-tasks/{task_id}", lambda a: a["status"] in OVER)
        assert (done["status"], done["completed_clips"], done["failed_clips"]) == ("completed", 1, 0)
        assert done["started_at"] <= done["completed_at"]
        assert (done["model_id"], done["task_id"]) == ("draft-motion", task_id)
    videos = [clip["selected_video_id"] for clip in await clips(user, project_id)]
    assert len(set(videos)) == 3
    candidates = await user.get(f"/timeline-clips/{second}/candidates?candidate_type=video")
    assert list(candidates) == ["videos"]
    (video,) = candidates["videos"]
    assert video["model_id"] == "draft-motion"
    assert video["quota_consumed"] == batch["total_quota"] > 0
    with pytest.raises(ApiError) as caught:
        await user.post(path, {"model_id": "draft-motion"})
    assert caught.value.code == 1005
    for wrong in (["clp_x"], [third, third]):
        with pytest.raises(ApiError, match="clip_ids"):
            await user.post(path, {"model_id": "draft-motion", "clip_ids": wrong})


async def test_a_batch_is_reserved_whole_or_not_at_all(plane: Plane) -> None:
    user = await plane.new_user("thrifty")
    project_id = await board(user)
    await idle(plane)
    path = f"/projects/{project_id}/generate-batch-videos"
    tenant = (await user.get("/user/me"))["id"]
    spent = await used(user)
    async with plane.services.database.transaction() as session:
        await session.execute(
            text("UPDATE quota_accounts SET daily_limit = used + 3 WHERE tenant_id = :id"), {"id": tenant}
        )
    async with user.session.ws_connect(f"{user.url}/ws?token={user.token}") as socket:
        await socket.send_json({"action": "subscribe", "channel": "project", "project_id": project_id})
        assert (await socket.receive_json())["event"] == "subscribed"
        with pytest.raises(ApiError) as caught:
            await user.post(path, {"model_id": "draft-motion"})
        assert caught.value.code == 1006
        # The request left nothing, yet who watches the project hears of it.
        async with asyncio.timeout(10):
            while (message := await socket.receive_json()).get("event") != "quota.insufficient":
                pass
    assert message["data"]["required"] > message["data"]["remaining"] == 3
    assert await used(user) == spent
    assert all("selected_video_id" not in clip for clip in await clips(user, project_id))


async def test_a_cancelled_batch_keeps_what_is_done_and_refunds_the_rest(plane: Plane, user: Client) -> None:
    project_id = await board(user)
    first, second, third = [clip["id"] for clip in await clips(user, project_id)]
    path = f"/projects/{project_id}/generate-batch-videos"
    await idle(plane)
    before = await used(user)
    plane.farm.hold.add("image_to_video")
    batch = await user.post(path, {"model_id": "draft-motion", "clip_ids": [first, second]})
    alone = await user.post(f"/timeline-clips/{third}/generate-video", {"model_id": "draft-motion"})
    assert await used(user) == before + batch["total_quota"] + alone["quota_consumed"]
    tasks = [f"/video-generation-tasks/{task}" for task in (batch["task_id"], alone["generation_id"])]
    await user.until(tasks[0], lambda a: a["status"] == "processing")
    await user.post(f"{tasks[0]}/cancel")
    assert (await user.get(tasks[0]))["status"] == "cancelled"
    plane.farm.release()
    done = await user.until(tasks[1], lambda a: a["status"] in OVER)
    assert done["status"] == "completed"
    await idle(plane)
    assert (await user.get(tasks[0]))["completed_clips"] == 0
    assert await used(user) == before + alone["quota_consumed"]
    selected = ["selected_video_id" in clip for clip in await clips(user, project_id)]
    assert selected == [False, False, True]
    for task in tasks:
        with pytest.raises(ApiError) as caught:
            await user.post(f"{task}/cancel")
        assert caught.value.code == 1005
    # What was cancelled may be asked for again.
    again = await user.post(path, {"model_id": "draft-motion"})
    assert again["total_clips"] == 2
    await user.post(f"/video-generation-tasks/{again['task_id']}/cancel")


async def test_a_video_that_is_done_just_as_it_is_cancelled_is_not_kept(plane: Plane, user: Client) -> None:
    project_id = await board(user)
    (clip, *_) = await clips(user, project_id)
    await idle(plane)
    before = await used(user)
    plane.farm.hold.add("image_to_video")
    video = await user.post(f"/timeline-clips/{clip['id']}/generate-video", {"model_id": "draft-motion"})
    async with plane.services.database.transaction() as session:
        await session.execute(
            text("UPDATE videos SET status = 'cancelled' WHERE id = :id"), {"id": video["generation_id"]}
        )
    plane.farm.release()
    await idle(plane)
    assert await used(user) == before
    assert "selected_video_id" not in (await clips(user, project_id))[0]


async def test_a_failed_batch_is_one_of_which_nothing_came(plane: Plane, user: Client) -> None:
    project_id = await board(user)
    plane.farm.fail["image_to_video"] = "the film tore"
    batch = await user.post(f"/projects/{project_id}/generate-batch-videos", {"model_id": "draft-motion"})
    task = f"/video-generation-tasks/{batch['task_id']}"
    failed = await user.until(task, lambda a: a["status"] in OVER)
    del plane.farm.fail["image_to_video"]
    assert (failed["status"], failed["failed_clips"], failed["completed_clips"]) == ("failed", 3, 0)


async def test_a_saved_version_takes_no_part_in_the_batch(user: Client) -> None:
    project_id = await board(user)
    batch = await user.post(f"/projects/{project_id}/generate-batch-videos", {"model_id": "draft-motion"})
    task = f"/video-generation-tasks/{batch['task_id']}"
    done = await user.until(task, lambda a: a["status"] in OVER)
    package = (await user.get(f"/projects/{project_id}/material-packages"))["list"][0]["id"]
    await user.post(f"/material-packages/{package}/save-new")
    assert await user.get(task) == done


# --- narrations of the user's own
