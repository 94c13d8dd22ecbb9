"""A farm in a storm: users make films while workers, machines, schedulers, api, Redis and PostgreSQL are killed.

    python -m tests.chaos.storm [--seed N] [--tasks 200] [--minutes M] [--report FILE] [--keep]

Starts everything on this machine: a PostgreSQL, a redis-server, a Ray cluster of three machines, two api processes and
two schedulers. Every fault strikes once and as many tasks are made; with ``--minutes``, faults strike and films are
made for so long. Then it waits until all is calm, and judges. The exit status is 1 for a broken invariant, 2 when there
was no end to it.
"""

import argparse
import asyncio
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import orjson

from models.catalog_file import load_catalog
from models.sources import Usage
from runtime.embedded.ray_head import DRIVER_ENVIRONMENT
from runtime.embedded.rundir import create_run_dir
from tests.chaos.storm.customers import Customer, Orders
from tests.chaos.storm.executions import read_executions
from tests.chaos.storm.faults import Storm
from tests.chaos.storm.invariants import Evidence, Finding, judge
from tests.chaos.storm.machines import SLOTS_PER_MACHINE, Machines, cluster
from tests.chaos.storm.parts import Parts
from tests.chaos.storm.processes import adopt_orphans, bury_orphans, descendants, send
from tests.chaos.storm.truth import add_audit, count_tasks, read_truth, unfinished

T = TypeVar("T")

REPOSITORY = Path(__file__).parents[3]
MACHINES = 3
CUSTOMERS = 6
CALM_S = 150.0
"""How long what was begun may take to end once nothing goes wrong any more."""
LIMIT_S = 420.0
"""How long all of it may take, beside the minutes that were asked for."""
_TICK_S = 0.05


class Run:
    def __init__(self, parts: Parts, machines: Machines, options: argparse.Namespace) -> None:
        self.parts, self.machines = parts, machines
        self.storm = Storm(parts, machines, options.seed)
        self.begun_at = time.monotonic()
        self._minutes: float | None = options.minutes
        self._tasks: int = options.tasks
        self._made = 0
        self.give_up = threading.Event()
        orders = Orders(random.Random(options.seed), self.wanted, self.give_up)
        self.customers = [Customer(parts.urls, user, orders) for user in users()]

    def wanted(self) -> bool:
        """Whether the storm goes on: asked by the customers' threads too."""
        if self._minutes is not None:
            return time.monotonic() - self.begun_at < self._minutes * 60
        return self._made < self._tasks or any(kind not in self.storm.done for kind in self.storm.kinds)

    def _strikes(self) -> bool:
        """Once something runs, and then all the time, or until everything has happened once."""
        once = all(kind in self.storm.done for kind in self.storm.kinds)
        return self._made > 0 and (self._minutes is not None or not once)

    def weather(self) -> None:
        """Let the customers work in the storm, and wait until both have come to rest. Raises TimeoutError."""
        for customer in self.customers:
            customer.start()
        looked_at = 0.0
        while self.wanted():
            self._tick(strike=self._strikes())
            if time.monotonic() - looked_at > 1:
                looked_at = time.monotonic()
                self._made = self._asked(count_tasks) or self._made
        deadline = time.monotonic() + CALM_S
        print(f"  {time.strftime('%H:%M:%S')} calm", flush=True)
        while not self._at_rest():
            self._tick(strike=False)
            if time.monotonic() > deadline:
                raise TimeoutError(f"not at rest within {CALM_S:g} s: {self._unrest()}")

    def _tick(self, *, strike: bool) -> None:
        self.storm.step(strike=strike)
        self.parts.keep()
        bury_orphans(self.parts.pids() | self.machines.pids())
        for customer in self.customers:
            if customer.error is not None:
                raise customer.error
        time.sleep(_TICK_S)

    def _at_rest(self) -> bool:
        return not any(customer.is_alive() for customer in self.customers) and self.storm.calm and not self._unrest()

    def _unrest(self) -> dict[str, int]:
        counts = self._asked(partial(unfinished, slots=MACHINES * SLOTS_PER_MACHINE))
        if counts is None:
            return {"the database is away": 1}
        waiting = {"customers": sum(customer.is_alive() for customer in self.customers)}
        return {name: count for name, count in (counts | waiting).items() if count}

    def _asked(self, question: Callable[[str], Coroutine[Any, Any, T]]) -> T | None:
        """The database's answer; None while it is away."""
        try:
            return asyncio.run(question(self.parts.dsn))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return None


