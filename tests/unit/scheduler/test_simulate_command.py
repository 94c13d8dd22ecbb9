"""`python -m scheduler.simulate`: what it prints, and what it says of a trace or fleet that is wrong."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scheduler.simulate import main
from scheduler.simulation.report import NOTES

HEADER = "arrival_s,tenant,weight,model,shape,service_s,deadline_s"
ROWS = "0,a,1,m0,speech,4,\n1,b,2,m0,speech,2,30\n"
FLEET = """{
  "models": {
    "gpus": {"size_gb": 6, "peak_gb": 8},
    "m0": {
      "size_gb": 12.0,
      "peak_gb": 20.0
    }
  },
  "gpus": 1, "gpus_per_node": 8,
  "vram_gb": 72, "host_ram_gb": 700,
  "disk_gb_per_s": 2.0, "pcie_gb_per_s": 20.0,
  "load_fixed_s": 1.0
}
"""


def simulate(
    folder: Path, trace: str | bytes = f"{HEADER}\n{ROWS}", fleet: str = FLEET, name: str = "t.csv"
) -> list[str]:
    """Writes both files; returns the arguments."""
    (folder / name).write_bytes(trace.encode() if isinstance(trace, str) else trace)
    (folder / "f.json").write_text(fleet)
    return ["--trace", str(folder / name), "--fleet", str(folder / "f.json"), "--policy", "fifo"]


def complaint(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    """What an unusable file is answered with, the folder left out."""
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err.strip().replace(str(Path(arguments[1]).parent) + "/", "")


def figures(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> dict[str, Any]:
    assert main([*arguments, "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out.splitlines()[-1]))


def test_as_a_program(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scheduler.simulate", *simulate(tmp_path), "--json"]
    shown = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
    assert list(shown) == list(NOTES)
    assert shown["mean_flow_s"] == pytest.approx((11 + 12) / 2)  # a load of 1 + 12/2 s, then 4 s, then 2 s
    assert (shown["loads"], shown["cold_loads"], shown["deadline_misses"]) == (1, 1, 0)
    broken = subprocess.run([*command, "--fleet", "/nowhere"], capture_output=True, text=True)
    assert broken.returncode == 2


def test_a_table_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(simulate(tmp_path)) == 0
    printed = capsys.readouterr().out
    for name in NOTES:
        assert f"{name} " in printed


def test_compressed_unsorted_and_with_columns_in_another_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = figures(capsys, simulate(tmp_path))
    text = "service_s,arrival_s,tenant,weight,model,shape,deadline_s\n2,1,b,2,m0,speech,30\n\n4,0,a,1,m0,speech,\n"
    found = figures(capsys, simulate(tmp_path, gzip.compress(text.encode(), mtime=0), name="t.csv.gz"))
    for name in ("mean_flow_s", "slowdown_by_tenant", "lower_bound_s", "deadline_misses"):
        assert found[name] == expected[name]


@pytest.mark.parametrize(
    ("trace", "message"),
    [
        ("", "t.csv:1: arrival_s: this column is missing"),
        (f"{HEADER}\n", "t.csv: has no tasks"),
        (HEADER.replace("weight,", "") + "\n", "t.csv:1: weight: this column is missing"),
        (f"{HEADER},colour\n", "t.csv:1: colour: no such column"),
        (f"{HEADER},model\n", "t.csv:1: model: this column is there twice"),
        (f"{HEADER}\n{ROWS}2,a,1,m0\n", "t.csv:4: has 4 fields where the header has 7"),
        (f"{HEADER}\n{ROWS}x,a,1,m0,speech,4,\n", "t.csv:4: arrival_s: 'x' is not a number"),
        (f"{HEADER}\n{ROWS}\n-2,a,1,m0,speech,4,\n", "t.csv:5: arrival_s: -2 is negative"),
        (f"{HEADER}\n{ROWS}2,,1,m0,speech,4,\n", "t.csv:4: tenant: is empty"),
        (f"{HEADER}\n{ROWS}2,a,0,m0,speech,4,\n", "t.csv:4: weight: 0 is not positive"),
        (f"{HEADER}\n{ROWS}2,a,1,m7,speech,4,\n", "t.csv:4: model: 'm7' is not in the fleet"),
        (f"{HEADER}\n{ROWS}2,a,1,m0,speech,0,\n", "t.csv:4: service_s: 0 is not positive"),
        (f"{HEADER}\n{ROWS}2,a,1,m0,speech,nan,\n", "t.csv:4: service_s: nan is not a number up to 1e+10"),
        (f"{HEADER}\n{ROWS}2,a,1,m0,speech,4,soon\n", "t.csv:4: deadline_s: 'soon' is not a number"),
        (f'{HEADER}\n{ROWS}2,"a"b,1,m0,speech,4,\n', "t.csv:4: is not CSV: ',' expected after '\"'"),
    ],
)
def test_a_trace_that_is_wrong(trace: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert complaint(capsys, simulate(tmp_path, trace)) == f"error: {message}"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"not compressed", "t.csv.gz"),
        # No time in them: they are part of the test's name, which every test process has to find alike.
        (gzip.compress(f"{HEADER}\n{ROWS}".encode(), mtime=0)[:-20], "t.csv.gz"),
        (gzip.compress(f"{HEADER}\n{ROWS}".encode(), mtime=0)[:12] + b"\xff" * 40, "t.csv.gz"),
        (f"{HEADER}\n{ROWS}2,ä,1,m0,speech,4,\n".encode("latin-1"), "t.csv"),
    ],
)
def test_a_trace_that_cannot_be_read(
    content: bytes, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert complaint(capsys, simulate(tmp_path, content, name=name)).startswith(f"error: {name}: cannot be read: ")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (FLEET, "", "f.json:1: is not JSON: Expecting value"),
        (FLEET, "[]", "f.json:1: Input should be"),
        ('"gpus": 1, ', '"gpus": 1 ', "f.json:9: is not JSON: Expecting ',' delimiter"),
        ('"gpus": 1', '"gpus": 0', "f.json:9: gpus: Input should be greater than 0"),
        ('"gpus": 1', '"gpus": 1,\n"gpus": 0', "f.json:10: gpus: Input should be greater than 0"),
        ('"gpus": 1', '"gpus": "1"', "f.json:9: gpus: Input should be a valid integer"),
        ('"vram_gb": 72, ', "", "f.json:1: vram_gb: Field required"),
        ('"load_fixed_s": 1.0', '"load_fixed_s": NaN', "f.json:12: load_fixed_s: Input should be a finite number"),
        ('"load_fixed_s": 1.0', '"load_fixed": 1.0', "f.json:1: load_fixed_s: Field required"),
        ('"load_fixed_s"', '"extra": 1,\n"load_fixed_s"', "f.json:12: extra: Extra inputs are not permitted"),
        ('"size_gb": 12.0', '"size_gb": -1', "f.json:5: models.m0.size_gb: Input should be greater than 0"),
        ('"size_gb": 12.0,', "", "f.json:4: models.m0.size_gb: Field required"),
        ('"peak_gb": 20.0', '"peak_gb": 10.0', "f.json:6: models.m0.peak_gb: must be at least size_gb, 12"),
        ('"peak_gb": 20.0', '"peak_gb": 80', "f.json:6: models.m0.peak_gb: 80 does not fit into a vram_gb of 72"),
    ],
)
def test_a_fleet_that_is_wrong(
    old: str, new: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert old in FLEET
    assert complaint(capsys, simulate(tmp_path, fleet=FLEET.replace(old, new))).startswith(f"error: {message}")


def test_files_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = simulate(tmp_path)
    (tmp_path / "t.csv").unlink()
    assert complaint(capsys, arguments).startswith("error: t.csv: cannot be read: ")
    (tmp_path / "f.json").unlink()
    assert complaint(capsys, arguments).startswith("error: f.json: cannot be read: ")


def test_synthetic(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--synthetic", "--gpus", "8", "--models", "6", "--tenants", "3", "--load", "0.5", "--tasks", "500"]
    shown = figures(capsys, arguments)
    assert shown["tasks"] == 500
    assert len(shown["slowdown_by_tenant"]) == 3
    real = ("decisions_per_s", "wall_s", "peak_rss_mb")
    again = figures(capsys, arguments)
    assert {name: again[name] for name in NOTES if name not in real} == {
        name: shown[name] for name in NOTES if name not in real
    }
    assert figures(capsys, [*arguments, "--seed", "5"])["mean_flow_s"] != shown["mean_flow_s"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --trace and --fleet, or --synthetic"),
        (["--trace", "t.csv"], "give --trace and --fleet, or --synthetic"),
        (["--synthetic", "--trace", "t.csv"], "--synthetic makes its own trace and fleet"),
        (["--trace", "t.csv", "--fleet", "f.json", "--tenant-skew", "1"], "--tenant-skew goes with --synthetic"),
        (["--synthetic", "--gpus", "0"], "invalid count of at least 1 value: '0'"),
        (["--synthetic", "--load", "nan"], "invalid number above 0 value: 'nan'"),
        (["--synthetic", "--tenant-skew", "-1"], "invalid number of at least 0 value: '-1'"),
        (["--synthetic", "--policy", "magic"], "invalid choice: 'magic'"),
    ],
)
def test_a_wrong_command_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert message in capsys.readouterr().err
