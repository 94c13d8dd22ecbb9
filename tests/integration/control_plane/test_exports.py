"""The history of exports, trying again, and files whose time is over."""

from typing import Any

import pytest
from sqlalchemy import text

from control_plane.exports import tables
from tests.contract.fields import shows
from tests.integration.control_plane.conftest import SCALE, ApiError, Client, Plane, generated

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOARD = "镜号,景别,场景,画面,时长\n1,远景,海边,傍晚的海滩,1"
EXPORT = {"resolution": "720p", "width": 1280, "height": 720, "format": "MP4", "aspect_ratio": "16:9"}
OVER = {"completed", "failed", "cancelled"}


async def project(user: Client) -> str:
    project_id, _ = await generated(user, content=BOARD, input_type="storyboard")
    return project_id


async def start(user: Client, project_id: str, name: str = "成片", **config: Any) -> str:
    body = {"task_name": name, "config": EXPORT | config}
    return str((await user.post(f"/projects/{project_id}/export", body))["export_task_id"])


async def over(user: Client, export_id: str) -> dict[str, Any]:
    return dict(await user.until(f"/export-tasks/{export_id}", lambda a: a["status"] in OVER))


@shows("GET /projects/{project_id}/export-history", "page", "page_size")
@shows("POST /projects/{project_id}/export", "task_name")
async def test_the_history_tells_how_each_export_ended(plane: Plane, user: Client) -> None:
    project_id = await project(user)
    path = f"/projects/{project_id}/export-history"
    assert (await user.get(path))["total"] == 0
    first = await start(user, project_id, "初版", subtitle={"enabled": False, "burn_in": False})
    assert (await over(user, first))["status"] == "completed"
    plane.farm.fail["encode"] = "the disk is full"
    second = await start(user, project_id)
    assert (await over(user, second))["status"] == "failed"
    del plane.farm.fail["encode"]
    plane.farm.hold.add("encode")
    third, running = await start(user, project_id), await start(user, project_id)
    await user.post(f"/export-tasks/{third}/cancel")
    history = await user.get(path)
    assert [(item["export_task_id"], item["status"]) for item in history["list"]] == [
        (third, "cancelled"),
        (second, "failed"),
        (first, "completed"),
    ]
    done = history["list"][-1]
    files = (await user.get(f"/projects/{project_id}/export-files"))["list"]
    assert {file["file_name"] for file in files} == {"初版.mp4"}
    assert done["file_summary"] == {"video_count": 1, "total_size": sum(file["file_size"] for file in files)}
    assert history["list"][0]["file_summary"] == {"video_count": 0, "total_size": 0}
    assert done["export_config"] == EXPORT | {"subtitle": {"enabled": False, "burn_in": False}}
    assert done["exported_at"] == (await user.get(f"/export-tasks/{first}"))["completed_at"]
    page = await user.get(f"{path}?page=2&page_size=2")
    assert (page["list"], page["total"], page["page"], page["page_size"]) == ([done], 3, 2, 2)
    plane.farm.release()
    await over(user, running)
    assert (await user.get(path))["total"] == 4


@shows("POST /projects/{project_id}/export", "config.aspect_ratio")
async def test_the_aspect_ratio_is_the_films(plane: Plane, user: Client) -> None:
    project_id = await project(user)
    with pytest.raises(ApiError, match=r"config\.width"):
        await start(user, project_id, width=720, height=1280)
    export = await start(user, project_id, width=720, height=1280, aspect_ratio="9:16")
    assert (await over(user, export))["status"] == "completed"
    files = (await user.get(f"/projects/{project_id}/export-files"))["list"]
    assert {file["resolution"] for file in files if file["file_type"] == "video"} == {f"{720 // SCALE}x{1280 // SCALE}"}


async def test_a_picture_of_the_config_is_an_address_that_opens(user: Client) -> None:
    project_id = await project(user)
    (clip,) = (await user.get(f"/projects/{project_id}/timeline"))["clips"]
    cover = {"enabled": True, "custom_image_url": clip["thumbnail_url"]}
    export = await start(user, project_id, cover=cover)
    assert (await over(user, export))["status"] == "completed"
    (item,) = (await user.get(f"/projects/{project_id}/export-history"))["list"]
    async with user.session.get(item["export_config"]["cover"]["custom_image_url"]) as answer:
        assert answer.status == 200
        assert answer.content_type.startswith("image/")


