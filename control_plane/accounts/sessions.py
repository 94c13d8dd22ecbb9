"""Logging in, staying logged in, logging out."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.accounts import passwords, tables
from control_plane.accounts.actor import Actor
from control_plane.accounts.schemas import LoginResponse, RefreshResponse, SpaceInfo
from control_plane.accounts.service import login_user
from control_plane.accounts.tokens import is_secret, make_session_token, new_refresh_token, was_issued
from control_plane.errors import NotLoggedIn
from control_plane.work import Work
from runtime.database import utc_now
from runtime.ids import new_id


async def login(work: Work, username: str, password: str) -> LoginResponse:
    """Raises NotLoggedIn without telling whether the name or the password was wrong."""
    found = await tables.user_by_name(work.session, username)
    known = found.password_hash if found else None
    wrong = NotLoggedIn("用户名或密码错误", "wrong username or password")
    if not await passwords.is_right(known, password) or found is None or known is None:
        raise wrong
    new_hash = await passwords.hashed(password) if passwords.is_outdated(known) else None
    # Locked and read again: a password that was changed since must not open a session that outlives the change.
    user = await tables.lock_user(work.session, found.id)
    if user is None or user.password_hash != known:
        raise wrong
    if new_hash is not None:
        user.password_hash = new_hash
    return await open_session(work, user)


async def open_session(work: Work, user: tables.UserRow) -> LoginResponse:
    settings = work.services.settings
    session_id = new_id("ses")
    refresh_token, refresh_hash = new_refresh_token(settings, session_id)
    work.session.add(
        tables.SessionRow(
            id=session_id,
            user_id=user.id,
            refresh_hash=refresh_hash,
            expires_at=utc_now() + timedelta(seconds=settings.refresh_ttl_s),
        )
    )
    return LoginResponse(
        user=await login_user(work.session, user),
        session_token=make_session_token(settings, user.id, session_id),
        refresh_token=refresh_token,
        current_space=SpaceInfo(type="personal"),
    )


async def refresh(work: Work, refresh_token: str) -> RefreshResponse:
    """A new pair of tokens for a refresh token, which is spent by it. Presenting a spent one ends the session: either
    its owner or a thief has a copy, and nobody can tell which. What was never a token of the session ends nothing."""
    settings = work.services.settings
    session_id, _, secret = refresh_token.partition(".")
    row = await tables.lock_session(work.session, session_id)
    if row is None or row.revoked_at is not None or row.expires_at <= utc_now():
        raise NotLoggedIn("刷新令牌无效", "the refresh token is not valid")
    if not is_secret(secret, row.refresh_hash):
        if not was_issued(settings, row.id, secret):
            raise NotLoggedIn("刷新令牌无效", "the refresh token is not valid")
        row.revoked_at = utc_now()
        await work.session.commit()  # the refusal rolls back what is not
        raise NotLoggedIn("刷新令牌已被使用", "the refresh token was used before")
    token, row.refresh_hash = new_refresh_token(settings, row.id)
    row.expires_at = utc_now() + timedelta(seconds=settings.refresh_ttl_s)
    return RefreshResponse(session_token=make_session_token(settings, row.user_id, row.id), refresh_token=token)


async def logout(session: AsyncSession, actor: Actor) -> None:
    """End this session: neither its session token nor its refresh token works from now on."""
    row = await tables.lock_session(session, actor.session_id)
    if row is not None:
        row.revoked_at = utc_now()
