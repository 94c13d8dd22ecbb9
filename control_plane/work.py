"""One unit of work: a transaction and what is to be told to others once it is committed.

A request or a reaction gets one. Everything it writes, the queue's tasks and the event rows included, commits at once
or not at all; Redis hears of it only afterwards, since readers act on what they are told.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson
import redis.asyncio
import structlog
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.web.signing import Signer
from models.catalog import Catalog
from runtime import redis as channels
from runtime.artifacts import ArtifactStore
from runtime.database import Database
from runtime.settings import Settings
from scheduler.task import NewTask

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


@dataclass
class Work:
    session: AsyncSession
    services: Services
    wakes_scheduler: bool = False
    events: dict[str, int] = field(default_factory=dict)
    """Project id to the last event sequence written."""
    queued: list[tuple[NewTask, str]] = field(default_factory=list)
    """The tasks queued, with their ids."""

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
    async with services.database.transaction() as session:
        work = Work(session, services)
        yield work
    work.log_queued()
    await work.announce()
