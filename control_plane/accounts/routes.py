"""Accounts, logins and the current user."""

from control_plane.accounts import passwords, service, sessions
from control_plane.accounts.actor import Access
from control_plane.accounts.schemas import (
    ChangePasswordRequest,
    LoginRequest,
    LoginResponse,
    MeResponse,
    RefreshRequest,
    RefreshResponse,
    RegisterRequest,
    RequestResetRequest,
    ResetPasswordRequest,
    UpdateMe,
)
from control_plane.errors import AlreadyExists, Forbidden, InvalidInvite, NotLoggedIn, TooManyRequests
from control_plane.web import limits
from control_plane.web.routes import PASSWORDS, Call, Routes

routes = Routes("accounts")


@routes.post(
    "/auth/register",
    access=Access.PUBLIC,
    body=RegisterRequest,
    response=LoginResponse,
    errors=(AlreadyExists, Forbidden, InvalidInvite, TooManyRequests),
    gate=PASSWORDS,
)
async def register(call: Call, body: RegisterRequest) -> LoginResponse:
    """Make an account and log in."""
    await _limit_client(call, "register")
    return await sessions.open_session(call.work, await service.register(call.work, body))


@routes.post(
    "/auth/login",
    access=Access.PUBLIC,
    body=LoginRequest,
    response=LoginResponse,
    errors=(NotLoggedIn, TooManyRequests),
    gate=PASSWORDS,
)
async def login(call: Call, body: LoginRequest) -> LoginResponse:
    """Log in with a name and a password."""
    await _limit_logins(call, body.username)
    return await sessions.login(call.work, body.username, body.password)


@routes.post(
    "/auth/refresh", access=Access.PUBLIC, body=RefreshRequest, response=RefreshResponse, errors=(NotLoggedIn,)
)
async def refresh(call: Call, body: RefreshRequest) -> RefreshResponse:
    """Exchange a refresh token for a new pair of tokens."""
    return await sessions.refresh(call.work, body.refresh_token)


@routes.post("/auth/logout", access=Access.USER)
async def logout(call: Call) -> None:
    """End this session at once."""
    await sessions.logout(call.work.session, call.actor)


@routes.post(
    "/auth/change-password",
    access=Access.USER,
    body=ChangePasswordRequest,
    errors=(TooManyRequests,),
    gate=PASSWORDS,
)
async def change_password(call: Call, body: ChangePasswordRequest) -> None:
    """Choose another password, which ends the user's other sessions."""
    await _limit_logins(call, call.actor.user_id)
    await passwords.change(call.work, call.actor, body.old_password, body.new_password)


@routes.post("/auth/reset-password/request", access=Access.PUBLIC, body=RequestResetRequest, errors=(TooManyRequests,))
async def request_reset(call: Call, body: RequestResetRequest) -> None:
    """Ask for a token to reset a password; it is sent to the user. The answer is the same for unknown names."""
    await _limit_logins(call, body.username)
    await passwords.request_reset(call.work, body.username)


@routes.post(
    "/auth/reset-password",
    access=Access.PUBLIC,
    body=ResetPasswordRequest,
    errors=(NotLoggedIn, TooManyRequests),
    gate=PASSWORDS,
)
async def reset_password(call: Call, body: ResetPasswordRequest) -> None:
    """Replace a forgotten password with a token that works once; every session of the user ends."""
    await _limit_client(call, "reset")
    await passwords.reset(call.work, body.token, body.new_password)


@routes.get("/user/me", access=Access.USER, response=MeResponse)
async def me(call: Call) -> MeResponse:
    """The logged-in user with today's quota."""
    return await service.me(call.work, call.actor)


@routes.put("/user/me", access=Access.USER, body=UpdateMe, response=MeResponse, errors=(AlreadyExists,))
async def update_me(call: Call, body: UpdateMe) -> MeResponse:
    """Change the name, the picture or the settings."""
    await service.update_me(call.work, call.actor, body)
    return await service.me(call.work, call.actor)


async def _limit_logins(call: Call, username: str) -> None:
    settings = call.services.settings
    await limits.check_login(call.services.redis, settings.login_attempts_per_minute, call.client_ip, username)


async def _limit_client(call: Call, action: str) -> None:
    per_minute = call.services.settings.login_attempts_per_minute
    await limits.check_client(call.services.redis, per_minute, call.client_ip, action)
