"""Applying finished tasks to the product: each exactly once, in one transaction with what follows from it.

A module registers its reactions by name; the queue row of a task names the one to call. Any api process may apply any
task: the row is claimed with SKIP LOCKED, and its project is locked before its reaction decides anything.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from control_plane.moderation.outputs import moderated
from control_plane.projects.tables import lock_project
from control_plane.quota import service as quota
from control_plane.work import Services, Work, unit_of_work
from monitoring.metrics import REACTIONS
from monitoring.tracing import bind, traced
from runtime import redis as channels
from scheduler import queue
from scheduler.outage import is_outage
from scheduler.task import FinishedTask, OutcomeClass, TaskState

log = structlog.get_logger(__name__)

Reaction = Callable[[Work, FinishedTask], Awaitable[None]]
_REACTIONS: dict[str, Reaction] = {}
_POLL_S = 1.0
_AFTER_ERROR_S = 1.0


def reaction(name: str) -> Callable[[Reaction], Reaction]:
    """Register the function that applies tasks whose ``reaction`` is ``name``."""

    def register(function: Reaction) -> Reaction:
        if name in _REACTIONS:
            raise ValueError(f"two reactions are called {name}")
        _REACTIONS[name] = function
        return function

    return register


async def drop(work: Work, task: FinishedTask) -> None:
    """Nobody wants a task's result any more, so nobody pays for it."""
    await quota.settle(work, task.id, succeeded=False)


async def apply_next(services: Services) -> bool:
    """Apply one finished task; False when there is none."""
    with traced():
        return await _apply_next(services)


async def _apply_next(services: Services) -> bool:
    claimed: FinishedTask | None = None
    try:
        async with unit_of_work(services, applies_result=True) as work:
            claimed = await queue.claim_finished(work.session)
            if claimed is None:
                return False
            bind(task_id=claimed.id, job_id=claimed.job_id, project_id=claimed.project_id)
            task = await moderated(services, claimed)
            if claimed.project_id and await lock_project(work.session, claimed.project_id) is None:
                await drop(work, claimed)  # its project was deleted meanwhile
            else:
                await _REACTIONS[claimed.reaction](work, task)
                await quota.settle(work, claimed.id, succeeded=task.state is TaskState.SUCCEEDED)
            await queue.mark_applied(work.session, claimed.id)
        REACTIONS.labels(claimed.reaction, "applied").inc()
    except Exception as error:
        # Whatever a reaction raises, the transaction is gone and the task must not block the ones behind it. A
        # database that is away, or that broke a deadlock, is no fault of the reaction: the caller tries again.
        if claimed is None or (isinstance(error, SQLAlchemyError) and is_outage(error)):
            raise
        log.exception("reaction failed", reaction=claimed.reaction)
        async with services.database.transaction() as session:
            quarantined = await queue.record_reaction_failure(session, claimed.id, repr(error)[:2000])
        REACTIONS.labels(claimed.reaction, "quarantined" if quarantined else "failed").inc()
        if quarantined:
            await _give_up(services, claimed)
    return True


async def _give_up(services: Services, task: FinishedTask) -> None:
    """A result that cannot be applied counts as failed: whoever waits for it is told, and nothing is charged."""
    failed = replace(
        task,
        state=TaskState.FAILED,
        outcome=OutcomeClass.TASK,
        result=None,
        error_message="the result cannot be applied",
    )
    async with unit_of_work(services, applies_result=True) as work:
        if task.project_id:
            await lock_project(work.session, task.project_id)
        try:
            async with work.session.begin_nested():
                await _REACTIONS[task.reaction](work, failed)
        except Exception:  # the reaction is broken altogether; its reservation is still given back
            log.exception("reaction cannot even fail", reaction=task.reaction)
        await quota.settle(work, task.id, succeeded=False)


async def apply_finished_tasks(services: Services) -> None:
    """Run until cancelled: apply what finished, woken by Redis or a slow poll."""
    wake = asyncio.Event()
    listener = asyncio.create_task(_listen(services, wake))
    try:
        while True:
            try:
                while await apply_next(services):
                    pass
            except (SQLAlchemyError, OSError) as error:
                log.warning("database is away, reactions wait", error=str(error))
                await asyncio.sleep(_AFTER_ERROR_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL_S):
                    await wake.wait()
            wake.clear()
    finally:
        listener.cancel()


async def _listen(services: Services, wake: asyncio.Event) -> None:
    while True:
        try:
            async with channels.subscribed(services.redis, channels.WAKE_REACTIONS) as messages:
                async for _ in messages:
                    wake.set()
        except (RedisError, OSError) as error:
            log.info("redis is away, reactions poll", error=str(error))
            await asyncio.sleep(_AFTER_ERROR_S)
