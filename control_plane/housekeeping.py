"""What one api process does now and then for all: collect files nobody needs, and delete rows whose time is over."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import structlog
from obstore.exceptions import BaseError as ObstoreError
from sqlalchemy import CursorResult, delete, or_, text
from sqlalchemy.exc import SQLAlchemyError

from control_plane.accounts.tables import SessionRow
from control_plane.artifacts.collector import collect
from control_plane.events.tables import EventRow
from control_plane.web.idempotency import IdempotencyRow
from control_plane.work import Services
from runtime.database import utc_now

log = structlog.get_logger(__name__)

_LOCK = 0x686F757365
_ENDED_SESSION_LIFE = timedelta(days=1)
"""So that whoever comes with an old token is told that the session has ended."""


async def keep_house(services: Services) -> None:
    """Run until cancelled. What fails is tried again in the next round."""
    while True:
        await asyncio.sleep(services.settings.collect_interval_s)
        try:
            await run_once(services, utc_now())
        except (SQLAlchemyError, ObstoreError, OSError) as error:
            log.warning("housekeeping failed, it is tried again", error=str(error))


async def run_once(services: Services, now: datetime) -> bool:
    """One round; False where another process is at it."""
    # The lock is its connection's, without a transaction that would keep PostgreSQL from cleaning up meanwhile.
    async with services.database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        if not await connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK}):
            return False
        try:
            deleted = await delete_expired(services, now)
            collected = await collect(services, now)
        finally:
            await connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
    log.info("housekeeping", **deleted, **vars(collected))
    return True


async def delete_expired(services: Services, now: datetime) -> dict[str, int]:
    """Idempotency keys, sessions and events whose time is over; how many of each."""
    settings = services.settings
    idempotency_before = now - timedelta(seconds=settings.idempotency_retention_s)
    events_before = now - timedelta(seconds=settings.event_retention_s)
    sessions_before = now - _ENDED_SESSION_LIFE
    statements: dict[str, Any] = {
        "idempotency_keys": delete(IdempotencyRow).where(IdempotencyRow.created_at < idempotency_before),
        "sessions": delete(SessionRow).where(
            or_(SessionRow.expires_at < sessions_before, SessionRow.revoked_at < sessions_before)
        ),
        "events": delete(EventRow).where(EventRow.created_at < events_before),
    }
    deleted = {}
    for name, statement in statements.items():
        async with services.database.transaction() as session:
            result = await session.execute(statement.execution_options(synchronize_session=False))
            deleted[name] = result.rowcount if isinstance(result, CursorResult) else 0
    return deleted
