"""Exports and their files, as agreed; with the events that tell of them and of what goes into a film."""

import orjson
import pytest

from runtime import redis as channels
from tests.contract.live import Walk, listening
from tests.integration.control_plane.conftest import Client, Plane, generated
from tests.integration.control_plane.test_flow import EXPORT
from tests.integration.control_plane.watching import file_of

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


async def test_what_is_made_or_fails_is_told(plane: Plane, user: Client) -> None:
    project, _ = await generated(user)
    clip = (await user.get(f"/projects/{project}/timeline"))["clips"][0]["id"]
    path = f"/timeline-clips/{clip}"
    async with listening(user, project) as events:
        plane.farm.fail |= dict.fromkeys(("image_to_video", "speech", "encode"), "太暗")
        try:
            video = (await user.post(f"{path}/generate-video", {"model_id": "draft-motion"}))["generation_id"]
            told = await events.until("video.failed")
            assert told == {"clip_id": clip, "shot_number": 1, "generation_id": video, "error_message": "太暗"}
            await user.put(f"{path}/narration", {"text_content": "风起了。"})
            unspoken = await events.until("audio.completed")
            line = (await user.get(f"{path}/narration"))["id"]
            failure = {"status": "failed", "error_message": "太暗"}
            assert unspoken == {"clip_id": clip, "audio_id": line} | failure
            del plane.farm.fail["speech"]
            await user.put(f"{path}/narration", {"text_content": "风停了。"})
            spoken = await events.until("audio.completed")
            assert (spoken["audio_id"], spoken["status"], spoken["duration"] > 0) == (line, "completed", True)
            assert file_of(spoken["audio_url"]) == file_of((await user.get(f"{path}/narration"))["audio_url"])
            plane.farm.hold.add("encode")
            export = (await user.post(f"/projects/{project}/export", {"config": EXPORT}))["export_task_id"]
            report = {"project_id": project, "reaction": "exports.encoded", "context": {"export_id": export}}
            await plane.services.redis.publish(channels.PROGRESS, orjson.dumps(report | {"fraction": 0.25}))
            told = await events.until("export.progress")
            assert told == {"export_task_id": export, "status": "processing", "progress": 25}
            plane.farm.release()
            assert await events.until("export.failed") == {"export_task_id": export, "error_message": "太暗"}
        finally:
            plane.farm.release()
            plane.farm.fail.clear()
    assert events.problems == []
