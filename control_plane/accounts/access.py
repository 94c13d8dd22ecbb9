"""Who may do what with a tenant's things, decided in SQL beside the row that is loaded.

A tenant is a user's personal space (its id is the user's) or a team. A loader selects ``role_in(actor, tenant column)``
with its row, filters on ``may_see`` and hands both to ``granted``: one query, never an answer from before a membership
or a session ended. A stranger's row does not exist; a member whose role is too low is refused.
"""

from dataclasses import replace
from typing import Any, Literal, NoReturn, cast

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from control_plane.accounts.actor import ROLES, Access, Actor, Role, Space, check_role
from control_plane.accounts.tables import MembershipRow, SessionRow, TeamRow, UserRow
from control_plane.errors import Forbidden, InvalidParameter, NotFound, NotLoggedIn
from runtime.database import Base

Tenant = InstrumentedAttribute[str] | ColumnElement[str]
AnySelect = Select[*tuple[Any, ...]]


def _is_live(actor: Actor) -> ColumnElement[bool]:
    return (
        select(SessionRow.id)
        .where(
            SessionRow.id == actor.session_id,
            SessionRow.user_id == actor.user_id,
            SessionRow.revoked_at.is_(None),
            SessionRow.expires_at > func.now(),
        )
        .exists()
    )


def role_in(actor: Actor, tenant: Tenant) -> ColumnElement[Role | None]:
    """The actor's role in the tenant that the column names; null for a stranger."""
    membership = (
        select(MembershipRow.role)
        .where(MembershipRow.team_id == tenant, MembershipRow.user_id == actor.user_id)
        .scalar_subquery()
    )
    return case((tenant == actor.user_id, literal("admin")), else_=membership)


def may_see(actor: Actor, tenant: Tenant) -> ColumnElement[bool]:
    """Whether the actor's session is alive and the tenant is the actor's own or a team of theirs."""
    membership = select(MembershipRow.team_id).where(
        MembershipRow.team_id == tenant, MembershipRow.user_id == actor.user_id
    )
    return and_(or_(tenant == actor.user_id, membership.exists()), _is_live(actor))


async def granted(session: AsyncSession, actor: Actor, statement: AnySelect, missing: NotFound) -> list[Any]:
    """The statement's one row without its last column, which is the actor's role in the row's tenant.

    Raises NotFound where there is no row, Forbidden where the role is less than the endpoint declared, NotLoggedIn for
    a session that has ended.
    """
    if actor.needs not in ROLES:
        raise RuntimeError(f"an endpoint declared {actor.needs} loads what belongs to a tenant")
    row = (await session.execute(statement.execution_options(populate_existing=True))).first()
    if row is None:
        await refuse(session, actor, missing)
    *found, role = row
    check_role(role, actor.needs)
    return found


async def granted_locked(
    session: AsyncSession, actor: Actor, statement: AnySelect, lock: type[Base], missing: NotFound
) -> list[Any]:
    """``granted`` for one who writes, with the row of ``lock`` locked. Raises as it does.

    A statement that waited for a lock has the locked row as it is now, but what it joins as it was before the wait. So
    it runs again once the lock is held: whoever held it meanwhile has changed, or deleted, what lies beside the row.
    """
    await granted(session, actor, statement.with_for_update(of=lock), missing)
    return await granted(session, actor, statement, missing)


async def refuse(session: AsyncSession, actor: Actor, missing: NotFound) -> NoReturn:
    """Say why nothing was found: the session has ended, or there is nothing. Raises NotLoggedIn or NotFound."""
    if not await session.scalar(select(_is_live(actor))):
        raise NotLoggedIn("会话已结束", "the session has ended")
    raise missing


