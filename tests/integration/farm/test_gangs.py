"""Gangs on a real Ray whose node says that it has three GPUs, two of which are one."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import orjson
import pytest
import ray
from ray.cluster_utils import Cluster
from ray.util.placement_group import placement_group_table

from control_plane.farm import service
from farm import cluster, gangs
from farm.cluster import Slot, survey
from farm.fleet import slot_of, worker_name
from farm.process import end_process, work_root
from models.specs import VideoSpec
from pipelines.context import describe
from pipelines.media.frames import jpeg
from runtime.artifacts import ArtifactStore
from runtime.embedded.ray_head import RayHead
from scheduler.ports import Place
from scheduler.task import OutcomeClass, TaskState
from tests.conftest import REPOSITORY
from tests.integration.farm.conftest import Stage, eventually
from tests.integration.farm.test_processes import is_dead
from tests.tiny.animators import build_wan

pytestmark = pytest.mark.timeout(240)

CATALOG = Path(__file__).with_name("gangs.toml")
GANG = Place("gpu", 2)


@pytest.fixture(scope="module")
def machine(ray_head: RayHead) -> Iterator[Cluster]:
    """Its own Ray, with the token of the other one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(REPOSITORY), os.environ.get("PYTHONPATH")))))
        made = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 1,
                "num_gpus": 3,
                "resources": {"gang_of_2": 1},
                "object_store_memory": 80_000_000,
                "include_dashboard": False,
            },
        )
        yield made
        made.shutdown()


@pytest.fixture
def stage_environment(stage_environment: dict[str, str], machine: Cluster) -> Iterator[dict[str, str]]:
    """This process is a driver in the farm's namespace, to look at Ray's books."""
    namespace = uuid4().hex
    cluster.connect(machine.address, namespace)
    yield {
        **stage_environment,
        "REELFARM_RAY_ADDRESS": machine.address,
        "REELFARM_RAY_NAMESPACE": namespace,
        "REELFARM_CATALOG": str(CATALOG),
    }
    for worker in gangs.reserved():
        gangs.release(worker)
    ray.shutdown()


async def groups() -> list[dict[str, Any]]:
    """The placement groups that hold something, or will."""
    table = await asyncio.to_thread(placement_group_table)
    return [group for group in table.values() if group["state"] != "REMOVED"]


def notes(stage: Stage) -> dict[str, int]:
    """The processes of workers, by what they are noted as."""
    folder = Path(stage.environment["REELFARM_DATA_DIR"]) / "scratch" / "workers"
    return {path.stem: orjson.loads(path.read_bytes())["pid"] for path in folder.glob("*.json")}


async def staffed(stage: Stage, *, without: str = "") -> list[Any]:
    """The workers, once every slot has one that is not the one named."""

    async def all_there() -> list[Any]:
        async with stage.database.transaction() as session:
            workers = (await service.status(session)).workers
        idle = [worker for worker in workers if worker.state == "idle" and worker.name != without]
        return idle if len(idle) == 3 else []

    return await eventually(all_there, "every slot has a worker")


FILM = """
[[model]]
id = "warm"
display_name = "Warm"
tasks = ["speech"]
adapter = "tests.integration.farm.gang_adapters:Warm"
device = "gpu"
gpus = 2
license = "x"

[[model]]
id = "wan"
display_name = "Wan"
tasks = ["image_to_video"]
adapter = "tests.integration.farm.gang_adapters:OnTheCpu"
device = "gpu"
gpus = 2
license = "x"
vram_gb = 0.1
weights.path = "wan"
[model.options]
pipeline = "WanImageToVideoPipeline"
dtype = "float32"
offload = "none"
steps = 2
guidance_scale = 3.0
fps = 8
max_frames = 9
max_pixels = 6144
preview_every = 1
"""


def test_slots_are_told_apart_by_name() -> None:
    for slot in (Slot("ab" * 28, "gpu", 1), Slot("ab" * 28, "gpu", 1, 4), Slot("ab" * 28, "cpu", 14)):
        assert slot_of(worker_name(slot, "x")) == slot
    assert str(Slot("ab" * 28, "gpu", 1, 4)) == "abababababab-gpu1x4"


