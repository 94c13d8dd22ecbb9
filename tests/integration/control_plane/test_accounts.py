"""Accounts: registering, sessions that end, passwords, settings."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import argon2
import pytest
from sqlalchemy import text

from control_plane.accounts import admin, passwords
from control_plane.accounts.passwords import HASHER  # as it is outside of tests
from runtime import redis as channels
from tests.contract.fields import shows
from tests.integration.control_plane.conftest import PASSWORD, ApiError, Client, Plane
from tests.integration.control_plane.walk import attachment

pytestmark = pytest.mark.asyncio(loop_scope="module")

_names = (f"acc-{n}" for n in itertools.count())
OTHER = "another password"


@contextmanager
def settings(plane: Plane, **changes: Any) -> Iterator[None]:
    """The server with other settings for a while."""
    before = plane.services.settings
    object.__setattr__(plane.services, "settings", before.model_copy(update=changes))
    try:
        yield
    finally:
        object.__setattr__(plane.services, "settings", before)


async def refused(request: Any, code: int, field: str = "") -> ApiError:
    with pytest.raises(ApiError) as caught:
        await request
    assert caught.value.code == code, caught.value
    assert field in caught.value.message
    return caught.value


async def logged_in(plane: Plane, name: str, password: str = PASSWORD) -> tuple[Client, str]:
    """A client, and the refresh token of its session."""
    data = await plane.anonymous.post("/auth/login", {"username": name, "password": password})
    return Client(plane.anonymous.session, plane.anonymous.url, data["session_token"], name), data["refresh_token"]


@asynccontextmanager
async def together(plane: Plane, table: str, row_id: str) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """Hold a row's lock until so many requests wait for it, so that they go on at once."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )

    async def all_wait(count: int) -> None:
        async with asyncio.timeout(10):
            found = 0
            while found < count:
                await asyncio.sleep(0.01)
                async with plane.services.database.transaction() as watching:
                    found = await watching.scalar(waiting) or 0

    async with plane.services.database.transaction() as session:
        await session.execute(text(f"SELECT 1 FROM {table} WHERE id = :id FOR UPDATE"), {"id": row_id})
        yield all_wait


# Registering


@shows("POST /auth/register", "username", "password", "email", "time_zone")
@shows("POST /auth/login", "username", "password")
async def test_an_open_server_takes_everybody_in(plane: Plane) -> None:
    name = next(_names)
    body = {"username": name, "password": PASSWORD, "email": "a@example.org", "time_zone": "Asia/Shanghai"}
    with settings(plane, registration="open"):
        made = await plane.anonymous.post("/auth/register", body)
        await refused(plane.anonymous.post("/auth/register", body | {"username": name.upper()}), 1005, "username")
        short = {"username": next(_names), "password": "short"}
        await refused(plane.anonymous.post("/auth/register", short), 1001, "password")
        zone = {"username": next(_names), "password": PASSWORD, "time_zone": "Mars/Olympus"}
        await refused(plane.anonymous.post("/auth/register", zone), 1001, "time_zone")
    assert (made["user"]["username"], made["user"]["email"]) == (name, "a@example.org")
    me = await (await plane.anonymous.login(name)).get("/user/me")
    assert me["user_type"] == "personal"
    assert me["quota_info"]["reset_at"].endswith("T16:00:00.000Z")
    await refused(plane.anonymous.login(name, "wrong password"), 1002)
    await refused(plane.anonymous.login(short["username"], "short"), 1002)