async def enter(session: AsyncSession, actor: Actor) -> Actor:
    """The actor with its current space and language, after checking the session. One query.

    Raises NotLoggedIn, and Forbidden where a platform admin is needed.
    """
    row = (
        await session.execute(
            select(
                MembershipRow.team_id,
                MembershipRow.role,
                UserRow.is_platform_admin,
                UserRow.settings["language"].astext,
            )
            .select_from(SessionRow)
            .join(UserRow, UserRow.id == SessionRow.user_id)
            .outerjoin(
                MembershipRow,
                and_(MembershipRow.team_id == SessionRow.space_id, MembershipRow.user_id == SessionRow.user_id),
            )
            .where(SessionRow.id == actor.session_id, _is_live(actor))
        )
    ).first()
    if row is None:
        raise NotLoggedIn("会话已结束", "the session has ended")
    team_id, role, is_platform_admin, language = row
    # Whoever left the team meanwhile is back in the personal space.
    space = Space(team_id, cast(Role, role)) if team_id is not None else Space(actor.user_id, "admin")
    if actor.needs is Access.PLATFORM and not is_platform_admin:
        raise Forbidden("需要平台管理员", "needs a platform admin")
    return replace(actor, space=space, language=language)


def check_space(actor: Actor) -> None:
    """Whether the actor may do in the current space what the endpoint declared. Raises Forbidden."""
    if actor.space is not None:
        check_role(actor.space.role, actor.needs)


async def language_of_user(session: AsyncSession, user_id: str) -> str | None:
    """The language the user has chosen, if any."""
    return await session.scalar(select(UserRow.settings["language"].astext).where(UserRow.id == user_id))


async def space_of(
    session: AsyncSession, actor: Actor, space_type: Literal["personal", "team"] | None, team_space_id: str | None
) -> Space:
    """The space that a request names, or the current one if it names none, where the actor may do what the endpoint
    declared. A team's id alone names that team. For an endpoint that writes the space is held, as by hold_space.

    Raises InvalidParameter for a contradiction, NotFound for a team that the actor is not in, Forbidden.
    """
    if space_type == "team" and team_space_id is None:
        raise InvalidParameter("团队空间必填", "required for a team space", field="team_space_id")
    if space_type == "personal" and team_space_id is not None:
        raise InvalidParameter("个人空间没有团队", "a personal space has no team", field="team_space_id")
    if team_space_id is not None:
        if actor.needs is not Access.READ:
            await _hold_team(session, actor, team_space_id)
        role = await session.scalar(_own_role(actor, team_space_id))
        if role is None:
            raise NotFound("团队空间不存在", "no such team space", field="team_space_id")
        space = Space(team_space_id, cast(Role, role))
    elif space_type == "personal":
        space = Space(actor.user_id, "admin")
    elif actor.space is not None:
        if actor.needs is not Access.READ:
            await hold_space(session, actor)
        space = actor.space
    else:
        raise RuntimeError("the current space of this request was not loaded")
    check_role(space.role, actor.needs)
    return space


async def hold_space(session: AsyncSession, actor: Actor) -> str:
    """The current space's tenant for whoever makes something in it: the team stays, and the actor a member, until the
    transaction ends. It is locked after projects and before anything else.

    Raises Forbidden, also where the team was deleted or the actor left it since the request came.
    """
    tenant_id = actor.tenant_id
    if tenant_id != actor.user_id:
        await _hold_team(session, actor, tenant_id)
        role = await session.scalar(_own_role(actor, tenant_id))
        if role is None:
            raise Forbidden("您已不在此团队空间", "you are in this team space no more")
        check_role(cast(Role, role), actor.needs)
    return tenant_id


def _own_role(actor: Actor, team_id: str) -> Select[str]:
    return select(MembershipRow.role).where(MembershipRow.team_id == team_id, MembershipRow.user_id == actor.user_id)


async def _hold_team(session: AsyncSession, actor: Actor, team_id: str) -> None:
    """A team of the actor's. Whoever deletes it, or changes who is in it, locks its row alone."""
    statement = select(TeamRow.id).where(TeamRow.id == team_id, _own_role(actor, team_id).exists())
    await session.execute(statement.with_for_update(read=True, key_share=True))