def test_the_end_of_a_worker_is_known_once_all_of_its_gang_are_dead(tmp_path: Path) -> None:
    # Their names begin alike; a worker's own ends in an incarnation of one length.
    script = "import sys, time; from farm import process; from pathlib import Path;"
    script += "process.note_process(Path(sys.argv[1]), sys.argv[2]); print(flush=True); time.sleep(600)"
    names = ["w:gpu:0x3:a", "w:gpu:0x3:a.1", "w:gpu:0x3:a.2", "w:gpu:0x3:b", "w:gpu:0x3:b.1"]
    processes = {}
    for name in names:
        command = [sys.executable, "-c", script, str(tmp_path), name]
        processes[name] = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        for process in processes.values():
            assert process.stdout is not None
            process.stdout.readline()
        processes["w:gpu:0x3:a"].kill()
        processes["w:gpu:0x3:a.2"].send_signal(signal.SIGSTOP)
        assert end_process(tmp_path, "w:gpu:0x3:a")
        assert {name for name, process in processes.items() if is_dead(process.pid)} == set(names[:3])
        assert {path.stem for path in (tmp_path / "workers").iterdir()} == set(names[3:])
    finally:
        for process in processes.values():
            process.kill()
            process.wait()


@pytest.mark.parametrize(
    ("offered", "slots"),
    [
        ({"GPU": 8.0, "gang_of_4": 1.0}, {"gpu0x4": 1, "gpu": 4}),
        ({"GPU": 8.0, "gang_of_4": 1.0, "gang_of_2": 2.0}, {"gpu0x4": 1, "gpu0x2": 1, "gpu1x2": 1}),
        ({"GPU": 3.0, "gang_of_4": 1.0, "gang_of_x": 1.0, "gang_of_1": 3.0}, {"gpu": 3}),
        ({"CPU": 1.0, "gang_of_2": 1.0}, {"cpu": 1}),
    ],
)
def test_what_a_node_offers(offered: dict[str, float], slots: dict[str, int]) -> None:
    found = [str(slot).partition("-")[2] for slot in cluster._slots("ab" * 28, offered)]
    assert len(set(found)) == len(found)
    assert Counter(name if "x" in name else name.rstrip("0123456789") for name in found) == slots


async def test_a_gang_is_one_slot_over_one_group_and_a_task_of_its_model_one_attempt(stage: Stage) -> None:
    stage.start_scheduler()
    workers = await staffed(stage)
    node = workers[0].node_id
    assert {worker.id for worker in workers} == {f"{node}-cpu0", f"{node}-gpu0", f"{node}-gpu0x2"}
    (group,) = await groups()
    assert (group["state"], group["strategy"]) == ("CREATED", "STRICT_PACK")
    assert group["bundles"] == {0: {"GPU": 1.0, "gang_of_2": 1.0}, 1: {"GPU": 1.0}}
    assert len(set(group["bundles_to_node_id"].values())) == 1
    assert [slot.place for slot in (await asyncio.to_thread(survey)).slots].count(GANG) == 1
    names = ["both", "both-again", "one"]
    ids = [
        *await stage.enqueue(stage.script("both"), stage.script("both-again"), model="duet"),
        *await stage.enqueue(stage.script("one"), model="solo"),
    ]
    assert {task.state for task in await stage.settled()} == {TaskState.SUCCEEDED}
    assert stage.executions() == Counter(names)
    by_task = {name: await stage.attempts(task_id) for name, task_id in zip(names, ids, strict=True)}
    gang = next(worker.name for worker in workers if worker.id.endswith("x2"))
    assert [attempt.worker for name in names[:2] for attempt in by_task[name]] == [gang, gang]
    assert [":gpu:0:" in attempt.worker for attempt in by_task["one"]] == [True]


@pytest.mark.parametrize("busy", [True, False])
async def test_a_rank_that_is_killed_takes_its_gang_along_and_the_slot_is_staffed_again(
    stage: Stage, busy: bool
) -> None:
    stage.start_scheduler()
    gang = next(worker.name for worker in await staffed(stage) if worker.id.endswith("x2"))
    (before,) = await groups()
    lead, rank = notes(stage)[gang], notes(stage)[f"{gang}.1"]
    if busy:
        end = stage.root / "end"
        (task_id,) = await stage.enqueue(stage.script("both", until=str(end)), model="duet")
        await stage.begun("both")
        assert stage.pid_of("both") == lead
    os.kill(rank, signal.SIGKILL)

    async def ended() -> bool:
        return is_dead(lead) and gang not in notes(stage)

    await eventually(ended, "the lead ends with its rank")
    if busy:
        await stage.begun("both", times=2)
        end.touch()
        await stage.settled()
        first, second = await stage.attempts(task_id)
        assert (first.outcome, second.outcome) == (OutcomeClass.WORKER, OutcomeClass.SUCCEEDED)
        assert (await stage.row(task_id)).task_failures == 0
    await staffed(stage, without=gang)
    (after,) = await groups()
    assert after["placement_group_id"] != before["placement_group_id"]
    assert not [name for name in notes(stage) if name.startswith(gang)]


