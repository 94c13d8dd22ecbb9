"""Generations, packages and what is in them, as agreed; with the events that tell of them."""

import pytest

from tests.contract.live import Walk, listening
from tests.integration.control_plane.conftest import Client, Plane, submission

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_materials(plane: Plane, user: Client) -> None:
    walk = Walk(user)
    project_id = (await user.post("/input/submit", submission()))["project_id"]
    async with listening(user, project_id) as events:
        started = await walk("POST /generation/start", body={"project_id": project_id})
        await events.until("generation.progress")
        completed = await events.until("generation.completed")
    assert completed["material_package_id"] == started["material_package_id"]
    assert {"storyline", "art_style", "characters", "scenes", "storyboards"} == set(completed["materials"])
    assert events.problems == []
    package = started["material_package_id"]
    progress = await walk("GET /generation/progress/:project_id", project_id)
    steps = {task["task_type"]: task["task_id"] for task in progress["tasks"]}
    await walk("POST /generation/skip/:task_id", steps["artstyle"])
    await walk.until("GET /generation/progress/:project_id", project_id, done=lambda a: a["status"] != "generating")
    await walk("POST /generation/retry/:task_id", steps["scenes"])
    await walk.until("GET /generation/progress/:project_id", project_id, done=lambda a: a["status"] != "generating")

    await walk("PUT /material-packages/:package_id", package, body={"package_name": "海滨故事 v1"})
    detail = await walk("GET /material-packages/:package_id", package)
    assert detail["package_name"] == "海滨故事 v1" or walk.problems
    materials = detail["materials"]
    character, scene = materials["characters"][0], materials["scenes"][0]
    edit = {"element_type": "scene", "element_id": scene["id"], "modification_type": "text_edit"}
    await walk("POST /material-packages/:package_id/modify/text", package, body=edit | {"new_content": "傍晚的码头。"})
    paint = {"element_type": "character", "element_id": character["id"], "user_prompt": "戴帽子"}
    painted = await walk("POST /material-packages/:package_id/regenerate/image", package, body=paint)
    await walk.ready(painted["image_url"])
    choice = {"element_type": "character", "element_id": character["id"], "candidate_type": "image"}
    choice["candidate_id"] = painted["candidate_id"]
    await walk("POST /material-packages/:package_id/select-candidate", package, body=choice)
    voices = (await user.get("/assets/voices"))["list"]
    switch = {"element_type": "narration", "element_id": package, "voice_id": voices[-1]["id"]}
    await walk("POST /material-packages/:package_id/switch-voice", package, body=switch)
    replace = {"asset_type": "voice", "element_id": character["id"], "asset_id": voices[0]["id"]}
    await walk("POST /material-packages/:package_id/replace-from-asset", package, body=replace)

    saved = await walk("POST /material-packages/:package_id/save-new", package, body={"package_name": "第二版"})
    await walk("POST /material-packages/:package_id/switch", package)
    listed = await walk("GET /projects/:project_id/material-packages", project_id)
    assert {item["id"]: item["is_active"] for item in listed["list"]} == {
        package: True,
        saved["new_package_id"]: False,
    } or walk.problems
    said = await walk("GET /projects/:project_id/conversations", project_id)
    assert said["list"]
    walk.finish("materials")


async def test_a_lack_of_quota_is_told(plane: Plane) -> None:
    user = await plane.new_user("short", daily_limit=6)
    project_id = (await user.post("/input/submit", submission()))["project_id"]
    async with listening(user, project_id) as events:
        await user.post("/generation/start", {"project_id": project_id})
        told = await events.until("quota.insufficient", within_s=20)
    assert told["required"] > told["remaining"]
    assert events.problems == []
