"""How soon a scheduler that is started anew has the running attempts again.

    python -m benchmarks.restart [--runs 5] [--json]

Starts a PostgreSQL, a Redis, a Ray and a scheduler, and lets a task run on. Then the scheduler is ended and another
started, in turn by SIGTERM, after which it makes way at once, and by kill -9, after which its successor waits for the
leader's row to expire. Nothing may run twice.
"""

import argparse
import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import orjson

from benchmarks.report import median, show
from benchmarks.servers import REPOSITORY, servers
from runtime.database import Database
from runtime.embedded.process import wait_until
from runtime.embedded.ray_head import RayHead
from scheduler import queue
from scheduler.task import NewTask
from tests.integration.farm.adapters import Script
from tests.integration.farm.conftest import CATALOG

PATIENCE_S = 60.0
UP, TAKEN_UP = "scheduler starts", "attempt taken up again"
NOTES = {
    "restart_s": "after SIGTERM: from the new process being up to its first attempt taken up again (goal: under 2)",
    "kill_s": "the same after kill -9 (goal: under 2)",
    "restart_with_boot_s": "after SIGTERM: from starting the process, its imports included",
    "kill_with_boot_s": "the same after kill -9",
    "boot_s": "of it, until the process is up: Python with all that the scheduler imports",
    "executions": "how often the task was begun in all (goal: 1)",
}


class Scheduler:
    """One scheduler process; what it logs is when it happened."""

    def __init__(self, log: Path, environment: dict[str, str]) -> None:
        self._log = log
        self.started_at = time.time()
        with log.open("wb") as stream:
            self.process = subprocess.Popen([sys.executable, "-m", "scheduler"], env=environment, stderr=stream)

    def when(self, event: str) -> float:
        """The moment of its first line of that kind, in seconds since 1970. Raises TimeoutError."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            for line in self._log.read_bytes().splitlines():
                if line.startswith(b"{") and (found := orjson.loads(line))["event"] == event:
                    return datetime.fromisoformat(found["timestamp"]).timestamp()
            time.sleep(0.01)
        raise TimeoutError(f"no {event!r} in {self._log}")

    def end(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        self.process.wait()


def begin(environment: dict[str, str], log: Path, end: Path) -> None:
    """Queue a task that goes on until ``end`` exists, and wait until it runs. Raises TimeoutError."""
    asyncio.run(enqueue(environment, Script(log=str(log), name="task", until=str(end))))
    if not wait_until(log.exists, PATIENCE_S):
        raise TimeoutError("the task does not begin")


async def enqueue(environment: dict[str, str], script: Script) -> None:
    database = Database(environment["REELFARM_DATABASE_URL"])
    async with database.transaction() as session:
        job_id = await queue.create_job(session, kind="bench", project_id="prj", tenant_id="tnt")
        task = NewTask("speech", script.spec(), "stage", job_id, "prj", "tnt", "benchmarks.nothing", "task")
        await queue.enqueue(session, [task])
    await database.close()


@contextmanager
def farm() -> Iterator[tuple[Path, dict[str, str]]]:
    """A directory, and the environment of a scheduler with all that it needs."""
    with servers() as (root, run_dir, environment):
        head = RayHead(run_dir, cpu_workers=2, log=root / "ray.log", extra_environment={"PYTHONPATH": str(REPOSITORY)})
        head.start()
        try:
            yield (
                root,
                {
                    **environment,
                    **head.environment,
                    "REELFARM_RAY_ADDRESS": head.address,
                    "REELFARM_CATALOG": str(CATALOG),
                },
            )
        finally:
            head.stop()


def measure(runs: int) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in NOTES if name != "executions"}
    with farm() as (root, environment):
        executions = root / "executions"
        scheduler = Scheduler(root / "first.log", environment)
        begin(environment, executions, root / "end")
        for run in range(runs):
            for name, number in (("restart", signal.SIGTERM), ("kill", signal.SIGKILL)):
                scheduler.end(number)
                scheduler = Scheduler(root / f"{name}-{run}.log", environment)
                taken_up = scheduler.when(TAKEN_UP)
                taken[f"{name}_s"].append(taken_up - scheduler.when(UP))
                taken[f"{name}_with_boot_s"].append(taken_up - scheduler.started_at)
                taken["boot_s"].append(scheduler.when(UP) - scheduler.started_at)
        begun = len(executions.read_text(encoding="utf-8").splitlines())
        (root / "end").touch()
        scheduler.end(signal.SIGTERM)
    return {name: median(values) for name, values in taken.items()} | {"executions": begun}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    show("Restart of the scheduler", measure(options.runs), NOTES, as_json=options.json)


if __name__ == "__main__":
    main()
