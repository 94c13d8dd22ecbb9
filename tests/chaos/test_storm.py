"""Hundreds of tasks on a cluster of several machines, while everything that can be killed is: see tests/chaos/storm."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from tests.chaos.storm.__main__ import LIMIT_S
from tests.conftest import RAY_GROUP, REPOSITORY

TASKS = 200
FAULTS = 19


@pytest.mark.slow
@pytest.mark.xdist_group(RAY_GROUP)
@pytest.mark.timeout(LIMIT_S + 60)
def test_nothing_is_lost_or_done_twice_in_a_storm(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "tests.chaos.storm", "--seed", "11", "--tasks", str(TASKS)]
    run = subprocess.run([*command, "--report", str(report)], cwd=REPOSITORY, capture_output=True, text=True)
    print(run.stdout)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-6000:]

    told = orjson.loads(report.read_bytes())
    assert len(told["faults"]) == FAULTS
    assert all(times >= 1 for times in told["faults"].values())
    found = told["invariants"]
    assert {name: one["broken"] for name, one in found.items() if one["broken"]} == {}
    assert found["every submitted task ended"]["figures"]["tasks"] >= TASKS
    ran = found["what ran twice was on what was killed or stopped"]["figures"]
    assert ran["executions"] == ran["tasks executed"] + ran["again"]
    assert ran["again"] >= 1
    assert found["no process is left"]["figures"]["left"] == 0
