"""Quota under concurrency, and requests that are sent twice."""

import asyncio
import hashlib

import pytest
from sqlalchemy import text

from control_plane.errors import QuotaExceeded
from control_plane.quota import service as quota
from control_plane.web.idempotency import IdempotencyRow, fingerprint, once
from control_plane.web.models import Empty
from control_plane.work import unit_of_work
from models.specs import MusicSpec
from runtime.ids import new_id
from scheduler import queue
from scheduler.task import NewTask
from tests.contract.fields import shows
from tests.integration.control_plane.conftest import PASSWORD, ApiError, Client, Plane, submission

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_generation_without_quota_is_refused_and_leaves_nothing(plane: Plane) -> None:
    poor = await plane.new_user("poor", daily_limit=0)
    project_id = (await poor.post("/input/submit", submission()))["project_id"]
    with pytest.raises(ApiError) as caught:
        await poor.post("/generation/start", {"project_id": project_id})
    assert (caught.value.status, caught.value.code) == (402, 1006)
    assert "1" in caught.value.message
    assert (await poor.get(f"/projects/{project_id}"))["status"] == "draft"
    assert (await poor.get(f"/projects/{project_id}/material-packages"))["list"] == []


async def test_quota_that_ends_in_the_middle_fails_the_step_and_is_told(plane: Plane) -> None:
    short = await plane.new_user("short", daily_limit=6)
    project_id = (await short.post("/input/submit", submission()))["project_id"]
    async with short.session.ws_connect(f"{short.url}/ws?token={short.token}") as socket:
        await socket.send_json({"action": "subscribe", "channel": "project", "project_id": project_id})
        await short.post("/generation/start", {"project_id": project_id})
        async with asyncio.timeout(30):
            while (message := await socket.receive_json())["event"] != "quota.insufficient":
                pass
    assert message["data"]["required"] > message["data"]["remaining"] >= 0
    failed = await short.until(f"/generation/progress/{project_id}", lambda a: a["status"] != "generating")
    assert failed["status"] == "failed"
    assert any("配额不足" in task.get("error_message", "") for task in failed["tasks"])


async def test_no_concurrency_spends_above_the_limit(plane: Plane) -> None:
    limit = 10
    user = await plane.new_user("crowd", daily_limit=limit)
    tenant = (await user.get("/user/me"))["id"]
    plane.farm.hold.add("music")

    async def spend() -> str | None:
        async with unit_of_work(plane.services) as work:
            job_id = await queue.create_job(work.session, kind="music", project_id="", tenant_id=tenant)
            task = NewTask(
                kind="music",
                spec=MusicSpec(duration_s=5),
                model="draft-music",
                job_id=job_id,
                project_id="",
                tenant_id=tenant,
                reaction="assets.preview",
                label="music",
                context={"content": "", "thumbnail": ""},
            )
            return (await quota.enqueue_paid(work, [task]))[0]

    results = await asyncio.gather(*(spend() for _ in range(16)), return_exceptions=True)
    spent = [result for result in results if isinstance(result, str)]
    assert all(isinstance(result, str | QuotaExceeded) for result in results), results
    assert len(spent) == limit // 2
    assert (await user.get("/user/me"))["quota_info"]["used"] == limit

    # Settling twice, at once and again later, moves each reservation once.
    async def settle(task_id: str, succeeded: bool) -> None:
        async with unit_of_work(plane.services) as work:
            await quota.settle(work, task_id, succeeded=succeeded)

    await asyncio.gather(*(settle(task, index == 0) for index, task in enumerate(spent) for _ in range(3)))
    assert (await user.get("/user/me"))["quota_info"]["used"] == 2
    async with plane.services.database.transaction() as session:
        total = await session.scalar(text("SELECT sum(amount) FROM quota_ledger WHERE tenant_id = :id"), {"id": tenant})
    assert total == 2
    plane.farm.release()


async def platform_admin(plane: Plane, name: str) -> Client:
    admin = await plane.new_user(name)
    async with plane.services.database.transaction() as session:
        await session.execute(text("UPDATE users SET is_platform_admin = true WHERE username = :name"), {"name": name})
    return admin


async def team_with(plane: Plane, user: Client, role: str) -> str:
    """A team with a quota account, that the user is in."""
    team_id, user_id = new_id("team"), (await user.get("/user/me"))["id"]
    async with plane.services.database.transaction() as session:
        await session.execute(
            text("INSERT INTO teams (id, name, created_at, updated_at) VALUES (:id, 'T', now(), now())"),
            {"id": team_id},
        )
        await session.execute(
            text("INSERT INTO memberships (team_id, user_id, role, created_at) VALUES (:team, :user, :role, now())"),
            {"team": team_id, "user": user_id, "role": role},
        )
        await quota.open_account(session, team_id, daily_limit=70)
    return team_id


async def spend(plane: Plane, tenant: str, project_id: str = "") -> str:
    async with unit_of_work(plane.services) as work:
        job_id = await queue.create_job(work.session, kind="music", project_id=project_id, tenant_id=tenant)
        task = NewTask(
            kind="music",
            spec=MusicSpec(duration_s=5),
            model="draft-music",
            job_id=job_id,
            project_id=project_id,
            tenant_id=tenant,
            reaction="assets.preview",
            label="music",
            context={"content": "", "thumbnail": ""},
        )
        return (await quota.enqueue_paid(work, [task]))[0]


