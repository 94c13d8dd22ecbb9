"""Queries of teams, memberships and invites."""

from collections.abc import Sequence

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.accounts.access import granted, granted_locked, may_see, role_in
from control_plane.accounts.actor import Access, Actor, Role
from control_plane.accounts.tables import InviteRow, MembershipRow, TeamRow, UserRow
from control_plane.errors import NotFound
from runtime.database import utc_now


async def load_team(session: AsyncSession, actor: Actor, team_id: str, *, lock: bool = False) -> tuple[TeamRow, Role]:
    """A team and the actor's role in it; the row locked unless the endpoint only reads, or if asked for.

    Raises NotFound, Forbidden and NotLoggedIn.
    """
    role = role_in(actor, TeamRow.id)
    statement = select(TeamRow, role.label("own_role"), role).where(TeamRow.id == team_id, may_see(actor, TeamRow.id))
    missing = NotFound("团队不存在", "no such team", field="team_id")
    if lock or actor.needs is not Access.READ:
        # Whoever was made less than an admin, or left, while this waited, changes nothing any more.
        team, own_role = await granted_locked(session, actor, statement, TeamRow, missing)
    else:
        team, own_role = await granted(session, actor, statement, missing)
    return team, own_role


async def teams_of(session: AsyncSession, user_id: str) -> Sequence[Row[TeamRow, MembershipRow]]:
    statement = (
        select(TeamRow, MembershipRow)
        .join(MembershipRow, MembershipRow.team_id == TeamRow.id)
        .where(MembershipRow.user_id == user_id)
        .order_by(func.coalesce(MembershipRow.last_accessed_at, MembershipRow.created_at).desc(), TeamRow.id)
    )
    return (await session.execute(statement)).all()


async def members_of(session: AsyncSession, team_id: str) -> Sequence[Row[MembershipRow, UserRow]]:
    statement = (
        select(MembershipRow, UserRow)
        .join(UserRow, UserRow.id == MembershipRow.user_id)
        .where(MembershipRow.team_id == team_id)
        .order_by(MembershipRow.created_at, UserRow.id)
    )
    return (await session.execute(statement)).all()


async def membership(session: AsyncSession, team_id: str, user_id: str) -> MembershipRow | None:
    return await session.get(MembershipRow, (team_id, user_id), populate_existing=True)


async def count_members(session: AsyncSession, team_id: str, role: Role | None = None) -> int:
    statement = select(func.count()).where(MembershipRow.team_id == team_id)
    if role is not None:
        statement = statement.where(MembershipRow.role == role)
    return await session.scalar(statement) or 0


async def count_administered(session: AsyncSession, user_id: str) -> int:
    statement = select(func.count()).where(MembershipRow.user_id == user_id, MembershipRow.role == "admin")
    return await session.scalar(statement) or 0


async def invites_of(session: AsyncSession, team_id: str) -> list[InviteRow]:
    """Those that can still be used, the latest first."""
    statement = (
        select(InviteRow)
        .where(
            InviteRow.team_id == team_id,
            InviteRow.revoked_at.is_(None),
            InviteRow.expires_at.is_(None) | (InviteRow.expires_at > utc_now()),
            InviteRow.uses_left.is_(None) | (InviteRow.uses_left > 0),
        )
        .order_by(InviteRow.created_at.desc(), InviteRow.id)
    )
    return list(await session.scalars(statement))


async def lock_invite(session: AsyncSession, code_hash: str) -> InviteRow | None:
    statement = select(InviteRow).where(InviteRow.code_hash == code_hash).with_for_update()
    return await session.scalar(statement.execution_options(populate_existing=True))
