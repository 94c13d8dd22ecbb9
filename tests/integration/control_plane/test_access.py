"""Who may do what with a team's projects: asked anew by every request, in the query that loads the project."""

import asyncio

import pytest
from sqlalchemy import delete, insert, update

from control_plane.accounts.tables import MembershipRow, SessionRow, TeamRow
from control_plane.projects.tables import ProjectRow
from runtime.ids import new_id
from tests.integration.control_plane.conftest import ApiError, Client, Plane, submission

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROLES = ("viewer", "editor", "admin")


async def refusal(client: Client, method: str, path: str) -> tuple[int, int]:
    with pytest.raises(ApiError) as refused:
        await client.call(method, path, {"name": "another"} if method == "PUT" else None)
    return refused.value.status, refused.value.code


async def team_project(plane: Plane, owner: Client, members: dict[str, Client]) -> str:
    """A project that is a team's, whose members have these roles. Its owner by name is none of them."""
    project_id = str((await owner.post("/input/submit", submission()))["project_id"])
    team_id = new_id("tea")
    users = {role: (await client.get("/user/me"))["id"] for role, client in members.items()}
    async with plane.services.database.transaction() as session:
        session.add(TeamRow(id=team_id, name="studio"))
        await session.flush()
        for role, user_id in users.items():
            await session.execute(insert(MembershipRow).values(team_id=team_id, user_id=user_id, role=role))
        await session.execute(update(ProjectRow).where(ProjectRow.id == project_id).values(tenant_id=team_id))
    return project_id


async def test_a_role_decides_and_a_stranger_sees_nothing(plane: Plane, user: Client) -> None:
    members = dict(zip(ROLES, await asyncio.gather(*(plane.new_user(f"{role}-a") for role in ROLES)), strict=True))
    project_id = await team_project(plane, user, members)
    path = f"/projects/{project_id}"
    for client in members.values():
        assert (await client.get(path))["id"] == project_id
    assert await refusal(members["viewer"], "PUT", path) == (403, 1003)
    await members["editor"].put(path, {"name": "by the editor"})
    assert (await members["admin"].get(path))["name"] == "by the editor"
    for method in ("GET", "PUT"):
        assert await refusal(user, method, path) == (404, 1004)


async def test_a_membership_that_ends_ends_at_once(plane: Plane, user: Client) -> None:
    editor = await plane.new_user("editor-b")
    project_id = await team_project(plane, user, {"editor": editor})
    path = f"/projects/{project_id}"
    await editor.get(path)
    async with plane.services.database.transaction() as session:
        await session.execute(
            delete(MembershipRow).where(MembershipRow.user_id == (await editor.get("/user/me"))["id"])
        )
    for method in ("GET", "PUT"):
        assert await refusal(editor, method, path) == (404, 1004)


async def test_a_session_that_ended_is_not_logged_in(plane: Plane, user: Client) -> None:
    """Whether the session is looked at by itself or in the query that loads a project."""
    project_id = (await user.post("/input/submit", submission()))["project_id"]
    user_id = (await user.get("/user/me"))["id"]
    async with plane.services.database.transaction() as session:
        await session.execute(
            update(SessionRow).where(SessionRow.user_id == user_id).values(revoked_at=SessionRow.created_at)
        )
    for method, path in (
        ("GET", f"/projects/{project_id}"),
        ("PUT", f"/projects/{project_id}"),
        ("GET", "/projects"),
        ("GET", "/user/me"),
    ):
        assert await refusal(user, method, path) == (401, 1002)
