"""`reelfarm farm` on a farm of real Ray workers."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import orjson

from control_plane.farm import service
from scheduler.task import TaskState
from tests.integration.farm.conftest import Stage, eventually
from tests.integration.farm.test_processes import is_dead


async def reelfarm(stage: Stage, *arguments: str) -> str:
    """What the command says; it knows no more of the farm than its database."""
    command = [sys.executable, "-m", "control_plane.cli", "farm", *arguments]
    return await asyncio.to_thread(
        lambda: (
            subprocess.run(
                command, env=stage.environment, check=True, capture_output=True, text=True, timeout=60
            ).stdout
        )
    )


async def until_status(stage: Stage, wanted: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
    async def ask() -> dict[str, Any] | None:
        async with stage.database.transaction() as session:
            status = (await service.status(session)).model_dump(mode="json", exclude_none=True)
        return status if wanted(status) else None

    found = await eventually(ask, what)
    assert found is not None
    return found


def worker_of(status: dict[str, Any], worker_id: str) -> dict[str, Any]:
    return next(worker for worker in status["workers"] if worker["id"] == worker_id)


async def test_an_operator_drains_restarts_and_takes_back_a_worker(stage: Stage) -> None:
    scheduler = stage.start_scheduler()
    end = stage.root / "end"
    await stage.enqueue(*(stage.script(name, until=str(end)) for name in ("first", "second")))
    await stage.begun("first")
    await stage.begun("second")
    status = await until_status(
        stage, lambda found: [worker["state"] for worker in found["workers"]] == ["busy", "busy"], "both are busy"
    )
    (node,) = status["nodes"]
    assert {worker["node_id"] for worker in status["workers"]} == {node["id"]}
    assert node["address"] == "127.0.0.1"
    chosen = next(worker for worker in status["workers"] if worker["task_label"] == "first")
    pid = stage.pid_of("first")

    assert chosen["id"] in await reelfarm(stage, "drain", chosen["id"], "--reason", "its fan is loud")
    await until_status(stage, lambda found: worker_of(found, chosen["id"])["state"] == "draining", "it drains")
    # Orders are rows: a scheduler that never heard them given follows them.
    scheduler.kill()
    scheduler.wait()
    stage.start_scheduler()
    await reelfarm(stage, "restart", chosen["id"], "--now")

    def restarted(found: dict[str, Any]) -> bool:
        worker = worker_of(found, chosen["id"])
        return worker["name"] != chosen["name"] and worker["state"] == "drained" and "done_at" in worker["restart"]

    await until_status(stage, restarted, "a fresh process has the slot, and is drained")
    assert is_dead(pid)
    shown = orjson.loads(await reelfarm(stage, "status", "--json"))
    assert worker_of(shown, chosen["id"])["drain"]["reason"] == "its fan is loud"
    end.touch()
    assert {task.state for task in await stage.settled()} == {TaskState.SUCCEEDED}
    assert stage.executions() == {"first": 2, "second": 1}
    assert stage.pid_of("first") == stage.pid_of("second")

    await stage.enqueue(*(stage.script(f"later-{n}") for n in range(4)))
    await stage.settled()
    assert {stage.pid_of(f"later-{n}") for n in range(4)} == {stage.pid_of("second")}

    await reelfarm(stage, "undrain", chosen["id"])
    await until_status(stage, lambda found: worker_of(found, chosen["id"])["state"] == "idle", "it is taken back")
    await stage.enqueue(*(stage.script(f"again-{n}", steps=10, step_s=0.1) for n in range(2)))
    await stage.settled()
    pids = {stage.pid_of(f"again-{n}") for n in range(2)}
    assert len(pids) == 2
    os.kill(max(pids), 0)


async def test_a_worker_says_which_models_it_has_in_memory(stage: Stage) -> None:
    stage.start_scheduler()
    await stage.enqueue(stage.script("one"))
    await stage.settled()
    status = await until_status(
        stage, lambda found: any(worker["models"] for worker in found["workers"]), "a worker has a model"
    )
    assert [worker["models"] for worker in status["workers"] if worker["models"]] == [["stage"]]
