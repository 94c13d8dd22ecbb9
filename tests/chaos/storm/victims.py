"""Workers that can be hurt, and what was done to whom: only that excuses a second execution."""

import math
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from runtime.embedded.process import ProcessRecord, boot_id
from tests.chaos.storm.executions import Execution, executing_workers
from tests.chaos.storm.parts import LEASE_S


@dataclass(frozen=True)
class Worker:
    name: str
    process: ProcessRecord

    def signal(self, number: signal.Signals) -> None:
        if self.process.is_alive():
            os.kill(self.process.pid, number)


def living_workers(data_dir: Path) -> list[Worker]:
    """Those that noted themselves and live, by name."""
    found = []
    for note in sorted((data_dir / "scratch" / "workers").glob("*.json")):
        try:
            told = orjson.loads(note.read_bytes())
        except FileNotFoundError:  # buried between the two looks
            continue
        worker = Worker(note.stem, ProcessRecord(told["pid"], told["start_ticks"], boot_id()))
        if worker.process.is_alive():
            found.append(worker)
    return found


def busy_workers(data_dir: Path, log: Path) -> list[Worker]:
    """Those that execute something, and so have something to lose."""
    executing = executing_workers(log)
    return [worker for worker in living_workers(data_dir) if worker.name in executing]


@dataclass(frozen=True)
class Hurt:
    """``whom`` is a worker's name or a node's id. What it begins later than ``until`` is not excused by it."""

    whom: str
    how: str
    until: float = math.inf


@dataclass
class Record:
    hurts: list[Hurt] = field(default_factory=list)

    def note(self, whom: str, how: str) -> None:
        """To be called before it is done."""
        self.hurts.append(Hurt(whom, how))

    def note_pause(self, whom: str, stopped_at: float) -> None:
        """To be called when it goes on. It keeps its task and is no excuse, unless it took as long as a lease lasts."""
        if time.monotonic() - stopped_at > LEASE_S / 2:
            self.hurts.append(Hurt(whom, "paused for long", time.monotonic()))

    def excuses(self, execution: Execution) -> bool:
        """Whether what it ran on was hurt, so that it may never have been heard of again."""
        return any(
            hurt.whom in {execution.worker, node_of(execution.worker)} and hurt.until >= execution.begun_at
            for hurt in self.hurts
        )


def node_of(worker: str) -> str:
    """The id of the node in a worker's name."""
    return worker.split(":")[1]