@shows("POST /auth/register", "invite_code")
async def test_by_invitation_one_joins_the_team_that_invited(plane: Plane, user: Client) -> None:
    team = await user.post("/teams", {"name": "crew"})
    code = (await user.post(f"/teams/{team['id']}/invites", {"role": "editor", "max_uses": 1}))["invite_code"]
    body = {"username": next(_names), "password": PASSWORD}
    await refused(plane.anonymous.post("/auth/register", body), 1001, "invite_code")
    error = await refused(plane.anonymous.post("/auth/register", body | {"invite_code": "guess"}), 1010)
    assert error.status == 400
    # Of two at once with the last use, one is in and the other has no account.
    names = [next(_names), next(_names)]
    answers = await asyncio.gather(
        *(plane.anonymous.post("/auth/register", body | {"invite_code": code, "username": n}) for n in names),
        return_exceptions=True,
    )
    made = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert [a.code for a in answers if isinstance(a, ApiError)] == [1010]
    assert made[0]["user"]["user_type"] == "team"
    members = (await user.get(f"/teams/{team['id']}/members"))["list"]
    assert [(m["username"], m["role"]) for m in members[1:]] == [(made[0]["user"]["username"], "editor")]
    left_out = next(n for n in names if n != made[0]["user"]["username"])
    await refused(plane.anonymous.login(left_out), 1002)


@pytest.mark.parametrize("name", ["ΝΙΚΟΣ", "İbrahim", "ẞtrauß", "ÉLAN"])
async def test_a_name_of_any_script_is_ones_own_in_any_case(plane: Plane, name: str) -> None:
    """PostgreSQL and Python disagree about the small letters of some names."""
    await plane.new_user(name)  # logs in
    client = await plane.new_user(next(_names))
    with settings(plane, registration="open"):
        body = {"username": name, "password": PASSWORD}
        await refused(plane.anonymous.post("/auth/register", body), 1005, "username")
    await refused(client.put("/user/me", {"username": name}), 1005, "username")
    async with plane.services.database.transaction() as session:
        small = await session.scalar(text("SELECT lower(:name)"), {"name": name})
        await admin.set_platform_admin(session, name, is_admin=True)
    await plane.anonymous.login(small)
    project = await client.post("/projects", {"name": f"a {name} b"})
    found = await client.get("/projects", params={"keyword": name})
    assert [row["id"] for row in found["list"]] == [project["id"]]
    with settings(plane, login_attempts_per_minute=3):
        for spelt in {name, small, name.upper(), name.lower(), name.swapcase()}:
            wrong = {"username": spelt, "password": "wrong password"}
            with pytest.raises(ApiError) as caught:
                await plane.anonymous.post("/auth/login", wrong)
        assert caught.value.code == 1011  # tries at one account, however it is spelt


async def test_a_closed_server_takes_nobody_in(plane: Plane) -> None:
    with settings(plane, registration="off"):
        body = {"username": next(_names), "password": PASSWORD}
        assert (await refused(plane.anonymous.post("/auth/register", body), 1003)).status == 403


async def test_two_that_take_a_name_at_once_do_not_both_get_it(plane: Plane) -> None:
    body = {"username": next(_names), "password": PASSWORD}
    with settings(plane, registration="open"):
        answers = await asyncio.gather(
            *(plane.anonymous.post("/auth/register", body) for _ in range(3)), return_exceptions=True
        )
    assert sorted(a.code if isinstance(a, ApiError) else 0 for a in answers) == [0, 1005, 1005]


# Sessions


async def test_a_session_ends_at_logout_with_both_its_tokens(plane: Plane, user: Client) -> None:
    client, refresh_token = await logged_in(plane, user.name)
    await client.post("/auth/logout")
    await refused(client.get("/user/me"), 1002)
    await refused(plane.anonymous.post("/auth/refresh", {"refresh_token": refresh_token}), 1002)
    await user.get("/user/me")  # the user's other session goes on


