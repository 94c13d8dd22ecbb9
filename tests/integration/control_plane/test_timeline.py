"""Ordering and deleting clips, narrations of the user's own, and the project's music."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.contract.fields import shows
from tests.integration.control_plane import files
from tests.integration.control_plane.boards import BOARD, EXPORT, OVER, board, clips, idle, upload, used
from tests.integration.control_plane.conftest import ApiError, Client, Plane, generated
from tests.integration.control_plane.files import fetch_made

pytestmark = pytest.mark.asyncio(loop_scope="module")


@shows("POST /projects/{project_id}/timeline/reorder", "clip_ids")
async def test_clips_are_shown_in_the_order_given(user: Client) -> None:
    project_id = await board(user)
    before = await clips(user, project_id)
    order = [before[2], before[0], before[1]]
    await user.post(f"/projects/{project_id}/timeline/reorder", {"clip_ids": [clip["id"] for clip in order]})
    after = await clips(user, project_id)
    assert [clip["id"] for clip in after] == [clip["id"] for clip in order]
    assert [clip["description"] for clip in after] == [clip["description"] for clip in order]
    assert [clip["shot_number"] for clip in after] == [1, 2, 3]
    assert after[0]["start_time"] == 0
    overlap = after[0]["transition_duration"]
    assert after[1]["start_time"] == pytest.approx(after[0]["end_time"] - overlap, abs=0.01)


async def test_an_order_is_of_all_clips_each_once(user: Client) -> None:
    project_id = await board(user)
    first, second, third = [clip["id"] for clip in await clips(user, project_id)]
    for wrong in ([first, second], [first, second, second], [first, second, third, third], [first, second, "clp_x"]):
        with pytest.raises(ApiError, match="clip_ids") as caught:
            await user.post(f"/projects/{project_id}/timeline/reorder", {"clip_ids": wrong})
        assert caught.value.code == 1001
    assert [clip["id"] for clip in await clips(user, project_id)] == [first, second, third]


async def test_a_deleted_clip_closes_the_gap_and_what_runs_for_it_costs_nothing(plane: Plane, user: Client) -> None:
    project_id = await board(user, BOARD)
    await idle(plane)
    before = await used(user)
    spoken, silent, last = await clips(user, project_id)
    plane.farm.hold |= {"speech", "image_to_video"}
    await user.put(f"/timeline-clips/{spoken['id']}/narration", {"text_content": "一句永远听不到的话。"})
    video = await user.post(f"/timeline-clips/{spoken['id']}/generate-video", {"model_id": "draft-motion"})
    waiting = await user.post(f"/projects/{project_id}/export", {"config": EXPORT})
    assert await used(user) > before
    await user.call("DELETE", f"/timeline-clips/{spoken['id']}")
    plane.farm.release()
    for path in (f"/timeline-clips/{spoken['id']}/audio", f"/video-generation-tasks/{video['generation_id']}"):
        with pytest.raises(ApiError) as caught:
            await user.get(path)
        assert caught.value.code == 1004
    rest = await clips(user, project_id)
    assert [(clip["id"], clip["shot_number"]) for clip in rest] == [(silent["id"], 1), (last["id"], 2)]
    assert rest[0]["start_time"] == 0
    done = await user.until(f"/export-tasks/{waiting['export_task_id']}", lambda a: a["status"] in OVER)
    assert done["status"] == "completed", done
    await idle(plane)
    # Nothing of it was made to the end.
    async with plane.services.database.transaction() as session:
        ends = await session.execute(
            text("SELECT kind, outcome FROM tasks WHERE project_id = :id ORDER BY seq DESC LIMIT 3"), {"id": project_id}
        )
        assert dict(ends.all()) == {
            "speech": "cancelled",
            "image_to_video": "cancelled",
            "encode": "succeeded",
        }
    ledger = (await user.get("/quota/ledger?page_size=100"))["list"]
    closed = {entry["task_id"]: entry["entry"] for entry in ledger if entry["entry"] != "reserve"}
    lost = [e for e in ledger if e["entry"] == "reserve" and e["model_id"] == "draft-motion"]
    assert [closed[entry["task_id"]] for entry in lost] == ["refund"]
    (export,) = [run.task_id for run in plane.farm.ran if run.kind == "encode" and run.project_id == project_id]
    assert await used(user) == before + sum(e["amount"] for e in ledger if e["task_id"] == export)


async def test_the_last_clip_stays(user: Client) -> None:
    project_id = await board(user)
    *rest, last = await clips(user, project_id)
    for clip in rest:
        await user.call("DELETE", f"/timeline-clips/{clip['id']}")
    with pytest.raises(ApiError) as caught:
        await user.call("DELETE", f"/timeline-clips/{last['id']}")
    assert caught.value.code == 1005
    assert [clip["id"] for clip in await clips(user, project_id)] == [last["id"]]


# --- settings that are only put elsewhere in the contract


@shows("PUT /timeline-clips/{clip_id}/duration", "duration")
async def test_what_can_be_put_can_be_read(user: Client) -> None:
    project_id = await board(user, BOARD)
    (clip, *_) = await clips(user, project_id)
    path = f"/timeline-clips/{clip['id']}"
    assert (await user.get(f"{path}/duration"))["is_set"] is False
    await user.put(f"{path}/duration", {"duration": 9.0})
    shown = await user.get(f"{path}/duration")
    assert (shown["duration"], shown["is_set"]) == (9.0, True)
    edit = {"zoom_level": 2.0, "transition": "crossfade", "transition_duration": 1.5, "camera_movement": "push_in"}
    await user.put(f"{path}/edit-config", edit)
    assert await user.get(f"{path}/edit-config") == edit
    line = (await user.get(f"{path}/audio"))["dialogue"][0]
    said = {"text_content": "再见，大海。", "speech_speed": 1.2, "volume": 0.7, "emotion": "sad"}
    await user.put(f"{path}/dialogue/{line['id']}", said)
    shown = await user.get(f"{path}/dialogue/{line['id']}")
    assert said == {key: shown[key] for key in said}
    await user.put(f"{path}/narration", said)
    shown = await user.get(f"{path}/narration")
    assert said == {key: shown[key] for key in said}
    silent = (await clips(user, project_id))[1]["id"]
    with pytest.raises(ApiError) as caught:
        await user.get(f"/timeline-clips/{silent}/narration")
    assert caught.value.code == 1004


async def test_a_line_that_was_removed_is_not_there_until_it_gets_words_again(plane: Plane, user: Client) -> None:
    project_id, package_id = await generated(user, content=BOARD, input_type="storyboard")
    await idle(plane)
    path = f"/timeline-clips/{(await clips(user, project_id))[0]['id']}"
    audio = await user.get(f"{path}/audio")
    lines = {
        "narration": audio["narration"]["id"],
        f"dialogue/{audio['dialogue'][0]['id']}": audio["dialogue"][0]["id"],
    }
    for line in lines:
        await user.put(f"{path}/{line}", {"text_content": ""})
        with pytest.raises(ApiError) as caught:
            await user.get(f"{path}/{line}")
        assert caught.value.code == 1004
    assert await user.get(f"{path}/audio") == {}
    # Nor is it spoken by another voice.
    (character,) = (await user.get(f"/material-packages/{package_id}"))["materials"]["characters"]
    for kind, element in (("narration", package_id), ("character", character["id"])):
        voice = {"element_type": kind, "element_id": element, "voice_id": "voice_zh-female-1"}
        await user.post(f"/material-packages/{package_id}/switch-voice", voice)
    await idle(plane)
    assert "" not in [run.spec["text"] for run in plane.farm.ran if run.kind == "speech"]
    for line, line_id in lines.items():
        await user.put(f"{path}/{line}", {"text_content": "又起风了。"})
        assert (await user.get(f"{path}/{line}"))["id"] == line_id


# --- videos of many clips


@shows("POST /timeline-clips/{clip_id}/narration/custom-audio", "audio_url")
async def test_a_sound_of_the_users_own_is_the_narration(plane: Plane, user: Client) -> None:
    project_id = await board(user, BOARD)
    (clip, *_) = await clips(user, project_id)
    path = f"/timeline-clips/{clip['id']}"
    await idle(plane)
    before = await used(user)
    plane.farm.hold.add("speech")
    await user.put(f"{path}/narration", {"text_content": "字幕里的话。", "volume": 0.8})
    sound = await upload(user, files.sound(7.5))
    await user.post(f"{path}/narration/custom-audio", {"audio_url": sound})
    plane.farm.release()
    shown = (await user.get(f"{path}/audio"))["narration"]
    assert (shown["is_custom_audio"], shown["generation_status"]) == (True, "completed")
    async with user.session.get(shown["custom_audio_url"]) as answer:
        assert await answer.read() == files.sound(7.5)
    (longer, *_) = await clips(user, project_id)
    line = (await user.get(f"{path}/audio"))["dialogue"][0]
    assert longer["duration"] > max(clip["duration"], 7.5)
    await idle(plane)
    # The take that was being spoken is cancelled, and changes nothing any more.
    assert await used(user) == before
    assert (await user.get(f"{path}/narration"))["is_custom_audio"] is True
    # Another volume keeps the sound; the film has it with the text for its subtitles.
    await user.put(f"{path}/narration", {"text_content": "字幕里的话。", "volume": 0.3})
    export = await user.post(f"/projects/{project_id}/export", {"config": EXPORT})
    task = f"/export-tasks/{export['export_task_id']}"
    assert (await user.until(task, lambda a: a["status"] in OVER))["status"] == "completed"
    (film,) = [run.spec for run in plane.farm.ran if run.kind == "encode" and run.project_id == project_id]
    speech = film["speech"][0]
    assert (speech["text"], speech["duration_s"], speech["volume"]) == ("字幕里的话。", 7.5, 0.3)
    assert film["speech"][1]["text"] == line["text_content"]
    # Another text is spoken again.
    await user.put(f"{path}/narration", {"text_content": "另外的话。"})
    shown = await user.until(f"{path}/narration", lambda a: a["generation_status"] == "completed")
    assert shown["is_custom_audio"] is False
    assert "custom_audio_url" not in shown


@pytest.mark.parametrize("data", [files.sound(0.01), files.sound(130)], ids=["short", "long"])
async def test_a_sound_that_cannot_be_a_narration_is_refused(user: Client, data: bytes) -> None:
    project_id = await board(user, BOARD)
    (clip, *_) = await clips(user, project_id)
    path = f"/timeline-clips/{clip['id']}/narration"
    before = await user.get(path)
    address = await upload(user, data)
    with pytest.raises(ApiError, match="audio_url") as caught:
        await user.post(f"{path}/custom-audio", {"audio_url": address})
    assert caught.value.code == 1001
    after = await user.get(path)
    assert (after["id"], after["is_custom_audio"]) == (before["id"], False)


async def test_nobody_elses_sound_is_a_narration_or_the_music(plane: Plane, user: Client) -> None:
    stranger = await plane.new_user("stranger")
    address = await upload(stranger, files.sound(1))
    project_id = await board(user)
    (clip, *_) = await clips(user, project_id)
    for url in (address, "https://example.org/a.mp3"):
        with pytest.raises(ApiError, match="audio_url"):
            await user.post(f"/timeline-clips/{clip['id']}/narration/custom-audio", {"audio_url": url})
        with pytest.raises(ApiError, match="audio_url"):
            await user.put(f"/projects/{project_id}/bgm", {"audio_url": url})


# --- music


@shows("PUT /projects/{project_id}/bgm", "audio_url", "music_name", "source")
async def test_music_is_named_by_where_it_comes_from(user: Client) -> None:
    project_id = await board(user)
    path = f"/projects/{project_id}/bgm"
    uploaded = await upload(user, files.sound(2), "我的歌.wav")
    body = {"music_name": "慢板", "audio_url": await upload(user, files.sound(3)), "duration": 3}
    library = (await user.post("/assets/music", body))["audio_url"]

    async def chosen(**request: Any) -> tuple[str, str | None]:
        await user.put(path, request)
        shown = await user.get(path)
        assert shown["is_selected"] is True
        return shown["source"], shown.get("music_name")

    assert await chosen(audio_url=uploaded) == ("uploaded", "我的歌.wav")
    assert await chosen(audio_url=library) == ("library", "慢板")
    assert await chosen(audio_url=library, source="library", music_name="片头") == ("library", "片头")
    assert await chosen(audio_url=library, source="uploaded") == ("uploaded", "voice.wav")
    composed = await user.post(f"/projects/{project_id}/generate-bgm")
    assert await chosen(audio_url=composed["audio_url"]) == ("ai_generated", None)
    assert await chosen(music_name="晚安") == ("ai_generated", "晚安")
    for url, source in ((uploaded, "library"), (uploaded, "ai_generated"), (composed["audio_url"], "uploaded")):
        with pytest.raises(ApiError, match="source"):
            await user.put(path, {"audio_url": url, "source": source})
    with pytest.raises(ApiError, match="audio_url"):
        await user.put(path, {"source": "library"})
    (kept,) = (await user.get("/assets/music?is_preset=false"))["list"]
    assert kept["usage_count"] == 1  # choosing it again, or renaming it, is no other use


async def test_music_can_be_removed(plane: Plane, user: Client) -> None:
    project_id = await board(user)
    path = f"/projects/{project_id}/bgm"
    nothing = await user.get(path)
    plane.farm.hold.add("music")
    composed = await user.post(f"/projects/{project_id}/generate-bgm", {"prompt": "欢快"})
    await user.put(path, {"audio_url": composed["audio_url"], "volume": 0.2, "is_loop": False})
    export = await user.post(f"/projects/{project_id}/export", {"config": EXPORT})
    await user.call("DELETE", path)
    assert await user.get(path) == nothing
    # The export waits no longer for music that nobody hears.
    task = f"/export-tasks/{export['export_task_id']}"
    assert (await user.until(task, lambda a: a["status"] in OVER))["status"] == "completed"
    plane.farm.release()
    (film,) = [run.spec for run in plane.farm.ran if run.kind == "encode" and run.project_id == project_id]
    assert film["music"] is None


@shows("POST /projects/{project_id}/generate-bgm", "prompt")
@shows("POST /timeline-clips/{clip_id}/regenerate-image", "user_prompt", "prompt")
@shows("POST /timeline-clips/{clip_id}/apply-candidate", "candidate_type", "candidate_id")
async def test_what_is_asked_for_is_made_of_it(plane: Plane, user: Client) -> None:
    project_id = await board(user)
    sounds = []
    for prompt in ("欢快的进行曲", "悲伤的慢板"):
        address = (await user.post(f"/projects/{project_id}/generate-bgm", {"prompt": prompt}))["audio_url"]
        sounds.append(await fetch_made(user, address))
    assert sounds[0] != sounds[1]
    (clip, *_) = await clips(user, project_id)
    path = f"/timeline-clips/{clip['id']}"
    wishes = [
        {"user_prompt": "下雪"},
        {"user_prompt": "正午的阳光"},
        {"user_prompt": "下雪", "prompt": "沙漠里的骆驼，正午"},
    ]
    answers = [await user.post(f"{path}/regenerate-image", wish) for wish in wishes]
    images = (await user.get(f"{path}/candidates?candidate_type=image"))["images"]
    pictures = [await fetch_made(user, image["image_url"]) for image in images]
    assert len(set(pictures)) == len(images) == 4
    await idle(plane)
    for answer in answers[:2]:
        await user.post(f"{path}/apply-candidate", {"candidate_type": "image", "candidate_id": answer["candidate_id"]})
        assert (await clips(user, project_id))[0]["selected_image_id"] == answer["candidate_id"]
    with pytest.raises(ApiError, match="candidate_id"):
        body = {"candidate_type": "video", "candidate_id": answers[0]["candidate_id"]}
        await user.post(f"{path}/apply-candidate", body)
