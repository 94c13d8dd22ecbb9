"""The Ray head that `reelfarm up` brings along."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.embedded.errors import EmbeddedError
from runtime.embedded.process import session_members, wait_until
from runtime.embedded.ray_head import RayHead
from runtime.embedded.rundir import create_run_dir

pytestmark = pytest.mark.xdist_group("ray")

BUSY_ACTOR = """
import os, ray
ray.init(address=os.environ["ADDRESS"], namespace="test", log_to_driver=False)

@ray.remote(num_cpus=1)
class Busy:
    def environment(self):
        return dict(os.environ)
    def work(self):
        while True:
            pass

actor = Busy.options(name="busy", lifetime="detached").remote()
environment = ray.get(actor.environment.remote())
print(*(name for name in environment if name.startswith("REELFARM_")), flush=True)
actor.work.remote()
print(ray.cluster_resources()["CPU"], flush=True)
"""


@pytest.fixture
def second_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RayHead]:
    for name in ("REELFARM_DATABASE_URL", "REELFARM_SECRET_KEY", "REELFARM_PASSWORD"):
        monkeypatch.setenv(name, "a secret")
    monkeypatch.setenv("REELFARM_LOG_LEVEL", "INFO")
    directory = create_run_dir()
    head = RayHead(directory, cpu_workers=3, log=tmp_path / "ray.log")
    head.start()
    yield head
    head.stop()
    shutil.rmtree(directory, ignore_errors=True)


def drive(head: RayHead) -> list[str]:
    """The output of a driver that leaves a busy detached actor behind."""
    environment = {**os.environ, **head.environment, "ADDRESS": head.address}
    done = subprocess.run(
        [sys.executable, "-c", BUSY_ACTOR], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_it_stops_all_it_started_and_no_other_ray(second_head: RayHead, ray_head: RayHead) -> None:
    assert second_head.child is not None
    session = second_head.child.pid
    secrets, cpus = drive(second_head)
    assert secrets == "REELFARM_LOG_LEVEL"  # workers hold no credentials
    assert float(cpus) == 3.0
    assert len(session_members(session)) > 4
    assert stat.S_IMODE(second_head.temp_dir.parent.stat().st_mode) == 0o700  # Ray opens its own to everybody

    second_head.stop()
    assert session_members(session) == []
    assert ray_head.is_ready()
    assert ray_head.child is not None
    assert ray_head.child.exit_status() is None


def test_it_can_be_started_again_after_kill_9(second_head: RayHead) -> None:
    assert second_head.child is not None
    first = second_head.child
    os.kill(first.pid, signal.SIGKILL)
    first.popen.wait()
    first.stop(grace_s=0)
    assert wait_until(lambda: not session_members(first.pid), 5)
    second_head.start()
    assert second_head.is_ready()


def test_a_run_directory_too_long_for_its_sockets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="too long"):
        RayHead(tmp_path / ("long" * 10), cpu_workers=1)
