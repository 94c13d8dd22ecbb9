"""Tasks for tests of the queue, brought to where a test wants them."""

from typing import Any

from models.specs import SpeechSpec
from runtime.database import Database
from scheduler import ledger, queue
from scheduler.ports import AttemptReport
from scheduler.tables import TaskRow
from scheduler.task import NewTask, OutcomeClass, TaskState

SPEC = SpeechSpec(text="hello", language="en", voice="v")


def new_task(job_id: str, label: str = "t", **fields: Any) -> NewTask:
    return NewTask(
        **{
            "kind": "speech",
            "spec": SPEC,
            "model": "m",
            "job_id": job_id,
            "project_id": "prj_1",
            "tenant_id": "tnt_1",
            "reaction": "r",
            "label": label,
            **fields,
        }
    )


async def enqueue(database: Database, count: int = 1, **fields: Any) -> tuple[str, list[str]]:
    async with database.transaction() as session:
        job_id = await queue.create_job(session, kind="test", project_id="prj_1", tenant_id="tnt_1")
        return job_id, await queue.enqueue(session, [new_task(job_id, f"t{n}", **fields) for n in range(count)])


async def start(database: Database, *task_ids: str) -> list[ledger.RunningAttempt]:
    async with database.transaction() as session:
        return await ledger.start_attempts(
            session, [(task_id, f"w-{task_id}") for task_id in task_ids], generation=1, lease_s=10
        )


def report(
    task_id: str, epoch: int = 1, outcome: OutcomeClass = OutcomeClass.SUCCEEDED, **fields: Any
) -> AttemptReport:
    return AttemptReport(task_id=task_id, epoch=epoch, worker="w", outcome=outcome, **fields)


async def commit(database: Database, ended: AttemptReport, max_attempts: int = 3) -> TaskState | None:
    async with database.transaction() as session:
        verdict = (await ledger.commit_outcomes(session, [ended], max_attempts=max_attempts))[ended.attempt]
    return None if verdict is None else verdict.state


async def finish(database: Database, *task_ids: str, **fields: Any) -> None:
    await start(database, *task_ids)
    for task_id in task_ids:
        assert await commit(database, report(task_id, **fields)) is TaskState.SUCCEEDED


async def row(database: Database, task_id: str) -> TaskRow:
    async with database.transaction() as session:
        return await session.get_one(TaskRow, task_id)
