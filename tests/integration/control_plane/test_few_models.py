"""A catalog without a model for some kinds of tasks: what needs none works, what needs one says which is missing."""

from typing import Any

import pytest

from models.catalog_file import DEFAULT_PATH
from tests.integration.control_plane.conftest import ApiError, Client, submission

pytestmark = pytest.mark.asyncio(loop_scope="module")

_KEPT = {"draft-script", "draft-painter"}


@pytest.fixture(scope="module")
def plane_settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("catalog") / "catalog.toml"
    entries = DEFAULT_PATH.read_text(encoding="utf-8").split("[[model]]\n")[1:]
    path.write_text("".join(f"[[model]]\n{one}" for one in entries if one.split('"')[1] in _KEPT), encoding="utf-8")
    return {"catalog": path}


async def test_what_needs_no_model_works(user: Client) -> None:
    options = await user.get("/input/options")
    assert [model["id"] for model in options["models"]["text_to_image"]] == ["draft-painter"]
    assert options["models"]["image_to_video"] == []
    assert (await user.get("/assets/music"))["list"] == []
    assert (await user.get("/assets/styles"))["list"] != []


async def test_a_generation_that_could_not_end_does_not_begin(user: Client) -> None:
    project_id = (await user.post("/input/submit", submission()))["project_id"]
    with pytest.raises(ApiError) as refused:
        await user.post("/generation/start", {"project_id": project_id})
    assert (refused.value.status, refused.value.code) == (501, 1000)
    assert "speech" in refused.value.message
    assert (await user.get(f"/projects/{project_id}"))["status"] == "draft"
