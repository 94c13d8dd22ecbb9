"""Requests and responses of logins and users."""

from typing import Literal

from pydantic import Field

from control_plane.web.models import FileUrl, RequestModel, ResponseModel, Timestamp


class LoginRequest(RequestModel):
    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=1024)


class RegisterRequest(LoginRequest):
    """``time_zone`` is an IANA name; the daily quota is reset at its midnight."""

    email: str | None = Field(default=None, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")
    invite_code: str | None = Field(default=None, min_length=1, max_length=64)
    time_zone: str | None = Field(default=None, min_length=1, max_length=64)


class LoginUser(ResponseModel):
    id: str
    username: str
    email: str
    avatar_url: FileUrl
    user_type: Literal["personal", "team"]


class SpaceInfo(ResponseModel):
    type: Literal["personal", "team"]
    space_id: str | None = None
    space_name: str | None = None


class LoginResponse(ResponseModel):
    user: LoginUser
    session_token: str
    refresh_token: str
    current_space: SpaceInfo


class RefreshRequest(RequestModel):
    refresh_token: str = Field(min_length=1, max_length=512)


class RefreshResponse(ResponseModel):
    session_token: str
    refresh_token: str


class ChangePasswordRequest(RequestModel):
    old_password: str = Field(min_length=1, max_length=1024)
    new_password: str = Field(min_length=1, max_length=1024)


class RequestResetRequest(RequestModel):
    username: str = Field(min_length=1, max_length=64)


class ResetPasswordRequest(RequestModel):
    token: str = Field(min_length=1, max_length=128)
    new_password: str = Field(min_length=1, max_length=1024)


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


class SettingsChange(RequestModel):
    """``language`` is what answers are written in when a request does not ask for one; ``theme`` is for frontends."""

    language: Literal["zh", "en"] | None = None
    theme: Literal["system", "light", "dark"] | None = None


class UpdateMe(RequestModel):
    """An empty ``avatar_url`` takes the picture away."""

    username: str | None = Field(default=None, min_length=1, max_length=64)
    avatar_url: str | None = Field(default=None, max_length=2000)
    settings: SettingsChange | None = None
