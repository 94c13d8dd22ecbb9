"""``Idempotency-Key``: the same request sent twice is carried out once and answered alike.

The key's row is written in the request's own transaction, so it exists exactly when the effect does; a second request
with the same key waits on the row until the first has committed or rolled back. An answer is given again without
asking what its user may do by then, so whoever takes something away from a user forgets the user's answers too.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, ForeignKey, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from control_plane.errors import AlreadyExists, InvalidParameter
from runtime.database import Base, utc_now

MAX_KEY_LENGTH = 200


class IdempotencyRow(Base):
    __tablename__ = "idempotency_keys"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    answer: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


def fingerprint(secret_key: str, route: str, path: str, arguments: Sequence[BaseModel]) -> str:
    """What tells a request from another. Keyed, since a plain hash of a request that holds a password could be tried
    against guesses by whoever reads the database."""
    key = hashlib.sha256(b"reelfarm.idempotency:" + secret_key.encode()).digest()
    digest = hmac.new(key, f"{route}\n{path}\n".encode(), hashlib.sha256)
    for argument in arguments:
        digest.update(argument.model_dump_json().encode())
    return digest.hexdigest()


async def forget_answers(session: AsyncSession, user_id: str) -> None:
    """To be called first by a transaction that lowers what a user may do. A request under way, whose answer is not
    there yet, is waited for and forgotten as well."""
    await session.execute(select(func.pg_advisory_xact_lock(_lock_of(user_id))))
    # Without an answer is the key of this very request.
    await session.execute(
        delete(IdempotencyRow).where(IdempotencyRow.user_id == user_id, IdempotencyRow.answer.is_not(None))
    )


def _lock_of(user_id: str) -> ColumnElement[int]:
    # Not the user's row: whoever makes something in a team locks that after the team's, and who leaves a team before.
    return func.hashtextextended(f"answers of {user_id}", 0)


async def once(
    session: AsyncSession,
    user_id: str,
    key: str,
    request_fingerprint: str,
    response: type[BaseModel],
    act: Callable[[], Awaitable[BaseModel | None]],
    secrets: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> BaseModel | None:
    """Act, or answer as the first request with this key was answered. A key used for something else is a conflict.

    ``secrets`` makes from the rest of an answer the fields of it that are not to be kept.
    """
    if not 0 < len(key) <= MAX_KEY_LENGTH or not key.isprintable():
        raise InvalidParameter(
            f"1 到 {MAX_KEY_LENGTH} 个可见字符", "1 to 200 printable characters", field="Idempotency-Key"
        )
    await session.execute(select(func.pg_advisory_xact_lock_shared(_lock_of(user_id))))
    row = {"user_id": user_id, "key": key, "fingerprint": request_fingerprint, "created_at": utc_now()}
    inserted = await session.execute(
        insert(IdempotencyRow).values(row).on_conflict_do_nothing().returning(IdempotencyRow.key)
    )
    if inserted.first() is None:
        earlier = await session.scalar(
            select(IdempotencyRow).where(IdempotencyRow.user_id == user_id, IdempotencyRow.key == key)
        )
        if earlier is None or earlier.fingerprint != request_fingerprint:
            raise AlreadyExists("此键已用于另一请求", "used for another request", field="Idempotency-Key")
        if earlier.answer is None:
            return None
        return response.model_validate(earlier.answer | (secrets(earlier.answer) if secrets else {}))
    answer = await act()
    # Without the signatures of its URLs: those expire, and the server may have another address by then.
    kept = None if answer is None else answer.model_dump(mode="json", exclude_none=True)
    if kept is not None and secrets is not None:
        kept = {name: value for name, value in kept.items() if name not in secrets(kept)}
    await session.execute(
        update(IdempotencyRow).where(IdempotencyRow.user_id == user_id, IdempotencyRow.key == key).values(answer=kept)
    )
    return answer
