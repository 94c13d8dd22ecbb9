"""Rate limits of logins, per process and in memory."""

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from control_plane.errors import TooManyRequests

_limiter = MovingWindowRateLimiter(MemoryStorage())


def check_login(per_minute: int, client_ip: str, username: str) -> None:
    """Count one try of a client at a user's password. Raises TooManyRequests."""
    if not _limiter.hit(RateLimitItemPerMinute(per_minute), "login", client_ip, username.lower()):
        raise TooManyRequests("登录尝试过多，请稍后再试", "too many logins, try again in a minute")
