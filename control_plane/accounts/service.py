"""Logging in, staying logged in, and making users."""

import asyncio
import re
from datetime import timedelta
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.accounts import tables
from control_plane.accounts.actor import Actor
from control_plane.accounts.schemas import (
    LoginRequest,
    LoginResponse,
    LoginUser,
    MeResponse,
    QuotaInfo,
    RefreshResponse,
    Space,
    UserSettings,
)
from control_plane.accounts.tokens import is_refresh_secret, make_session_token, new_refresh_token
from control_plane.errors import AlreadyExists, InvalidParameter, NotLoggedIn
from control_plane.quota import service as quota
from control_plane.work import Work
from runtime.database import utc_now
from runtime.ids import new_id

_HASHER = PasswordHasher()
_USERNAME = re.compile(r"^[\w.@-]{1,64}$")
MIN_PASSWORD_LENGTH = 8


async def login(work: Work, request: LoginRequest) -> LoginResponse:
    """Raises NotLoggedIn without telling whether the name or the password was wrong."""
    user = await tables.user_by_name(work.session, request.username)
    is_right = await asyncio.to_thread(_verify, user.password_hash if user else None, request.password)
    if user is None or not is_right:
        raise NotLoggedIn("用户名或密码错误", "wrong username or password")
    session_id = new_id("ses")
    refresh_token, refresh_hash = new_refresh_token(session_id)
    work.session.add(
        tables.SessionRow(
            id=session_id,
            user_id=user.id,
            refresh_hash=refresh_hash,
            expires_at=utc_now() + timedelta(seconds=work.services.settings.refresh_ttl_s),
        )
    )
    return LoginResponse(
        user=_login_user(user),
        session_token=make_session_token(work.services.settings, user.id, session_id),
        refresh_token=refresh_token,
        current_space=Space(type="personal"),
    )


async def refresh(work: Work, refresh_token: str) -> RefreshResponse:
    """A new pair of tokens for a refresh token, which is spent by it. Presenting a spent one ends the session: either
    its owner or a thief has a copy, and nobody can tell which."""
    session_id, _, secret = refresh_token.partition(".")
    row = await tables.lock_session(work.session, session_id)
    if row is None or row.revoked_at is not None or row.expires_at <= utc_now():
        raise NotLoggedIn("刷新令牌无效", "the refresh token is not valid")
    if not is_refresh_secret(secret, row.refresh_hash):
        row.revoked_at = utc_now()
        await work.session.commit()
        raise NotLoggedIn("刷新令牌已被使用", "the refresh token was used before")
    token, row.refresh_hash = new_refresh_token(row.id)
    row.expires_at = utc_now() + timedelta(seconds=work.services.settings.refresh_ttl_s)
    return RefreshResponse(
        session_token=make_session_token(work.services.settings, row.user_id, row.id), refresh_token=token
    )


async def me(work: Work, actor: Actor) -> MeResponse:
    user = await tables.user_by_id(work.session, actor.user_id)
    if user is None:
        raise NotLoggedIn("用户不存在", "the user does not exist")
    state = await quota.state(work.session, actor.tenant_id)
    return MeResponse(
        **_login_user(user).model_dump(),
        quota_info=QuotaInfo(daily_limit=state.daily_limit, used=state.used, reset_at=state.reset_at),
        settings=UserSettings(language=user.settings.get("language", "zh"), theme=user.settings.get("theme", "system")),
    )


async def create_user(
    session: AsyncSession,
    *,
    username: str,
    password: str,
    email: str = "",
    daily_limit: int | None = None,
    time_zone: str = "UTC",
) -> str:
    """Make a user with a quota account and return the id. Raises InvalidParameter and AlreadyExists."""
    if not _USERNAME.match(username):
        raise InvalidParameter("1 到 64 个字母、数字或 . _ @ -", "1 to 64 letters, digits or . _ @ -", field="username")
    if not MIN_PASSWORD_LENGTH <= len(password) <= 1024:
        raise InvalidParameter(
            f"至少 {MIN_PASSWORD_LENGTH} 个字符",
            f"at least {MIN_PASSWORD_LENGTH} characters",
            field="password",
        )
    if await tables.user_by_name(session, username) is not None:
        raise AlreadyExists("用户名已存在", "the name is taken", field="username")
    user_id = new_id("usr")
    password_hash = await asyncio.to_thread(_HASHER.hash, password)
    session.add(tables.UserRow(id=user_id, username=username, email=email, password_hash=password_hash))
    await session.flush()
    await quota.open_account(session, user_id, daily_limit=daily_limit, time_zone=time_zone)
    return user_id


async def set_password(session: AsyncSession, *, username: str, password: str) -> bool:
    """Give an existing user another password; False if there is no such user."""
    user = await tables.user_by_name(session, username)
    if user is None:
        return False
    user.password_hash = await asyncio.to_thread(_HASHER.hash, password)
    return True


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    """Checked when the user does not exist, so that the answer takes as long as for one who does."""
    return _HASHER.hash("no such user")


def _verify(password_hash: str | None, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash or _nobodys_hash(), password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def _login_user(user: tables.UserRow) -> LoginUser:
    return LoginUser(
        id=user.id, username=user.username, email=user.email, avatar_url=user.avatar_url, user_type="personal"
    )
