"""docs/add-a-model.md, followed step by step by somebody who has no card and no weights: on the CPU, with a tiny model
of the same class in an object store."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.film import decode
from tests.tiny.painters import build_sdxl

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("torch")]

GUIDE = Path(__file__).parents[2] / "docs" / "add-a-model.md"


def block(language: str) -> str:
    """What the guide says to write or to run."""
    found = re.search(rf"^( +)```{language}\n(.*?)^ +```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    return "".join(line.removeprefix(found[1]) for line in found[2].splitlines(keepends=True))


def without_card_and_hub(catalog: str, weights: Path) -> str:
    for before, after in (
        (r'weights\.hub = ".*"', f'weights.url = "{weights.as_uri()}"'),
        (r"weights\.(revision|variant) = .*\n", ""),
        (r'device = "gpu"', 'device = "cpu"'),
        (r'"bfloat16"', '"float32"\noptions.max_pixels = 16384'),
        (r"steps = \d+", "steps = 2"),
    ):
        catalog, count = re.subn(before, after, catalog)
        assert count, before
    return catalog


def test_the_guide_leads_to_a_film(tmp_path: Path) -> None:
    build_sdxl(tmp_path / "store")
    (tmp_path / "farm.toml").write_text(without_card_and_hub(block("toml"), tmp_path / "store"), encoding="utf-8")
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "reelfarm").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m control_plane.cli "$@"\n')
    (commands / "reelfarm").chmod(0o755)
    path = f"{commands}:{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REELFARM_")}
    said = []
    for step in block("sh").splitlines():
        done = subprocess.run(
            ["sh", "-c", step],
            cwd=tmp_path,
            env={
                **environment,
                "PATH": path,
                "PYTHONPATH": str(GUIDE.parents[1]),
            },
            capture_output=True,
            text=True,
            timeout=400,
        )
        assert done.returncode == 0, f"{step}\n{done.stdout}\n{done.stderr}"
        said.append(done.stdout)
    listed, pulled, verified, timed, *_ = said
    assert "my-sdxl (default)" in listed
    assert "z-image-turbo" in listed
    assert str(tmp_path / ".reelfarm" / "models") in pulled
    assert "my-sdxl: good, sha256 " in verified
    assert "run_s" in timed
    film = decode(tmp_path / "film.mp4")
    assert film.duration_s >= 5
    logs = "".join(log.read_text(errors="replace") for log in (tmp_path / ".reelfarm").glob("artifacts/logs/*/*.log"))
    assert '"my-sdxl"' in logs, "its pictures are by that model"
