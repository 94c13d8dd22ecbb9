"""What goes wrong: every kind once in a random order, then again in another, as long as the storm lasts."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg

from tests.chaos.storm.machines import Machine, Machines
from tests.chaos.storm.parts import Part, Parts
from tests.chaos.storm.processes import send, tree
from tests.chaos.storm.victims import Record, Worker, busy_workers, node_of

_BRIEF_S = (0.3, 2.0)
_OUTAGE_S = (0.3, 4.0)
_PATIENCE_S = 90.0
_AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


@dataclass
class Later:
    """What is still to be done about a fault, once ``due``. ``what`` is told if that takes too long."""

    what: str
    due: Callable[[], bool]
    act: Callable[[], None]
    deadline: float


class Storm:
    """``step`` is called again and again; it does at most one new thing at a time.

    Faults that concern the same part wait for each other, those of different parts may overlap.
    """

    def __init__(self, parts: Parts, machines: Machines, seed: int) -> None:
        self.done: Counter[str] = Counter()
        self.record = Record()
        self._parts, self._machines = parts, machines
        self._random = random.Random(seed)
        self._later: list[Later] = []
        self._held: set[str] = set()
        self._stopped: set[str] = set()
        """Workers that do nothing at the moment, by name."""
        self._away = ""
        """The node that does nothing at the moment, or was the last to do so."""
        self._bag: list[str] = []
        self._next_at = time.monotonic()
        self._faults: dict[str, tuple[str, Callable[[], bool]]] = {
            "worker killed": ("", self._kill_worker),
            "worker stopped, resumed": ("", self._pause_worker),
            "worker stopped for good": ("", self._stop_worker),
            "machine killed": ("machine", lambda: self._kill_machine(with_workers=True)),
            "raylet killed": ("machine", lambda: self._kill_machine(with_workers=False)),
            "machine stopped, resumed": ("machine", self._pause_machine),
            "machine stopped until given up": ("machine", self._stop_machine),
            "scheduler killed": ("scheduler", self._kill_scheduler),
            "both schedulers killed": ("scheduler", self._kill_schedulers),
            "scheduler stopped, resumed": ("scheduler", lambda: self._stop_scheduler(signal.SIGCONT)),
            "scheduler stopped for good": ("scheduler", lambda: self._stop_scheduler(signal.SIGKILL)),
            "api killed": ("api", lambda: self._kill(self._api())),
            "api stopped, resumed": ("api", lambda: self._pause(self._api(), "api", signal.SIGCONT)),
            "api stopped for good": ("api", lambda: self._pause(self._api(), "api", signal.SIGKILL)),
            "redis killed": ("redis", lambda: self._kill(parts.redis)),
            "redis stopped, resumed": ("redis", lambda: self._pause(parts.redis, "redis", signal.SIGCONT)),
            "connections cut": ("postgres", self._cut_connections),
            "postgres restarted": ("postgres", lambda: self._restart_postgres(signal.SIGINT)),
            "postgres killed": ("postgres", lambda: self._restart_postgres(signal.SIGKILL)),
        }

    @property
    def kinds(self) -> list[str]:
        return list(self._faults)

    @property
    def calm(self) -> bool:
        """Whether every fault is over and all that was taken away is back."""
        return not self._later

    def step(self, *, strike: bool) -> None:
        """Go on with the faults that are under way, and strike anew if it is time."""
        for later in list(self._later):
            if later.due():
                self._later.remove(later)
                later.act()
            elif time.monotonic() > later.deadline:
                raise TimeoutError(f"{later.what}: not within {_PATIENCE_S:g} s")
        if strike and time.monotonic() >= self._next_at:
            self._strike()
            self._next_at = time.monotonic() + self._random.uniform(0.5, 2.0)

    def _strike(self) -> None:
        if not self._bag:
            self._bag = self._random.sample(self.kinds, len(self.kinds))
        # What happens to machines takes longest, and one of them fails at a time.
        for kind in sorted(self._bag, key=lambda kind: self._faults[kind][0] != "machine"):
            part, fault = self._faults[kind]
            if part in self._held:
                continue
            if fault():
                print(f"  {time.strftime('%H:%M:%S')} {kind}", flush=True)
                self._bag.remove(kind)
                self.done[kind] += 1
                return

    # --- when the rest of it happens

    def _then(self, what: str, due: Callable[[], bool], act: Callable[[], None]) -> None:
        self._later.append(Later(what, due, act, time.monotonic() + _PATIENCE_S))

    def _after(self, seconds: tuple[float, float], act: Callable[[], None]) -> None:
        at = time.monotonic() + self._random.uniform(*seconds)
        self._then("waiting", lambda: time.monotonic() >= at, act)

    def _holding(self, part: str, act: Callable[[], None]) -> Callable[[], None]:
        """The act, which ends the fault of that part."""
        self._held.add(part)

        def last() -> None:
            act()
            self._held.discard(part)

        return last

    # --- workers

    def _worker(self) -> Worker | None:
        """One that executes something and that nothing else happens to: whoever goes on would wake it."""
        workers = busy_workers(self._parts.data_dir, self._parts.log)
        free = [one for one in workers if one.name not in self._stopped and node_of(one.name) != self._away]
        return self._random.choice(free) if free else None

    def _kill_worker(self) -> bool:
        if (worker := self._worker()) is None:
            return False
        self.record.note(worker.name, "killed")
        worker.signal(signal.SIGKILL)
        return True

    def _pause_worker(self) -> bool:
        """Shorter than its lease: it keeps its task, so it is no excuse."""
        if (worker := self._worker()) is None:
            return False
        worker.signal(signal.SIGSTOP)
        self._stopped.add(worker.name)
        stopped_at = time.monotonic()

        def resume() -> None:
            self._stopped.discard(worker.name)
            self.record.note_pause(worker.name, stopped_at)
            worker.signal(signal.SIGCONT)

        self._after(_BRIEF_S, resume)
        return True

    def _stop_worker(self) -> bool:
        """It is for the scheduler to find out and to end it."""
        if (worker := self._worker()) is None:
            return False
        self.record.note(worker.name, "stopped")
        self._stopped.add(worker.name)
        worker.signal(signal.SIGSTOP)
        self._then(
            f"{worker.name} is ended",
            lambda: not worker.process.is_alive(),
            lambda: self._stopped.discard(worker.name),
        )
        return True

    # --- machines

    def _machine(self) -> Machine | None:
        """One of them, while all are there. Not one with a stopped worker: its death would do the scheduler's work."""
        machines = self._machines.machines
        if self._machines.alive() != {machine.id for machine in machines}:
            return None
        left_alone = {node_of(name) for name in self._stopped}
        free = [machine for machine in machines if machine.id not in left_alone]
        return self._random.choice(free) if free else None

    def _kill_machine(self, *, with_workers: bool) -> bool:
        if (machine := self._machine()) is None:
            return False
        self.record.note(machine.id, "machine killed")
        machine.die(with_workers=with_workers)
        self._replace(machine)
        return True

    def _pause_machine(self) -> bool:
        if (machine := self._machine()) is None:
            return False
        self._away = machine.id
        machine.stop()
        stopped_at = time.monotonic()

        def resume() -> None:
            self._away = ""
            self.record.note_pause(machine.id, stopped_at)
            machine.resume()

        self._after(_BRIEF_S, self._holding("machine", resume))
        return True

    def _stop_machine(self) -> bool:
        """It comes back after everybody believed it dead, and finds itself replaced."""
        if (machine := self._machine()) is None:
            return False
        self.record.note(machine.id, "machine stopped")
        self._away = machine.id
        machine.stop()
        self._held.add("machine")

        def resume() -> None:
            machine.resume()
            self._replace(machine)

        self._then(f"{machine.id} is given up", lambda: machine.id not in self._machines.alive(), resume)
        return True

    def _replace(self, machine: Machine) -> None:
        def gone() -> bool:
            return machine.raylet.poll() is not None and machine.id not in self._machines.alive()

        def another() -> None:
            self._machines.forget(machine)
            self._machines.add(wait=False)

        self._then(f"{machine.id} is gone", gone, self._holding("machine", another))

    # --- schedulers

    def _active(self) -> Part | None:
        try:
            holder = asyncio.run(_leader(self._parts.dsn))
        except _AWAY:
            return None
        return next((part for part in self._parts.schedulers if part.pid is not None and part.pid == holder), None)

    def _kill_scheduler(self) -> bool:
        active = self._active()
        return active is not None and active.signal(signal.SIGKILL)

    def _kill_schedulers(self) -> bool:
        killed = [part.signal(signal.SIGKILL) for part in self._parts.schedulers]
        return any(killed)

    def _stop_scheduler(self, end: signal.Signals) -> bool:
        """Until the other has taken over, which the stopped one cannot know when it goes on."""
        active = self._active()
        if active is None or not active.signal(signal.SIGSTOP):
            return False
        stopped = active.pid

        def taken_over() -> bool:
            try:
                return asyncio.run(_leader(self._parts.dsn)) not in {stopped, None}
            except _AWAY:
                return False

        self._then("a takeover", taken_over, self._holding("scheduler", lambda: void(active.signal(end))))
        return True

    # --- the others

    def _api(self) -> Part:
        return self._random.choice(self._parts.apis)

    def _kill(self, part: Part) -> bool:
        return part.signal(signal.SIGKILL)

    def _pause(self, part: Part, name: str, end: signal.Signals) -> bool:
        if not part.signal(signal.SIGSTOP):
            return False
        self._after(_OUTAGE_S, self._holding(name, lambda: void(part.signal(end))))
        return True

    def _cut_connections(self) -> bool:
        try:
            asyncio.run(_cut(self._parts.dsn))
        except _AWAY:
            return False
        return True

    def _restart_postgres(self, number: signal.Signals) -> bool:
        server = self._parts.postgres
        if server.child is None:
            return False
        if number is signal.SIGKILL:
            send(tree(server.child.pid), signal.SIGKILL)
        server.stop(grace_s=20)
        self._after(_OUTAGE_S, self._holding("postgres", lambda: void(server.start())))
        return True


def void(_: object) -> None:
    """For what is called for what it does."""


async def _leader(dsn: str) -> int | None:
    """The process that leads; None while nobody does."""
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        holder = await connection.fetchval("SELECT holder FROM leaders WHERE expires_at > clock_timestamp()")
    finally:
        await connection.close()
    return None if holder is None else int(holder.rpartition(":")[2])


async def _cut(dsn: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
    finally:
        await connection.close()
