"""Teams: spaces, invites, members, roles."""

import asyncio
import itertools
from typing import Any

import pytest
from sqlalchemy import text

from control_plane.accounts.access import space_of
from control_plane.accounts.actor import Access, Actor, Space
from control_plane.errors import Forbidden, InvalidParameter, NotFound
from tests.contract.fields import shows
from tests.integration.control_plane.conftest import Client, Plane, submission
from tests.integration.control_plane.files import upload_sound
from tests.integration.control_plane.test_accounts import refused, settings, together
from tests.integration.control_plane.uploading import picture as picture_bytes
from tests.integration.control_plane.uploading import put, registration
from tests.integration.control_plane.walk import attachment

pytestmark = pytest.mark.asyncio(loop_scope="module")

_names = (f"team-{n}" for n in itertools.count())


async def invite(admin: Client, team_id: str, **body: Any) -> Any:
    return await admin.post(f"/teams/{team_id}/invites", body)


async def member(plane: Plane, admin: Client, team_id: str, role: str) -> Client:
    """A new user who joined."""
    client = await plane.new_user(next(_names))
    code = (await invite(admin, team_id, role=role))["invite_code"]
    await client.post("/team/join", {"invite_code": code})
    return client


async def id_of(client: Client) -> str:
    return str((await client.get("/user/me"))["id"])


@shows("POST /teams", "name", "logo_url", "time_zone")
@shows("PUT /teams/{team_id}", "name", "logo_url")
async def test_a_team_is_made_shown_and_changed(user: Client) -> None:
    picture = (await attachment(user))["file_url"]
    made = await user.post("/teams", {"name": "海边剧组", "logo_url": picture, "time_zone": "Asia/Shanghai"})
    assert (made["name"], made["role"], made["member_count"]) == ("海边剧组", "admin", 1)
    assert made["quota_info"]["reset_at"].endswith("T16:00:00.000Z")
    async with user.session.get(made["logo_url"]) as answer:
        assert answer.content_type == "image/png"
    assert (await user.get("/user/me"))["user_type"] == "team"
    await user.put(f"/teams/{made['id']}", {"name": "山上剧组"})
    shown = await user.get(f"/teams/{made['id']}")
    assert (shown["name"], shown["logo_url"].split("?")[0]) == ("山上剧组", made["logo_url"].split("?")[0])
    await user.put(f"/teams/{made['id']}", {"logo_url": ""})
    assert (await user.get(f"/teams/{made['id']}"))["logo_url"] == ""
    await refused(user.put(f"/teams/{made['id']}", {"logo_url": "https://example.org/x.png"}), 1001, "logo_url")


async def test_somebody_makes_a_limited_number_of_teams(plane: Plane, user: Client) -> None:
    with settings(plane, max_teams_per_user=2):
        answers = await asyncio.gather(
            *(user.post("/teams", {"name": "crew"}) for _ in range(4)), return_exceptions=True
        )
    assert sorted(getattr(answer, "code", 0) for answer in answers) == [0, 0, 1003, 1003]


@shows("POST /team/join", "invite_code")
@shows("POST /teams/{team_id}/invites", "role")
async def test_joining_gives_the_role_of_the_invite_once(plane: Plane, user: Client) -> None:
    team = await user.post("/teams", {"name": "crew"})
    guest = await plane.new_user(next(_names))
    for role in ("viewer", "editor", "admin"):
        newcomer = await plane.new_user(next(_names))
        code = (await invite(user, team["id"], role=role))["invite_code"]
        joined = await newcomer.post("/team/join", {"invite_code": code})
        assert joined == {"team_space": {"id": team["id"], "name": "crew", "role": role}}
    error = await refused(newcomer.post("/team/join", {"invite_code": code}), 1005, "invite_code")
    assert error.status == 409
    error = await refused(guest.post("/team/join", {"invite_code": "no-such-code"}), 1010, "invite_code")
    assert error.status == 400
    default = await invite(user, team["id"])
    joined = await guest.post("/team/join", {"invite_code": default["invite_code"]})
    assert joined["team_space"]["role"] == "viewer"


