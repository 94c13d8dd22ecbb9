"""An api process that hangs in the middle of a transaction keeps its locks for a while, and not for ever."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from control_plane import app, reactions
from control_plane.work import Services, Work, unit_of_work
from models.specs import MusicSpec
from runtime.settings import Settings
from scheduler import queue
from scheduler.outage import is_outage
from scheduler.task import FinishedTask, NewTask

APPLIED: list[str] = []


@reactions.reaction("tests.hung")
async def note(work: Work, task: FinishedTask) -> None:
    APPLIED.append(task.id)


@asynccontextmanager
async def process(settings: Settings) -> AsyncIterator[Services]:
    services = app.make_services(settings)
    yield services
    await services.redis.aclose()
    await services.database.close()


async def test_what_it_was_applying_is_applied_by_another(
    database_url: str, embedded_redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.model_validate(
        {
            "database_url": database_url,
            "redis_url": embedded_redis_url,
            "artifacts_url": f"file://{tmp_path}/artifacts",
            "secret_key": "test secret of more than thirty-two characters",
        }
    )
    monkeypatch.setattr(app, "IDLE_IN_TRANSACTION_TIMEOUT_S", 0.5)
    async with process(settings) as hung, process(settings) as other:
        async with unit_of_work(hung) as work:
            job_id = await queue.create_job(work.session, kind="test", project_id="", tenant_id="t")
            task = NewTask("music", MusicSpec(duration_s=1), "m", job_id, "", "t", "tests.hung", "")
            tasks = await queue.enqueue(work.session, [task, task])
            await queue.cancel_job(work.session, job_id)

        with pytest.raises(DBAPIError) as raised:
            async with unit_of_work(hung, applies_result=True) as work:
                assert await queue.claim_finished(work.session) is not None
                await _until(other, lambda: sorted(APPLIED) == sorted(tasks))
                await queue.mark_applied(work.session, tasks[0])
        assert is_outage(raised.value)  # so that it claims again, and finds nothing left


async def _until(services: Services, done: Callable[[], bool]) -> None:
    """Apply until it is done. The job's lock is waited for: it is the other's until that one is given up."""
    async with asyncio.timeout(60):
        while not done():
            await reactions.apply_next(services)
