"""One unit of work: a transaction and what is to be told to others once it is committed.

A request or a reaction gets one. Everything it writes, the queue's tasks and the event rows included, commits at once
or not at all; Redis hears of it only afterwards, since readers act on what they are told.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import redis.asyncio
import structlog
from obstore.exceptions import BaseError as ObstoreError
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.errors import ApiError
from control_plane.moderation.hook import Moderator
from control_plane.web.signing import Signer
from models.catalog import Catalog
from runtime import redis as channels
from runtime.artifacts import ArtifactStore
from runtime.database import Database, PreparedQuery, utc_now
from runtime.settings import Settings
from scheduler.task import NewTask

STORE = "artifact store"
"""Where a session's ``info`` holds the store, for those who check that a file is still there."""

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
    moderator: Moderator | None = None
    clock: Callable[[], datetime] = utc_now
    """By which days of quota begin and end."""


@dataclass
class Work:
    """Without a session of a transaction, it only reads: through a session of its own, opened when it is asked for."""

    transaction: AsyncSession | None
    services: Services
    wakes_scheduler: bool = False
    applies_result: bool = False
    """Whether this goes on with work that was started before; limits on starting something do not stop it."""
    events: dict[str, int] = field(default_factory=dict)
    """Project id to the last event sequence written."""
    queued: list[tuple[NewTask, str]] = field(default_factory=list)
    """The tasks queued, with their ids."""
    before_commit: dict[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    """What is to be written last, once per key, when everything else of this work is."""
    if_refused: list[Callable[["Work"], Awaitable[None]]] = field(default_factory=list)
    """What a work of its own writes if an ApiError undoes this one."""
    _afterwards: list[Callable[[], Awaitable[object]]] = field(default_factory=list)
    _reader: AsyncSession | None = None

    @property
    def session(self) -> AsyncSession:
        if self.transaction is not None:
            return self.transaction
        if self._reader is None:
            self._reader = self.services.database.reader()
            self._reader.info[STORE] = self.services.store
        return self._reader

    async def fetch_one(self, query: PreparedQuery, **parameters: Any) -> Any:
        """The first row as this work sees it, if any; its columns are attributes."""
        if self.transaction is None:
            return await self.services.database.fetch_one(query, **parameters)
        return (await self.transaction.execute(query.statement, parameters)).first()

    async def close_reader(self) -> None:
        if self._reader is not None:
            await self._reader.close()

    def note_queued(self, tasks: Sequence[NewTask], ids: Sequence[str]) -> None:
        """Tasks were inserted: once that is committed, the log says so and the scheduler is woken."""
        self.queued.extend(zip(tasks, ids, strict=True))
        self.wakes_scheduler = True

    def log_queued(self) -> None:
        """A line for each job. Logged here, it carries the id of the request or the task that queued them."""
        by_job: dict[tuple[str, str], list[str]] = {}
        for task, task_id in self.queued:
            by_job.setdefault((task.job_id, task.project_id), []).append(task_id)
        for (job_id, project_id), task_ids in by_job.items():
            log.info("tasks queued", job_id=job_id, project_id=project_id, task_ids=task_ids)

    def afterwards(self, act: Callable[[], Awaitable[object]]) -> None:
        """Clean up in the object store once everything has committed. It may be lost in a crash, or fail: what it
        would have removed is garbage that the collector finds."""
        self._afterwards.append(act)

    async def clean_up(self) -> None:
        for act in self._afterwards:
            try:
                await act()
            except (ObstoreError, OSError) as error:
                log.warning("left to the collector", error=str(error))

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
async def unit_of_work(services: Services, *, applies_result: bool = False) -> AsyncIterator[Work]:
    work: Work | None = None
    try:
        async with services.database.transaction() as session:
            session.info[STORE] = services.store
            work = Work(session, services, applies_result=applies_result)
            yield work
            for write in work.before_commit.values():
                await write()
    except ApiError:
        if work is not None and work.if_refused:
            async with unit_of_work(services) as later:
                for tell in work.if_refused:
                    await tell(later)
        raise
    work.log_queued()
    await work.announce()
    await work.clean_up()


@asynccontextmanager
async def reading_work(services: Services) -> AsyncIterator[Work]:
    """For what changes nothing: each statement for itself, without a transaction."""
    work = Work(None, services)
    try:
        yield work
    finally:
        await work.close_reader()