@shows("POST /teams/{team_id}/invites", "max_uses")
async def test_the_last_use_of_a_code_is_one_users(plane: Plane, user: Client) -> None:
    team = await user.post("/teams", {"name": "crew"})
    made = await invite(user, team["id"], max_uses=2)
    assert made["uses_left"] == 2
    guests = [await plane.new_user(next(_names)) for _ in range(4)]
    body = {"invite_code": made["invite_code"]}
    async with together(plane, "invites", made["id"]) as all_wait:
        tries = [asyncio.create_task(guest.post("/team/join", body)) for guest in guests]
        await all_wait(4)
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(getattr(answer, "code", 0) for answer in answers) == [0, 0, 1010, 1010]
    assert len((await user.get(f"/teams/{team['id']}/members"))["list"]) == 3
    assert (await user.get(f"/teams/{team['id']}/invites"))["list"] == []


async def test_a_code_is_told_again_and_stored_nowhere(plane: Plane, user: Client) -> None:
    team = await user.post("/teams", {"name": "crew"})
    path, key = f"/teams/{team['id']}/invites", {"Idempotency-Key": f"invite-{team['id']}"}
    made = await user.post(path, {"role": "editor"}, headers=key)
    assert await user.post(path, {"role": "editor"}, headers=key) == made
    assert len((await user.get(path))["list"]) == 1
    async with plane.services.database.transaction() as session:
        kept = await session.scalar(
            text("SELECT answer::text FROM idempotency_keys WHERE key = :key"), {"key": key["Idempotency-Key"]}
        )
        invite = await session.scalar(
            text("SELECT to_jsonb(invites)::text FROM invites WHERE id = :id"), {"id": made["id"]}
        )
    assert made["id"] in kept
    assert made["invite_code"] not in kept + invite
    guest = await plane.new_user(next(_names))
    assert (await guest.post("/team/join", {"invite_code": made["invite_code"]}))["team_space"]["role"] == "editor"


async def test_a_member_who_joins_again_uses_nothing_up(plane: Plane, user: Client) -> None:
    team = await user.post("/teams", {"name": "crew"})
    made = await invite(user, team["id"], max_uses=1)
    await refused(user.post("/team/join", {"invite_code": made["invite_code"]}), 1005)
    guest = await plane.new_user(next(_names))
    await guest.post("/team/join", {"invite_code": made["invite_code"]})


@shows("POST /teams/{team_id}/invites", "expires_in")
async def test_an_invite_expires_or_is_revoked(plane: Plane, user: Client) -> None:
    team = await user.post("/teams", {"name": "crew"})
    path = f"/teams/{team['id']}/invites"
    lasting, ending = await invite(user, team["id"]), await invite(user, team["id"], expires_in=60)
    assert "expires_at" not in lasting
    assert "uses_left" not in lasting
    assert [i["id"] for i in (await user.get(path))["list"]] == [ending["id"], lasting["id"]]
    assert "invite_code" not in (await user.get(path))["list"][0]
    async with plane.services.database.transaction() as session:
        kept = await session.scalar(
            text("SELECT expires_at - created_at BETWEEN '59 s' AND '61 s' FROM invites WHERE id = :id"),
            {"id": ending["id"]},
        )
        assert kept
        await session.execute(text("UPDATE invites SET expires_at = now() WHERE id = :id"), {"id": ending["id"]})
    guest = await plane.new_user(next(_names))
    await refused(guest.post("/team/join", {"invite_code": ending["invite_code"]}), 1010)
    assert [i["id"] for i in (await user.get(path))["list"]] == [lasting["id"]]
    await user.call("DELETE", f"{path}/{lasting['id']}")
    await refused(guest.post("/team/join", {"invite_code": lasting["invite_code"]}), 1010)
    await refused(user.call("DELETE", f"{path}/{lasting['id']}"), 1004, "invite_id")
    other = await user.post("/teams", {"name": "other"})
    foreign = await invite(user, other["id"])
    await refused(user.call("DELETE", f"{path}/{foreign['id']}"), 1004, "invite_id")


