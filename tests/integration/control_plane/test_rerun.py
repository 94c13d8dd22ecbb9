"""Steps that are run again, skipped and cancelled: what is done anew, and what is left alone."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from models.specs import ArtStyle, ScriptResult
from scheduler.ports import Assignment
from tests.integration.control_plane.conftest import ApiError, Client, Plane, generated, submission
from tests.integration.control_plane.watching import (
    clips,
    counted,
    files_of,
    idle,
    materials,
    over,
    ran,
    said,
    steps,
    used,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHEETS = {"front_view", "three_view", "detail"}


def sheet_of(assignment: Assignment | None) -> bool:
    """Whether a worker has begun a picture of a character."""
    return assignment is not None and assignment.spec.get("framing") in SHEETS


async def retried(plane: Plane, user: Client, project_id: str, step: str) -> dict[str, int]:
    """Run a step again; the tasks that this ran."""
    before = len(ran(plane, project_id))
    answer = await user.post(f"/generation/retry/{(await steps(user, project_id))[step]['task_id']}")
    assert answer == {"status": "pending"}
    assert (await user.get(f"/projects/{project_id}"))["status"] == "generating"
    assert (await over(user, project_id))["status"] == "completed"
    await idle(plane, project_id)
    return counted(ran(plane, project_id)[before:])


def sizes(found: dict[str, Any]) -> tuple[int, int, int]:
    return len(found["characters"]), len(found["scenes"]), len(found["storyboards"])


async def test_another_style_repaints_everything_and_writes_nothing_else(plane: Plane, user: Client) -> None:
    project_id, package_id = await generated(user)
    before, clips_before = await materials(user, package_id), await clips(user, project_id)
    style = ArtStyle(
        style_name="木刻", description="", prompt_template="{prompt}, woodcut", visual_keywords=["woodcut"]
    )
    written = {"result": ScriptResult(art_style=style).model_dump(mode="json")}
    plane.farm.instead["script"] = lambda assignment: written
    try:
        done = await retried(plane, user, project_id, "artstyle")
    finally:
        plane.farm.instead.clear()
    people, places, shots = sizes(before)
    assert done == {"artstyle": 1, "style": 1, **dict.fromkeys(SHEETS, people), "scene": places, "shot": shots}
    after = await materials(user, package_id)
    assert after["art_style"]["style_name"] == "木刻"
    old, new = files_of(before), files_of(after)
    assert all(not old[kind] & new[kind] for kind in old)
    assert after["storyline"] == before["storyline"]
    texts = ("id", "character_name", "appearance", "voices")
    assert [{f: c[f] for f in texts} for c in after["characters"]] != []
    assert [c["id"] for c in after["characters"]] == [c["id"] for c in before["characters"]]
    assert [c["appearance"] for c in after["characters"]] == [c["appearance"] for c in before["characters"]]
    assert [clip["id"] for clip in await clips(user, project_id)] == [clip["id"] for clip in clips_before]


async def test_other_characters_leave_style_and_scenes_alone(plane: Plane, user: Client) -> None:
    project_id, package_id = await generated(user)
    before = await materials(user, package_id)
    done = await retried(plane, user, project_id, "characters")
    people, _, shots = sizes(before)
    assert done == {"characters": 1, "storyboard": 1, **dict.fromkeys(SHEETS, people), "shot": shots}
    after = await materials(user, package_id)
    old, new = files_of(before), files_of(after)
    assert (new["art_style"], new["scenes"]) == (old["art_style"], old["scenes"])
    assert not old["characters"] & new["characters"]
    assert not old["storyboards"] & new["storyboards"]
    assert after["scenes"] == before["scenes"] or [s["id"] for s in after["scenes"]] == [
        s["id"] for s in before["scenes"]
    ]
    # Another take looks otherwise, in the sheets and in the shots alike; what was there stays to choose from.
    assert [c["appearance"] for c in after["characters"]] != [c["appearance"] for c in before["characters"]]
    assert [len(c["images"]) for c in after["characters"]] == [6] * people
    seeds = {
        run.spec["framing"]: {subject["name"]: subject["seed"] for subject in run.spec["subjects"]}
        for run in ran(plane, project_id, "text_to_image")
        if run.spec["subjects"]
    }
    assert seeds["shot"].items() <= seeds["front_view"].items() or seeds["shot"].items() >= seeds["front_view"].items()


async def test_another_scene_take_redoes_scenes_and_shots(plane: Plane, user: Client) -> None:
    project_id, package_id = await generated(user)
    before = await materials(user, package_id)
    done = await retried(plane, user, project_id, "scenes")
    _, places, shots = sizes(before)
    assert done == {"scenes": 1, "storyboard": 1, "scene": places, "shot": shots}
    after = await materials(user, package_id)
    assert files_of(after, "characters", "art_style") == files_of(before, "characters", "art_style")


async def test_another_storyline_redoes_everything(plane: Plane, user: Client) -> None:
    project_id, package_id = await generated(user)
    before = await materials(user, package_id)
    done = await retried(plane, user, project_id, "storyline")
    assert {"storyline", "artstyle", "characters", "scenes", "storyboard"} <= done.keys()
    after = await materials(user, package_id)
    assert all(not files & files_of(after)[kind] for kind, files in files_of(before).items())


async def test_a_storyboard_that_is_run_again_keeps_what_was_edited_of_its_shots(plane: Plane, user: Client) -> None:
    project_id, package_id = await generated(user)
    before, (first, second, *_) = await materials(user, package_id), await clips(user, project_id)
    await user.put(f"/timeline-clips/{first['id']}/edit-config", {"zoom_level": 2.0, "camera_movement": "orbit"})
    await user.put(f"/timeline-clips/{first['id']}/narration", {"text_content": "我自己写的旁白。"})
    await user.put(f"/timeline-clips/{second['id']}/duration", {"duration": 9.0})
    order = [clip["id"] for clip in await clips(user, project_id)]
    order[:2] = reversed(order[:2])
    await user.post(f"/projects/{project_id}/timeline/reorder", {"clip_ids": order})
    await idle(plane, project_id)
    done = await retried(plane, user, project_id, "storyboard")
    # Every line is there already: nothing is spoken again.
    assert done == {"storyboard": 1, "shot": sizes(before)[2]}
    after = {clip["id"]: clip for clip in await clips(user, project_id)}
    assert list(after) == order
    assert after[first["id"]]["config"] == {"zoom_level": 2.0}
    assert after[first["id"]]["camera_movement"] == "orbit"
    assert after[second["id"]]["duration"] == pytest.approx(9.0)
    audio = await user.get(f"/timeline-clips/{first['id']}/audio")
    assert audio["narration"]["text_content"] == "我自己写的旁白。"
    for clip_id, clip in after.items():
        images = (await user.get(f"/timeline-clips/{clip_id}/candidates?candidate_type=image"))["images"]
        assert [image["is_selected"] for image in images] == [False, True]
        assert clip["selected_image_id"] == images[1]["id"]


async def test_shots_that_the_new_storyboard_lacks_go_and_new_ones_come_where_they_belong(
    plane: Plane, user: Client
) -> None:
    table = "镜号,画面,旁白,时长\n1,海边的灯塔,灯塔亮了,3\n2,老人走上台阶,老人上楼,3\n3,海面平静,夜深了,3\n"
    project_id, package_id = await generated(user, content=table, input_type="storyboard")
    first, second, third = await clips(user, project_id)
    await user.put(f"/timeline-clips/{third['id']}/edit-config", {"filter_type": "sepia"})
    changed = "镜号,画面,旁白,时长\n1,海边的灯塔,灯塔亮了,3\n2,一群海鸥飞过天空,海鸥在叫,3\n3,海面平静,夜深了,3\n"
    async with plane.services.database.transaction() as session:
        await session.execute(
            text("UPDATE material_packages SET source = jsonb_set(source, '{content}', to_jsonb(CAST(:c AS text)))"
                 " WHERE id = :id"),
            {"c": changed, "id": package_id},
        )  # fmt: skip
    await retried(plane, user, project_id, "storyboard")
    one, two, three = await clips(user, project_id)
    assert (one["id"], three["id"]) == (first["id"], third["id"])
    assert two["id"] != second["id"]
    assert three["config"] == {"filter_type": "sepia"}
    assert [clip["shot_number"] for clip in (one, two, three)] == [1, 2, 3]
    with pytest.raises(ApiError) as gone:
        await user.get(f"/timeline-clips/{second['id']}/audio")
    assert gone.value.code == 1004


async def test_a_failed_step_is_tried_again_as_it_was_and_the_rest_is_kept(plane: Plane, user: Client) -> None:
    project_id = (await user.post("/input/submit", submission()))["project_id"]
    plane.farm.fail["speech"] = "没有声音"
    try:
        package_id = (await user.post("/generation/start", {"project_id": project_id}))["material_package_id"]
        assert (await over(user, project_id))["status"] == "failed"
    finally:
        plane.farm.fail.clear()
    await idle(plane, project_id)
    assert (await user.get(f"/projects/{project_id}"))["status"] == "draft"
    stood = await steps(user, project_id)
    assert stood["storyboard"]["status"] == "failed"
    assert "没有声音" in stood["storyboard"]["error_message"]
    kept = {name for name, step in stood.items() if step["status"] == "completed"}
    assert "storyline" in kept
    seeds = {run.spec["step"]: run.spec["seed"] for run in ran(plane, project_id, "script")}
    before = len(ran(plane, project_id))
    await user.post(f"/generation/retry/{stood['storyboard']['task_id']}")
    assert (await over(user, project_id))["status"] == "completed"
    await idle(plane, project_id)
    again = ran(plane, project_id)[before:]
    assert not {run.spec["step"] for run in again if run.kind == "script"} & kept
    assert all(seeds[run.spec["step"]] == run.spec["seed"] for run in again if run.kind == "script")
    assert (await user.get(f"/projects/{project_id}"))["status"] == "completed"
    assert len((await materials(user, package_id))["storyboards"]) == len(await clips(user, project_id))
    about = [about for _, about in await said(user, project_id)]
    assert about == ["submit", "start", "generation.failed", "retry", "generation.completed"]


async def test_a_rerun_that_fails_leaves_the_pictures_that_were_there(plane: Plane, user: Client) -> None:
    project_id, package_id = await generated(user)
    before = await materials(user, package_id)
    plane.farm.fail["text_to_image"] = "没有颜料"
    try:
        await user.post(f"/generation/retry/{(await steps(user, project_id))['scenes']['task_id']}")
        assert (await over(user, project_id))["status"] == "failed"
    finally:
        plane.farm.fail.clear()
    await idle(plane, project_id)
    assert files_of(await materials(user, package_id)) == files_of(before)
    assert (await user.get(f"/projects/{project_id}"))["status"] == "completed"
    assert all("thumbnail_url" in clip for clip in await clips(user, project_id))


async def test_a_skipped_step_takes_the_part_of_the_package_before(plane: Plane, user: Client) -> None:
    project_id, first = await generated(user)
    element = (await materials(user, first))["characters"][0]
    await user.post(
        f"/material-packages/{first}/modify/text",
        {
            "element_type": "character",
            "element_id": element["id"],
            "modification_type": "text_edit",
            "new_content": "穿银色铠甲的女孩",
        },
    )
    await idle(plane, project_id)
    spent = await used(user)
    plane.farm.hold.add("script")
    try:
        second = (await user.post("/generation/start", {"project_id": project_id}))["material_package_id"]
        stood = await steps(user, project_id)
        await user.post(f"/generation/skip/{stood['characters']['task_id']}")
        with pytest.raises(ApiError) as refused:
            await user.post(f"/generation/skip/{stood['storyboard']['task_id']}")
        assert refused.value.code == 1001
    finally:
        plane.farm.release()
    assert (await over(user, project_id))["status"] == "completed"
    await idle(plane, project_id)
    assert (await steps(user, project_id))["characters"]["status"] == "skipped"
    after = await materials(user, second)
    assert after["characters"][0]["appearance"] == "穿银色铠甲的女孩"
    assert files_of(after, "characters") == files_of(await materials(user, first), "characters")
    runs = ran(plane, project_id)
    assert sum(run.spec.get("step") == "characters" for run in runs) == 1
    assert all(
        subject["appearance"].startswith("穿银色铠甲的女孩")
        for run in runs[-3:]
        for subject in run.spec.get("subjects", [])
        if subject["name"] == element["character_name"]
    )
    assert await used(user) > spent


async def test_a_running_step_that_is_skipped_costs_nothing(plane: Plane, user: Client) -> None:
    project_id = (await user.post("/input/submit", submission()))["project_id"]
    plane.farm.hold.add("text_to_image")
    try:
        package_id = (await user.post("/generation/start", {"project_id": project_id}))["material_package_id"]
        async with asyncio.timeout(60):
            while not any(sheet_of(worker.assignment) for worker in plane.farm.workers.values()):  # noqa: ASYNC110
                await asyncio.sleep(0.03)
        await user.post(f"/generation/skip/{(await steps(user, project_id))['characters']['task_id']}")
    finally:
        plane.farm.release()
    assert (await over(user, project_id))["status"] == "completed"
    await idle(plane, project_id)
    async with plane.services.database.transaction() as session:
        paid = await session.scalar(
            text(
                "SELECT count(*) FROM tasks JOIN quota_ledger ON reservation_id = tasks.id AND entry = 'commit'"
                " WHERE tasks.project_id = :id AND spec->>'framing' IN ('front_view', 'three_view', 'detail')"
            ),
            {"id": project_id},
        )
    assert paid == 0
    found = await materials(user, package_id)
    assert "characters" not in found
    assert len(found["storyboards"]) == len(await clips(user, project_id)) > 0
    with pytest.raises(ApiError) as refused:
        await user.post(f"/generation/skip/{(await steps(user, project_id))['characters']['task_id']}")
    assert refused.value.code == 1005


async def test_a_cancelled_generation_is_refunded_and_can_go_on(plane: Plane, user: Client) -> None:
    project_id = (await user.post("/input/submit", submission()))["project_id"]
    with pytest.raises(ApiError) as refused:
        await user.post(f"/generation/cancel/{project_id}")
    assert refused.value.code == 1005
    plane.farm.hold.add("text_to_image")
    try:
        await user.post("/generation/start", {"project_id": project_id})
        await user.until(f"/generation/progress/{project_id}", lambda a: a["tasks"][0]["status"] == "completed")
        await user.post(f"/generation/cancel/{project_id}")
        progress = await user.get(f"/generation/progress/{project_id}")
        assert progress["status"] == "cancelled"
        assert {task["status"] for task in progress["tasks"]} == {"completed", "cancelled"}
        assert (await user.get(f"/projects/{project_id}"))["status"] == "draft"
        packages = (await user.get(f"/projects/{project_id}/material-packages"))["list"]
        assert [package["status"] for package in packages] == ["cancelled"]
    finally:
        plane.farm.release()
    await idle(plane, project_id)
    async with plane.services.database.transaction() as session:
        painted = await session.scalar(
            text(
                "SELECT coalesce(sum(amount), 0) FROM tasks JOIN quota_ledger ON reservation_id = tasks.id"
                " WHERE tasks.project_id = :id AND kind = 'text_to_image'"
            ),
            {"id": project_id},
        )
    assert painted == 0
    stood = await steps(user, project_id)
    await user.post(f"/generation/retry/{stood['artstyle']['task_id']}")
    assert (await over(user, project_id))["status"] == "completed"
    assert sum(run.spec.get("step") == "storyline" for run in ran(plane, project_id)) == 1


async def test_nothing_is_run_again_while_something_is_generated(plane: Plane, user: Client) -> None:
    project_id, package_id = await generated(user)
    stood = await steps(user, project_id)
    character = (await materials(user, package_id))["characters"][0]
    plane.farm.hold.add("script")
    try:
        answers = await asyncio.gather(
            *(user.post(f"/generation/retry/{stood['scenes']['task_id']}") for _ in range(3)), return_exceptions=True
        )
        assert sorted(getattr(answer, "code", 0) for answer in answers) == [0, 1005, 1005]
        edit = {"element_type": "character", "element_id": character["id"], "modification_type": "text_edit"}
        with pytest.raises(ApiError) as refused:
            await user.post(f"/material-packages/{package_id}/modify/text", edit | {"new_content": "高个子"})
        assert refused.value.code == 1005
    finally:
        plane.farm.release()
    assert (await over(user, project_id))["status"] == "completed"
    with pytest.raises(ApiError) as unknown:
        await user.post("/generation/retry/stp_unknown")
    assert unknown.value.code == 1004
