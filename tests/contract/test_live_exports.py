"""Exports and their files, as agreed; with the event that tells of them."""

import pytest

from tests.contract.live import Walk, listening
from tests.integration.control_plane.conftest import Client, Plane, generated
from tests.integration.control_plane.test_flow import EXPORT

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_exports(plane: Plane, user: Client) -> None:
    walk = Walk(user)
    project, _ = await generated(user)
    subtitle = {"enabled": True, "burn_in": False, "format": "SRT"}
    cover = {"enabled": True, "cover_type": "auto_generate", "title_text": "海边"}
    body = {"task_name": "样片", "config": EXPORT | {"fps": 24, "subtitle": subtitle, "cover": cover}}
    async with listening(user, project) as events:
        made = await walk("POST /projects/:project_id/export", project, body=body)
        told = await events.until("export.completed", within_s=120)
    assert events.problems == []
    assert {file["file_type"] for file in told["files"]} == {"video", "subtitle", "cover"}
    task = await walk("GET /export-tasks/:task_id", made["export_task_id"])
    assert (task["status"], task["task_name"]) == ("completed", "样片")
    files = await walk("GET /projects/:project_id/export-files", project)
    link = await walk("GET /export-files/:file_id/download-url", files["list"][0]["id"])
    async with user.session.get(link["download_url"]) as answer:
        assert answer.status == 200
    history = await walk("GET /projects/:project_id/export-history", project, query={"page": 1, "page_size": 10})
    assert [item["export_task_id"] for item in history["list"]] == [made["export_task_id"]] or walk.problems
    plane.farm.hold.add("encode")
    other = await walk("POST /projects/:project_id/export", project, body={"config": EXPORT})
    await walk("POST /export-tasks/:task_id/cancel", other["export_task_id"])
    plane.farm.release()
    cancelled = await walk("GET /export-tasks/:task_id", other["export_task_id"])
    assert cancelled["status"] == "cancelled"
    walk.finish("exports")
