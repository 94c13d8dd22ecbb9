"""What an operator does with accounts, from the server's own command line."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.accounts import passwords, tables
from control_plane.errors import InvalidParameter, NotFound
from control_plane.quota import service as quota
from control_plane.quota.tables import lock_account


@dataclass(frozen=True)
class ListedUser:
    id: str
    username: str
    is_platform_admin: bool
    used: int
    daily_limit: int


async def list_users(session: AsyncSession) -> list[ListedUser]:
    listed = []
    for user in (await session.scalars(select(tables.UserRow).order_by(tables.UserRow.username))).all():
        state = await quota.state(session, user.id)
        listed.append(ListedUser(user.id, user.username, user.is_platform_admin, state.used, state.daily_limit))
    return listed


async def set_platform_admin(session: AsyncSession, username: str, *, is_admin: bool) -> None:
    """Raises NotFound."""
    (await _user(session, username)).is_platform_admin = is_admin


async def set_daily_limit(session: AsyncSession, name: str, units: int) -> None:
    """Of a user by name, or of a team by id. Raises NotFound and InvalidParameter."""
    if not 0 <= units <= 1_000_000_000:
        raise InvalidParameter("必须在 0 到 1000000000 之间", "must be 0 to 1000000000", field="daily_limit")
    team = await session.get(tables.TeamRow, name)
    account = await lock_account(session, team.id if team else (await _user(session, name)).id)
    if account is None:
        raise LookupError(f"no quota account of {name}")
    account.daily_limit = units


async def issue_reset(session: AsyncSession, username: str, ttl_s: int) -> tuple[str, datetime]:
    """A one-time token that replaces the user's password, and until when. Raises NotFound."""
    return await passwords.issue_reset(session, await _user(session, username), ttl_s)


async def _user(session: AsyncSession, username: str) -> tables.UserRow:
    user = await tables.user_by_name(session, username)
    if user is None:
        raise NotFound(f"没有用户 {username}", f"no user {username}", field="name")
    return user