@shows("GET /quota/ledger", "page", "page_size", "space_type", "team_space_id", "project_id")
async def test_the_ledger_tells_what_a_space_spent_and_on_what(plane: Plane, user: Client) -> None:
    plane.farm.hold.add("music")
    tenant = (await user.get("/user/me"))["id"]
    project_id = (await user.post("/input/submit", submission()))["project_id"]
    team_id = await team_with(plane, user, "viewer")
    tasks = [await spend(plane, tenant), await spend(plane, tenant, project_id)]
    teams = await spend(plane, team_id)
    async with unit_of_work(plane.services) as work:
        await quota.settle(work, tasks[1], succeeded=False)
    mine = await user.get("/quota/ledger")
    assert [(e["entry"], e["amount"], e["task_id"]) for e in mine["list"]] == [
        ("refund", -2, tasks[1]),
        ("reserve", 2, tasks[1]),
        ("reserve", 2, tasks[0]),
    ]
    assert mine["list"][0]["project_id"] == project_id
    assert "project_id" not in mine["list"][2]
    assert mine["list"][0]["model_id"] == "draft-music"
    page = await user.get("/quota/ledger?page=2&page_size=2")
    assert (page["list"], page["total"], page["page"], page["page_size"]) == ([mine["list"][2]], 3, 2, 2)
    assert (await user.get(f"/quota/ledger?project_id={project_id}"))["list"] == mine["list"][:2]
    for query in (f"team_space_id={team_id}", f"space_type=team&team_space_id={team_id}"):
        assert [e["task_id"] for e in (await user.get(f"/quota/ledger?{query}"))["list"]] == [teams]
    assert await user.get("/quota/ledger?space_type=personal") == mine
    for query in ("space_type=team", f"space_type=personal&team_space_id={team_id}"):
        with pytest.raises(ApiError, match="team_space_id") as caught:
            await user.get(f"/quota/ledger?{query}")
        assert caught.value.code == 1001
    stranger = await plane.new_user("ledger-stranger")
    for team in (team_id, tenant):
        with pytest.raises(ApiError) as caught:
            await stranger.get(f"/quota/ledger?team_space_id={team}")
        assert caught.value.code == 1004
    plane.farm.release()


@shows("PUT /quota/accounts/{tenant_id}", "daily_limit", "time_zone")
async def test_a_platform_admin_changes_limits_and_zones(plane: Plane, user: Client) -> None:
    admin = await platform_admin(plane, "operator")
    tenant = (await user.get("/user/me"))["id"]
    path = f"/quota/accounts/{tenant}"
    before = await user.get(path)
    assert (before["daily_limit"], before["remaining"], before["time_zone"]) == (5000, 5000, "UTC")
    changed = await admin.put(path, {"daily_limit": 7, "time_zone": "Asia/Shanghai"})
    assert changed == before | {"daily_limit": 7, "remaining": 7, "next_time_zone": "Asia/Shanghai"}
    assert await user.get(path) == changed
    assert (await user.get("/user/me"))["quota_info"]["daily_limit"] == 7
    for wrong in ({"daily_limit": -1}, {"time_zone": "Mars/Olympus"}, {"time_zone": "Asia"}, {"time_zone": "../UTC"}):
        with pytest.raises(ApiError, match=next(iter(wrong))) as caught:
            await admin.put(path, wrong)
        assert caught.value.code == 1001
    with pytest.raises(ApiError) as caught:
        await admin.put("/quota/accounts/usr_nobody", {"daily_limit": 1})
    assert caught.value.code == 1004
    with pytest.raises(ApiError) as caught:
        await user.put(path, {"daily_limit": 100})
    assert caught.value.code == 1003
    team = f"/quota/accounts/{await team_with(plane, user, 'viewer')}"
    assert (await user.get(team))["daily_limit"] == 70
    for url in (path, team):
        with pytest.raises(ApiError) as caught:
            await (await plane.new_user(f"stranger-{url[-4:]}")).get(url)
        assert caught.value.code == 1004


async def test_watchers_hear_of_quota_once_for_each_change(plane: Plane, user: Client) -> None:
    project_id = (await user.post("/input/submit", submission()))["project_id"]
    plane.farm.hold.add("script")
    package = await user.post("/generation/start", {"project_id": project_id})
    plane.farm.release()
    await user.until(f"/generation/progress/{project_id}", lambda a: a["status"] == "completed")
    assert package["status"] == "generating"
    async with plane.services.database.transaction() as session:
        rows = await session.execute(
            text("SELECT data FROM events WHERE project_id = :id AND event = 'quota.changed' ORDER BY seq"),
            {"id": project_id},
        )
        told = [row.data for row in rows]
        reserved = await session.execute(
            text(
                "SELECT sum(amount) AS amount FROM quota_ledger WHERE project_id = :id AND entry = 'reserve' "
                "GROUP BY xmin ORDER BY min(id)"
            ),
            {"id": project_id},
        )
        spent = [row.amount for row in reserved]
    assert [data["used"] for data in told] == [sum(spent[: n + 1]) for n in range(len(spent))]
    assert all(data["used"] + data["remaining"] == data["daily_limit"] for data in told)


