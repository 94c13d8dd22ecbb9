"""How fast the farm gives out tasks that do nothing, beside bare calls of as many Ray actors.

    python -m benchmarks.dispatch [--runs 3] [--json]

Starts a PostgreSQL with fsync, a Redis, a Ray cluster of two nodes with four slots each, and a scheduler process:
leases, epochs, attempts and events are on. First tasks come at 100 per second, and it is measured how long each waits
from its row to its attempt's; then as many come at once, and it is measured how many end per second. The bare calls are
made of the same cluster in the same run.
"""

import argparse
import asyncio
import math
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from sqlalchemy import func, select

from benchmarks.report import median, show
from benchmarks.servers import REPOSITORY, servers
from models.catalog import Model
from models.interfaces import Report
from models.specs import ScriptResult, ScriptSpec, ScriptStep
from runtime.database import Database
from runtime.embedded.ray_head import DRIVER_ENVIRONMENT
from runtime.redis import connect
from scheduler import queue
from scheduler.tables import AttemptRow, TaskRow
from scheduler.task import NewTask, TaskState

NODES, SLOTS_PER_NODE = 2, 4
TASKS = 1000
PER_SECOND = 100.0
PATIENCE_S = 120.0
CATALOG = """[[model]]
id = "nothing"
display_name = "Nothing"
tasks = ["script"]
adapter = "benchmarks.dispatch:Nothing"
license = "Apache-2.0"
"""
NOTES = {
    "p50_ms": "from a task's row to its attempt's, at 100 tasks/s: median (goal: up to 15)",
    "p99_ms": "the same: 99th percentile (goal: up to 60)",
    "tasks_per_s": "tasks that came at once, from the first one's row to the last one's end (goal: from 250)",
    "bare_ray_per_s": "the limit: calls that do nothing, one at a time to each of as many bare actors",
    "vs_bare_ray": "the former over the latter",
}


class Nothing:
    """A writer of nothing."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def load(self) -> None:
        return

    def unload(self) -> None:
        return

    def write(self, spec: ScriptSpec, report: Report) -> ScriptResult:
        return ScriptResult()


@contextmanager
def farm() -> Iterator[dict[str, str]]:
    """The environment of a scheduler with all that it needs; this process is a driver of its cluster."""
    os.environ.update({name: value for name, value in DRIVER_ENVIRONMENT.items() if name != "RAY_AUTH_MODE"})
    os.environ["PYTHONPATH"] = str(REPOSITORY)
    import ray
    from ray.cluster_utils import Cluster

    with ExitStack() as stack:
        root, _, environment = stack.enter_context(servers())
        node = {"num_cpus": SLOTS_PER_NODE, "object_store_memory": 80_000_000}
        cluster = Cluster(initialize_head=True, head_node_args=node)
        stack.callback(cluster.shutdown)
        for _ in range(NODES - 1):
            cluster.add_node(**node)
        cluster.connect()
        stack.callback(ray.shutdown)
        (root / "catalog.toml").write_text(CATALOG, encoding="utf-8")
        yield environment | {
            "REELFARM_RAY_ADDRESS": cluster.address,
            "REELFARM_CATALOG": str(root / "catalog.toml"),
            "REELFARM_LOG_LEVEL": "WARNING",
        }


@contextmanager
def scheduler(environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "scheduler"], env=environment)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


class Bench:
    """Puts tasks into the queue, and reads from it how they fared."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._database = Database(environment["REELFARM_DATABASE_URL"])
        self._redis = connect(environment["REELFARM_REDIS_URL"])
        self._job_id = ""

    async def close(self) -> None:
        await self._redis.aclose()
        await self._database.close()

    async def begin(self) -> None:
        async with self._database.transaction() as session:
            self._job_id = await queue.create_job(session, kind="bench", project_id="prj", tenant_id="tnt")

    async def enqueue(self, count: int) -> None:
        spec = ScriptSpec(step=ScriptStep.SCENES, input_type="text", content="x")
        task = NewTask("script", spec, "nothing", self._job_id, "prj", "tnt", "benchmarks.nothing", "task")
        async with self._database.transaction() as session:
            await queue.enqueue(session, [task] * count)
        await queue.wake_scheduler(self._redis)

    async def ended(self, count: int) -> None:
        """Raises TimeoutError."""
        ended = select(func.count()).where(TaskRow.job_id == self._job_id, TaskRow.state == TaskState.SUCCEEDED.value)
        async with asyncio.timeout(PATIENCE_S):
            while True:
                async with self._database.transaction() as session:
                    if await session.scalar(ended) == count:
                        return
                await asyncio.sleep(0.1)

    async def waits_ms(self) -> list[float]:
        wait = func.extract("epoch", AttemptRow.started_at - TaskRow.created_at) * 1000
        async with self._database.transaction() as session:
            rows = await session.scalars(
                select(wait).join(TaskRow).where(TaskRow.job_id == self._job_id).order_by(wait)
            )
            return [float(row) for row in rows]

    async def tasks_per_s(self) -> float:
        taken = func.extract("epoch", func.max(TaskRow.finished_at) - func.min(TaskRow.created_at))
        async with self._database.transaction() as session:
            seconds, count = (
                await session.execute(select(taken, func.count()).where(TaskRow.job_id == self._job_id))
            ).one()
        return count / float(seconds)


async def measure(environment: dict[str, str], runs: int) -> dict[str, list[float]]:
    bench = Bench(environment)
    taken: dict[str, list[float]] = {name: [] for name in NOTES}
    await bench.begin()
    await bench.enqueue(100)
    await bench.ended(100)  # by now every worker is there and warm
    for _ in range(runs):
        await bench.begin()
        begun = time.monotonic()
        for number in range(TASKS):
            await asyncio.sleep(begun + number / PER_SECOND - time.monotonic())
            await bench.enqueue(1)
        await bench.ended(TASKS)
        waits_ms = await bench.waits_ms()
        taken["p50_ms"].append(statistics.median(waits_ms))
        taken["p99_ms"].append(waits_ms[math.ceil(0.99 * len(waits_ms)) - 1])
        await bench.begin()
        await bench.enqueue(TASKS)
        await bench.ended(TASKS)
        taken["tasks_per_s"].append(await bench.tasks_per_s())
        taken["bare_ray_per_s"].append(await asyncio.to_thread(bare_calls_per_s))
        taken["vs_bare_ray"].append(taken["tasks_per_s"][-1] / taken["bare_ray_per_s"][-1])
    await bench.close()
    return taken


def bare_calls_per_s() -> float:
    import ray

    @ray.remote(num_cpus=0)
    class Bare:
        def call(self) -> None:
            return

    actors = [Bare.remote() for _ in range(NODES * SLOTS_PER_NODE)]
    ray.get([actor.call.remote() for actor in actors])
    begun = time.monotonic()
    running = {actor.call.remote(): actor for actor in actors}
    for _ in range(TASKS):
        (done,), _ = ray.wait(list(running))
        actor = running.pop(done)
        running[actor.call.remote()] = actor
    seconds = time.monotonic() - begun
    for actor in actors:
        ray.kill(actor)
    return TASKS / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with farm() as environment, scheduler(environment):
        taken = asyncio.run(measure(environment, options.runs))
    figures = {name: round(median(values), 3 if name == "vs_bare_ray" else 1) for name, values in taken.items()}
    show("Dispatch", figures, NOTES, as_json=options.json)


if __name__ == "__main__":
    main()
