"""Farms to hold against the port, each with tasks that go on until the test lets them end."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Protocol, TypeVar

from farm.fleet import RayFarm
from farm.worker import WorkerConfig
from scheduler.ports import Assignment, AttemptId, Farm, FarmEvent
from scheduler.testing import FakeFarm
from tests.integration.farm.adapters import Script

E = TypeVar("E", bound=FarmEvent)


class Rig(Protocol):
    """``farm`` is attached and runs, with two slots on one node."""

    farm: Farm

    def assignment(self, task_id: str, epoch: int = 1) -> Assignment:
        """Of a task that goes on until it is released or cancelled."""
        ...

    async def release(self, task_id: str) -> None:
        """Let the task succeed."""
        ...

    def executions(self) -> Counter[AttemptId]:
        """How often attempts were begun."""
        ...

    async def take_over(self) -> None:
        """The process that had the farm is gone; ``farm`` is its successor's, attached and running."""
        ...


async def event(farm: Farm, kind: type[E]) -> E:
    """The next event of a kind; those before it are not wanted."""
    async with asyncio.timeout(60):
        while True:
            found = await farm.events.get()
            if isinstance(found, kind):
                return found


def _assignment(task_id: str, epoch: int, script: Script) -> Assignment:
    spec = script.spec().model_dump(mode="json")
    return Assignment(task_id, epoch, "speech", "stage", spec, "job", "prj", task_id, "tests.nothing", {})


class FakeRig:
    farm: FakeFarm

    def __init__(self) -> None:
        self.farm = FakeFarm(slots=2)

    async def attach(self) -> None:
        await self.farm.attach(1, lambda: True)

    def assignment(self, task_id: str, epoch: int = 1) -> Assignment:
        return _assignment(task_id, epoch, Script(log="", name=task_id))

    async def release(self, task_id: str) -> None:
        self.farm.finish(task_id)

    def executions(self) -> Counter[AttemptId]:
        return Counter(self.farm.executions)

    async def take_over(self) -> None:
        await self.attach()


class RayRig:
    farm: RayFarm

    def __init__(self, address: str, config: WorkerConfig, root: Path) -> None:
        self._address = address
        self._config = config
        self._root = root
        self._log = root / "executions"
        self._generation = 0
        self._running: asyncio.Task[None] | None = None

    async def attach(self) -> None:
        self._generation += 1
        self.farm = RayFarm(self._address, self._config)
        await self.farm.attach(self._generation, lambda: True)
        self._running = asyncio.create_task(self.farm.run())

    def assignment(self, task_id: str, epoch: int = 1) -> Assignment:
        script = Script(log=str(self._log), name=f"{task_id}/{epoch}", until=str(self._root / f"{task_id}.end"))
        return _assignment(task_id, epoch, script)

    async def release(self, task_id: str) -> None:
        (self._root / f"{task_id}.end").touch()

    def executions(self) -> Counter[AttemptId]:
        lines = self._log.read_text(encoding="utf-8").splitlines() if self._log.exists() else []
        begun = (line.split()[0].split("/") for line in lines)
        return Counter((task_id, int(epoch)) for task_id, epoch in begun)

    async def take_over(self) -> None:
        await self.detach()
        await self.attach()

    async def detach(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        await self.farm.close()