async def test_the_same_key_acts_once_and_answers_alike(user: Client) -> None:
    headers = {"Idempotency-Key": "a key of mine"}
    answers = await asyncio.gather(*(user.post("/input/submit", submission(), headers=headers) for _ in range(5)))
    assert len({answer["project_id"] for answer in answers}) == 1
    assert (await user.get("/projects"))["total"] == 1
    with pytest.raises(ApiError) as caught:
        await user.post("/input/submit", submission("另一个故事，另一片海。"), headers=headers)
    assert (caught.value.status, caught.value.code) == (409, 1005)


async def test_a_refused_request_does_not_use_up_its_key(user: Client) -> None:
    headers = {"Idempotency-Key": "again"}
    with pytest.raises(ApiError):
        await user.post("/input/submit", submission(config={"style_id": "none"}), headers=headers)
    await user.post("/input/submit", submission(), headers=headers)


@pytest.mark.parametrize("way", ["removed", "left", "demoted", "deleted"])
async def test_an_answer_is_not_given_again_to_whoever_may_not_see_it_any_more(
    plane: Plane, user: Client, way: str
) -> None:
    team_id = (await user.post("/teams", {"name": "crew"}))["id"]
    code = (await user.post(f"/teams/{team_id}/invites", {"role": "admin"}))["invite_code"]
    member = await plane.new_user(f"{way}-{user.name}")
    await member.post("/team/join", {"invite_code": code})
    headers = {"Idempotency-Key": "mine"}

    async def invite() -> str:
        return str((await member.post(f"/teams/{team_id}/invites", {"role": "admin"}, headers=headers))["invite_code"])

    assert await invite() == await invite()
    member_id = (await member.get("/user/me"))["id"]
    if way == "removed":
        await user.call("DELETE", f"/teams/{team_id}/members/{member_id}")
    elif way == "deleted":
        await user.call("DELETE", f"/teams/{team_id}")
    elif way == "left":
        await member.post(f"/teams/{team_id}/leave", headers={"Idempotency-Key": "leaving"})
    else:
        await user.put(f"/teams/{team_id}/members/{member_id}", {"role": "editor"})
    with pytest.raises(ApiError) as caught:
        await invite()
    assert caught.value.code == (1003 if way == "demoted" else 1004)


async def test_leaving_waits_for_a_request_under_way_and_forgets_its_answer(plane: Plane, user: Client) -> None:
    team_id = (await user.post("/teams", {"name": "crew"}))["id"]
    code = (await user.post(f"/teams/{team_id}/invites", {"role": "admin"}))["invite_code"]
    member = await plane.new_user(f"under-way-{user.name}")
    await member.post("/team/join", {"invite_code": code})
    member_id = (await member.get("/user/me"))["id"]

    async def answer() -> Empty:
        answering.set()
        await go_on.wait()
        return Empty()

    answering, go_on = asyncio.Event(), asyncio.Event()

    async def under_way() -> None:
        async with plane.services.database.transaction() as session:
            await once(session, member_id, "k", "", Empty, answer)

    request = asyncio.create_task(under_way())
    await answering.wait()
    removal = asyncio.create_task(user.call("DELETE", f"/teams/{team_id}/members/{member_id}"))
    await asyncio.sleep(0.2)
    assert not removal.done()
    go_on.set()
    await asyncio.gather(request, removal)
    async with plane.services.database.transaction() as session:
        assert await session.get(IdempotencyRow, (member_id, "k")) is None


async def test_no_plain_hash_of_a_password_is_kept(plane: Plane, user: Client) -> None:
    body = {"old_password": PASSWORD, "new_password": "another correct horse"}
    await user.post("/auth/change-password", body, headers={"Idempotency-Key": "password"})
    parsed = f'{{"old_password":"{PASSWORD}","new_password":"another correct horse"}}'
    route = "/auth/change-password"
    plain = hashlib.sha256(f"{route}\n/api/v1{route}\n{parsed}".encode()).hexdigest()
    user_id = (await user.get("/user/me"))["id"]
    async with plane.services.database.transaction() as session:
        row = await session.get(IdempotencyRow, (user_id, "password"))
    assert row is not None
    assert fingerprint("", route, f"/api/v1{route}", []) != row.fingerprint != plain


async def test_a_refresh_token_works_once_and_its_reuse_ends_the_session(plane: Plane, user: Client) -> None:
    login = await plane.anonymous.post("/auth/login", {"username": user.name, "password": PASSWORD})
    first = await plane.anonymous.post("/auth/refresh", {"refresh_token": login["refresh_token"]})
    for token in (login["refresh_token"], first["refresh_token"]):
        with pytest.raises(ApiError) as caught:
            await plane.anonymous.post("/auth/refresh", {"refresh_token": token})
        assert caught.value.code == 1002
