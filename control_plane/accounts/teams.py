"""Teams, their members, and the space that a session works in."""

from typing import cast

from sqlalchemy import func, select

from control_plane.accounts import tables, team_tables
from control_plane.accounts.actor import Actor, Role
from control_plane.accounts.schemas import QuotaInfo, SpaceInfo
from control_plane.accounts.service import picture_id
from control_plane.accounts.team_schemas import (
    CreateTeam,
    Member,
    MemberList,
    SwitchRequest,
    SwitchResponse,
    Team,
    TeamSpace,
    TeamSpaceList,
    UpdateTeam,
)
from control_plane.assets.leftovers import remove_leftovers
from control_plane.assets.tables import AssetRow
from control_plane.errors import AlreadyExists, Forbidden, InvalidParameter, NotFound, NotLoggedIn
from control_plane.inputs import tables as inputs
from control_plane.projects.tables import ProjectRow
from control_plane.quota import service as quota
from control_plane.web.idempotency import forget_answers
from control_plane.work import Work
from runtime.database import utc_now
from runtime.ids import new_id


async def create(work: Work, actor: Actor, request: CreateTeam) -> Team:
    """A team with a quota account of its own, whose first admin is the actor. Raises Forbidden for one too many."""
    limit = work.services.settings.max_teams_per_user
    await tables.lock_user(work.session, actor.user_id)  # so that two at once are counted
    if await team_tables.count_administered(work.session, actor.user_id) >= limit:
        raise Forbidden(f"最多管理 {limit} 个团队", f"an admin of {limit} teams makes no more")
    logo = await picture_id(work, actor, request.logo_url, field="logo_url")
    team = tables.TeamRow(id=new_id("team"), name=request.name, logo_artifact_id=logo)
    work.session.add(team)
    await work.session.flush()
    work.session.add(tables.MembershipRow(team_id=team.id, user_id=actor.user_id, role="admin"))
    await quota.open_account(work.session, team.id, time_zone=request.time_zone or "UTC")
    return await _shown(work, team, "admin")


async def detail(work: Work, actor: Actor, team_id: str) -> Team:
    team, role = await team_tables.load_team(work.session, actor, team_id)
    return await _shown(work, team, role)


async def update(work: Work, actor: Actor, team_id: str, request: UpdateTeam) -> Team:
    team, role = await team_tables.load_team(work.session, actor, team_id)
    if request.name is not None:
        team.name = request.name
    if request.logo_url is not None:
        team.logo_artifact_id = await picture_id(work, actor, request.logo_url, field="logo_url")
    team.updated_at = utc_now()
    await work.session.flush()
    return await _shown(work, team, role)


async def delete(work: Work, actor: Actor, team_id: str) -> None:
    """The team with its templates and what was attached to no project.

    Raises AlreadyExists while it owns projects or assets: those are deleted one by one, by who means it. Whoever makes
    something in it has its row locked (access.hold_space), so that nothing is made unseen.
    """
    for membership, _ in await team_tables.members_of(work.session, team_id):
        await forget_answers(work.session, membership.user_id)
    team, _ = await team_tables.load_team(work.session, actor, team_id)
    projects = select(func.count()).where(ProjectRow.tenant_id == team.id)
    assets = select(func.count()).where(AssetRow.tenant_id == team.id, AssetRow.deleted_at.is_(None))
    for count, zh, en in ((projects, "项目", "projects"), (assets, "资产", "assets")):
        owned = await work.session.scalar(count)
        if owned:
            raise AlreadyExists(f"团队还有 {owned} 个{zh}", f"the team still has {en}: {owned}", field="team_id")
    await inputs.delete_of_tenant(work.session, team.id)
    await remove_leftovers(work.session, team.id)
    await work.session.delete(team)


async def spaces(work: Work, actor: Actor) -> TeamSpaceList:
    """The teams of a user, the one used last first."""
    rows = await team_tables.teams_of(work.session, actor.user_id)
    used = [membership for _, membership in rows if membership.last_accessed_at is not None]
    return TeamSpaceList(
        list=[
            TeamSpace(
                id=team.id,
                name=team.name,
                logo_url=team.logo_artifact_id or "",
                role=cast(Role, membership.role),
                last_accessed=membership.last_accessed_at or membership.created_at,
            )
            for team, membership in rows
        ],
        recent_space_id=used[0].team_id if used else None,
    )


