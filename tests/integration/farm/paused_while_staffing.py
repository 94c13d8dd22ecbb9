"""`python -m tests.integration.farm.paused_while_staffing`: a scheduler that is stopped (SIGSTOP) once Ray has
registered the worker of its last slot, before it hears that the worker is up. Resumed, it hears from its workers
before it hears from its database.
"""

import asyncio
import os
import signal
import sys
import threading
from typing import Any

import ray

from farm import fleet
from scheduler.__main__ import main
from scheduler.leader import Leadership

_DATABASE_DELAY_S = 2.0

create, renew, fence = fleet._create, Leadership.renew, Leadership.fence
creating = threading.Lock()
resumed = threading.Event()


def create_and_pause(*args: Any) -> Any:
    with creating:
        handle = create(*args)
        if len(ray.util.list_named_actors()) == int(ray.cluster_resources()["CPU"]):
            resumed.set()
            os.kill(os.getpid(), signal.SIGSTOP)
    return handle


async def renew_late(*args: Any) -> None:
    await asyncio.sleep(_DATABASE_DELAY_S if resumed.is_set() else 0)
    await renew(*args)


async def fence_late(*args: Any) -> None:
    await asyncio.sleep(_DATABASE_DELAY_S if resumed.is_set() else 0)
    await fence(*args)


if __name__ == "__main__":
    fleet._create = create_and_pause
    Leadership.renew, Leadership.fence = renew_late, fence_late  # type: ignore[method-assign]
    sys.exit(main())
