"""Questions to Ray that block: the head may go between being asked and answering."""

import asyncio
import threading
from pathlib import Path

import pytest

from farm import fleet
from farm.cluster import Cluster, Slot, ask
from farm.worker import WorkerConfig
from models.sources import Usage
from scheduler.ports import FarmLostError


async def listen() -> asyncio.Server:
    return await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)


def address_of(server: asyncio.Server) -> str:
    return f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def worker_config(tmp_path: Path, *, catalog: Path | None = None) -> WorkerConfig:
    return WorkerConfig(
        redis_url="redis://127.0.0.1:1/0",
        artifacts_url=f"file://{tmp_path}",
        catalog=catalog,
        usage=Usage(),
        models_dir=tmp_path,
        vram_gb=None,
        host_models_gb=None,
        scratch_dir=tmp_path,
        cache_max_bytes=1,
        budget_scale=1.0,
        log_level="INFO",
    )


async def test_the_head_that_goes_while_a_question_is_open_is_told_and_nothing_waits_for_the_answer() -> None:
    server = await listen()
    asked, never = threading.Event(), threading.Event()

    def question() -> None:
        asked.set()
        never.wait()

    asking = asyncio.create_task(ask(address_of(server), question))
    await asyncio.to_thread(asked.wait)
    server.close()
    try:
        with pytest.raises(FarmLostError):
            await asking
        assert all(thread.daemon for thread in threading.enumerate() if thread.name == "ask-ray")
    finally:
        never.set()


async def test_an_answer_and_an_error_arrive_as_they_are() -> None:
    async with await listen() as server:
        assert await ask(address_of(server), lambda: 3) == 3
        with pytest.raises(ZeroDivisionError):
            await ask(address_of(server), lambda: 1 // 0)


async def test_no_question_is_put_to_a_head_that_is_gone() -> None:
    server = await listen()
    address = address_of(server)
    server.close()
    with pytest.raises(FarmLostError):
        await ask(address, lambda: pytest.fail("it was asked"))


async def test_a_worker_that_ray_never_registers_does_not_hold_up_the_fleet(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Ray's own answer to a new worker, as measured, when the head goes just after it was asked for its nodes."""
    server = await listen()
    asked, never = threading.Event(), threading.Event()

    def create(*_: object) -> None:
        asked.set()
        never.wait()

    slot = Slot("node", "cpu", 0)
    monkeypatch.setattr(fleet, "own_node_id", lambda: "node")
    monkeypatch.setattr(fleet, "_survey", lambda: Cluster({"node": "127.0.0.1"}, (slot,)))
    monkeypatch.setattr(fleet, "_find_workers", list)
    monkeypatch.setattr(fleet, "_create", create)
    farm = fleet.RayFarm(address_of(server), worker_config(tmp_path))
    await farm.attach(1, lambda: True)
    running = asyncio.create_task(farm.run())
    await asyncio.to_thread(asked.wait, 20)
    server.close()
    try:
        with pytest.RaisesGroup(FarmLostError, allow_unwrapped=True, flatten_subgroups=True):
            await asyncio.wait_for(running, 20)
    finally:
        never.set()
