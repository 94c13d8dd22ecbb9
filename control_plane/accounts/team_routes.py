"""Teams, their members and invites, and the current space."""

from control_plane.accounts import invites, teams
from control_plane.accounts.actor import Access
from control_plane.accounts.team_schemas import (
    ChangeRole,
    CreatedInvite,
    CreateInvite,
    CreateTeam,
    InviteList,
    JoinRequest,
    JoinResponse,
    MemberList,
    SwitchRequest,
    SwitchResponse,
    Team,
    TeamSpaceList,
    UpdateTeam,
)
from control_plane.errors import AlreadyExists, Forbidden, InvalidInvite, NotFound, TooManyRequests
from control_plane.web import limits
from control_plane.web.routes import Call, Routes

routes = Routes("accounts")


@routes.post(
    "/team/join", access=Access.USER, body=JoinRequest, response=JoinResponse, errors=(InvalidInvite, TooManyRequests)
)
async def join(call: Call, body: JoinRequest) -> JoinResponse:
    """Join a team by an invite code."""
    await limits.check_client(
        call.services.redis, call.services.settings.login_attempts_per_minute, call.actor.user_id, "join"
    )
    return await invites.join(call.work, call.actor, body.invite_code)


@routes.get("/team/spaces", access=Access.USER, response=TeamSpaceList)
async def spaces(call: Call) -> TeamSpaceList:
    """The team spaces of the user."""
    return await teams.spaces(call.work, call.actor)


@routes.post("/team/switch", access=Access.USER, body=SwitchRequest, response=SwitchResponse, errors=(NotFound,))
async def switch(call: Call, body: SwitchRequest) -> SwitchResponse:
    """Work in another space."""
    return await teams.switch(call.work, call.actor, body)


@routes.get("/team/current", access=Access.USER, response=SwitchResponse)
async def current(call: Call) -> SwitchResponse:
    """The space that this session works in."""
    return await teams.current(call.work, call.actor)


@routes.post("/teams", access=Access.USER, body=CreateTeam, response=Team, errors=(Forbidden,))
async def create(call: Call, body: CreateTeam) -> Team:
    """Make a team."""
    return await teams.create(call.work, call.actor, body)


@routes.get("/teams/{team_id}", access=Access.READ, response=Team)
async def detail(call: Call) -> Team:
    """A team with today's quota."""
    return await teams.detail(call.work, call.actor, call.path["team_id"])


@routes.put("/teams/{team_id}", access=Access.MANAGE, body=UpdateTeam, response=Team)
async def update(call: Call, body: UpdateTeam) -> Team:
    """Rename a team or change its picture."""
    return await teams.update(call.work, call.actor, call.path["team_id"], body)


@routes.delete("/teams/{team_id}", access=Access.MANAGE, errors=(AlreadyExists,))
async def delete(call: Call) -> None:
    """Delete a team that owns nothing any more."""
    await teams.delete(call.work, call.actor, call.path["team_id"])


@routes.post("/teams/{team_id}/leave", access=Access.READ)
async def leave(call: Call) -> None:
    """Leave a team."""
    await teams.leave(call.work, call.actor, call.path["team_id"])


@routes.get("/teams/{team_id}/members", access=Access.READ, response=MemberList)
async def members(call: Call) -> MemberList:
    """The members of a team."""
    return await teams.members(call.work, call.actor, call.path["team_id"])


@routes.put("/teams/{team_id}/members/{user_id}", access=Access.MANAGE, body=ChangeRole, errors=(AlreadyExists,))
async def change_role(call: Call, body: ChangeRole) -> None:
    """Give a member another role."""
    await teams.change_role(call.work, call.actor, call.path["team_id"], call.path["user_id"], body.role)


@routes.delete("/teams/{team_id}/members/{user_id}", access=Access.MANAGE, errors=(AlreadyExists,))
async def remove(call: Call) -> None:
    """Remove a member."""
    await teams.remove(call.work, call.actor, call.path["team_id"], call.path["user_id"])


@routes.post(
    "/teams/{team_id}/invites",
    access=Access.MANAGE,
    body=CreateInvite,
    response=CreatedInvite,
    secrets=invites.secrets_of,
)
async def create_invite(call: Call, body: CreateInvite) -> CreatedInvite:
    """Make an invite code. It is told only in this answer."""
    return await invites.create(call.work, call.actor, call.path["team_id"], body)


@routes.get("/teams/{team_id}/invites", access=Access.MANAGE, response=InviteList, transacts=True)
async def list_invites(call: Call) -> InviteList:
    """The invites that can still be used."""
    return await invites.list_invites(call.work, call.actor, call.path["team_id"])


@routes.delete("/teams/{team_id}/invites/{invite_id}", access=Access.MANAGE)
async def revoke_invite(call: Call) -> None:
    """Revoke an invite."""
    await invites.revoke(call.work, call.actor, call.path["team_id"], call.path["invite_id"])
