"""Packages, timelines, speech, music, videos and exports, through the API."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from tests.integration.control_plane.conftest import SCALE, ApiError, Client, Plane, generated, submission

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXPORT = {"resolution": "720p", "width": 1280, "height": 720, "format": "MP4", "aspect_ratio": "16:9"}


async def exported(user: Client, project_id: str, **config: Any) -> dict[str, Any]:
    body = {"config": EXPORT | config}
    task_id = (await user.post(f"/projects/{project_id}/export", body))["export_task_id"]
    return await finished(user, task_id)


async def finished(user: Client, task_id: str) -> dict[str, Any]:
    over = {"completed", "failed", "cancelled"}
    answer: dict[str, Any] = await user.until(f"/export-tasks/{task_id}", lambda a: a["status"] in over, within_s=120)
    return answer


async def clips(user: Client, project_id: str) -> list[dict[str, Any]]:
    timeline: dict[str, Any] = await user.get(f"/projects/{project_id}/timeline")
    return list(timeline["clips"])


async def test_a_generation_makes_a_whole_package(user: Client) -> None:
    project_id, package_id = await generated(user)
    package = await user.get(f"/material-packages/{package_id}")
    materials = package["materials"]
    assert package["version"] == "1"
    assert {image["image_type"] for image in materials["characters"][0]["images"]} == {
        "front_view",
        "three_view",
        "detail",
    }
    pictures = [materials["art_style"]["reference_image_url"]]
    pictures += [image["image_url"] for element in materials["characters"] for image in element["images"]]
    pictures += [image["image_url"] for element in materials["scenes"] for image in element["images"]]
    pictures += [shot["reference_image_url"] for shot in materials["storyboards"]]
    for url in pictures:
        async with user.session.get(url) as answer:
            assert answer.status == 200
            assert answer.content_type.startswith("image/")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    project = await user.get(f"/projects/{project_id}")
    assert (project["status"], project["stage"]) == ("completed", "completed")
    assert project["metadata"]["total_duration"] > 0


async def test_start_while_generating_answers_the_same_package(plane: Plane, user: Client) -> None:
    plane.farm.hold.add("script")
    project_id, package_id = await _started(user)
    again = await user.post("/generation/start", {"project_id": project_id})
    steps = (await user.get(f"/generation/progress/{project_id}"))["tasks"]
    plane.farm.release()
    assert [(step["status"], step["progress"]) for step in steps] == [("in_progress", 0), *[("pending", 0)] * 4]
    assert again["material_package_id"] == package_id
    await user.until(f"/generation/progress/{project_id}", lambda a: a["status"] == "completed")
    later = await user.post("/generation/start", {"project_id": project_id})
    await user.until(f"/generation/progress/{project_id}", lambda a: a["status"] == "completed")
    packages = (await user.get(f"/projects/{project_id}/material-packages"))["list"]
    assert [(p["version"], p["is_active"]) for p in packages] == [(1, False), (2, True)]
    assert packages[1]["id"] == later["material_package_id"]


async def _started(user: Client) -> tuple[str, str]:
    project_id = (await user.post("/input/submit", submission()))["project_id"]
    return project_id, (await user.post("/generation/start", {"project_id": project_id}))["material_package_id"]


async def test_a_failed_generation_says_why_and_costs_nothing(plane: Plane, user: Client) -> None:
    plane.farm.fail["speech"] = "the voice is hoarse"
    project_id, _ = await _started(user)
    failed = await user.until(f"/generation/progress/{project_id}", lambda a: a["status"] == "failed")
    del plane.farm.fail["speech"]
    (step,) = [task for task in failed["tasks"] if task["status"] == "failed"]
    assert (step["task_type"], step["error_message"]) == ("storyboard", "the voice is hoarse")
    project = await user.get(f"/projects/{project_id}")
    assert (project["status"], project["stage"]) == ("draft", "input")
    # Everything else of it ends too; what failed is refunded, what was made is paid.
    await _idle(plane)
    ledger = await _ledger(plane, user)
    refunded = [entry for entry in ledger if entry["entry"] == "refund"]
    assert "draft-speech" in {entry["model"] for entry in refunded}
    assert len(refunded) + sum(entry["entry"] == "commit" for entry in ledger) == len(ledger) / 2
    assert (await user.get("/user/me"))["quota_info"]["used"] == sum(entry["amount"] for entry in ledger)
    # And it can be tried again.
    await user.post("/generation/start", {"project_id": project_id})
    await user.until(f"/generation/progress/{project_id}", lambda a: a["status"] == "completed")


async def _idle(plane: Plane) -> None:
    async with asyncio.timeout(30):
        while True:
            async with plane.services.database.transaction() as session:
                if not await session.scalar(
                    text("SELECT count(*) FROM tasks WHERE applied_at IS NULL AND project_id <> ''")
                ):
                    return
            await asyncio.sleep(0.05)


async def _ledger(plane: Plane, user: Client) -> list[dict[str, Any]]:
    me = await user.get("/user/me")
    async with plane.services.database.transaction() as session:
        rows = await session.execute(
            text("SELECT entry, amount, model FROM quota_ledger WHERE tenant_id = :id"), {"id": me["id"]}
        )
        return [dict(row._mapping) for row in rows]


async def test_a_regenerated_picture_is_a_candidate_until_it_is_selected(user: Client) -> None:
    _, package_id = await generated(user)
    character = (await user.get(f"/material-packages/{package_id}"))["materials"]["characters"][0]
    path = f"/material-packages/{package_id}"
    request = {"element_type": "character", "element_id": character["id"], "user_prompt": "换成蓝色外套，戴帽子"}
    candidate = await user.post(f"{path}/regenerate/image", request)

    def images(package: dict[str, Any]) -> dict[str, bool]:
        (found,) = [c for c in package["materials"]["characters"] if c["id"] == character["id"]]
        return {i["id"]: i["is_selected"] for i in found["images"] if i["image_type"] == "front_view"}

    before = images(await user.get(path))
    assert before[candidate["candidate_id"]] is False
    choose = {**request, "candidate_type": "image", "candidate_id": candidate["candidate_id"]}
    del choose["user_prompt"]
    async with asyncio.timeout(30):
        while True:
            try:
                await user.post(f"{path}/select-candidate", choose)
                break
            except ApiError as error:
                assert error.code == 1005
                await asyncio.sleep(0.05)
    after = images(await user.get(path))
    assert [image for image, selected in after.items() if selected] == [candidate["candidate_id"]]
    async with user.session.get(candidate["image_url"]) as answer:
        assert answer.status == 200


async def test_a_saved_version_is_a_copy_that_edits_leave_alone(user: Client) -> None:
    project_id, package_id = await generated(user)
    original = await clips(user, project_id)
    saved = await user.post(f"/material-packages/{package_id}/save-new", {"package_name": "第二版"})
    assert saved["version"] == 2
    copy = await clips(user, project_id)
    assert [clip["description"] for clip in copy] == [clip["description"] for clip in original]
    assert not {clip["id"] for clip in copy} & {clip["id"] for clip in original}
    await user.put(f"/timeline-clips/{copy[0]['id']}/edit-config", {"zoom_level": 2.0})
    await user.put(f"/timeline-clips/{original[0]['id']}/edit-config", {"rotation": 90})
    (edited, *_) = await clips(user, project_id)
    assert edited["config"] == {"zoom_level": 2.0}


async def test_edits_are_kept_field_by_field(user: Client) -> None:
    project_id, _ = await generated(user)
    clip_id = (await clips(user, project_id))[0]["id"]
    path = f"/timeline-clips/{clip_id}/edit-config"
    await user.put(path, {"zoom_level": 2.0, "filter_type": "sepia", "transform_params": {"flip_horizontal": True}})
    await user.put(path, {"filter_intensity": 0.5, "transform_params": {"flip_vertical": True}})
    (clip, *_) = await clips(user, project_id)
    assert clip["config"] == {
        "zoom_level": 2.0,
        "filter_type": "sepia",
        "filter_intensity": 0.5,
        "transform_params": {"flip_horizontal": True, "flip_vertical": True},
    }
    for bad, field in (
        ({"zoom_level": 0.5}, "zoom_level"),
        ({"filter_type": "purple"}, "filter_type"),
        ({"transform_params": {"skew": 1}}, "transform_params.skew"),
    ):
        with pytest.raises(ApiError, match=field):
            await user.put(path, bad)


async def test_a_set_duration_is_kept_and_moves_what_follows(user: Client) -> None:
    project_id, _ = await generated(user)
    first, second, *_ = await clips(user, project_id)
    await user.put(f"/timeline-clips/{first['id']}/duration", {"duration": first["duration"] + 2})
    longer, moved, *_ = await clips(user, project_id)
    assert longer["duration"] == pytest.approx(first["duration"] + 2, abs=0.05)
    assert moved["start_time"] - second["start_time"] == pytest.approx(2, abs=0.1)
    await user.put(f"/timeline-clips/{first['id']}/duration", {"duration": 1.0})
    (short, *_) = await clips(user, project_id)
    assert short["duration"] == pytest.approx(1.0)
    assert short["speech_overrun"] is True


async def test_a_changed_narration_is_spoken_again_and_moves_the_timeline(user: Client) -> None:
    project_id, _ = await generated(user)
    clip_id = (await clips(user, project_id))[0]["id"]
    path = f"/timeline-clips/{clip_id}"
    text = "很久很久以前，在一片没有名字的大海边，有一个小小的村庄，村里的人都爱听海浪的声音。"
    answer = await user.put(f"{path}/narration", {"text_content": text, "voice_id": "voice_zh-female-1"})
    assert answer["generation_status"] == "pending"
    audio = await user.until(f"{path}/audio", lambda a: a["narration"]["generation_status"] == "completed")
    assert audio["narration"]["voice_id"] == "voice_zh-female-1"
    (clip, *_) = await clips(user, project_id)
    assert clip["duration"] == pytest.approx(answer["estimated_duration"], rel=0.4)
    await user.put(f"{path}/narration", {"text_content": ""})
    assert "narration" not in await user.get(f"{path}/audio")


async def test_a_stale_take_never_replaces_a_newer_one(plane: Plane, user: Client) -> None:
    project_id, _ = await generated(user)
    clip_id = (await clips(user, project_id))[0]["id"]
    plane.farm.hold.add("speech")
    for take in ("第一遍。", "第二遍。", "第三遍，最后的一遍。"):
        await user.put(f"/timeline-clips/{clip_id}/narration", {"text_content": take})
    plane.farm.release()
    audio = await user.until(
        f"/timeline-clips/{clip_id}/audio", lambda a: a["narration"]["generation_status"] == "completed"
    )
    await _idle(plane)
    assert audio == await user.get(f"/timeline-clips/{clip_id}/audio")
    spoken = [run.spec["text"] for run in plane.farm.ran if run.kind == "speech"][-3:]
    assert sorted(spoken) == sorted(["第一遍。", "第二遍。", "第三遍，最后的一遍。"])


async def test_an_export_waits_for_what_is_still_being_made(plane: Plane, user: Client) -> None:
    project_id, _ = await generated(user)
    (clip, *_) = await clips(user, project_id)
    plane.farm.hold |= {"speech", "music", "image_to_video"}
    await user.put(f"/timeline-clips/{clip['id']}/narration", {"text_content": "现在才说的一句话。"})
    await user.post(f"/timeline-clips/{clip['id']}/generate-video", {"model_id": "draft-motion"})
    music = await user.post(f"/projects/{project_id}/generate-bgm")
    async with user.session.get(music["audio_url"]) as answer:
        assert answer.status == 404
        assert "Retry-After" in answer.headers
    await user.put(f"/projects/{project_id}/bgm", {"audio_url": music["audio_url"], "source": "ai_generated"})
    task = await user.post(f"/projects/{project_id}/export", {"config": EXPORT})
    await asyncio.sleep(0.3)
    assert (await user.get(f"/export-tasks/{task['export_task_id']}"))["status"] == "pending"
    plane.farm.release()
    done = await finished(user, task["export_task_id"])
    assert done["status"] == "completed", done
    (encode,) = [run for run in plane.farm.ran if run.kind == "encode" and run.project_id == project_id]
    assert encode.spec["clips"][0]["kind"] == "video"
    assert encode.spec["music"] is not None
    assert "现在才说的一句话。" in [line["text"] for line in encode.spec["speech"]]


async def test_an_exports_files_download_with_ranges(user: Client) -> None:
    project_id, _ = await generated(user)
    done = await exported(user, project_id, subtitle={"enabled": True, "burn_in": False, "format": "VTT"})
    assert done["status"] == "completed"
    files = (await user.get(f"/projects/{project_id}/export-files"))["list"]
    by_type = {file["file_type"]: file for file in files}
    assert by_type["video"]["resolution"] == f"{1280 // SCALE}x{720 // SCALE}"
    assert by_type["subtitle"]["format"] == "VTT"
    link = await user.get(f"/export-files/{by_type['video']['id']}/download-url")
    async with user.session.get(link["download_url"], headers={"Range": "bytes=4-7"}) as answer:
        assert answer.status == 206
        assert await answer.read() == b"ftyp"
        assert answer.headers["Content-Type"] == "video/mp4"
        assert answer.headers["Content-Disposition"].startswith("attachment")
    again = (await user.get(f"/projects/{project_id}/export-files"))["list"]
    assert sum(file["download_count"] for file in again) == 1
    assert (await user.get(f"/projects/{project_id}"))["status"] == "exported"
    await user.put(f"/projects/{project_id}/bgm", {"volume": 0.3})
    assert (await user.get(f"/projects/{project_id}"))["status"] == "completed"


async def test_a_cancelled_export_is_refunded(plane: Plane, user: Client) -> None:
    project_id, _ = await generated(user)
    await _idle(plane)
    used = (await user.get("/user/me"))["quota_info"]["used"]
    plane.farm.hold.add("encode")
    task = await user.post(f"/projects/{project_id}/export", {"config": EXPORT})
    assert (await user.get("/user/me"))["quota_info"]["used"] > used
    await user.post(f"/export-tasks/{task['export_task_id']}/cancel")
    plane.farm.release()
    assert (await user.get(f"/export-tasks/{task['export_task_id']}"))["status"] == "cancelled"
    await _idle(plane)
    assert (await user.get("/user/me"))["quota_info"]["used"] == used


async def test_a_videos_task_is_a_batch_of_one(user: Client) -> None:
    project_id, _ = await generated(user)
    (clip, *_) = await clips(user, project_id)
    started = await user.post(f"/timeline-clips/{clip['id']}/generate-video", {"model_id": "draft-motion"})
    over = {"completed", "failed"}
    task = await user.until(f"/video-generation-tasks/{started['generation_id']}", lambda a: a["status"] in over)
    assert (task["status"], task["total_clips"], task["completed_clips"]) == ("completed", 1, 1)
    assert task["total_quota"] == started["quota_consumed"] > 0
    (clip, *_) = await clips(user, project_id)
    assert (clip["clip_type"], clip["selected_video_id"]) == ("video", started["generation_id"])
    again = await user.post(f"/timeline-clips/{clip['id']}/generate-video", {"model_id": "draft-motion"})
    assert again["estimated_duration"] > 0  # measured on the first


async def test_a_version_saved_while_a_line_is_spoken_gets_that_line_too(plane: Plane, user: Client) -> None:
    project_id, package_id = await generated(user)
    clip_id = (await clips(user, project_id))[0]["id"]
    plane.farm.hold.add("speech")
    await user.put(f"/timeline-clips/{clip_id}/narration", {"text_content": "还没有说完的话。"})
    await user.post(f"/material-packages/{package_id}/save-new")
    plane.farm.release()
    copy = (await clips(user, project_id))[0]["id"]
    assert copy != clip_id
    for clip in (clip_id, copy):
        audio = await user.until(
            f"/timeline-clips/{clip}/audio", lambda a: a["narration"]["generation_status"] == "completed"
        )
        assert audio["narration"]["text_content"] == "还没有说完的话。"
    assert (await exported(user, project_id))["status"] == "completed"


async def test_a_film_that_is_cancelled_when_it_is_done_costs_nothing(plane: Plane, user: Client) -> None:
    project_id, _ = await generated(user)
    await _idle(plane)
    used = (await user.get("/user/me"))["quota_info"]["used"]
    plane.farm.hold.add("encode")
    task = await user.post(f"/projects/{project_id}/export", {"config": EXPORT})
    # The export is cancelled, yet its encoding ends as a success: as if the two had crossed.
    async with plane.services.database.transaction() as session:
        await session.execute(
            text("UPDATE export_tasks SET status = 'cancelled' WHERE id = :id"), {"id": task["export_task_id"]}
        )
    plane.farm.release()
    await _idle(plane)
    assert (await user.get("/user/me"))["quota_info"]["used"] == used
    assert (await user.get(f"/projects/{project_id}/export-files"))["list"] == []


async def test_an_edit_during_the_export_is_not_called_exported(plane: Plane, user: Client) -> None:
    project_id, _ = await generated(user)
    plane.farm.hold.add("encode")
    task = await user.post(f"/projects/{project_id}/export", {"config": EXPORT})
    (clip, *_) = await clips(user, project_id)
    await user.put(f"/timeline-clips/{clip['id']}/edit-config", {"zoom_level": 2.0})
    plane.farm.release()
    assert (await finished(user, task["export_task_id"]))["status"] == "completed"
    assert (await user.get(f"/projects/{project_id}"))["status"] == "completed"


async def test_a_clips_picture_is_painted_again_and_applied(user: Client) -> None:
    project_id, _ = await generated(user)
    (clip, *_) = await clips(user, project_id)
    path = f"/timeline-clips/{clip['id']}"
    answer = await user.post(f"{path}/regenerate-image", {"user_prompt": "夜晚，下雪"})
    assert answer["quota_consumed"] > 0
    apply = {"candidate_type": "image", "candidate_id": answer["candidate_id"]}
    async with asyncio.timeout(30):
        while True:
            try:
                await user.post(f"{path}/apply-candidate", apply)
                break
            except ApiError as error:
                assert error.code == 1005
                await asyncio.sleep(0.05)
    (applied, *_) = await clips(user, project_id)
    assert applied["selected_image_id"] == answer["candidate_id"] != clip["selected_image_id"]
    images = (await user.get(f"{path}/candidates?candidate_type=image"))["images"]
    assert [image["is_selected"] for image in images] == [False, True]
    old, new = [await _bytes(user, image["image_url"]) for image in images]
    assert old != new


async def _bytes(user: Client, url: str) -> bytes:
    async with user.session.get(url) as answer:
        return await answer.read()


async def test_a_camera_named_in_a_videos_prompt_moves_it(plane: Plane, user: Client) -> None:
    project_id, _ = await generated(user)
    (clip, *_) = await clips(user, project_id)
    for prompt in ("镜头向左平移", "slowly zoom out"):
        body = {"model_id": "draft-motion", "prompt": prompt}
        started = await user.post(f"/timeline-clips/{clip['id']}/generate-video", body)
        await user.until(f"/video-generation-tasks/{started['generation_id']}", lambda a: a["status"] == "completed")
    left, out = [
        run.spec["camera_movement"]
        for run in plane.farm.ran
        if run.kind == "image_to_video" and run.project_id == project_id
    ]
    assert (left, out) == ("pan_left", "pull_out")


@pytest.mark.parametrize(
    ("cover", "field"),
    [
        ({"cover_type": "custom"}, "config.cover.custom_image_url"),
        ({"cover_type": "from_clip"}, "config.cover.source_clip_id"),
        ({"cover_type": "auto_generate", "source_clip_id": "clp_x"}, "config.cover.source_clip_id"),
        ({"source_clip_id": "clp_x"}, "config.cover.source_clip_id"),
        ({"custom_image_url": "https://example.org/a.png"}, "config.cover.custom_image_url"),
    ],
)
async def test_a_cover_that_cannot_be_is_refused(user: Client, cover: dict[str, Any], field: str) -> None:
    project_id, _ = await generated(user)
    with pytest.raises(ApiError, match=field):
        await user.post(f"/projects/{project_id}/export", {"config": EXPORT | {"cover": {"enabled": True} | cover}})


async def test_a_font_that_is_not_there_is_refused_at_once(user: Client) -> None:
    project_id, _ = await generated(user)
    subtitle = {"enabled": True, "burn_in": True, "font_name": "Papyrus"}
    with pytest.raises(ApiError, match=r"config\.subtitle\.font_name"):
        await user.post(f"/projects/{project_id}/export", {"config": EXPORT | {"subtitle": subtitle}})
    assert (await user.get("/input/options"))["fonts"][0] == "Noto Sans CJK SC"
