"""Rate limits of logins, per process and in memory."""

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from control_plane.errors import TooManyRequests

_USERS_AT_ONCE = 10
"""Several people may share an address."""

_limiter = MovingWindowRateLimiter(MemoryStorage())


def check_login(per_minute: int, client_ip: str, username: str) -> None:
    """Count one try of a client, at a user's password and at all. Raises TooManyRequests."""
    one_user = _limiter.hit(RateLimitItemPerMinute(per_minute), "login", client_ip, username.lower())
    any_user = _limiter.hit(RateLimitItemPerMinute(_USERS_AT_ONCE * per_minute), "login", client_ip)
    if not (one_user and any_user):
        raise TooManyRequests("登录尝试过多，请稍后再试", "too many logins, try again in a minute")
