"""A gang of two on the CPU: this process leads, another one follows. Gloo, and the real adapters."""

import multiprocessing
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch.distributed as dist

from models.device import Device
from models.gang import Follower, Lead


@dataclass
class Duo:
    """``device`` is the lead's; ``reason`` is set once the gang is ``broken``."""

    device: Device
    follower: BaseProcess
    broken: threading.Event
    reason: str = ""


def follow(lead: Connection, store: Path) -> None:
    Follower(lead, Device("cpu"), rank=1, size=2, store=store, on_gone=lambda: os._exit(0)).serve()


@contextmanager
def duo(folder: Path, *, settle_s: float = 5.0) -> Iterator[Duo]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=follow, args=(theirs, folder / "store"), daemon=True)
    process.start()
    theirs.close()
    made = Duo(Device("cpu"), process, threading.Event())

    def on_broken(reason: str) -> None:
        made.reason = reason
        made.broken.set()
        process.kill()  # as whoever holds a gang does; it lets this process out of a collective call, too

    made.device.gang = Lead([ours], folder / "store", on_broken=on_broken, settle_s=settle_s)
    try:
        yield made
    finally:
        process.kill()
        process.join()
        ours.close()
        if dist.is_initialized():
            dist.destroy_process_group()
