"""A scheduler process of its own over a real Ray, and what a test asks of it."""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from sqlalchemy import select

from farm.attempt import Bench
from farm.cache import ArtifactCache
from farm.reporter import Reporter
from models.catalog_file import load_catalog
from runtime.artifacts import ArtifactStore
from runtime.database import Database
from runtime.embedded.ray_head import RayHead
from runtime.redis import connect
from scheduler import queue
from scheduler.tables import AttemptRow, LeaderRow, TaskRow
from scheduler.task import NewTask, TaskView
from tests.integration.farm.adapters import Script
from tests.residency import cpu_residency

T = TypeVar("T")
NOBODY = "redis://127.0.0.1:1/0"
CATALOG = Path(__file__).with_name("catalog.toml")


PATIENCE_S = 100.0
"""Nothing is judged by how fast it is; what takes this long will not come."""


async def eventually(ask: Callable[[], Coroutine[Any, Any, T]], what: str, *, within_s: float = PATIENCE_S) -> T:
    """Ask until the answer is true; fail the test when that takes too long."""
    async with asyncio.timeout(within_s) as limit:
        try:
            while not (answer := await ask()):  # noqa: ASYNC110 - the condition is in another process
                await asyncio.sleep(0.02)
        except asyncio.CancelledError:
            if limit.expired():
                pytest.fail(f"not within {within_s} s: {what}")
            raise
    return answer


class Stage:
    """One test's jobs, schedulers and workers, apart from every other test's."""

    def __init__(self, database: Database, redis_url: str, environment: dict[str, str], root: Path) -> None:
        self.database = database
        self.redis = connect(redis_url)
        self.root = root
        self.environment = environment
        self.execution_log = root / "executions"
        self.schedulers: list[subprocess.Popen[bytes]] = []
        self.job_ids: list[str] = []

    def start_scheduler(self, *, module: str = "scheduler", **environment: str) -> subprocess.Popen[bytes]:
        with (self.root / f"scheduler-{len(self.schedulers)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module],
                env={**self.environment, **environment},
                stderr=log,
                stdout=log,
            )
        self.schedulers.append(process)
        return process

    async def enqueue(self, *scripts: Script, **fields: Any) -> list[str]:
        async with self.database.transaction() as session:
            job_id = await queue.create_job(session, kind="test", project_id="prj_1", tenant_id="tnt_1")
            ids = await queue.enqueue(session, [self.task(script, job_id, **fields) for script in scripts])
        self.job_ids.append(job_id)
        await queue.wake_scheduler(self.redis)
        return ids

    def task(self, script: Script, job_id: str, **fields: Any) -> NewTask:
        return NewTask(
            **{
                "kind": "speech",
                "spec": script.spec(),
                "model": "stage",
                "job_id": job_id,
                "project_id": "prj_1",
                "tenant_id": "tnt_1",
                "reaction": "tests.nothing",
                "label": script.name,
                **fields,
            }
        )

    def script(self, name: str, **fields: Any) -> Script:
        return Script(log=str(self.execution_log), name=name, **fields)

    def executions(self) -> Counter[str]:
        """How often each script was begun."""
        return Counter(name for name, _ in self._executions())

    def pid_of(self, name: str) -> int:
        """The process that began the script last."""
        return [pid for begun, pid in self._executions() if begun == name][-1]

    def _executions(self) -> list[tuple[str, int]]:
        if not self.execution_log.exists():
            return []
        lines = self.execution_log.read_text(encoding="utf-8").splitlines()
        return [(name, int(pid)) for name, pid in (line.split() for line in lines)]

    async def tasks(self) -> list[TaskView]:
        async with self.database.transaction() as session:
            return [task for job_id in self.job_ids for task in await queue.list_tasks(session, job_id)]

    async def row(self, task_id: str) -> TaskRow:
        async with self.database.transaction() as session:
            return await session.get_one(TaskRow, task_id)

    async def attempts(self, task_id: str) -> Sequence[AttemptRow]:
        async with self.database.transaction() as session:
            rows = await session.scalars(
                select(AttemptRow).where(AttemptRow.task_id == task_id).order_by(AttemptRow.epoch)
            )
            return rows.all()

    async def generation(self) -> int:
        async with self.database.transaction() as session:
            return await session.scalar(select(LeaderRow.generation)) or 0

    async def begun(self, name: str, times: int = 1) -> None:
        async def enough() -> bool:
            return self.executions()[name] >= times

        await eventually(enough, f"{name} begins {times} times")

    async def settled(self, *, within_s: float = PATIENCE_S) -> list[TaskView]:
        async def all_ended() -> list[TaskView]:
            tasks = await self.tasks()
            return tasks if all(task.finished_at for task in tasks) else []

        return await eventually(all_ended, "every task ends", within_s=within_s)

    def end(self) -> None:
        for process in self.schedulers:
            process.kill()
            process.wait()
        # The workers would take the next test's slots, also those that Ray has yet to make.
        address, namespace = self.environment["REELFARM_RAY_ADDRESS"], self.environment["REELFARM_RAY_NAMESPACE"]
        subprocess.run(
            [sys.executable, "-m", "tests.integration.farm.clear", address, namespace],
            env=self.environment,
            check=True,
            timeout=60,
        )


@pytest.fixture
def stage_environment(database_url: str, embedded_redis_url: str, ray_head: RayHead, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        **ray_head.environment,
        "REELFARM_DATABASE_URL": database_url,
        "REELFARM_REDIS_URL": embedded_redis_url,
        "REELFARM_ARTIFACTS_URL": f"file://{tmp_path / 'artifacts'}",
        "REELFARM_RAY_ADDRESS": ray_head.address,
        "REELFARM_RAY_NAMESPACE": uuid4().hex,
        "REELFARM_DATA_DIR": str(tmp_path / "data"),
        "REELFARM_CATALOG": str(CATALOG),
        "REELFARM_LEASE_S": "3",
        "REELFARM_PHASE_BUDGET_SCALE": "0.1",
    }


@pytest.fixture
async def stage(
    database: Database, embedded_redis_url: str, stage_environment: dict[str, str], tmp_path: Path
) -> AsyncIterator[Stage]:
    made = Stage(database, embedded_redis_url, stage_environment, tmp_path)
    yield made
    await made.redis.aclose()
    made.end()


@pytest.fixture
def bench(artifacts: ArtifactStore, tmp_path: Path) -> Bench:
    return Bench(
        worker="w",
        store=artifacts,
        cache=ArtifactCache(artifacts, tmp_path / "cache", max_bytes=10**9),
        catalog=load_catalog(CATALOG),
        residency=cpu_residency(tmp_path),
        models_dir=tmp_path / "models",
        reporter=Reporter(NOBODY),
        work_root=tmp_path / "work",
        budget_scale=0.5,
    )
