"""How a file was made can be asked by whoever may read it: model, seed, what was asked, and from which files."""

from typing import Any

import orjson
import pytest

from control_plane.artifacts import tables as artifacts
from models.specs import Helped, Provenance, StoredArtifact
from runtime.artifacts import content_key
from tests.contract.interfaces import decided, wrong
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


HUB, COMMIT = "acme/painter@main", "0123456789abcdef0123456789abcdef01234567"


def stored(number: int) -> StoredArtifact:
    sha256 = f"{number:064x}"
    return StoredArtifact(key=content_key(sha256, ".png"), media_type="image/png", size=1, sha256=sha256)


async def keep(plane: Plane, tenant: str, number: int, made: Provenance | None = None) -> str:
    async with plane.services.database.transaction() as session:
        return await artifacts.keep(session, tenant, f"{number}.png", stored(number), made)


async def test_files_are_told_by_id_and_models_by_hub_and_revision_and_nothing_else_of_where_they_are(
    plane: Plane, user: Client
) -> None:
    tenant = (await user.get("/user/me"))["id"]
    sheet = await keep(plane, tenant, 1)
    strangers = (await (await plane.new_user("stranger")).get("/user/me"))["id"]
    await keep(plane, strangers, 2)
    key, foreign = stored(1).key, stored(2).key
    made = Provenance(
        task_kind="text_to_image",
        model="acme-painter",
        source="s3://internal-bucket/painter",
        weights_sha256="a" * 64,
        seed=7,
        spec={"prompt": "/imagine a lighthouse", "reference_keys": [key], "subjects": [{"reference_keys": [key]}]},
        parameters={"references": [key, foreign], "prompt": "/imagine", "sheet": foreign},
        options={"steps": 4, "lora": {"path": "/mnt/models/fast.safetensors"}, "arguments": {"url": "http://10.0.0.1"}},
        helpers={
            "embedding": Helped(model="dino", source=HUB, revision=COMMIT),
            "alignment": Helped(model="words", source="/mnt/models/words", weights_sha256="b" * 64),
        },
        parents=[key, foreign],
    )
    answer = await how(user, f"/files/{await keep(plane, tenant, 3, made)}?")
    assert answer["parameters"] == {"references": [sheet], "prompt": "/imagine"}
    assert answer["options"] == {"steps": 4, "lora": {"path": "fast.safetensors"}, "arguments": {"url": ""}}
    assert answer["request"] == {"prompt": "/imagine a lighthouse", "subjects": [{}]}
    assert [parent["artifact_id"] for parent in answer["parents"]] == [sheet]
    assert "source" not in answer
    assert answer["weights_sha256"] == "a" * 64
    assert answer["helpers"] == {
        "embedding": {"model_id": "dino", "model_name": "dino", "source": HUB, "revision": COMMIT},
        "alignment": {"model_id": "words", "model_name": "words", "weights_sha256": "b" * 64},
    }
    told = orjson.dumps(answer).decode()
    assert not [place for place in ("content/", "s3:", "/mnt", "10.0.0.1") if place in told]
    agreed = decided()["added_responses"]["GET /files/:artifact_id/provenance"]
    assert wrong(agreed, answer) == []
