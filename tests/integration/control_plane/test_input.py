"""The creation input through the API: what each field changes in what is asked of the models, and uploads."""

import asyncio
import hashlib
from typing import Any

import pytest

from models.catalog_file import DEFAULT_PATH
from tests.contract.fields import shows
from tests.integration.control_plane.conftest import ApiError, Client, Plane, generated, submission
from tests.integration.control_plane.files import fetch, picture, sound, upload

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def plane_settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A catalog with a second model that paints."""
    path = tmp_path_factory.mktemp("catalog") / "catalog.toml"
    second = """
[[model]]
id = "other-painter"
display_name = "Other painter"
tasks = ["text_to_image", "image_to_image"]
adapter = "models.draft.painter:DraftPainter"
license = "Apache-2.0"
"""
    path.write_text(DEFAULT_PATH.read_text(encoding="utf-8") + second, encoding="utf-8")
    return {"catalog": path}


def painters(plane: Plane, project_id: str, kind: str) -> set[str]:
    return {run.model for run in plane.farm.ran if run.project_id == project_id and run.kind == kind}


@shows("POST /input/submit", "config.text_to_image_model", "config.image_to_image_model")
async def test_the_models_chosen_paint(plane: Plane, user: Client) -> None:
    for first, second in (("draft-painter", "other-painter"), ("other-painter", "draft-painter")):
        config = {"text_to_image_model": first, "image_to_image_model": second}
        project_id, package_id = await generated(user, config=config)
        assert painters(plane, project_id, "text_to_image") == {first}
        scene = (await user.get(f"/material-packages/{package_id}"))["materials"]["scenes"][0]["id"]
        wish = {"element_type": "scene", "element_id": scene, "user_prompt": "下雪"}
        await user.post(f"/material-packages/{package_id}/regenerate/image", wish)
        await user.until(
            f"/material-packages/{package_id}", lambda _, p=project_id: bool(painters(plane, p, "image_to_image"))
        )
        assert painters(plane, project_id, "image_to_image") == {second}


@shows("POST /input/submit", "content", "input_type", "project_id", "config.duration_type")
async def test_an_input_is_replaced_by_the_next_of_its_project(plane: Plane, user: Client) -> None:
    project_id = (await user.post("/input/submit", submission("春天来了。")))["project_id"]
    table = "shot,description,duration\n1,The red lighthouse,4\n2,A quiet harbour,3\n"
    config = {"duration_type": "custom", "duration_seconds": 15}
    again = await user.post(
        "/input/submit", submission(table, input_type="storyboard", project_id=project_id, config=config)
    )
    assert again["project_id"] == project_id
    assert (await user.get("/projects"))["total"] == 1
    assert (await user.get(f"/projects/{project_id}"))["input_config"]["duration"] == 15
    package_id = (await user.post("/generation/start", {"project_id": project_id}))["material_package_id"]
    await user.until(f"/generation/progress/{project_id}", lambda a: a["status"] == "completed")
    shots = (await user.get(f"/material-packages/{package_id}"))["materials"]["storyboards"]
    said = [shot["description"].rpartition(", ")[2] for shot in shots]
    assert said == ["The red lighthouse", "A quiet harbour"]
    await user.post("/input/submit", submission(table, input_type="storyboard", project_id=project_id))
    assert (await user.get(f"/projects/{project_id}"))["input_config"]["duration"] == -1


@shows("POST /input/submit", "config.language", "config.subtitle_enabled", "language", "subtitle_enabled")
async def test_language_and_subtitles_may_stand_in_either_place(user: Client) -> None:
    for body in (
        submission(config={"language": "en", "subtitle_enabled": False}),
        submission(language="en", subtitle_enabled=False),
        submission(language="en", subtitle_enabled=False, config={"language": "zh", "subtitle_enabled": True}),
    ):
        project_id = (await user.post("/input/submit", body))["project_id"]
        config = (await user.get(f"/projects/{project_id}"))["input_config"]
        assert (config["language"], config["subtitle_enabled"]) == ("en", False)


@shows("POST /attachments", "file_name", "file_type", "file_category", "file_size", "file_url", "file_hash")
async def test_an_upload_is_registered_as_what_it_is(user: Client) -> None:
    data = picture("#123456")
    digest = hashlib.sha256(data).hexdigest()
    made = await upload(user, data, "海.png", "image/png", "image", file_hash=digest.upper())
    shown = await user.get(f"/attachments/{made['id']}")
    assert (shown["file_name"], shown["file_type"], shown["file_category"]) == ("海.png", "image/png", "image")
    assert shown["file_size"] == made["file_size"] == len(data)
    assert await fetch(user, made["file_url"]) == data
    for changes, field in (
        ({"file_hash": "0" * 64}, "file_hash"),
        ({"file_size": len(data) + 1}, "file_size"),
        ({"file_type": "image/jpeg"}, "file_type"),
        ({"file_category": "audio"}, "file_category"),
        ({"file_url": "https://example.org/a.png"}, "file_url"),
    ):
        with pytest.raises(ApiError, match=field):
            await upload(user, data, "海.png", **{"media_type": "image/png", "category": "image"} | _renamed(changes))


def _renamed(changes: dict[str, Any]) -> dict[str, Any]:
    names = {"file_type": "media_type", "file_category": "category"}
    return {names.get(name, name): value for name, value in changes.items()}


async def test_a_film_is_no_attachment_and_the_answer_says_what_is(user: Client) -> None:
    allowed = (await user.get("/attachments/upload-config"))["allowed_types"]
    assert not [kind for kind in allowed if kind.startswith("video/")]
    with pytest.raises(ApiError, match="image/png, image/webp") as caught:
        await upload(user, b"\0\0\0\x18ftypmp42" + sound(), "a.mp4", "video/mp4", "video")
    assert caught.value.code == 1007


async def test_a_project_gets_a_copy_of_what_another_has(plane: Plane, user: Client) -> None:
    made = await upload(user, picture("#654321"), "a.png", "image/png", "image")
    first = (await user.post("/input/submit", submission(attachments=[{"id": made["id"], "label": "小满"}])))[
        "project_id"
    ]

    async def files(project_id: str) -> list[tuple[str, str]]:
        listed = (await user.get(f"/projects/{project_id}/attachments"))["list"]
        return [(row["file_name"], row["label"]) for row in listed]

    plane.farm.hold.add("script")
    try:
        await user.post("/generation/start", {"project_id": first})
        named = submission(attachments=[{"id": made["id"], "label": "阿福"}, {"id": made["id"]}])
        second = (await user.post("/input/submit", named))["project_id"]
        assert (await files(first), await files(second)) == ([("a.png", "小满")], [("a.png", "阿福")])
        (copy,) = (await user.get(f"/projects/{second}/attachments"))["list"]
        await user.post("/input/submit", named | {"project_id": second})
        assert [row["id"] for row in (await user.get(f"/projects/{second}/attachments"))["list"]] == [copy["id"]]
        await user.post("/input/submit", submission(project_id=second, attachments=[]))
        assert await files(second) == []
        await user.post("/input/submit", named | {"project_id": second})
        (copy,) = (await user.get(f"/projects/{second}/attachments"))["list"]
    finally:
        plane.farm.release()
    await user.until(f"/generation/progress/{first}", lambda a: a["status"] == "completed")
    await user.call("DELETE", f"/projects/{first}")
    async with user.session.get(copy["file_url"]) as answer:
        assert answer.status == 200


async def test_two_projects_that_attach_each_others_do_not_wait_for_each_other(user: Client) -> None:
    made = [await upload(user, picture(colour), "a.png", "image/png", "image") for colour in ("#111111", "#222222")]
    ids = [
        (await user.post("/input/submit", submission(attachments=[{"id": one["id"]}])))["project_id"] for one in made
    ]
    both = [{"id": one["id"]} for one in made]
    for attachments in (both, both[::-1], both):
        await asyncio.gather(
            *(user.post("/input/submit", submission(project_id=id_, attachments=attachments)) for id_ in ids)
        )
    for project_id in ids:
        assert len((await user.get(f"/projects/{project_id}/attachments"))["list"]) == 2
