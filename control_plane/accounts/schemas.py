"""Requests and responses of logins and users."""

from typing import Literal

from pydantic import Field

from control_plane.web.models import RequestModel, ResponseModel, Timestamp


class LoginRequest(RequestModel):
    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=1024)


class LoginUser(ResponseModel):
    id: str
    username: str
    email: str
    avatar_url: str
    user_type: Literal["personal", "team"]


class Space(ResponseModel):
    type: Literal["personal", "team"]
    space_id: str | None = None
    space_name: str | None = None


class LoginResponse(ResponseModel):
    user: LoginUser
    session_token: str
    refresh_token: str
    current_space: Space


class RefreshRequest(RequestModel):
    refresh_token: str = Field(min_length=1, max_length=512)


class RefreshResponse(ResponseModel):
    session_token: str
    refresh_token: str


class QuotaInfo(ResponseModel):
    daily_limit: int
    used: int
    reset_at: Timestamp


class UserSettings(ResponseModel):
    language: str
    theme: str


class MeResponse(LoginUser):
    quota_info: QuotaInfo
    settings: UserSettings
