"""The process that ends what a killed supervisor had started."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.embedded.process import session_members, wait_until

# Two processes that ignore every request, as a worker busy in native code does.
STUBBORN = "import os, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.fork(); signal.pause()"
SUPERVISOR = f"""
import sys, time
from pathlib import Path
from runtime.embedded.process import spawn
from runtime.embedded.server import _Guardian

with _Guardian(Path(sys.argv[1])) as guardian:
    child = spawn("worker", [sys.executable, "-c", {STUBBORN!r}])
    guardian.watch([child.record])
    print(child.pid, guardian.record.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_noted_sessions_however_the_supervisor_went(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "run").mkdir()
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    worker, guardian = (int(word) for word in supervisor.stdout.readline().split())
    assert wait_until(lambda: len(session_members(worker)) == 2, 10)

    os.kill(supervisor.pid, number)
    supervisor.wait()
    assert wait_until(lambda: not session_members(worker), 10)
    assert wait_until(lambda: not session_members(guardian), 10)
    assert not (tmp_path / "run").exists()