async def switch(work: Work, actor: Actor, request: SwitchRequest) -> SwitchResponse:
    """Work in another space from now on, in this session. Raises InvalidParameter and NotFound."""
    if request.space_type == "team" and request.space_id is None:
        raise InvalidParameter("团队空间必填", "required for a team space", field="space_id")
    if request.space_type == "personal" and request.space_id not in {None, actor.user_id}:
        raise InvalidParameter("个人空间没有团队", "a personal space has no team", field="space_id")
    team_id = request.space_id if request.space_type == "team" else None
    session_row = await tables.lock_session(work.session, actor.session_id)
    if session_row is None:
        raise NotLoggedIn("会话已结束", "the session has ended")
    if team_id is not None:
        membership = await team_tables.membership(work.session, team_id, actor.user_id)
        if membership is None:
            raise NotFound("团队空间不存在", "no such team space", field="space_id")
        membership.last_accessed_at = utc_now()
    session_row.space_id = team_id
    return SwitchResponse(current_space=await _space_info(work, team_id))


async def current(work: Work, actor: Actor) -> SwitchResponse:
    """The space that this session works in."""
    return SwitchResponse(
        current_space=await _space_info(work, None if actor.tenant_id == actor.user_id else actor.tenant_id)
    )


async def members(work: Work, actor: Actor, team_id: str) -> MemberList:
    team, _ = await team_tables.load_team(work.session, actor, team_id)
    return MemberList(
        list=[
            Member(
                user_id=user.id,
                username=user.username,
                avatar_url=user.avatar_artifact_id or "",
                role=cast(Role, membership.role),
                joined_at=membership.created_at,
            )
            for membership, user in await team_tables.members_of(work.session, team.id)
        ]
    )


async def change_role(work: Work, actor: Actor, team_id: str, user_id: str, role: Role) -> None:
    """Raises NotFound for no member, AlreadyExists where the team would be without an admin."""
    await forget_answers(work.session, user_id)
    team, _ = await team_tables.load_team(work.session, actor, team_id)
    membership = await _member(work, team.id, user_id)
    if role != "admin":
        await _keep_an_admin(work, membership)
    membership.role = role


async def remove(work: Work, actor: Actor, team_id: str, user_id: str) -> None:
    """Raises as change_role does."""
    await forget_answers(work.session, user_id)
    team, _ = await team_tables.load_team(work.session, actor, team_id)
    membership = await _member(work, team.id, user_id)
    await _keep_an_admin(work, membership)
    await work.session.delete(membership)


async def leave(work: Work, actor: Actor, team_id: str) -> None:
    """Raises AlreadyExists for the last admin."""
    await forget_answers(work.session, actor.user_id)
    team, _ = await team_tables.load_team(work.session, actor, team_id, lock=True)
    membership = await _member(work, team.id, actor.user_id)
    await _keep_an_admin(work, membership)
    await work.session.delete(membership)


async def _member(work: Work, team_id: str, user_id: str) -> tables.MembershipRow:
    membership = await team_tables.membership(work.session, team_id, user_id)
    if membership is None:
        raise NotFound("成员不存在", "no such member", field="user_id")
    return membership


async def _keep_an_admin(work: Work, leaving: tables.MembershipRow) -> None:
    """The team's row is locked, so of two admins who leave at once the second is the last."""
    if leaving.role == "admin" and await team_tables.count_members(work.session, leaving.team_id, "admin") == 1:
        raise AlreadyExists("团队至少需要一名管理员", "a team needs an admin", field="role")


async def _space_info(work: Work, team_id: str | None) -> SpaceInfo:
    team = await work.session.get(tables.TeamRow, team_id) if team_id is not None else None
    if team is None:
        return SpaceInfo(type="personal")
    return SpaceInfo(type="team", space_id=team.id, space_name=team.name)


async def _shown(work: Work, team: tables.TeamRow, role: Role) -> Team:
    state = await quota.state(work.session, team.id)
    return Team(
        id=team.id,
        name=team.name,
        logo_url=team.logo_artifact_id or "",
        role=role,
        member_count=await team_tables.count_members(work.session, team.id),
        quota_info=QuotaInfo(daily_limit=state.daily_limit, used=state.used, reset_at=state.reset_at),
        created_at=team.created_at,
        updated_at=team.updated_at,
    )