async def test_a_lead_that_is_killed_leaves_no_rank(stage: Stage) -> None:
    stage.start_scheduler()
    gang = next(worker.name for worker in await staffed(stage) if worker.id.endswith("x2"))
    lead, rank = notes(stage)[gang], notes(stage)[f"{gang}.1"]
    os.kill(rank, signal.SIGSTOP)  # or it would end by itself
    os.kill(lead, signal.SIGKILL)

    async def ended() -> bool:
        return is_dead(rank)

    await eventually(ended, "the rank is ended")

    await staffed(stage, without=gang)
    assert len(await groups()) == 1


async def test_gpus_that_a_scheduler_held_for_a_worker_that_it_never_made_are_given_back(stage: Stage) -> None:
    slot = next(slot for slot in (await asyncio.to_thread(survey)).slots if slot.place == GANG)
    left = worker_name(slot, "0never0made")
    group = await asyncio.to_thread(gangs.reserve, left, slot)
    await asyncio.to_thread(group.wait, 30)
    stage.start_scheduler()
    await staffed(stage)
    held = await asyncio.to_thread(gangs.reserved)
    assert len(held) == 1
    assert left not in held


async def test_a_scheduler_that_is_killed_finds_its_gang_again(stage: Stage) -> None:
    first = stage.start_scheduler()
    gang = next(worker.name for worker in await staffed(stage) if worker.id.endswith("x2"))
    end = stage.root / "end"
    (task_id,) = await stage.enqueue(stage.script("both", until=str(end)), model="duet")
    await stage.begun("both")
    first.kill()
    first.wait()
    stage.start_scheduler()

    async def taken_over() -> bool:
        return await stage.generation() == 2

    await eventually(taken_over, "another scheduler leads")
    end.touch()
    await stage.settled()
    (attempt,) = await stage.attempts(task_id)
    assert (attempt.worker, attempt.outcome) == (gang, OutcomeClass.SUCCEEDED)
    assert await asyncio.to_thread(gangs.reserved) == {gang}


async def test_a_film_is_made_by_a_gang(stage: Stage, tmp_path: Path) -> None:
    """All of it but the GPUs: two processes of a tiny Wan, which talk over Gloo."""
    build_wan(tmp_path / "wan")
    (tmp_path / "film.toml").write_text(FILM)
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(jpeg(np.full((72, 128, 3), 90, np.uint8)))
    key = describe(picture, "image/jpeg").key
    ArtifactStore(stage.environment["REELFARM_ARTIFACTS_URL"]).keep_file(key, picture)
    scheduler = stage.start_scheduler(REELFARM_CATALOG=str(tmp_path / "film.toml"), REELFARM_VRAM_GB="1")
    gang = next(worker.name for worker in await staffed(stage) if worker.id.endswith("x2"))
    await stage.enqueue(stage.script("first"), model="warm")
    await stage.settled()
    spec = VideoSpec(image_key=key, prompt="a cat", duration_s=0.5, fps=8, width=128, height=72, seed=3)
    ids = [
        *await stage.enqueue(stage.script("film"), model="wan", kind="image_to_video", spec=spec),
        *await stage.enqueue(stage.script("film"), model="wan", kind="image_to_video", spec=spec),
    ]
    await stage.settled()
    rows = [await stage.row(task_id) for task_id in ids]
    assert [(row.state, row.error_message) for row in rows] == [("succeeded", None)] * 2
    assert [row.result["video"] for row in rows if row.result] == [rows[0].result["video"]] * 2  # type: ignore[index]
    assert (work_root(Path(stage.environment["REELFARM_DATA_DIR"]) / "scratch", gang) / "gang").exists()
    assert scheduler.poll() is None
