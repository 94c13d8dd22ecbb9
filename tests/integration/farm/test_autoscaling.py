"""An autoscaling farm: what the cluster is told, and which workers leave."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import ray
from ray._private.ray_constants import AUTOSCALER_RESOURCE_REQUEST_CHANNEL
from ray.experimental.internal_kv import _internal_kv_get

from control_plane.farm import service
from farm import cluster
from farm.fleet import RayFarm
from runtime.database import Database
from runtime.embedded.ray_head import RayHead
from scheduler.ports import Place
from scheduler.task import TaskState, WorkerState
from scheduler.testing import FakeFarm
from tests.integration.farm.conftest import Stage, eventually
from tests.integration.farm.tasks import enqueue
from tests.integration.farm.test_cluster import worker_config
from tests.integration.farm.test_loop import CONFIG, scheduling, until, until_running, until_state
from tests.integration.farm.test_orders import is_in, until_seen

CPU = Place("cpu")
AUTOSCALES = replace(CONFIG, autoscales=True, idle_node_s=0.3, scale_interval_s=0.05)


async def test_the_cluster_is_told_what_waits_and_runs_and_at_the_end_that_nothing_does(database: Database) -> None:
    farm = FakeFarm(slots=1)
    _, ids = await enqueue(database, 3)
    async with scheduling(database, farm, config=AUTOSCALES):
        await until(lambda: {CPU: 3} in farm.demanded, "three slots are wanted")
        for task_id in ids:
            await until_running(farm, task_id)
            farm.finish(task_id)
        await until(lambda: farm.demanded[-1] == {}, "nothing is wanted")


async def test_idle_nodes_are_left_and_taken_back_when_they_are_needed(database: Database) -> None:
    farm = FakeFarm(slots=4, nodes=2)
    _, (first,) = await enqueue(database)
    async with scheduling(database, farm, config=AUTOSCALES):
        busy = farm.workers[await until_running(farm, first)].node
        (other,) = {"node0", "node1"} - {busy}
        await until(lambda: {worker.node for worker in farm.workers.values()} == {busy}, "the idle node is left")
        _, ids = await enqueue(database, 3)
        for task_id in ids:
            await until_running(farm, task_id)
        assert {worker.node for worker in farm.workers.values()} == {busy, other}
        for task_id in (first, *ids):
            farm.finish(task_id)
            assert (await until_state(database, task_id, TaskState.SUCCEEDED)).epoch == 1


async def test_a_cluster_that_does_not_autoscale_is_told_nothing_and_keeps_its_workers(database: Database) -> None:
    farm = FakeFarm(slots=1)
    async with scheduling(database, farm, config=replace(AUTOSCALES, autoscales=False)):
        await until_seen(database, "node0-cpu0", is_in(WorkerState.IDLE))
    assert farm.demanded == []
    assert list(farm.workers) == ["0.0"]


async def test_ray_is_asked_for_a_bundle_for_each_slot_and_for_none(ray_head: RayHead, tmp_path: Path) -> None:
    cluster.connect(ray_head.address, "test")
    try:
        farm = RayFarm(ray_head.address, worker_config(tmp_path))
        await farm.demand({CPU: 2, Place("gpu"): 1, Place("gpu", 4): 1})
        assert await asked_of_ray() == [{"CPU": 1}, {"CPU": 1}, {"GPU": 1}, {"GPU": 4, "gang_of_4": 1}]
        await farm.demand({})
        assert await asked_of_ray() == []
    finally:
        ray.shutdown()


async def asked_of_ray() -> Any:
    """What the head's control store keeps for the autoscaler."""
    return orjson.loads(await asyncio.to_thread(_internal_kv_get, AUTOSCALER_RESOURCE_REQUEST_CHANNEL))


async def test_real_workers_leave_an_idle_node_and_come_back_for_a_task(stage: Stage) -> None:
    stage.start_scheduler(REELFARM_AUTOSCALE="true", REELFARM_IDLE_NODE_S="0")

    async def states() -> list[str]:
        async with stage.database.transaction() as session:
            return [worker.state for worker in (await service.status(session)).workers]

    async def left() -> bool:
        return await states() == ["lost", "lost"]

    await eventually(left, "both workers leave")
    await stage.enqueue(stage.script("one"))
    assert {task.state for task in await stage.settled()} == {TaskState.SUCCEEDED}
    assert stage.executions() == {"one": 1}
