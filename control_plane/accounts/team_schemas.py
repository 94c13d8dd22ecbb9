"""Requests and responses of teams, their members and their invites."""

from typing import Literal

from pydantic import Field

from control_plane.accounts.actor import Role
from control_plane.accounts.schemas import QuotaInfo, SpaceInfo
from control_plane.web.models import FileUrl, Id, RequestModel, ResponseModel, ShortText, Timestamp


class JoinRequest(RequestModel):
    invite_code: str = Field(min_length=1, max_length=64)


class JoinedSpace(ResponseModel):
    id: str
    name: str
    role: Role


class JoinResponse(ResponseModel):
    team_space: JoinedSpace


class TeamSpace(ResponseModel):
    id: str
    name: str
    logo_url: FileUrl
    role: Role
    last_accessed: Timestamp


class TeamSpaceList(ResponseModel):
    list: list[TeamSpace]
    recent_space_id: str | None = None


class SwitchRequest(RequestModel):
    space_type: Literal["personal", "team"]
    space_id: Id | None = None


class SwitchResponse(ResponseModel):
    current_space: SpaceInfo


class CreateTeam(RequestModel):
    """``time_zone`` is an IANA name; the team's daily quota is reset at its midnight."""

    name: ShortText
    logo_url: str | None = Field(default=None, max_length=2000)
    time_zone: str | None = Field(default=None, min_length=1, max_length=64)


class UpdateTeam(RequestModel):
    """An empty ``logo_url`` takes the picture away."""

    name: ShortText | None = None
    logo_url: str | None = Field(default=None, max_length=2000)


class Team(ResponseModel):
    id: str
    name: str
    logo_url: FileUrl
    role: Role
    member_count: int
    quota_info: QuotaInfo
    created_at: Timestamp
    updated_at: Timestamp


class Member(ResponseModel):
    user_id: str
    username: str
    avatar_url: FileUrl
    role: Role
    joined_at: Timestamp


class MemberList(ResponseModel):
    list: list[Member]


class ChangeRole(RequestModel):
    role: Role


class CreateInvite(RequestModel):
    """``expires_in`` is in seconds; an invite without it, or without ``max_uses``, has no such limit."""

    role: Role = "viewer"
    expires_in: int | None = Field(default=None, ge=1, le=365 * 86400)
    max_uses: int | None = Field(default=None, ge=1, le=10_000)


class Invite(ResponseModel):
    id: str
    role: Role
    created_by: str
    uses_left: int | None = None
    expires_at: Timestamp | None = None
    created_at: Timestamp


class CreatedInvite(Invite):
    """The code is told once; only its hash is kept, also of an answer that is given again."""

    invite_code: str


class InviteList(ResponseModel):
    list: list[Invite]
