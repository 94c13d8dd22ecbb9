"""`reelfarm up` as a user runs it: the real processes from one data directory."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from runtime.embedded.process import ProcessRecord, session_members, wait_until
from runtime.embedded.services import answers_health

pytestmark = pytest.mark.xdist_group("ray")

REELFARM = [sys.executable, "-m", "control_plane.cli"]
STOP_S = 10.0


class Up:
    """A running `reelfarm up`."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.data_dir = data_dir
        self.process = subprocess.Popen(
            [*REELFARM, "up", "--data-dir", str(data_dir), "--port", "0", "--cpu-workers", "1", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        match = re.fullmatch(r"ready http://127\.0\.0\.1:(\d+)\n", line)
        if match is None:
            pytest.fail(f"{line!r} {self.process.communicate()[1]}\n{self.logs()}")
        self.port = int(match[1])

    def logs(self) -> str:
        texts = (path.read_text(errors="replace")[-2000:] for path in sorted(self.data_dir.glob("logs/*.log")))
        return "\n---\n".join(texts)

    def is_healthy(self) -> bool:
        return answers_health("127.0.0.1", self.port)

    def log_in(self, name: str, password: str) -> int:
        """The code of the API's answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        body = json.dumps({"username": name, "password": password})
        connection.request("POST", "/api/v1/auth/login", body, {"Content-Type": "application/json"})
        code = int(json.load(connection.getresponse())["code"])
        connection.close()
        return code

    def records(self) -> list[ProcessRecord]:
        noted = json.loads((self.data_dir / "run" / "processes.json").read_text())
        return [ProcessRecord.from_json(value) for value in noted["processes"]]

    def processes(self) -> list[psutil.Process]:
        """Every process it has started, wherever it went: descendants and members of the noted sessions."""
        found = {child.pid: child for child in psutil.Process(self.process.pid).children(recursive=True)}
        for record in self.records():
            for pid in session_members(record.pid):
                found.setdefault(pid, psutil.Process(pid))
        return list(found.values())

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(STOP_S)


def living(processes: list[psutil.Process]) -> list[str]:
    return [str(process) for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def command_of(record: ProcessRecord) -> str:
    with contextlib.suppress(psutil.NoSuchProcess):  # it may end between two looks
        return " ".join(psutil.Process(record.pid).cmdline())
    return ""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A server that tests of this file share; they leave it running."""
    running = Up(tmp_path_factory.mktemp("up") / "data")
    yield running
    running.stop()


def create_user(data_dir: Path, name: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*REELFARM, "user", "create", name, "--password-stdin", "--data-dir", str(data_dir), "--daily-limit", "7"],
        input="correct horse\n",
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_it_serves_and_stops_with_nothing_left(tmp_path: Path, number: signal.Signals, status: int) -> None:
    up = Up(tmp_path / "data")
    assert up.is_healthy()
    processes = up.processes()
    assert len(processes) > 8
    run_dir = json.loads((up.data_dir / "run" / "processes.json").read_text())["run_dir"]
    assert Path(run_dir).exists()

    started = time.monotonic()
    assert up.stop(number) == status
    assert time.monotonic() - started < STOP_S
    assert living(processes) == []
    assert not Path(run_dir).exists()
    out, err = up.process.communicate()
    assert (out, err) == ("", "")


def test_after_its_own_kill_9_nothing_runs_for_long_and_the_data_is_there(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    made = create_user(data_dir, "ada")  # while no server runs
    assert (made.returncode, made.stderr) == (0, "")
    up = Up(data_dir)
    processes = up.processes()
    up.process.kill()
    up.process.wait()
    # At once, while the old processes still end.
    again = Up(data_dir)
    assert wait_until(lambda: not living(processes), 10), living(processes)
    assert again.log_in("ada", "correct horse") == 0
    assert again.stop() == 0


def test_each_process_that_is_killed_comes_back(up: Up) -> None:
    kinds = {
        "api": r"-m control_plane$",
        "scheduler": r"-m scheduler$",
        "postgres": r"bin/postgres ",
        "ray": r"ray\.scripts",
        "guardian": r"embedded\.guardian",
    }

    def find(pattern: str) -> ProcessRecord | None:
        for record in up.records():
            if record.is_alive() and re.search(pattern, command_of(record)):
                return record
        return None

    for kind, pattern in kinds.items():
        victim = find(pattern)
        assert victim is not None, kind
        os.kill(victim.pid, signal.SIGKILL)

        def is_back(pattern: str = pattern, victim: ProcessRecord = victim) -> bool:
            successor = find(pattern)
            return successor is not None and successor.pid != victim.pid

        assert wait_until(is_back, 30), f"{kind}\n{up.logs()}"
        assert wait_until(up.is_healthy, 30), f"{kind}\n{up.logs()}"
    assert up.process.poll() is None


def test_a_user_is_made_while_it_runs(up: Up) -> None:
    made = create_user(up.data_dir, "ada")
    assert (made.returncode, made.stderr) == (0, "")
    assert up.log_in("ada", "correct horse") == 0
    assert up.log_in("ada", "wrong horse!") == 1002
    again = create_user(up.data_dir, "ada")
    assert again.returncode == 1
    assert "the name is taken" in again.stderr


def run_up(data_dir: Path, port: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*REELFARM, "up", "--data-dir", str(data_dir), "--port", str(port)],
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_directory_in_use(up: Up) -> None:
    second = run_up(up.data_dir, 0)
    assert second.returncode == 1
    assert second.stdout == ""
    assert second.stderr.count("\n") == 1
    assert f"in use by a running server (process {up.process.pid})" in second.stderr
    assert up.is_healthy()


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run_up(tmp_path / "data", port)
    assert refused.returncode == 1
    assert refused.stderr == f"error: port {port} on 127.0.0.1 is in use; choose another with --port\n"


def test_a_schema_newer_than_the_code(tmp_path: Path) -> None:
    import asyncio

    import asyncpg

    from control_plane.local import database_of

    async def pretend(url: str) -> None:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
        await connection.close()

    with database_of(tmp_path / "data") as url:
        asyncio.run(pretend(url))
    refused = run_up(tmp_path / "data", 0)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "revision 9999" in refused.stderr
    assert "newer than this Reelfarm" in refused.stderr
