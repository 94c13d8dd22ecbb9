"""How a file was made can be asked by whoever may read it: model, seed, what was asked, and from which files."""

from typing import Any

import pytest

from tests.integration.control_plane.conftest import ApiError, Client, Plane, generated
from tests.integration.control_plane.walk import EXPORT, attachment
from tests.integration.control_plane.watching import materials

pytestmark = pytest.mark.asyncio(loop_scope="module")


def id_of(url: str) -> str:
    return url.partition("/files/")[2].partition("?")[0]


async def how(user: Client, url: str) -> dict[str, Any]:
    return dict(await user.get(f"/files/{id_of(url)}/provenance"))


async def test_a_picture_tells_model_seed_and_request(plane: Plane, user: Client) -> None:
    _, package_id = await generated(user)
    scene = (await materials(user, package_id))["scenes"][0]
    made = await how(user, scene["images"][0]["image_url"])
    assert (made["task_kind"], made["model_id"], made["model_name"]) == (
        "text_to_image",
        "draft-painter",
        "Draft painter",
    )
    assert made["license"] == "Apache-2.0"
    assert made["seed"] == made["request"]["seed"]
    assert scene["scene_name"] in made["request"]["prompt"]
    assert "reelfarm" in made["software"]
    assert "reference_keys" not in str(made["request"]), "where files are stored is nobody's business"


async def test_a_film_leads_to_the_pictures_and_lines_it_was_made_of(plane: Plane, user: Client) -> None:
    project_id, package_id = await generated(user)
    started = await user.post(f"/projects/{project_id}/export", {"config": EXPORT})
    await user.until(f"/export-tasks/{started['export_task_id']}", lambda a: a["status"] == "completed")
    files = (await user.get(f"/projects/{project_id}/export-files"))["list"]
    film = next(file for file in files if file["file_type"] == "video")
    link = await user.get(f"/export-files/{film['id']}/download-url")
    made = await how(user, link["download_url"])
    assert made["task_kind"] == "encode"
    parents = {parent["artifact_id"] for parent in made["parents"]}
    shown = {id_of(shot["reference_image_url"]) for shot in (await materials(user, package_id))["storyboards"]}
    assert shown <= parents
    kinds = {(await how(user, parent["file_url"]))["task_kind"] for parent in made["parents"]}
    assert {"text_to_image", "speech"} <= kinds


async def test_an_upload_and_a_stranger_get_no_answer(plane: Plane, user: Client) -> None:
    uploaded = await attachment(user)
    with pytest.raises(ApiError) as caught:
        await how(user, uploaded["file_url"])
    assert caught.value.code == 1004
    _, package_id = await generated(user)
    picture = (await materials(user, package_id))["scenes"][0]["images"][0]["image_url"]
    stranger = await plane.new_user("curious")
    with pytest.raises(ApiError) as caught:
        await how(stranger, picture)
    assert caught.value.code == 1004
