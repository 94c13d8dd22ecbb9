"""Accounts and teams, as agreed."""

import pytest

from tests.contract.live import Walk
from tests.integration.control_plane.conftest import PASSWORD, Client, Plane

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_accounts(plane: Plane, user: Client) -> None:
    walk = Walk(user)
    login = await walk("POST /auth/login", body={"username": user.name, "password": PASSWORD}, client=plane.anonymous)
    await walk("POST /auth/refresh", body={"refresh_token": login["refresh_token"]}, client=plane.anonymous)
    await walk("PUT /user/me", body={"settings": {"language": "en", "theme": "dark"}})
    me = await walk("GET /user/me")
    assert me["settings"] == {"language": "en", "theme": "dark"} or walk.problems
    founder = await plane.new_user("founder")
    team = await walk("POST /teams", body={"name": "摄制组"}, client=founder)
    invite = await walk(
        "POST /teams/:team_id/invites", str((team or {}).get("id", "x")), body={"role": "editor"}, client=founder
    )
    joined = await walk("POST /team/join", body={"invite_code": (invite or {}).get("invite_code", "x")})
    spaces = await walk("GET /team/spaces")
    assert [space["role"] for space in spaces["list"]] == ["editor"] or walk.problems
    space_id = joined["team_space"]["id"]
    await walk("POST /team/switch", body={"space_type": "team", "space_id": space_id})
    back = await walk("POST /team/switch", body={"space_type": "personal"})
    assert back["current_space"]["type"] == "personal"
    walk.finish("accounts")
