"""Logins and the current user."""

from control_plane.accounts import service
from control_plane.accounts.actor import Access
from control_plane.accounts.schemas import (
    LoginRequest,
    LoginResponse,
    MeResponse,
    RefreshRequest,
    RefreshResponse,
)
from control_plane.web import limits
from control_plane.web.routes import Call, Routes

routes = Routes("accounts")


@routes.post("/auth/login", access=Access.PUBLIC, body=LoginRequest, response=LoginResponse)
async def login(call: Call, body: LoginRequest) -> LoginResponse:
    """Log in with a name and a password."""
    limits.check_login(call.services.settings.login_attempts_per_minute, call.client_ip, body.username)
    return await service.login(call.work, body)


@routes.post("/auth/refresh", access=Access.PUBLIC, body=RefreshRequest, response=RefreshResponse)
async def refresh(call: Call, body: RefreshRequest) -> RefreshResponse:
    """Exchange a refresh token for a new pair of tokens."""
    return await service.refresh(call.work, body.refresh_token)


@routes.get("/user/me", access=Access.USER, response=MeResponse)
async def me(call: Call) -> MeResponse:
    """The logged-in user with today's quota."""
    return await service.me(call.work, call.actor)
