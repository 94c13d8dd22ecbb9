"""Session tokens (short-lived JWT) and refresh tokens (random, stored only as a hash)."""

import hashlib
import hmac
import secrets
import time

import jwt
from aiohttp import web

from control_plane.accounts.actor import Access, Actor
from control_plane.errors import NotLoggedIn
from runtime.settings import Settings

_ALGORITHM = "HS256"
_ISSUER = "reelfarm"


def _key(settings: Settings) -> str:
    """A key of its own for tokens, so that a leaked file signature says nothing about them."""
    return hashlib.sha256(b"reelfarm.session:" + settings.secret_key.get_secret_value().encode()).hexdigest()


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
        claims = jwt.decode(
            token,
            _key(settings),
            algorithms=[_ALGORITHM],
            issuer=_ISSUER,
            options={"require": ["exp", "sub", "sid"]},
        )
    except jwt.ExpiredSignatureError as error:
        raise NotLoggedIn("登录已过期", "the session has expired") from error
    except jwt.InvalidTokenError as error:
        raise NotLoggedIn("令牌无效", "the token is not valid") from error
    return Actor(user_id=claims["sub"], session_id=claims["sid"], needs=needs)


def actor_of(request: web.Request, settings: Settings, needs: Access) -> Actor:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotLoggedIn()
    return read_session_token(settings, token.strip(), needs)


def new_refresh_token(session_id: str) -> tuple[str, str]:
    """A token to hand out and the hash to keep."""
    secret = secrets.token_urlsafe(32)
    return f"{session_id}.{secret}", hash_refresh_secret(secret)


def hash_refresh_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def is_refresh_secret(secret: str, stored_hash: str) -> bool:
    return hmac.compare_digest(hash_refresh_secret(secret), stored_hash)
