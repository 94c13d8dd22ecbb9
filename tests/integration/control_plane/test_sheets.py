"""Shots are painted from the reference sheets of their characters and scenes, where the model takes references."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from control_plane.artifacts import tables as artifacts
from control_plane.quota import service as quota
from models.catalog_file import DEFAULT_PATH
from scheduler.ports import Assignment
from tests.integration.control_plane.conftest import Client, Plane, generated, submission
from tests.integration.control_plane.watching import clips, idle, materials, over, ran, steps, used

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHEETS = ("front_view", "three_view", "detail")


@pytest.fixture(scope="module")
def plane_settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("catalog") / "catalog.toml"
    draft = 'adapter = "models.draft.painter:DraftPainter"'
    takes_sheets = 'adapter = "tests.integration.control_plane.sheets:SheetPainter"\noptions.references = 4'
    path.write_text(DEFAULT_PATH.read_text(encoding="utf-8").replace(draft, takes_sheets), encoding="utf-8")
    return {"catalog": Path(path)}


async def key_of(plane: Plane, url: str) -> str:
    """The store key behind a file's address."""
    artifact_id = plane.services.signer.artifact_id_of(url)
    assert artifact_id is not None
    async with plane.services.database.transaction() as session:
        return (await artifacts.keys_of(session, [artifact_id]))[artifact_id]


async def shown(plane: Plane, user: Client, package_id: str) -> dict[str, list[str]]:
    """Keys of the pictures that characters and scenes show, in the order of their worth, by name."""
    found = await materials(user, package_id)
    keys = {}
    for person in found["characters"]:
        images = {i["image_type"]: i for i in person["images"] if i["is_selected"]}
        keys[person["character_name"]] = [await key_of(plane, images[kind]["image_url"]) for kind in SHEETS]
    for scene in found["scenes"]:
        keys[scene["scene_name"]] = [await key_of(plane, i["image_url"]) for i in scene["images"] if i["is_selected"]]
    return keys


def shots(assignments: list[Assignment]) -> list[Assignment]:
    return [run for run in assignments if run.spec.get("framing") == "shot"]


def references(shot: Assignment) -> dict[str, list[str]]:
    """What a shot was painted from, by the name of the character or scene."""
    subjects = {subject["name"]: subject["reference_keys"] for subject in shot.spec["subjects"]}
    place = shot.spec["place"]
    return subjects | ({place["name"]: place["reference_keys"]} if place else {})


async def test_every_shot_is_painted_from_the_finished_sheets_of_who_is_in_it(plane: Plane, user: Client) -> None:
    project_id, package_id = await generated(user)
    sheets = await shown(plane, user, package_id)
    painted = ran(plane, project_id, "text_to_image")
    found = shots(painted)
    assert found
    assert any(shot.spec["subjects"] for shot in found)
    for shot in found:
        assert references(shot) == {name: sheets[name] for name in references(shot)}
    last_sheet = max(at for at, run in enumerate(painted) if run.spec["framing"] in {*SHEETS, "scene"})
    assert painted.index(found[0]) > last_sheet


async def test_another_style_gives_other_sheets_and_shots_painted_from_these(plane: Plane, user: Client) -> None:
    project_id, package_id = await generated(user)
    before = await shown(plane, user, package_id)
    count = len(ran(plane, project_id))
    await user.post(f"/generation/retry/{(await steps(user, project_id))['artstyle']['task_id']}")
    assert (await over(user, project_id))["status"] == "completed"
    await idle(plane, project_id)
    after = await shown(plane, user, package_id)
    assert all(not set(before[name]) & set(after[name]) for name in before)
    again = shots(ran(plane, project_id)[count:])
    assert again
    for shot in again:
        assert references(shot) == {name: after[name] for name in references(shot)}


async def test_a_shot_painted_again_takes_the_sheets_that_are_shown_now(plane: Plane, user: Client) -> None:
    project_id, package_id = await generated(user)
    found = await materials(user, package_id)
    person = found["characters"][0]
    element = {"element_type": "character", "element_id": person["id"]}
    answer = await user.post(f"/material-packages/{package_id}/regenerate/image", {**element, "user_prompt": "red hat"})
    await idle(plane, project_id)
    await user.post(
        f"/material-packages/{package_id}/select-candidate",
        {**element, "candidate_type": "image", "candidate_id": answer["candidate_id"]},
    )
    sheets = await shown(plane, user, package_id)
    count = len(ran(plane, project_id))
    clip = next(c for c in await clips(user, project_id))
    await user.post(f"/timeline-clips/{clip['id']}/regenerate-image", {"user_prompt": ""})
    await idle(plane, project_id)
    (shot,) = shots(ran(plane, project_id)[count:])
    assert references(shot)
    assert references(shot) == {name: sheets[name] for name in references(shot)}


async def limited_to(plane: Plane, user: Client, limit: int) -> str:
    tenant = str((await user.get("/user/me"))["id"])
    async with plane.services.database.transaction() as session:
        await quota.set_daily_limit(session, tenant, limit)
    return tenant


async def all_but_one_is_done(plane: Plane, project_id: str) -> None:
    left = text("SELECT count(*) FROM tasks WHERE applied_at IS NULL AND project_id = :project")
    async with asyncio.timeout(60):
        while True:
            async with plane.services.database.transaction() as session:
                if await session.scalar(left, {"project": project_id}) == 1 and ran(plane, project_id, "speech"):
                    return
            await asyncio.sleep(0.05)


async def test_shots_that_cannot_be_paid_when_their_sheets_are_there_fail_alone(plane: Plane, user: Client) -> None:
    plane.farm.hold.add("three_view")
    alone = "夕阳下，小女孩林晓雨在海边等船。“爷爷，你在哪里？”林晓雨问。"
    project_id = (await user.post("/input/submit", submission(alone)))["project_id"]
    package_id = (await user.post("/generation/start", {"project_id": project_id}))["material_package_id"]
    await all_but_one_is_done(plane, project_id)
    tenant = await limited_to(plane, user, await used(user))
    plane.farm.release()
    failed = await over(user, project_id)
    await idle(plane, project_id)
    assert failed["status"] == "failed"
    found = {task["task_type"]: task for task in failed["tasks"]}
    assert {name for name, task in found.items() if task["status"] == "failed"} == {"storyboard"}
    assert "配额不足" in found["storyboard"]["error_message"]
    assert {task["status"] for name, task in found.items() if name != "storyboard"} == {"completed"}
    sheets = await shown(plane, user, package_id)
    assert all(sheets.values()), "what was painted stays"
    async with plane.services.database.transaction() as session:
        ledger = text("SELECT sum(amount) FROM quota_ledger WHERE tenant_id = :tenant")
        assert await session.scalar(ledger, {"tenant": tenant}) == await used(user)
        stumbled = text("SELECT count(*) FROM tasks WHERE project_id = :project AND reaction_failures > 0")
        assert not await session.scalar(stumbled, {"project": project_id})
    # With quota again, the shots alone are made.
    await limited_to(plane, user, 100_000)
    await user.post(f"/generation/retry/{found['storyboard']['task_id']}")
    assert (await over(user, project_id))["status"] == "completed"
    assert await shown(plane, user, package_id) == sheets