@shows("POST /team/switch", "space_type", "space_id")
async def test_the_current_space_is_the_sessions_and_supplies_defaults(plane: Plane, user: Client) -> None:
    team = await user.post("/teams", {"name": "crew"})
    assert (await user.get("/team/current"))["current_space"] == {"type": "personal"}
    at_home = await user.login(user.name)
    answer = await user.post("/team/switch", {"space_type": "team", "space_id": team["id"]})
    assert answer["current_space"] == {"type": "team", "space_id": team["id"], "space_name": "crew"}
    assert await user.get("/team/current") == answer
    assert (await at_home.get("/team/current"))["current_space"] == {"type": "personal"}
    made = (await user.post("/input/submit", submission()))["project_id"]
    assert [p["id"] for p in (await user.get("/projects"))["list"]] == [made]
    assert (await at_home.get("/projects"))["list"] == []
    await user.post("/team/switch", {"space_type": "personal"})
    assert (await user.get("/projects"))["list"] == []
    # It is the team's: every member sees it.
    viewer = await member(plane, user, team["id"], "viewer")
    assert (await viewer.get(f"/projects/{made}"))["id"] == made
    stranger = await plane.new_user(next(_names))
    switch = {"space_type": "team", "space_id": team["id"]}
    assert (await refused(stranger.post("/team/switch", switch), 1004, "space_id")).status == 404
    await refused(user.post("/team/switch", {"space_type": "team"}), 1001, "space_id")
    await refused(user.post("/team/switch", {"space_type": "personal", "space_id": team["id"]}), 1001, "space_id")


async def test_the_spaces_of_a_user_come_with_the_one_used_last_first(user: Client) -> None:
    assert await user.get("/team/spaces") == {"list": []}
    teams = [(await user.post("/teams", {"name": name}))["id"] for name in ("a", "b", "c")]
    assert "recent_space_id" not in await user.get("/team/spaces")
    for team_id in (teams[2], teams[0]):
        await user.post("/team/switch", {"space_type": "team", "space_id": team_id})
    answer = await user.get("/team/spaces")
    assert answer["recent_space_id"] == teams[0]
    assert [space["id"] for space in answer["list"]] == [teams[0], teams[2], teams[1]]
    assert set(answer["list"][0]) == {"id", "name", "logo_url", "role", "last_accessed"}


@shows("PUT /teams/{team_id}/members/{user_id}", "role")
async def test_a_role_counts_from_the_moment_it_is_changed(plane: Plane, user: Client) -> None:
    team = await user.post("/teams", {"name": "crew"})
    other = await member(plane, user, team["id"], "viewer")
    await user.post("/team/switch", {"space_type": "team", "space_id": team["id"]})
    project_id = (await user.post("/input/submit", submission()))["project_id"]
    await refused(other.put(f"/projects/{project_id}", {"name": "x"}), 1003)
    path = f"/teams/{team['id']}/members/{await id_of(other)}"
    await user.put(path, {"role": "editor"})
    await other.put(f"/projects/{project_id}", {"name": "x"})
    await user.call("DELETE", path)
    await refused(other.get(f"/projects/{project_id}"), 1004)
    await refused(user.call("DELETE", path), 1004, "user_id")
    await refused(user.put(path, {"role": "editor"}), 1004, "user_id")


async def test_nothing_is_made_by_a_role_that_is_just_taken_away(plane: Plane, user: Client) -> None:
    team = await user.post("/teams", {"name": "crew"})
    other = await member(plane, user, team["id"], "editor")
    path = f"/teams/{team['id']}/members/{await id_of(other)}"
    async with together(plane, "teams", team["id"]) as all_wait:
        changing = asyncio.create_task(user.put(path, {"role": "viewer"}))
        await all_wait(1)
        making = asyncio.create_task(other.post("/projects", {"team_space_id": team["id"]}))
        await all_wait(2)
    await changing
    await refused(making, 1003)


