"""Rate limits, counted in Redis so that every api process sees them. Without Redis nothing is limited: nobody is
locked out of a server because a cache is away.

A sliding window of a minute, from two counters: the last minute's, by how much of it is still in the window, and this
one's. It needs no script, which some Redis-protocol servers do not run.
"""

import asyncio
import hashlib
import time
import unicodedata
from dataclasses import dataclass

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from control_plane.errors import TooManyRequests
from control_plane.web.client_ip import limited_as

log = structlog.get_logger(__name__)

_WINDOW_S = 60
_TIMEOUT_S = 0.5
_USERS_AT_ONCE = 10
"""Several people may share an address."""
_ADDRESSES_AT_ONCE = 5
"""A user may have several addresses; a stranger who guesses from many of them should not lock the user out at once."""


@dataclass(frozen=True)
class Limit:
    per_minute: int
    parts: tuple[str, ...]

    @property
    def key(self) -> str:
        """A hash, so that what somebody typed as a name is neither kept nor of any length."""
        return hashlib.sha256("\n".join(self.parts).encode()).hexdigest()[:32]


async def check_login(client: redis.asyncio.Redis, per_minute: int, client_ip: str, username: str) -> None:
    """Count one try at a user's password: by client and user, by user, by client. Raises TooManyRequests."""
    name, address = _folded(username), limited_as(client_ip)
    await check(
        client,
        Limit(per_minute, ("login", name, address)),
        Limit(per_minute * _ADDRESSES_AT_ONCE, ("login user", name)),
        Limit(per_minute * _USERS_AT_ONCE, ("login client", address)),
    )


def _folded(username: str) -> str:
    """The same for all spellings that the database takes for one name, whatever its locale; also for some others."""
    letters = unicodedata.normalize("NFKD", username.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


async def check_client(client: redis.asyncio.Redis, per_minute: int, client_ip: str, action: str) -> None:
    """Count one try of a client at something that needs no login. Raises TooManyRequests."""
    await check(client, Limit(per_minute, (action, limited_as(client_ip))))


async def check(client: redis.asyncio.Redis, *limits: Limit) -> None:
    """Count one try against each limit. Raises TooManyRequests where one is exceeded; never for lack of Redis."""
    window, passed = divmod(time.time(), _WINDOW_S)
    try:
        async with asyncio.timeout(_TIMEOUT_S), client.pipeline(transaction=True) as pipe:
            for limit in limits:
                key = f"reelfarm:limit:{limit.key}"
                pipe.get(f"{key}:{int(window) - 1}")
                pipe.incr(f"{key}:{int(window)}")
                pipe.expire(f"{key}:{int(window)}", 2 * _WINDOW_S)
            answers = await pipe.execute()
    except (RedisError, OSError, TimeoutError) as error:
        log.warning("redis is away, logins are not limited", error=str(error))
        return
    for limit, before, now in zip(limits, answers[::3], answers[1::3], strict=True):
        if int(before or 0) * (1 - passed / _WINDOW_S) + int(now) > limit.per_minute:
            raise TooManyRequests("尝试过多，请稍后再试", "too many tries, try again in a minute")
