"""Projects, as agreed."""

import pytest

from tests.contract.live import Walk
from tests.integration.control_plane.conftest import Client, submission

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_projects(user: Client) -> None:
    walk = Walk(user)
    project_id = (await user.post("/input/submit", submission()))["project_id"]
    await walk("POST /projects", body={"name": "海边", "space_type": "personal"})
    await walk("PUT /projects/:project_id", project_id, body={"name": "灯塔", "description": "夜里", "tags": ["海"]})
    detail = await walk("GET /projects/:project_id", project_id)
    assert (detail["name"], detail["tags"]) == ("灯塔", ["海"])
    query = {"keyword": "灯塔", "status": "draft", "space_type": "personal", "page": 1, "page_size": 5}
    found = await walk("GET /projects", query=query)
    assert [project["id"] for project in found["list"]] == [project_id] or walk.problems
    await walk("GET /projects", query={"page": 1, "page_size": 5})
    await walk("DELETE /projects/:project_id", project_id)
    walk.finish("projects")
