"""`reelfarm render` with its own server: interrupted, its API killed, gone on with, and done once."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import av
import psutil
import pytest

from runtime.embedded.datadir import DataDirectory
from runtime.embedded.process import wait_until
from tests.integration.embedded.test_up import REELFARM, Up

pytestmark = [pytest.mark.xdist_group("ray"), pytest.mark.timeout(400)]

STORY = 'At sunset Mia walks along the beach. "The sea is calm today," she says. The stars come out.'


class Render:
    def __init__(self, story: Path, film: Path, data_dir: Path, *options: str) -> None:
        self.errors = film.with_suffix(".err")
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [
                    *(*REELFARM, "render", str(story), "-o", str(film)),
                    *("--data-dir", str(data_dir), "--duration", "6", *options),
                ],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.errors.read_text()

    def wait_for(self, words: str) -> None:
        assert wait_until(lambda: words in self.said() or self.process.poll() is not None, 120)
        assert words in self.said(), self.said()

    def end(self) -> tuple[int, str]:
        out, _ = self.process.communicate(timeout=300)
        return self.process.returncode, out


def counts(data_dir: Path) -> dict[str, int]:
    """Rows that a render makes, each of which costs or shows when it is made twice."""
    state = DataDirectory(data_dir).read_state()
    assert state is not None

    async def count() -> dict[str, int]:
        connection = await asyncpg.connect(state.database_url.replace("+asyncpg", ""))
        try:
            tables = ("projects", "material_packages", "export_tasks")
            made = {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for table in tables}  # noqa: S608
            made["tasks"] = await connection.fetchval("SELECT count(*) FROM tasks WHERE kind <> 'speech'")
            return made
        finally:
            await connection.close()

    return asyncio.run(count())


def test_an_interrupted_render_goes_on_and_makes_nothing_twice(tmp_path: Path) -> None:
    story, film = tmp_path / "story.txt", tmp_path / "film.mp4"
    story.write_text(STORY, encoding="utf-8")
    up = Up(tmp_path / "data")
    try:
        refused = Render(story, film, up.data_dir, "--style", "no such")
        assert refused.end() == (1, "")
        assert refused.said().startswith("error: unknown style no such; use one of ")

        first = Render(story, film, up.data_dir)
        first.wait_for("Videos")
        first.process.send_signal(signal.SIGINT)
        status, _ = first.end()
        assert status == 130
        assert "goes on where it was" in first.said()
        assert "Traceback" not in first.said()
        before = counts(up.data_dir)

        second = Render(story, film, up.data_dir)
        second.wait_for("Storyline")
        for record in up.records():
            if record.is_alive() and psutil.Process(record.pid).cmdline()[-2:] == ["-m", "control_plane"]:
                os.kill(record.pid, signal.SIGKILL)
        status, out = second.end()
        assert status == 0, second.said()
        assert re.search(r"film\.mp4: \d+\.\d s, \d+\.\d MB", out)
        after = counts(up.data_dir)
        assert (after["projects"], after["material_packages"], after["export_tasks"]) == (1, 1, 1)
        assert after["tasks"] >= before["tasks"]
        assert not list(DataDirectory(up.data_dir).renders.iterdir())
    finally:
        up.stop()
    with av.open(str(film)) as container:
        assert container.duration is not None
        assert container.duration / 1e6 > 5
        assert {stream.type for stream in container.streams} == {"video", "audio"}


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
    (tmp_path / "story.txt").write_text(STORY, encoding="utf-8")
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
