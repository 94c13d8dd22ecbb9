"""What a project's conversation tells of its clips, sounds and exports: what was asked, and what came of it."""

import pytest

from tests.integration.control_plane.conftest import Client, Plane, generated
from tests.integration.control_plane.files import upload_sound
from tests.integration.control_plane.watching import clips, idle, said

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXPORT = {"resolution": "720p", "width": 1280, "height": 720, "format": "MP4", "aspect_ratio": "16:9"}


async def last_of(user: Client, project_id: str) -> str:
    return str((await user.get(f"/projects/{project_id}/conversations"))["list"][-1]["message_content"])


async def test_edits_are_told_as_they_are_asked(plane: Plane, user: Client) -> None:
    project_id, package_id = await generated(user)
    first, second = [clip["id"] for clip in await clips(user, project_id)]
    sound = (await upload_sound(user, 2.0))["file_url"]
    before = len(await said(user, project_id))
    asked = []
    for action, method, path, body, words in (
        ("set_duration", "PUT", f"/timeline-clips/{first}/duration", {"duration": 6.5}, "镜头 1 改为 6.5 秒"),
        ("edit_config", "PUT", f"/timeline-clips/{first}/edit-config", {"zoom_level": 1.2}, "zoom_level"),
        ("reorder", "POST", f"/projects/{project_id}/timeline/reorder", {"clip_ids": [second, first]}, "顺序"),
        ("custom_audio", "POST", f"/timeline-clips/{first}/narration/custom-audio", {"audio_url": sound}, "镜头 2"),
        ("update_bgm", "PUT", f"/projects/{project_id}/bgm", {"audio_url": sound, "music_name": "潮声"}, "潮声"),
        ("remove_bgm", "DELETE", f"/projects/{project_id}/bgm", None, "不要配乐"),
        ("delete_clip", "DELETE", f"/timeline-clips/{first}", None, "删除镜头 2"),
        ("rename_package", "PUT", f"/material-packages/{package_id}", {"package_name": "定稿"}, "改名为“定稿”"),
        ("update_project", "PUT", f"/projects/{project_id}", {"name": "潮声", "tags": ["海"]}, "改名为“潮声”"),
        ("update_project", "PUT", f"/projects/{project_id}", {"description": "一天", "tags": []}, "description, tags"),
    ):
        await user.call(method, path, body)
        asked.append(("user", action))
        assert words in await last_of(user, project_id)
    assert (await said(user, project_id))[before:] == asked


async def test_what_is_made_is_told_when_it_is_there(plane: Plane, user: Client) -> None:
    project_id, _ = await generated(user)
    first, second = [clip["id"] for clip in await clips(user, project_id)]
    path = f"/timeline-clips/{first}"
    before = len(await said(user, project_id))
    video = {"model_id": "draft-motion", "prompt": "慢慢推近"}
    made = []
    for action, method, where, body, came in (
        ("regenerate_image", "POST", f"{path}/regenerate-image", {"user_prompt": "更亮"}, "candidate.completed"),
        ("generate_video", "POST", f"{path}/generate-video", video, "video.completed"),
        (
            "generate_batch_videos",
            "POST",
            f"/projects/{project_id}/generate-batch-videos",
            {"model_id": "draft-motion", "clip_ids": [second]},
            "video.completed",
        ),
        ("update_narration", "PUT", f"{path}/narration", {"text_content": "风起了。"}, "audio.completed"),
        ("generate_bgm", "POST", f"/projects/{project_id}/generate-bgm", {"prompt": "安静"}, "bgm.completed"),
        ("export", "POST", f"/projects/{project_id}/export", {"task_name": "成片", "config": EXPORT}, None),
    ):
        answer = await user.call(method, where, body)
        await idle(plane, project_id)
        made += [("user", action), ("system", came or "export.completed")]
    assert (await said(user, project_id))[before:] == made
    messages = (await user.get(f"/projects/{project_id}/conversations"))["list"][before:]
    contents = [message["message_content"] for message in messages]
    assert contents[2] == "生成镜头 1 的视频：慢慢推近"
    assert contents[-2:] == ["导出“成片”", "“成片”已导出"]
    assert messages[-1]["context_data"]["export_task_id"] == answer["export_task_id"]


async def test_what_is_cancelled_or_fails_is_told(plane: Plane, user: Client) -> None:
    project_id, _ = await generated(user)
    (clip, *_) = [clip["id"] for clip in await clips(user, project_id)]
    before = len(await said(user, project_id))
    plane.farm.hold |= {"image_to_video", "encode"}
    try:
        video = await user.post(f"/timeline-clips/{clip}/generate-video", {"model_id": "draft-motion"})
        await user.post(f"/video-generation-tasks/{video['generation_id']}/cancel")
        export = await user.post(f"/projects/{project_id}/export", {"task_name": "成片", "config": EXPORT})
        await user.post(f"/export-tasks/{export['export_task_id']}/cancel")
    finally:
        plane.farm.release()
    await idle(plane, project_id)
    plane.farm.fail["encode"] = "磁盘满了"
    try:
        await user.post(f"/export-tasks/{export['export_task_id']}/retry")
        await idle(plane, project_id)
    finally:
        plane.farm.fail.clear()
    assert (await said(user, project_id))[before:] == [
        ("user", "generate_video"),
        ("user", "cancel_videos"),
        ("user", "export"),
        ("user", "cancel_export"),
        ("user", "retry_export"),
        ("system", "export.failed"),
    ]
    assert await last_of(user, project_id) == "“成片”未能导出：磁盘满了"
