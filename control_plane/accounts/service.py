"""Making users, and what a user sees and sets of the own account."""

import re
from typing import Literal

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.accounts import passwords, tables
from control_plane.accounts.actor import Actor
from control_plane.accounts.schemas import LoginUser, MeResponse, QuotaInfo, RegisterRequest, UpdateMe, UserSettings
from control_plane.artifacts.service import readable
from control_plane.errors import AlreadyExists, Forbidden, InvalidParameter, NotLoggedIn
from control_plane.quota import service as quota
from control_plane.work import Work
from runtime.database import utc_now
from runtime.ids import new_id

_USERNAME = re.compile(r"[\w.@-]{1,64}")


async def me(work: Work, actor: Actor) -> MeResponse:
    """Raises NotLoggedIn."""
    user = await _user(work.session, actor)
    state = await quota.state(work.session, actor.tenant_id)
    return MeResponse(
        **(await login_user(work.session, user)).model_dump(),
        quota_info=QuotaInfo(daily_limit=state.daily_limit, used=state.used, reset_at=state.reset_at),
        settings=UserSettings(language=user.settings.get("language", "zh"), theme=user.settings.get("theme", "system")),
    )


async def update_me(work: Work, actor: Actor, changes: UpdateMe) -> None:
    """Raises InvalidParameter for an avatar that is no readable picture, AlreadyExists for a name that is taken."""
    artifact_id = await picture_id(work, actor, changes.avatar_url, field="avatar_url")
    user = await tables.lock_user(work.session, actor.user_id)
    if user is None:
        raise NotLoggedIn("用户不存在", "the user does not exist")
    if changes.username is not None and changes.username != user.username:
        _check_name(changes.username)
        holder = await tables.user_by_name(work.session, changes.username)
        if holder is not None and holder.id != user.id:
            raise _name_taken()
        user.username = changes.username
        try:
            await work.session.flush()
        except IntegrityError as error:  # somebody took it since we looked
            raise _name_taken() from error
    if changes.avatar_url is not None:
        user.avatar_artifact_id = artifact_id
    if changes.settings is not None:
        user.settings = {**user.settings, **changes.settings.model_dump(exclude_none=True)}


async def picture_id(work: Work, actor: Actor, url: str | None, *, field: str) -> str | None:
    """The artifact of a picture that a client names; None for an empty URL, which takes a picture away."""
    if not url:
        return None
    return (await readable(work, actor, url, field=field, media="image")).id


async def register(work: Work, request: RegisterRequest) -> tables.UserRow:
    """Make an account as far as the server is open to it, and join the team that invited.

    Raises Forbidden, InvalidInvite, InvalidParameter, AlreadyExists.
    """
    from control_plane.accounts import invites  # it joins users that this module makes

    mode = work.services.settings.registration
    if mode == "off":
        raise Forbidden("本站不开放注册", "registration is closed")
    if mode == "invite" and request.invite_code is None:
        raise InvalidParameter("注册需要邀请码", "needed to register", field="invite_code")
    # Locked first: of two that register with the last use of a code, one finds it spent and makes no user.
    invite = await invites.lock_valid(work.session, request.invite_code) if request.invite_code else None
    user_id = await create_user(
        work.session,
        username=request.username,
        password=request.password,
        email=request.email or "",
        time_zone=request.time_zone or "UTC",
    )
    user = await tables.user_by_id(work.session, user_id)
    if user is None:
        raise LookupError(f"no user {user_id}")
    if invite is not None:
        await invites.accept(work.session, invite, user.id)
    return user


async def create_user(
    session: AsyncSession,
    *,
    username: str,
    password: str,
    email: str = "",
    daily_limit: int | None = None,
    time_zone: str = "UTC",
    is_platform_admin: bool = False,
) -> str:
    """Make a user with a quota account and return the id. Raises InvalidParameter and AlreadyExists."""
    _check_name(username)
    passwords.check_length(password, field="password")
    if await tables.user_by_name(session, username) is not None:
        raise _name_taken()
    user_id = new_id("usr")
    row = {
        "id": user_id,
        "username": username,
        "email": email,
        "password_hash": await passwords.hashed(password),
        "is_platform_admin": is_platform_admin,
        "settings": {},
        "created_at": utc_now(),
        "updated_at": utc_now(),
    }
    # Of two that take a name at once, one waits here for the other to commit.
    made = await session.execute(
        insert(tables.UserRow).values(row).on_conflict_do_nothing().returning(tables.UserRow.id)
    )
    if made.first() is None:
        raise _name_taken()
    await quota.open_account(session, user_id, daily_limit=daily_limit, time_zone=time_zone)
    return user_id


async def login_user(session: AsyncSession, user: tables.UserRow) -> LoginUser:
    kind: Literal["personal", "team"] = "team" if await tables.is_in_a_team(session, user.id) else "personal"
    return LoginUser(
        id=user.id,
        username=user.username,
        email=user.email,
        avatar_url=user.avatar_artifact_id or "",
        user_type=kind,
    )


async def _user(session: AsyncSession, actor: Actor) -> tables.UserRow:
    user = await tables.user_by_id(session, actor.user_id)
    if user is None:
        raise NotLoggedIn("用户不存在", "the user does not exist")
    return user


def _check_name(username: str) -> None:
    if not _USERNAME.fullmatch(username):
        raise InvalidParameter("1 到 64 个字母、数字或 . _ @ -", "1 to 64 letters, digits or . _ @ -", field="username")


def _name_taken() -> AlreadyExists:
    return AlreadyExists("用户名已存在", "the name is taken", field="username")
