"""A result is applied exactly once; one that cannot be blocks nothing."""

import asyncio

import pytest
from sqlalchemy import text

from control_plane import reactions
from control_plane.work import Work, unit_of_work
from models.specs import MusicSpec
from scheduler import queue
from scheduler.task import FinishedTask, NewTask
from tests.integration.control_plane.conftest import Plane

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLS: list[str] = []


@reactions.reaction("tests.broken")
async def broken(work: Work, task: FinishedTask) -> None:
    CALLS.append(task.id)
    await work.session.execute(text("UPDATE jobs SET kind = 'half done' WHERE id = :id"), {"id": task.job_id})
    raise LookupError("a bug")


@reactions.reaction("tests.counting")
async def counting(work: Work, task: FinishedTask) -> None:
    CALLS.append(task.id)


async def enqueue(plane: Plane, *names: str) -> list[str]:
    async with unit_of_work(plane.services) as work:
        job_id = await queue.create_job(work.session, kind="test", project_id="", tenant_id="t")
        work.wakes_scheduler = True
        return await queue.enqueue(
            work.session,
            [
                NewTask(
                    kind="music",
                    spec=MusicSpec(duration_s=1),
                    model="draft-music",
                    job_id=job_id,
                    project_id="",
                    tenant_id="t",
                    reaction=name,
                    label=name,
                )
                for name in names
            ],
        )


async def applied(plane: Plane, task_id: str, column: str = "applied_at") -> None:
    async with asyncio.timeout(30):
        while True:
            async with plane.services.database.transaction() as session:
                if await session.scalar(text(f"SELECT {column} FROM tasks WHERE id = :id"), {"id": task_id}):
                    return
            await asyncio.sleep(0.05)


async def test_a_reaction_that_fails_is_quarantined_and_blocks_nothing(plane: Plane) -> None:
    bad, good = await enqueue(plane, "tests.broken", "tests.counting")
    await applied(plane, good)
    await applied(plane, bad, "quarantined_at")
    assert CALLS.count(bad) in {3, 4}  # three tries, and one to fail it
    assert CALLS.count(good) == 1
    async with plane.services.database.transaction() as session:
        row = (
            await session.execute(
                text("SELECT t.reaction_error, j.kind FROM tasks t JOIN jobs j ON j.id = t.job_id WHERE t.id = :id"),
                {"id": bad},
            )
        ).one()
    assert "a bug" in row.reaction_error
    assert row.kind == "test"  # nothing of a failed application stays


async def test_many_processes_apply_each_result_once(plane: Plane) -> None:
    tasks = await enqueue(plane, *["tests.counting"] * 12)
    others = [asyncio.create_task(reactions.apply_finished_tasks(plane.services)) for _ in range(3)]
    for task in tasks:
        await applied(plane, task)
    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    assert [CALLS.count(task) for task in tasks] == [1] * 12


async def test_metrics_show_the_queue_and_the_requests(plane: Plane) -> None:
    await plane.new_user("watcher")
    (task,) = await enqueue(plane, "tests.counting")
    await applied(plane, task)
    async with plane.anonymous.session.get(f"{plane.anonymous.url}/metrics") as answer:
        body = await answer.text()
    assert answer.status == 200
    assert 'reelfarm_tasks_finished_total{kind="music",outcome="succeeded"}' in body
    assert 'reelfarm_http_request_seconds_count{method="POST",route="/api/v1/auth/login",status="200"}' in body
    assert "tsk_" not in body
    assert "usr_" not in body
