"""The real scheduler process over a real Ray: what is killed, stopped and restarted, and what runs again for
it.

Executions are counted by the lines that they append to a file, not by the state that remains.
"""

import asyncio
import os
import shutil
import signal
import socket
from collections import Counter
from pathlib import Path

import orjson
from aiohttp import ClientSession
from sqlalchemy import select

from farm.attempt import manifest_key
from runtime.artifacts import ArtifactStore
from runtime.embedded.ray_head import RayHead
from runtime.embedded.rundir import create_run_dir
from runtime.redis import PROGRESS
from scheduler import queue
from scheduler.__main__ import EXIT_FARM_LOST
from scheduler.tables import AttemptRow
from scheduler.task import OutcomeClass, TaskState
from tests.conftest import REPOSITORY
from tests.integration.farm.conftest import PATIENCE_S, Stage, eventually


def is_dead(pid: int) -> bool:
    """Whether the process is gone, or a zombie that its parent has not looked at yet."""
    return not Path(f"/proc/{pid}").exists() or state_of(pid) in {"Z", "X"}


def state_of(pid: int) -> str:
    """As in proc(5): R runs, S sleeps, T is stopped, Z is a zombie."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def environment_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def test_kill_9_of_a_worker_runs_its_own_task_twice_and_no_other(stage: Stage) -> None:
    stage.start_scheduler()
    names = ["hit", "spared", "later-1", "later-2"]
    ids = await stage.enqueue(*(stage.script(name, steps=20, step_s=0.05) for name in names))
    await stage.begun("hit")
    await stage.begun("spared")
    os.kill(stage.pid_of("hit"), signal.SIGKILL)
    tasks = await stage.settled()
    assert {task.state for task in tasks} == {TaskState.SUCCEEDED}
    assert stage.executions() == Counter(dict.fromkeys(names, 1) | {"hit": 2})
    first, second = await stage.attempts(ids[0])
    assert (first.outcome, second.outcome) == (OutcomeClass.WORKER, OutcomeClass.SUCCEEDED)
    assert first.worker != second.worker
    assert (await stage.row(ids[0])).task_failures == 0


async def test_a_worker_that_lost_its_device_ends_and_its_task_runs_elsewhere(stage: Stage) -> None:
    stage.start_scheduler()
    (task_id,) = await stage.enqueue(stage.script("hit", ending="device_once"))
    await stage.begun("hit")
    pid = stage.pid_of("hit")
    (task,) = await stage.settled()
    assert task.state is TaskState.SUCCEEDED
    first, second = await stage.attempts(task_id)
    assert (first.outcome, second.outcome) == (OutcomeClass.WORKER, OutcomeClass.SUCCEEDED)
    assert "AcceleratorError" in (first.error_message or ""), "its manifest says why"
    assert first.worker != second.worker
    assert is_dead(pid)


async def test_kill_9_of_the_scheduler_runs_nothing_twice(stage: Stage) -> None:
    scheduler = stage.start_scheduler()
    names = ["across", "over", "after"]
    ids = await stage.enqueue(
        stage.script("across", steps=70, step_s=0.1), stage.script("over", steps=5, step_s=0.1), stage.script("after")
    )
    await stage.begun("across")
    await stage.begun("over")
    scheduler.kill()
    scheduler.wait()
    stage.start_scheduler()
    tasks = await stage.settled()
    assert {task.state for task in tasks} == {TaskState.SUCCEEDED}
    assert stage.executions() == Counter(names)
    assert [len(await stage.attempts(task_id)) for task_id in ids] == [1, 1, 1]
    assert await stage.generation() == 2


async def test_a_paused_leader_that_resumes_after_a_takeover_changes_nothing(stage: Stage) -> None:
    leader = stage.start_scheduler()
    ids = await stage.enqueue(stage.script("across", steps=70, step_s=0.1))
    await stage.begun("across")
    standby = stage.start_scheduler()
    leader.send_signal(signal.SIGSTOP)

    async def taken_over() -> bool:
        return await stage.generation() == 2

    await eventually(taken_over, "the standby takes over")
    later = await stage.enqueue(stage.script("later", steps=20, step_s=0.05))
    await stage.begun("later")
    leader.send_signal(signal.SIGCONT)
    assert {task.state for task in await stage.settled()} == {TaskState.SUCCEEDED}
    assert stage.executions() == Counter(["across", "later"])
    async with stage.database.transaction() as session:
        attempts = (await session.scalars(select(AttemptRow))).all()
    assert {attempt.task_id: attempt.generation for attempt in attempts} == {ids[0]: 1, later[0]: 2}
    assert await stage.generation() == 2
    assert leader.poll() is None, "the former leader stands by"
    assert standby.poll() is None


async def test_a_leader_paused_while_its_workers_start_leaves_them_to_its_successor(stage: Stage) -> None:
    former = stage.start_scheduler(module="tests.integration.farm.paused_while_staffing")

    async def is_stopped() -> bool:
        return state_of(former.pid) == "T"

    await eventually(is_stopped, "the leader is stopped")
    stage.start_scheduler()
    names = ["one", "two"]
    ids = await stage.enqueue(*(stage.script(name, steps=40, step_s=0.1) for name in names))
    for name in names:
        await stage.begun(name)
    former.send_signal(signal.SIGCONT)
    assert {task.state for task in await stage.settled()} == {TaskState.SUCCEEDED}
    assert stage.executions() == Counter(names)
    assert [len(await stage.attempts(task_id)) for task_id in ids] == [1, 1]
    assert former.poll() is None, "the former leader stands by"


async def test_a_leader_that_is_asked_to_stop_hands_over_at_once_and_leaves_its_workers_at_work(
    stage: Stage,
) -> None:
    leader = stage.start_scheduler()
    await stage.enqueue(stage.script("across", steps=40, step_s=0.1))
    await stage.begun("across")
    leader.terminate()
    assert await asyncio.to_thread(leader.wait, PATIENCE_S) == 0
    stage.start_scheduler()
    assert {task.state for task in await stage.settled()} == {TaskState.SUCCEEDED}
    assert stage.executions() == Counter(["across"])


async def test_a_hung_task_is_found_by_the_budget_of_its_phase(stage: Stage) -> None:
    stage.start_scheduler(REELFARM_MAX_ATTEMPTS="1")
    (task_id,) = await stage.enqueue(stage.script("stuck", ending="hang"))
    await stage.begun("stuck", times=2)
    first, _ = await stage.attempts(task_id)
    assert first.outcome == OutcomeClass.WORKER
    assert "no progress" in (first.error_message or "")
    assert "phase run" in (first.error_message or "")


async def test_a_stopped_worker_is_found_by_its_lease_and_known_dead_before_its_task_runs_again(
    stage: Stage,
) -> None:
    stage.start_scheduler()
    (task_id,) = await stage.enqueue(stage.script("stopped", steps=50, step_s=0.1))
    await stage.begun("stopped")
    pid = stage.pid_of("stopped")
    os.kill(pid, signal.SIGSTOP)
    await stage.begun("stopped", times=2)
    assert is_dead(pid)
    first, _ = await stage.attempts(task_id)
    assert "did not answer" in (first.error_message or "")
    await stage.settled()
    assert stage.executions()["stopped"] == 2


async def test_cancelling_stops_a_task_at_its_next_step_and_leaves_the_worker_alive(stage: Stage) -> None:
    stage.start_scheduler()
    (task_id,) = await stage.enqueue(stage.script("long", steps=600, step_s=0.1))
    await stage.begun("long")
    pid = stage.pid_of("long")
    async with stage.database.transaction() as session:
        await queue.cancel_job(session, stage.job_ids[0])
    await queue.wake_scheduler(stage.redis)
    (task,) = await stage.settled()
    assert task.state is TaskState.CANCELLED
    (attempt,) = await stage.attempts(task_id)
    assert attempt.outcome == OutcomeClass.CANCELLED
    os.kill(pid, 0)


async def test_failing_tasks_say_why_and_leave_a_log(stage: Stage) -> None:
    stage.start_scheduler(REELFARM_MAX_ATTEMPTS="2")
    expected = {
        "user": (OutcomeClass.USER, "nobody can say this", "text", 1),
        "fail": (OutcomeClass.TASK, "RuntimeError: the stage is on fire", None, 2),
        "nul": (OutcomeClass.TASK, "cannot be stored", None, 2),
    }
    ids = await stage.enqueue(*(stage.script(ending, ending=ending) for ending in expected))
    assert {task.state for task in await stage.settled()} == {TaskState.FAILED}
    store = ArtifactStore(stage.environment["REELFARM_ARTIFACTS_URL"])
    for task_id, (ending, (outcome, message, field, attempts)) in zip(ids, expected.items(), strict=True):
        row = await stage.row(task_id)
        assert (row.outcome, row.error_field) == (outcome, field)
        assert message in (row.error_message or "")
        assert stage.executions()[ending] == attempts
        text = store.get_bytes((await stage.attempts(task_id))[-1].log_key or "").decode()
        assert "attempt starts" in text
        assert ("the stage is on fire" in text) == (ending == "fail")


async def test_a_result_too_large_for_ray_comes_by_its_manifest(stage: Stage) -> None:
    stage.start_scheduler()
    (task_id,) = await stage.enqueue(stage.script("large", ending="big"))
    (task,) = await stage.settled()
    assert task.state is TaskState.SUCCEEDED
    row = await stage.row(task_id)
    assert row.result is not None
    assert len(row.result["words"][0]["text"]) == 200_000
    store = ArtifactStore(stage.environment["REELFARM_ARTIFACTS_URL"])
    assert orjson.loads(store.get_bytes(manifest_key((task_id, 1))))["result"] == row.result
    assert store.exists(row.result["audio"]["key"])


async def test_a_running_task_is_seen_in_redis_and_in_its_row_and_holds_no_credentials(stage: Stage) -> None:
    metrics_port = free_port()
    stage.start_scheduler(REELFARM_SCHEDULER_METRICS_PORT=str(metrics_port))
    async with stage.redis.pubsub() as subscription:
        await subscription.subscribe(PROGRESS)
        (task_id,) = await stage.enqueue(stage.script("long", steps=40, step_s=0.1), context={"clip": "c1"})
        messages = []

        async def some_progress() -> bool:
            message = await subscription.get_message(ignore_subscribe_messages=True, timeout=1)
            if message:
                messages.append(orjson.loads(message["data"]))
            return bool(messages) and messages[-1]["fraction"] > 0.2

        await eventually(some_progress, "progress is published")
    environment = environment_of(stage.pid_of("long"))
    message = messages[-1]
    assert (message["task_id"], message["project_id"], message["phase"]) == (task_id, "prj_1", "run")
    assert (message["reaction"], message["context"], message["label"]) == ("tests.nothing", {"clip": "c1"}, "long")

    async def stored() -> bool:
        row = await stage.row(task_id)
        return 0.1 < row.progress < 1 and row.phase == "run"

    await eventually(stored, "progress is stored")
    async with ClientSession() as session, session.get(f"http://127.0.0.1:{metrics_port}/metrics") as response:
        shown = await response.text()
    assert 'reelfarm_workers{device="cpu",state="busy"} 1.0' in shown
    assert 'reelfarm_queue_seconds_count{kind="speech"} 1.0' in shown
    assert task_id not in shown
    assert b"REELFARM_DATABASE_URL" not in environment
    assert b"REELFARM_SECRET_KEY" not in environment


async def test_without_redis_work_goes_on(stage: Stage) -> None:
    stage.start_scheduler(REELFARM_REDIS_URL="redis://127.0.0.1:1/0")
    await stage.enqueue(*(stage.script(f"n{n}", steps=3, step_s=0.05) for n in range(4)))
    assert {task.state for task in await stage.settled()} == {TaskState.SUCCEEDED}
    assert stage.executions() == Counter([f"n{n}" for n in range(4)])


async def test_the_end_of_the_ray_head_ends_the_scheduler_and_its_successor_runs_what_was_lost(
    stage: Stage,
) -> None:
    run_dir = create_run_dir()
    heads = [RayHead(run_dir, cpu_workers=1, extra_environment={"PYTHONPATH": str(REPOSITORY)}) for _ in range(2)]
    try:
        heads[0].start()
        scheduler = stage.start_scheduler(**heads[0].environment, REELFARM_RAY_ADDRESS=heads[0].address)
        (task_id,) = await stage.enqueue(stage.script("lost", steps=30, step_s=0.1))
        await stage.begun("lost")
        heads[0].stop()
        assert await asyncio.to_thread(scheduler.wait, PATIENCE_S) == EXIT_FARM_LOST
        heads[1].start()
        stage.start_scheduler(**heads[1].environment, REELFARM_RAY_ADDRESS=heads[1].address)
        (task,) = await stage.settled()
    finally:
        for head in heads:
            head.stop()
        shutil.rmtree(run_dir, ignore_errors=True)
    assert task.state is TaskState.SUCCEEDED
    assert [attempt.outcome for attempt in await stage.attempts(task_id)] == [
        OutcomeClass.WORKER,
        OutcomeClass.SUCCEEDED,
    ]