@shows("POST /auth/refresh", "refresh_token")
async def test_only_a_token_that_was_issued_and_spent_ends_a_session(plane: Plane, user: Client) -> None:
    client, first = await logged_in(plane, user.name)
    session_id, nonce, mac = first.split(".")
    other = (await logged_in(plane, user.name))[1]
    for garbage in (
        f"{session_id}.x",
        session_id,
        f"{session_id}.{nonce}.x",
        f"{session_id}.x.{mac}",
        f"{session_id}.{other.partition('.')[2]}",
    ):
        await refused(plane.anonymous.post("/auth/refresh", {"refresh_token": garbage}), 1002)
    second = await plane.anonymous.post("/auth/refresh", {"refresh_token": first})
    await client.get("/user/me")
    await refused(plane.anonymous.post("/auth/refresh", {"refresh_token": first}), 1002)
    await refused(client.get("/user/me"), 1002)
    await refused(plane.anonymous.post("/auth/refresh", {"refresh_token": second["refresh_token"]}), 1002)


async def test_of_two_that_refresh_at_once_one_gets_tokens(plane: Plane, user: Client) -> None:
    _, token = await logged_in(plane, user.name)
    async with together(plane, "sessions", token.partition(".")[0]) as all_wait:
        tries = [asyncio.create_task(plane.anonymous.post("/auth/refresh", {"refresh_token": token})) for _ in range(2)]
        await all_wait(2)
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(a.code if isinstance(a, ApiError) else 0 for a in answers) == [0, 1002]


# Passwords


@shows("POST /auth/change-password", "old_password", "new_password")
async def test_another_password_ends_the_other_sessions(plane: Plane, user: Client) -> None:
    other, refresh_token = await logged_in(plane, user.name)
    change = {"old_password": "wrong password", "new_password": OTHER}
    await refused(user.post("/auth/change-password", change), 1001, "old_password")
    await refused(user.post("/auth/change-password", {"old_password": PASSWORD, "new_password": "x"}), 1001, "new_pass")
    await other.get("/user/me")
    await user.post("/auth/change-password", {"old_password": PASSWORD, "new_password": OTHER})
    await user.get("/user/me")
    await refused(other.get("/user/me"), 1002)
    await refused(plane.anonymous.post("/auth/refresh", {"refresh_token": refresh_token}), 1002)
    await refused(plane.anonymous.login(user.name), 1002)
    await plane.anonymous.login(user.name, OTHER)


@shows("POST /auth/reset-password/request", "username")
@shows("POST /auth/reset-password", "token", "new_password")
async def test_a_password_is_reset_once_by_a_token_that_went_to_the_user(
    plane: Plane, user: Client, tmp_path: Path
) -> None:
    def letters() -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in (tmp_path / "password-resets").glob("*")]

    with settings(plane, reset_delivery="file", data_dir=tmp_path):
        answers = [
            await plane.anonymous.post("/auth/reset-password/request", {"username": name})
            for name in (user.name.upper(), "nobody-of-this-name")
        ]
        assert answers[0] == answers[1]
        (letter,) = letters()
        first = letter["token"]
        assert letter["username"] == user.name
        await plane.anonymous.post("/auth/reset-password/request", {"username": user.name})
        token = letters()[0]["token"]
    mode = next((tmp_path / "password-resets").glob("*")).stat().st_mode
    assert mode & 0o077 == 0
    body = {"token": token, "new_password": OTHER}
    await refused(plane.anonymous.post("/auth/reset-password", body | {"new_password": "x"}), 1001, "new_password")
    await refused(plane.anonymous.post("/auth/reset-password", body | {"token": first}), 1001, "token")
    await plane.anonymous.post("/auth/reset-password", body)
    await refused(user.get("/user/me"), 1002)
    await plane.anonymous.login(user.name, OTHER)
    await refused(plane.anonymous.post("/auth/reset-password", body), 1001, "token")


async def test_a_reset_token_expires_and_an_admin_can_issue_one(plane: Plane, user: Client) -> None:
    async with plane.services.database.transaction() as session:
        stale, _ = await admin.issue_reset(session, user.name, 0)
    await refused(plane.anonymous.post("/auth/reset-password", {"token": stale, "new_password": OTHER}), 1001, "token")
    async with plane.services.database.transaction() as session:
        token, _ = await admin.issue_reset(session, user.name, 60)
    # Without a way to send one, a request changes nothing, not even what was issued.
    await plane.anonymous.post("/auth/reset-password/request", {"username": user.name})
    await plane.anonymous.post("/auth/reset-password", {"token": token, "new_password": OTHER})
    await plane.anonymous.login(user.name, OTHER)