async def test_what_failed_or_was_cancelled_is_tried_again_as_the_film_is_now(plane: Plane, user: Client) -> None:
    project_id = await project(user)
    plane.farm.fail["encode"] = "the disk is full"
    export = await start(user, project_id)
    failed = await over(user, export)
    assert (failed["status"], "error_message" in failed) == ("failed", True)
    del plane.farm.fail["encode"]
    (clip,) = (await user.get(f"/projects/{project_id}/timeline"))["clips"]
    await user.put(f"/timeline-clips/{clip['id']}/edit-config", {"zoom_level": 2.0})
    again = await user.post(f"/export-tasks/{export}/retry")
    assert (again["export_task_id"], again["status"]) == (export, "pending")
    done = await over(user, export)
    assert done["status"] == "completed"
    assert "error_message" not in done
    films = [run.spec for run in plane.farm.ran if run.kind == "encode" and run.project_id == project_id]
    assert [film["clips"][0]["edit"]["zoom_level"] for film in films] == [1.0, 2.0]
    with pytest.raises(ApiError) as caught:
        await user.post(f"/export-tasks/{export}/retry")
    assert caught.value.code == 1005


async def test_why_there_is_nothing_to_try_again_is_told_in_the_clients_language(plane: Plane, user: Client) -> None:
    project_id, _ = await generated(user, content=f"{BOARD}\n2,远景,海边,海边的小船,1", input_type="storyboard")
    clip, _ = (await user.get(f"/projects/{project_id}/timeline"))["clips"]
    plane.farm.hold.add("encode")
    try:
        export = await start(user, project_id, cover={"enabled": True, "source_clip_id": clip["id"]})
        await user.post(f"/export-tasks/{export}/cancel")
    finally:
        plane.farm.release()
    await user.call("DELETE", f"/timeline-clips/{clip['id']}")
    for language, words in (("en", "task_id: the clip of the cover was deleted"), ("zh", "封面的片段已被删除")):
        with pytest.raises(ApiError) as caught:
            await user.post(f"/export-tasks/{export}/retry", headers={"Accept-Language": language})
        assert (caught.value.code, caught.value.message.endswith(words)) == (1005, True), caught.value.message


async def test_a_cancelled_encoding_that_ends_late_is_not_the_retrys(plane: Plane, user: Client) -> None:
    """Nor does its end fail the retry; each is paid or refunded for itself."""
    project_id = await project(user)
    plane.farm.hold.add("encode")
    export = await start(user, project_id)
    await user.until(f"/export-tasks/{export}", lambda a: a["status"] == "processing")
    await user.post(f"/export-tasks/{export}/cancel")
    await user.post(f"/export-tasks/{export}/retry")
    plane.farm.release()
    assert (await over(user, export))["status"] == "completed"
    entries = (await user.get(f"/quota/ledger?project_id={project_id}&page_size=100"))["list"]
    ends = [entry["entry"] for entry in entries if entry["model_id"] == "encoder" and entry["entry"] != "reserve"]
    assert sorted(ends) == ["commit", "refund"]


async def test_files_are_kept_for_their_time(plane: Plane, user: Client) -> None:
    project_id = await project(user)
    kept = await start(user, project_id, "一直")
    await over(user, kept)
    settings = plane.services.settings.model_copy(update={"export_retention_days": 2.0})
    object.__setattr__(plane.services, "settings", settings)
    export = await start(user, project_id, "两天")
    await over(user, export)
    object.__setattr__(plane.services, "settings", settings.model_copy(update={"export_retention_days": None}))
    files = (await user.get(f"/projects/{project_id}/export-files"))["list"]
    assert {file["file_name"].split(".")[0] for file in files if "expires_at" in file} == {"两天"}
    (video,) = [f for f in files if f["file_type"] == "video" and "expires_at" in f]
    assert video["created_at"] < video["expires_at"]
    async with plane.services.database.transaction() as session:
        await session.execute(text("UPDATE export_files SET expires_at = now() WHERE export_id = :id"), {"id": export})
    left = (await user.get(f"/projects/{project_id}/export-files"))["list"]
    assert {file["file_name"].split(".")[0] for file in left} == {"一直"}
    with pytest.raises(ApiError) as caught:
        await user.get(f"/export-files/{video['id']}/download-url")
    assert caught.value.code == 1004
    async with plane.services.database.transaction() as session:
        await tables.delete_expired_files(session)
        count = await session.scalar(text("SELECT count(*) FROM export_files WHERE export_id = :id"), {"id": export})
    assert count == 0
