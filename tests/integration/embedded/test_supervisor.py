"""Keeping processes running: order, restarts, giving up, stopping."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.embedded.errors import EmbeddedError
from runtime.embedded.process import Child, ProcessRecord, session_members, spawn, wait_until
from runtime.embedded.services import Service
from runtime.embedded.supervisor import Supervisor

FOREVER = "import signal; signal.signal(signal.SIGTERM, lambda *_: exit(0)); signal.pause()"
BROKEN = "import sys; sys.exit('error: the key is too short')"
STUBBORN = "import signal, os; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.fork(); signal.pause()"


class Bench:
    """Services of tiny processes that write down when they start and stop."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.journal = directory / "journal"
        self.journal.touch()
        self.children: dict[str, Child] = {}
        self.sessions: set[int] = set()

    def service(self, name: str, code: str = FOREVER, *, requires: tuple[str, ...] = (), **options: object) -> Service:
        written = f"open({str(self.journal)!r}, 'a').write('{name} starts\\n')\n{code}"

        def launch() -> Child:
            child = spawn(name, [sys.executable, "-c", written], log=self.directory / f"{name}.log")
            self.children[name] = child
            self.sessions.add(child.pid)
            return child

        def is_ready() -> bool:
            return code is not BROKEN and f"{name} starts" in self.lines()

        log = self.directory / f"{name}.log"
        return Service(name, launch, is_ready, requires, log=log, **options)  # type: ignore[arg-type]

    def lines(self) -> list[str]:
        return self.journal.read_text().splitlines()

    def starts(self, name: str) -> int:
        return self.lines().count(f"{name} starts")

    def run(self, services: list[Service], act: Callable[[], None]) -> signal.Signals:
        """Run a supervisor and, once all serves, `act` in another thread; then SIGTERM."""
        failures: list[BaseException] = []

        def body() -> None:
            try:
                act()
            except AssertionError as error:
                failures.append(error)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)

        actor = threading.Thread(target=body)
        try:
            return Supervisor(services, note=lambda records: None).run(actor.start)
        finally:
            if actor.ident:
                actor.join()
            assert not failures, failures
            assert not [pid for session in self.sessions for pid in session_members(session)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_each_starts_when_what_it_needs_serves(bench: Bench) -> None:
    services = [
        bench.service("api", requires=("migrate",)),
        bench.service("migrate", "", requires=("postgres",), finishes=True),
        bench.service("postgres"),
    ]
    bench.run(services, lambda: None)
    assert bench.lines() == ["postgres starts", "migrate starts", "api starts"]


def test_what_is_killed_is_started_again(bench: Bench) -> None:
    def act() -> None:
        for count in (2, 3):
            os.kill(bench.children["api"].pid, signal.SIGKILL)
            assert wait_until(lambda: bench.starts("api") == count, 10)  # noqa: B023
        assert bench.starts("scheduler") == 1

    assert bench.run([bench.service("api"), bench.service("scheduler")], act) is signal.SIGTERM


def test_what_is_bound_to_it_is_restarted_with_it(bench: Bench) -> None:
    def act() -> None:
        os.kill(bench.children["ray"].pid, signal.SIGKILL)
        assert wait_until(lambda: bench.starts("scheduler") == 2, 10)
        assert bench.lines()[-2:] == ["ray starts", "scheduler starts"]

    bench.run([bench.service("ray"), bench.service("scheduler", requires=("ray",), bound_to="ray")], act)


def test_one_that_never_serves_is_given_up_with_its_last_words(bench: Bench) -> None:
    broken = bench.service("api", BROKEN)
    with pytest.raises(EmbeddedError, match=r"api .*the key is too short"):
        bench.run([bench.service("postgres"), broken], lambda: None)
    assert not bench.children["postgres"].record.is_alive()


def test_a_step_that_fails_ends_all_with_its_own_message(bench: Bench) -> None:
    failing = bench.service("migrate", "import sys; sys.exit('error: the schema is newer')", finishes=True)
    with pytest.raises(EmbeddedError, match=r"^the schema is newer$"):
        bench.run([failing], lambda: None)
    assert bench.starts("migrate") == 1


def test_a_crash_loop_is_reported_and_given_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.embedded.supervisor._BACKOFF_S", (0.0, 0.01, 0.02, 0.02, 0.02, 0.02))
    complaints: list[str] = []
    flaky = bench.service("scheduler", "import time; time.sleep(0.3)")
    supervisor = Supervisor([flaky], note=lambda records: None, complain=complaints.append)
    with pytest.raises(EmbeddedError, match="gave up after 6 tries"):
        supervisor.run(lambda: None)
    assert len(complaints) == 1
    assert "scheduler" in complaints[0]


def test_one_that_ignores_the_request_is_killed_with_its_children(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.embedded.supervisor._STOP_GRACE_S", 0.3)
    stubborn = bench.service("stubborn", STUBBORN)

    def act() -> None:
        assert wait_until(lambda: len(session_members(bench.children["stubborn"].pid)) == 2, 5)

    bench.run([stubborn], act)  # it checks that nothing of the sessions is left


def test_a_record_is_not_taken_for_a_later_process_with_its_number() -> None:
    child = spawn("sleep", ["sleep", "60"])
    try:
        record = child.record
        assert record.is_alive()
        assert record.members() == [child.pid]
        later = ProcessRecord(record.pid, record.start_ticks + 1, record.boot_id)
        other_boot = ProcessRecord(record.pid, record.start_ticks, "another")
        for stranger in (later, other_boot):
            assert not stranger.is_alive()
            assert stranger.members() == []
    finally:
        child.stop(grace_s=1)