async def test_whoever_is_removed_is_back_in_the_own_space(plane: Plane, user: Client) -> None:
    team = await user.post("/teams", {"name": "crew"})
    other = await member(plane, user, team["id"], "editor")
    await other.post("/team/switch", {"space_type": "team", "space_id": team["id"]})
    await other.post(f"/teams/{team['id']}/leave")
    assert (await other.get("/team/current"))["current_space"] == {"type": "personal"}
    assert (await other.get("/user/me"))["user_type"] == "personal"
    assert (await other.get("/team/spaces"))["list"] == []


async def test_a_team_keeps_an_admin(plane: Plane, user: Client) -> None:
    team = await user.post("/teams", {"name": "crew"})
    path, own = f"/teams/{team['id']}", await id_of(user)
    await member(plane, user, team["id"], "editor")
    for request in (
        user.post(f"{path}/leave"),
        user.put(f"{path}/members/{own}", {"role": "viewer"}),
        user.call("DELETE", f"{path}/members/{own}"),
    ):
        await refused(request, 1005)
    second = await member(plane, user, team["id"], "admin")
    # Of two admins who leave at once, one stays.
    async with together(plane, "teams", team["id"]) as all_wait:
        tries = [asyncio.create_task(client.post(f"{path}/leave")) for client in (user, second)]
        await all_wait(2)
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(getattr(answer, "code", 0) for answer in answers) == [0, 1005]


async def test_a_team_is_deleted_once_it_owns_nothing(plane: Plane, user: Client) -> None:
    empty, full = [await user.post("/teams", {"name": name}) for name in ("empty", "full")]
    await user.post("/team/switch", {"space_type": "team", "space_id": full["id"]})
    await user.post("/input/submit", submission())
    await refused(user.call("DELETE", f"/teams/{full['id']}"), 1005)
    await user.post("/team/switch", {"space_type": "team", "space_id": empty["id"]})
    await user.call("DELETE", f"/teams/{empty['id']}")
    assert (await user.get("/team/current"))["current_space"] == {"type": "personal"}
    await refused(user.get(f"/teams/{empty['id']}"), 1004)


async def owned(plane: Plane, team_id: str) -> set[str]:
    """The tables that hold something of a team's which its members would see."""
    tables = ("projects", "assets", "config_templates", "attachments")
    async with plane.services.database.transaction() as session:
        found = {
            table: await session.scalar(text(f"SELECT count(*) FROM {table} WHERE tenant_id = :id"), {"id": team_id})
            for table in tables
        }
    return {table for table, count in found.items() if count}


async def test_what_a_deleted_team_leaves_is_forgotten(plane: Plane, user: Client) -> None:
    team_id = (await user.post("/teams", {"name": "crew"}))["id"]
    await user.post("/team/switch", {"space_type": "team", "space_id": team_id})
    await user.post("/config-templates", {"template_name": "a", "config_data": {}})
    picture = await attachment(user)
    character = {"character_name": "a", "character_type": "other", "image_url": picture["file_url"]}
    ids = [(await user.post("/assets/characters", character))["id"] for _ in range(2)]
    await refused(user.call("DELETE", f"/teams/{team_id}"), 1005)
    # A project of another space goes on with one of them.
    await user.post("/team/switch", {"space_type": "personal"})
    project_id = (await user.post("/input/submit", submission(config={"subject_id": ids[0]})))["project_id"]
    for asset_id in ids:
        await user.call("DELETE", f"/assets/characters/{asset_id}")
    assert await owned(plane, team_id) == {"assets", "config_templates", "attachments"}
    await user.call("DELETE", f"/teams/{team_id}")
    assert await owned(plane, team_id) == {"assets"}
    async with plane.services.database.transaction() as session:
        kept = list(await session.scalars(text("SELECT id FROM assets WHERE tenant_id = :id"), {"id": team_id}))
    assert kept == [ids[0]]
    await user.post("/generation/start", {"project_id": project_id})
    done = await user.until(f"/generation/progress/{project_id}", lambda a: a["status"] != "generating")
    assert done["status"] == "completed"


