"""One unit of work: a transaction and what is to be told to others once it is committed.

A request or a reaction gets one. Everything it writes, the queue's tasks and the event rows included, commits at once
or not at all; Redis hears of it only afterwards, since readers act on what they are told.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import orjson
import redis.asyncio
import structlog
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.errors import ApiError
from control_plane.web.signing import Signer
from models.catalog import Catalog
from runtime import redis as channels
from runtime.artifacts import ArtifactStore
from runtime.database import Database, utc_now
from runtime.settings import Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Services:
    """What the control plane runs on; made once by app.py."""

    settings: Settings
    database: Database
    redis: redis.asyncio.Redis
    store: ArtifactStore
    catalog: Catalog
    signer: Signer
    clock: Callable[[], datetime] = utc_now
    """By which days of quota begin and end."""


@dataclass
class Work:
    session: AsyncSession
    services: Services
    wakes_scheduler: bool = False
    events: dict[str, int] = field(default_factory=dict)
    """Project id to the last event sequence written."""
    before_commit: dict[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    """What is to be written last, once per key, when everything else of this work is."""
    if_refused: list[Callable[["Work"], Awaitable[None]]] = field(default_factory=list)
    """What a work of its own writes if an ApiError undoes this one."""

    async def announce(self) -> None:
        """Tell Redis what was committed. Losing it is harmless: every reader also polls."""
        try:
            if self.wakes_scheduler:
                await self.services.redis.publish(channels.WAKE_SCHEDULER, b"{}")
            for project_id, seq in self.events.items():
                message = orjson.dumps({"project_id": project_id, "seq": seq})
                await self.services.redis.publish(channels.EVENTS, message)
        except (RedisError, OSError) as error:
            log.warning("redis is away, readers will poll", error=str(error))


@asynccontextmanager
async def unit_of_work(services: Services) -> AsyncIterator[Work]:
    work: Work | None = None
    try:
        async with services.database.transaction() as session:
            work = Work(session, services)
            yield work
            for write in work.before_commit.values():
                await write()
    except ApiError:
        if work is not None and work.if_refused:
            async with unit_of_work(services) as later:
                for tell in work.if_refused:
                    await tell(later)
        raise
    await work.announce()
