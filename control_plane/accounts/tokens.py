"""Session tokens (short-lived JWT) and refresh tokens (random, stored only as a hash)."""

import base64
import hashlib
import hmac
import secrets
import time
from functools import lru_cache
from typing import Any

import jwt
from aiohttp import web

from control_plane.accounts.actor import Access, Actor
from control_plane.errors import NotLoggedIn
from runtime.settings import Settings

_ALGORITHM = "HS256"
_ISSUER = "reelfarm"


def _key(settings: Settings) -> str:
    return _derived(settings.secret_key.get_secret_value())


@lru_cache(maxsize=8)
def _derived(secret: str) -> str:
    """A key of its own for tokens, so that a leaked file signature says nothing about them."""
    return hashlib.sha256(b"reelfarm.session:" + secret.encode()).hexdigest()


def make_session_token(settings: Settings, user_id: str, session_id: str) -> str:
    now = int(time.time())
    claims = {
        "iss": _ISSUER,
        "sub": user_id,
        "sid": session_id,
        "iat": now,
        "exp": now + settings.session_ttl_s,
    }
    return jwt.encode(claims, _key(settings), algorithm=_ALGORITHM)


def read_session_token(settings: Settings, token: str, needs: Access) -> Actor:
    """Raises NotLoggedIn for a token that is forged, malformed or expired."""
    try:
        claims = _verified(_key(settings), token)
    except (jwt.InvalidTokenError, UnicodeError) as error:  # bytes that are no text come as half characters
        raise NotLoggedIn("令牌无效", "the token is not valid") from error
    if claims["exp"] <= time.time():
        raise NotLoggedIn("登录已过期", "the session has expired")
    return Actor(user_id=claims["sub"], session_id=claims["sid"], needs=needs)


@lru_cache(maxsize=10_000)
def _verified(key: str, token: str) -> dict[str, Any]:
    """The claims of a token that was signed with the key. Remembered: a signature stays right, what a session may do
    is asked of the database each time. Raises InvalidTokenError; whether it has expired is not looked at."""
    claims = jwt.decode(
        token,
        key,
        algorithms=[_ALGORITHM],
        issuer=_ISSUER,
        options={"require": ["exp", "sub", "sid"], "verify_exp": False},
    )
    if not isinstance(claims["exp"], int):
        raise jwt.DecodeError("exp is not a number")
    return claims


def actor_of(request: web.Request, settings: Settings, needs: Access) -> Actor:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotLoggedIn()
    return read_session_token(settings, token.strip(), needs)


def new_refresh_token(settings: Settings, session_id: str) -> tuple[str, str]:
    """A token to hand out, `session.random.mac`, and the hash to keep of what follows the session's id."""
    nonce = secrets.token_urlsafe(32)
    secret = f"{nonce}.{_refresh_mac(settings, session_id, nonce)}"
    return f"{session_id}.{secret}", hash_secret(secret)


def was_issued(settings: Settings, session_id: str, secret: str) -> bool:
    """Whether a refresh token was made here, for this session, at some time: only such a one can have been stolen."""
    nonce, _, mac = secret.partition(".")
    return hmac.compare_digest(_refresh_mac(settings, session_id, nonce).encode(), mac.encode())


def _refresh_mac(settings: Settings, session_id: str, nonce: str) -> str:
    key = hashlib.sha256(b"reelfarm.refresh:" + settings.secret_key.get_secret_value().encode()).digest()
    return hmac.new(key, f"{session_id}.{nonce}".encode(), hashlib.sha256).hexdigest()


def invite_code(settings: Settings, invite_id: str) -> str:
    """What an invite of ours is used by. It follows from the id for whoever knows the server's secret, so that an
    answer can be given again that was not kept."""
    key = hashlib.sha256(b"reelfarm.invite:" + settings.secret_key.get_secret_value().encode()).digest()
    digest = hmac.new(key, invite_id.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:24]).decode()


def new_secret() -> tuple[str, str]:
    """A random token to hand out and the hash to keep."""
    secret = secrets.token_urlsafe(24)
    return secret, hash_secret(secret)


def hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def is_secret(secret: str, stored_hash: str) -> bool:
    return hmac.compare_digest(hash_secret(secret), stored_hash)
