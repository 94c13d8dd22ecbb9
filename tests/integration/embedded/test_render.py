"""Mistakes on the command line of `reelfarm render`; what it renders is tested in tests/acceptance and tests/chaos."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.txt"], "missing.txt: No such file or directory"),
        (["story.txt", "-o", "film.avi"], "unknown kind of film"),
        (["story.txt", "-o", "nowhere/film.mp4"], "is not a directory"),
        (["story.txt", "--resolution", "8k"], "unknown resolution"),
        (["story.txt", "--server", "localhost:1"], "is not an address"),
        (["story.txt", "--server", "http://127.0.0.1:1"], "--user"),
    ],
)
def test_a_mistake_is_one_line_before_anything_starts(tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "story.txt").write_text("The sea is calm today.", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "control_plane.cli", "render", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / ".reelfarm").exists()