@pytest.mark.parametrize(
    "paths",
    [
        ("/projects", "/projects?", "/input/submit", "/config-templates"),
        # No more at once than have their turn.
        ("/assets/characters", "/assets/styles"),
        ("/assets/voices", "/assets/music"),
        ("/attachments",),
    ],
)
async def test_nothing_is_made_in_a_team_that_is_being_deleted(
    plane: Plane, user: Client, paths: tuple[str, ...]
) -> None:
    team_id = (await user.post("/teams", {"name": "crew"}))["id"]
    await user.post("/team/switch", {"space_type": "team", "space_id": team_id})
    picture, sound = (await attachment(user))["file_url"], (await upload_sound(user, 1.0))["file_url"]
    data = picture_bytes()
    bodies = {
        "/projects": {},
        "/projects?": {"team_space_id": team_id},
        "/input/submit": submission(),
        "/config-templates": {"template_name": "a", "config_data": {}},
        "/assets/characters": {"character_name": "a", "character_type": "other", "image_url": picture},
        "/assets/styles": {"style_name": "a", "prompt_template": "a", "preview_image_url": picture},
        "/assets/voices": {"voice_name": "a", "voice_type": "narration", "audio_sample_url": sound},
        "/assets/music": {"music_name": "a", "audio_url": sound, "duration": 1},
        "/attachments": registration(data, await put(user, data)),
    }
    async with together(plane, "teams", team_id) as all_wait:
        deleting = asyncio.create_task(user.call("DELETE", f"/teams/{team_id}"))
        await all_wait(1)
        making = [asyncio.create_task(user.post(path, bodies[path])) for path in paths]
        await all_wait(1 + len(paths))
    await deleting
    answers = await asyncio.gather(*making, return_exceptions=True)
    codes = [getattr(answer, "code", answer) for answer in answers]
    assert codes == [1004 if path == "/projects?" else 1003 for path in paths]
    assert await owned(plane, team_id) == set()


async def test_a_team_is_not_deleted_while_something_is_made_in_it(plane: Plane, user: Client) -> None:
    team_id = (await user.post("/teams", {"name": "crew"}))["id"]
    await user.post("/team/switch", {"space_type": "team", "space_id": team_id})
    style = (await user.get("/assets/styles"))["list"][0]["id"]
    async with together(plane, "assets", style) as all_wait:
        making = asyncio.create_task(user.post("/input/submit", submission(config={"style_id": style})))
        await all_wait(1)  # the project is made, but nobody sees it yet
        deleting = asyncio.create_task(user.call("DELETE", f"/teams/{team_id}"))
        await all_wait(2)
    await making
    await refused(deleting, 1005)


async def test_a_request_acts_in_the_space_that_it_names(plane: Plane, user: Client) -> None:
    team = await user.post("/teams", {"name": "crew"})
    own = await id_of(user)
    viewer = await member(plane, user, team["id"], "viewer")
    stranger = await plane.new_user(next(_names))

    async def space(client: Client, kind: Any, team_id: str | None, *, at: Space | None = None) -> Space:
        user_id = await id_of(client)
        actor = Actor(user_id, "", Access.WRITE, space=at or Space(user_id, "admin"))
        async with plane.services.database.transaction() as session:
            return await space_of(session, actor, kind, team_id)

    in_team = Space(team["id"], "admin")
    assert await space(user, "team", team["id"]) == await space(user, None, team["id"]) == in_team
    assert await space(user, None, None) == Space(own, "admin")
    assert await space(user, None, None, at=in_team) == in_team
    assert await space(user, "personal", None, at=in_team) == Space(own, "admin")
    reading = Space(team["id"], "viewer")
    assert (await space(viewer, "personal", None, at=reading)).role == "admin"
    for refusal, client, kind, team_id, at in (
        (InvalidParameter, user, "team", None, in_team),
        (InvalidParameter, user, "personal", team["id"], None),
        (NotFound, stranger, "team", team["id"], None),
        (NotFound, user, "team", own, None),
        (Forbidden, viewer, "team", team["id"], None),
        (Forbidden, viewer, None, None, reading),
    ):
        with pytest.raises(refusal):
            await space(client, kind, team_id, at=at)