def users() -> list[str]:
    return [f"user{number}" for number in range(CUSTOMERS)]


def brave(options: argparse.Namespace, root: Path, run_dir: Path) -> bool:
    """One storm from its start to the verdict: whether everything holds."""
    from tests.chaos.storm.slots import judge_processes, judge_slots  # imports Ray, which by now has its variables

    with ExitStack() as stack:
        machines = stack.enter_context(cluster(run_dir, str(REPOSITORY), MACHINES))
        parts = Parts(root, run_dir, machines.address)
        stack.callback(parts.stop_servers)
        stack.callback(parts.stop_product)
        parts.start(users())
        asyncio.run(add_audit(parts.dsn))
        run = Run(parts, machines, options)
        stack.callback(run.give_up.set)
        run.weather()
        truth = asyncio.run(read_truth(parts.dsn))
        evidence = Evidence(
            truth,
            [film for customer in run.customers for film in customer.films],
            read_executions(parts.log),
            run.storm.record,
            parts.store,
            load_catalog(root / "catalog.toml", Usage()),
        )
        findings = judge(evidence)
        processes = len(descendants())
        parts.stop_product()
        findings.append(judge_slots(truth, machines, parts.data_dir, "reelfarm"))
    findings.append(judge_processes(processes))
    tell(run, findings, options)
    return not any(finding.broken for finding in findings)


def tell(run: Run, findings: list[Finding], options: argparse.Namespace) -> None:
    parts, storm = run.parts, run.storm
    print("faults:", ", ".join(f"{kind} {storm.done[kind]}" for kind in storm.kinds))
    deaths = {part.name: part.deaths for part in parts.kept}
    print("started again:", ", ".join(f"{name} {count}" for name, count in deaths.items()))
    requests, repeated = (sum(getattr(one, name) for one in run.customers) for name in ("requests", "repeated"))
    print(f"requests: {requests}, asked again {repeated} times")
    for finding in findings:
        print(finding)
    seconds = time.monotonic() - run.begun_at
    print(f"seed {options.seed}: {storm.done.total()} faults in {seconds:.0f} s", flush=True)
    if options.report is not None:
        found = {finding.name: {"figures": finding.figures, "broken": finding.broken} for finding in findings}
        options.report.write_bytes(orjson.dumps({"faults": storm.done, "invariants": found}))


def out_of_time(*_: object) -> None:
    raise TimeoutError("the whole of it took too long")


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.chaos.storm", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=None, help="what goes wrong when; a random one by default")
    parser.add_argument("--tasks", type=int, default=200, help="how many tasks at least")
    parser.add_argument("--minutes", type=float, default=None, help="instead: for how long")
    parser.add_argument("--report", type=Path, default=None, help="a file for the figures, as JSON")
    parser.add_argument("--keep", action="store_true", help="keep logs and rows where they are")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1_000_000)
    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(int(LIMIT_S + 60 * (options.minutes or 0)))
    adopt_orphans()
    # Of its own, whatever Ray the one who started this belongs to.
    for name in [name for name in os.environ if name.startswith(("RAY_", "REELFARM_"))]:
        del os.environ[name]
    os.environ.update({name: value for name, value in DRIVER_ENVIRONMENT.items() if name != "RAY_AUTH_MODE"})
    root, run_dir = Path(tempfile.mkdtemp(prefix="storm-")), create_run_dir()
    print(f"seed {options.seed}, logs in {root}", flush=True)
    held = False
    try:
        held = brave(options, root, run_dir)
    except TimeoutError as error:
        print(f"BROKEN  it comes to an end: {error}", flush=True)
        return 2
    finally:
        signal.alarm(0)
        send(descendants(), signal.SIGKILL)  # none, unless the end was no orderly one
        shutil.rmtree(run_dir, ignore_errors=True)
        if held and not options.keep:
            shutil.rmtree(root, ignore_errors=True)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
