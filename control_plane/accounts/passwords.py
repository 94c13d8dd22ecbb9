"""Passwords: hashed by argon2id in a thread, changed, and reset by a token that works once."""

import asyncio
import json
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.accounts import tables
from control_plane.accounts.actor import Actor
from control_plane.accounts.tokens import hash_secret, new_secret
from control_plane.errors import InvalidParameter, NotLoggedIn
from control_plane.work import Work
from runtime.database import utc_now
from runtime.embedded.datadir import write_private
from runtime.ids import new_id
from runtime.settings import Settings

HASHER = PasswordHasher()
"""RFC 9106's parameters for little memory: argon2id, 64 MiB, three passes, four lanes."""
MIN_LENGTH = 8
MAX_LENGTH = 1024


def check_length(password: str, *, field: str) -> None:
    """Raises InvalidParameter."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise InvalidParameter(
            f"{MIN_LENGTH} 到 {MAX_LENGTH} 个字符", f"{MIN_LENGTH} to {MAX_LENGTH} characters", field=field
        )


async def hashed(password: str) -> str:
    return await asyncio.to_thread(HASHER.hash, password)


async def is_right(password_hash: str | None, password: str) -> bool:
    """Takes as long for a user who does not exist, whose hash is None."""
    return await asyncio.to_thread(_verify, password_hash, password)


def is_outdated(password_hash: str) -> bool:
    """Whether a hash was made with other parameters than ours."""
    return HASHER.check_needs_rehash(password_hash)


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return HASHER.hash("no such user")


def _verify(password_hash: str | None, password: str) -> bool:
    stand_in = _nobodys_hash()
    try:
        return HASHER.verify(password_hash or stand_in, password) and password_hash is not None
    except (VerifyMismatchError, InvalidHashError):
        return False


async def change(work: Work, actor: Actor, old_password: str, new_password: str) -> None:
    """Choose another password, which ends the user's other sessions. Raises InvalidParameter for a wrong old one."""
    check_length(new_password, field="new_password")
    user = await tables.user_by_id(work.session, actor.user_id)
    if user is None:
        raise NotLoggedIn("用户不存在", "the user does not exist")
    known = user.password_hash
    if not await is_right(known, old_password):
        raise InvalidParameter("密码错误", "wrong password", field="old_password")
    new_hash = await hashed(new_password)
    user = await tables.lock_user(work.session, actor.user_id)
    if user is None or user.password_hash != known:
        raise InvalidParameter("密码刚被修改", "the password was changed meanwhile", field="old_password")
    await replace_password(work.session, user, new_hash, keep_session=actor.session_id)


async def replace_password(
    session: AsyncSession, user: tables.UserRow, password_hash: str, *, keep_session: str | None = None
) -> None:
    """Store another hash; whatever was opened with the old password, or could replace the new one, is void."""
    user.password_hash = password_hash
    await session.flush()
    await tables.end_sessions(session, user.id, but=keep_session)
    await session.execute(
        update(tables.PasswordResetRow)
        .where(tables.PasswordResetRow.user_id == user.id, tables.PasswordResetRow.used_at.is_(None))
        .values(used_at=utc_now())
    )


class ResetDelivery(Protocol):
    """How a reset token reaches the user whose password it replaces, and nobody else."""

    async def deliver(self, user: tables.UserRow, token: str, expires_at: datetime) -> None: ...


class FileDelivery:
    """A private file for each user, overwritten by the next token; a program of the operator's sends it."""

    def __init__(self, data_dir: Path) -> None:
        self.directory = data_dir / "password-resets"

    async def deliver(self, user: tables.UserRow, token: str, expires_at: datetime) -> None:
        letter = {
            "username": user.username,
            "email": user.email,
            "token": token,
            "expires_at": expires_at.isoformat(),
        }
        await asyncio.to_thread(self._write, user.id, json.dumps(letter, ensure_ascii=False))

    def _write(self, user_id: str, letter: str) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self.directory / f"{user_id}.json", letter)


def delivery_of(settings: Settings) -> ResetDelivery | None:
    """None where an admin hands out tokens. Raises ValueError for a setting that lacks another."""
    if settings.reset_delivery == "admin":
        return None
    if settings.data_dir is None:
        raise ValueError("REELFARM_RESET_DELIVERY=file needs REELFARM_DATA_DIR")
    return FileDelivery(settings.data_dir)


async def issue_reset(session: AsyncSession, user: tables.UserRow, ttl_s: int) -> tuple[str, datetime]:
    """A token that replaces the user's password once, and until when. Earlier ones stop working."""
    now = utc_now()
    await session.execute(
        update(tables.PasswordResetRow)
        .where(tables.PasswordResetRow.user_id == user.id, tables.PasswordResetRow.used_at.is_(None))
        .values(used_at=now)
    )
    token, token_hash = new_secret()
    expires_at = now + timedelta(seconds=ttl_s)
    session.add(
        tables.PasswordResetRow(id=new_id("rst"), user_id=user.id, token_hash=token_hash, expires_at=expires_at)
    )
    await session.flush()
    return token, expires_at


async def request_reset(work: Work, username: str) -> None:
    """Send the user a token, by whatever way there is; no word of whether there is such a user."""
    settings = work.services.settings
    delivery = delivery_of(settings)
    user = await tables.user_by_name(work.session, username)
    if user is None or delivery is None:
        return
    token, expires_at = await issue_reset(work.session, user, settings.password_reset_ttl_s)
    await delivery.deliver(user, token, expires_at)


async def reset(work: Work, token: str, new_password: str) -> None:
    """Replace a password by a token, which ends every session of the user. Raises InvalidParameter."""
    check_length(new_password, field="new_password")
    new_hash = await hashed(new_password)
    found = await work.session.scalar(
        select(tables.PasswordResetRow)
        .where(tables.PasswordResetRow.token_hash == hash_secret(token))
        .with_for_update()
    )
    if found is None or found.used_at is not None or found.expires_at <= utc_now():
        raise InvalidParameter("令牌无效或已过期", "the token is not valid or has expired", field="token")
    user = await tables.lock_user(work.session, found.user_id)
    if user is None:
        raise InvalidParameter("令牌无效或已过期", "the token is not valid or has expired", field="token")
    await replace_password(work.session, user, new_hash)