async def test_a_password_changed_during_a_login_does_not_leave_that_session(
    plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified, go_on = asyncio.Event(), asyncio.Event()
    right = passwords.is_right

    async def slow(known: str | None, password: str) -> bool:
        answer = await right(known, password)
        verified.set()
        await go_on.wait()
        return answer

    with monkeypatch.context() as patch:
        patch.setattr("control_plane.accounts.passwords.is_right", slow)
        login = asyncio.create_task(plane.anonymous.login(user.name))
        await verified.wait()
    await user.post("/auth/change-password", {"old_password": PASSWORD, "new_password": OTHER})
    go_on.set()
    await refused(login, 1002)


async def test_a_login_brings_an_old_hash_up_to_date(
    plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "HASHER", HASHER)

    async def stored() -> str:
        async with plane.services.database.transaction() as session:
            statement = text("SELECT password_hash FROM users WHERE username = :name")
            return str(await session.scalar(statement, {"name": user.name}))

    weak = argon2.PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    async with plane.services.database.transaction() as session:
        await session.execute(
            text("UPDATE users SET password_hash = :hash WHERE username = :name"), {"hash": weak, "name": user.name}
        )
    await plane.anonymous.login(user.name)
    renewed = await stored()
    assert renewed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    await plane.anonymous.login(user.name)
    assert await stored() == renewed


async def test_an_unknown_name_is_checked_like_a_known_one(
    plane: Plane, user: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    verify = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, stored: str, password: str) -> bool:
        verified.append(stored)
        return verify(self, stored, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    errors = [await refused(plane.anonymous.login(name, "wrong"), 1002) for name in (user.name, "no-such-name")]
    assert errors[0].message == errors[1].message
    known, unknown = (argon2.extract_parameters(stored) for stored in verified)
    assert known == unknown


async def test_tries_are_limited_by_the_client_that_trusted_proxies_name(plane: Plane, user: Client) -> None:
    body = {"username": user.name, "password": "wrong password"}

    async def attempt(forwarded: str) -> int:
        headers = {"X-Forwarded-For": forwarded}
        with pytest.raises(ApiError) as caught:
            await plane.anonymous.post("/auth/login", body, headers=headers)
        return caught.value.code

    with settings(plane, login_attempts_per_minute=2, trusted_proxies=(ip_network("127.0.0.0/8"),)):
        assert [await attempt("192.0.2.7") for _ in range(3)] == [1002, 1002, 1011]
        assert await attempt("198.51.100.1, 192.0.2.7") == 1011
        assert await attempt("192.0.2.8") == 1002
    with settings(plane, login_attempts_per_minute=2):
        # Nobody is trusted: all of it is the peer's.
        assert 1011 in [await attempt(f"192.0.2.{n}") for n in (20, 21, 22)]


async def test_without_redis_users_come_in(plane: Plane, user: Client) -> None:
    before = plane.services.redis
    object.__setattr__(plane.services, "redis", channels.connect("redis://127.0.0.1:1"))
    try:
        with settings(plane, login_attempts_per_minute=1):
            for _ in range(3):
                await plane.anonymous.login(user.name)
    finally:
        await plane.services.redis.aclose()
        object.__setattr__(plane.services, "redis", before)


# The own account


@shows("PUT /user/me", "username", "avatar_url", "settings.theme")
async def test_a_user_changes_name_picture_and_theme(plane: Plane, user: Client) -> None:
    picture = await attachment(user)
    name = next(_names)
    changed = await user.put(
        "/user/me", {"username": name, "avatar_url": picture["file_url"], "settings": {"theme": "dark"}}
    )
    me = await user.get("/user/me")
    assert me == changed
    assert (me["username"], me["settings"]) == (name, {"language": "zh", "theme": "dark"})
    async with user.session.get(me["avatar_url"]) as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")
    await plane.anonymous.login(name)
    await refused(plane.anonymous.login(user.name), 1002)
    await user.put("/user/me", {"avatar_url": ""})
    assert (await user.get("/user/me"))["avatar_url"] == ""


async def test_what_a_user_may_not_set(plane: Plane, user: Client) -> None:
    stranger = await plane.new_user(next(_names))
    theirs = (await attachment(stranger))["file_url"]
    voice = (await user.get("/assets/voices"))["list"][0]["audio_sample_url"]
    for changes, code, field in (
        ({"username": stranger.name.upper()}, 1005, "username"),
        ({"username": "two words"}, 1001, "username"),
        ({"username": "name\n"}, 1001, "username"),
        ({"avatar_url": theirs}, 1001, "avatar_url"),
        ({"avatar_url": "https://example.org/cat.png"}, 1001, "avatar_url"),
        ({"avatar_url": voice}, 1001, "avatar_url"),
        ({"settings": {"language": "fr"}}, 1001, "settings.language"),
        ({"settings": {"theme": "loud"}}, 1001, "settings.theme"),
    ):
        await refused(user.put("/user/me", changes), code, field)
    await user.put("/user/me", {"username": user.name.upper()})  # a name of one's own, written otherwise


@shows("PUT /user/me", "settings.language")
async def test_the_language_is_what_answers_are_written_in(user: Client) -> None:
    async def spoken(**headers: str) -> tuple[str, str, str, str]:
        options = await user.get("/input/options", headers=headers)
        errors = [
            await refused(user.get("/projects/prj_none", headers=headers), 1004),
            await refused(user.put("/user/me", {"username": ""}, headers=headers), 1001),
            await refused(user.get("/projects?page=0", headers=headers), 1001),
        ]
        return options["durations"][0]["label"], *(error.message.split(" ")[0][:7] for error in errors)

    chinese = ("智能", "资源不存在：p", "参数错误：us", "参数错误：pa")
    english = ("Smart", "not", "invalid", "invalid")
    assert await spoken() == chinese
    await user.put("/user/me", {"settings": {"language": "en"}})
    assert await spoken() == english
    assert await spoken(**{"Accept-Language": "zh-CN"}) == chinese
    await user.put("/user/me", {"settings": {"language": "zh"}})
    assert await spoken() == chinese
    assert await spoken(**{"Accept-Language": "en-GB"}) == english


async def test_a_socket_speaks_the_users_language(user: Client) -> None:
    await user.put("/user/me", {"settings": {"language": "en"}})
    async with user.session.ws_connect(f"{user.url}/ws?token={user.token}") as socket:
        await socket.send_json({"action": "subscribe", "channel": "project", "project_id": "prj_none"})
        assert (await socket.receive_json(timeout=10))["message"].startswith("not found")


# Operators


async def test_platform_admins_and_limits_are_set_by_the_operator(plane: Plane, user: Client) -> None:
    team = await user.post("/teams", {"name": "crew"})
    async with plane.services.database.transaction() as session:
        await admin.set_platform_admin(session, user.name, is_admin=True)
        await admin.set_daily_limit(session, user.name, 7)
        await admin.set_daily_limit(session, team["id"], 8)
    assert (await user.get("/user/me"))["quota_info"]["daily_limit"] == 7
    assert (await user.get(f"/teams/{team['id']}"))["quota_info"]["daily_limit"] == 8
    async with plane.services.database.transaction() as session:
        (listed,) = [u for u in await admin.list_users(session) if u.username == user.name]
        assert (listed.is_platform_admin, listed.daily_limit, listed.used) == (True, 7, 0)
        await admin.set_platform_admin(session, user.name, is_admin=False)
        assert not next(u for u in await admin.list_users(session) if u.username == user.name).is_platform_admin
