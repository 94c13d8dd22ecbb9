"""Invite codes: made by a team's admins, good for as long and as often as they say."""

from datetime import timedelta
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.accounts import tables, team_tables
from control_plane.accounts.actor import Actor
from control_plane.accounts.team_schemas import (
    CreatedInvite,
    CreateInvite,
    Invite,
    InviteList,
    JoinedSpace,
    JoinResponse,
)
from control_plane.accounts.tokens import hash_secret, invite_code
from control_plane.errors import AlreadyExists, InvalidInvite, NotFound
from control_plane.work import Services, Work
from runtime.database import utc_now
from runtime.ids import new_id


async def create(work: Work, actor: Actor, team_id: str, request: CreateInvite) -> CreatedInvite:
    team, _ = await team_tables.load_team(work.session, actor, team_id)
    invite_id = new_id("inv")
    code = invite_code(work.services.settings, invite_id)
    row = tables.InviteRow(
        id=invite_id,
        team_id=team.id,
        code_hash=hash_secret(code),
        role=request.role,
        uses_left=request.max_uses,
        expires_at=utc_now() + timedelta(seconds=request.expires_in) if request.expires_in else None,
        created_by=actor.user_id,
    )
    work.session.add(row)
    await work.session.flush()
    return CreatedInvite(**_shown(row).model_dump(), invite_code=code)


def secrets_of(services: Services, answer: dict[str, Any]) -> dict[str, Any]:
    """What is told of a created invite and never stored."""
    return {"invite_code": invite_code(services.settings, answer["id"])}


async def list_invites(work: Work, actor: Actor, team_id: str) -> InviteList:
    team, _ = await team_tables.load_team(work.session, actor, team_id)
    return InviteList(list=[_shown(row) for row in await team_tables.invites_of(work.session, team.id)])


async def revoke(work: Work, actor: Actor, team_id: str, invite_id: str) -> None:
    """Raises NotFound."""
    team, _ = await team_tables.load_team(work.session, actor, team_id)
    row = await work.session.get(tables.InviteRow, invite_id, with_for_update=True)
    if row is None or row.team_id != team.id or row.revoked_at is not None:
        raise NotFound("邀请不存在", "no such invite", field="invite_id")
    row.revoked_at = utc_now()


async def join(work: Work, actor: Actor, code: str) -> JoinResponse:
    """Raises InvalidInvite, and AlreadyExists for a member, which uses nothing up."""
    invite = await lock_valid(work.session, code)
    team = await accept(work.session, invite, actor.user_id)
    role = JoinedSpace.model_validate({"id": team.id, "name": team.name, "role": invite.role})
    return JoinResponse(team_space=role)


async def lock_valid(session: AsyncSession, code: str) -> tables.InviteRow:
    """The invite of a code, locked, so that its last use is one user's. Raises InvalidInvite."""
    invite = await team_tables.lock_invite(session, hash_secret(code))
    if (
        invite is None
        or invite.revoked_at is not None
        or (invite.expires_at is not None and invite.expires_at <= utc_now())
        or invite.uses_left == 0
    ):
        raise InvalidInvite(field="invite_code")
    return invite


async def accept(session: AsyncSession, invite: tables.InviteRow, user_id: str) -> tables.TeamRow:
    """Use a locked invite once. Raises AlreadyExists for a member of its team."""
    row = {
        "team_id": invite.team_id,
        "user_id": user_id,
        "role": invite.role,
        "created_at": utc_now(),
    }
    made = await session.execute(
        insert(tables.MembershipRow).values(row).on_conflict_do_nothing().returning(tables.MembershipRow.user_id)
    )
    if made.first() is None:
        raise AlreadyExists("已在该团队中", "already in this team", field="invite_code")
    if invite.uses_left is not None:
        invite.uses_left -= 1
    team = await session.get(tables.TeamRow, invite.team_id)
    if team is None:
        raise InvalidInvite(field="invite_code")
    return team


def _shown(row: tables.InviteRow) -> Invite:
    return Invite.model_validate(
        {
            "id": row.id,
            "role": row.role,
            "created_by": row.created_by,
            "uses_left": row.uses_left,
            "expires_at": row.expires_at,
            "created_at": row.created_at,
        }
    )
