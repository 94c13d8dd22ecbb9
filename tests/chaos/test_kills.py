"""kill -9 in the middle of a render: the same film comes out, byte for byte, and nothing is done twice without need."""

import contextlib
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from runtime.embedded.datadir import DataDirectory
from tests.acceptance.product import Render, Server, attempts, query, sha256, wait_for
from tests.chaos.conftest import USER

pytestmark = pytest.mark.timeout(600)

STORY = "傍晚，林晓雨在海边散步。“你好，大海！”林晓雨说。"

MIDDLE = (0.0, 0.7)
"""The part of a task in which there is something left to do. Its lower end is open: how far a task is gets written only
a few times a second, and a short one may never be seen further."""


@dataclass
class Undisturbed:
    """What a render is when nobody disturbs it."""

    story: Path
    film_sha256: str
    tasks: Counter[str]


@pytest.fixture(scope="module")
def undisturbed(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    folder = tmp_path_factory.mktemp("undisturbed")
    story = folder / "story.txt"
    story.write_text(STORY, encoding="utf-8")
    film = Render(story, folder / "film.mp4", server=server, user=USER).finish()
    rows = server.attempts(_project(server))
    assert {row["outcome"] for row in rows} == {"succeeded"}
    assert len({row["task_id"] for row in rows}) == len(rows)
    return Undisturbed(story, sha256(film), Counter(row["kind"] for row in rows))


def _project(server: Server) -> str:
    return str(server.query("SELECT id FROM projects ORDER BY created_at DESC LIMIT 1")[0]["id"])


def _begin(server: Server, undisturbed: Undisturbed, film: Path) -> tuple[Render, str]:
    """A render with its project."""
    known = {row["id"] for row in server.query("SELECT id FROM projects")}
    render = Render(undisturbed.story, film, server=server, user=USER)
    (project,) = wait_for(
        "the project", lambda: {row["id"] for row in server.query("SELECT id FROM projects")} - known or None
    )
    return render, str(project)


def _running(server: Server, project: str, kind: str) -> list[dict[str, Any]]:
    """Executions of a kind that are in that part of their work."""
    return server.query(
        "SELECT task_id, attempts.epoch, worker FROM attempts JOIN tasks ON tasks.id = task_id "
        "WHERE project_id = $1 AND kind = $2 AND attempts.outcome IS NULL AND progress BETWEEN $3 AND $4",
        project,
        kind,
        *MIDDLE,
    )


def _check(server: Server, undisturbed: Undisturbed, render: Render, project: str) -> Counter[str]:
    """The film is the undisturbed one and every task succeeded once; returns how often tasks that did not succeed at
    once were executed, by their id."""
    film = render.finish()
    rows = server.attempts(project)
    assert Counter(row["kind"] for row in rows if row["outcome"] == "succeeded") == undisturbed.tasks
    assert {row["state"] for row in rows} == {"succeeded"}
    assert sha256(film) == undisturbed.film_sha256
    executions = Counter(row["task_id"] for row in rows)
    return Counter({task: count for task, count in executions.items() if count > 1})


def _hold_a_worker(server: Server, project: str, kind: str) -> tuple[psutil.Process, dict[str, Any]]:
    """A worker stopped in the middle of a task, and that execution: whatever happens now happens in its middle."""

    def look() -> tuple[psutil.Process, dict[str, Any]] | None:
        for attempt in _running(server, project, kind):
            worker = server.worker(attempt["worker"])
            worker.suspend()
            manifest = server.data_dir / "artifacts" / "manifests" / attempt["task_id"] / f"{attempt['epoch']}.json"
            if not manifest.exists():
                return worker, attempt
            worker.resume()
        return None

    return wait_for(f"a worker in the middle of {kind}", look)


@pytest.mark.parametrize("kind", ["image_to_video", "encode"])
def test_a_killed_worker_costs_only_what_it_was_doing(
    server: Server, undisturbed: Undisturbed, tmp_path: Path, kind: str
) -> None:
    render, project = _begin(server, undisturbed, tmp_path / "film.mp4")
    worker, attempt = _hold_a_worker(server, project, kind)
    worker.kill()
    again = _check(server, undisturbed, render, project)
    assert again == {attempt["task_id"]: 2}
    lost = [row for row in server.attempts(project) if row["outcome"] != "succeeded"]
    assert [(row["task_id"], row["worker"], row["outcome"]) for row in lost] == [
        (attempt["task_id"], attempt["worker"], "worker")
    ]


def test_a_killed_scheduler_finds_the_workers_where_it_left_them(
    server: Server, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    render, project = _begin(server, undisturbed, tmp_path / "film.mp4")
    worker, attempt = _hold_a_worker(server, project, "image_to_video")
    generation = "SELECT generation FROM leaders"
    (before,) = server.query(generation)
    victim = server.service("-m", "scheduler")
    assert victim is not None
    victim.kill()
    wait_for("the next scheduler to lead", lambda: server.query(generation) != [before])
    worker.resume()
    assert _check(server, undisturbed, render, project) == {}
    (row,) = [row for row in server.attempts(project) if row["task_id"] == attempt["task_id"]]
    assert (row["worker"], row["generation"]) == (attempt["worker"], before["generation"])


@pytest.mark.parametrize(
    ("kind", "find"),
    [
        pytest.param("text_to_image", lambda server: server.service("-m", "control_plane"), id="api"),
        pytest.param("encode", lambda server: server.postgres(), id="postgres"),
    ],
)
def test_a_killed_service_costs_nothing(
    server: Server,
    undisturbed: Undisturbed,
    tmp_path: Path,
    kind: str,
    find: Callable[[Server], psutil.Process | None],
) -> None:
    render, project = _begin(server, undisturbed, tmp_path / "film.mp4")
    wait_for(f"a running {kind}", lambda: _running(server, project, kind))
    victim = find(server)
    assert victim is not None
    victim.kill()
    assert _check(server, undisturbed, render, project) == {}
    successor = find(server)
    assert successor is not None
    assert successor.pid != victim.pid


def test_an_interrupted_render_goes_on_under_up(undisturbed: Undisturbed, tmp_path: Path) -> None:
    """Ctrl-C ends the command with its own server; the next server does the rest of what was asked for, and the same
    command then finishes the film: the bytes that another server made from another data directory."""
    data_dir = tmp_path / "data"
    film = tmp_path / "film.mp4"
    first = Render(undisturbed.story, film, "--data-dir", str(data_dir))

    def done_before(kind: str) -> set[str] | None:
        """The tasks that are finished, once one of that kind is."""
        if DataDirectory(data_dir).read_state() is None:
            return None
        with contextlib.suppress(asyncpg.UndefinedTableError):
            rows = query(data_dir, "SELECT tasks.id, kind FROM tasks WHERE project_id <> '' AND state = 'succeeded'")
            return {row["id"] for row in rows} if kind in {row["kind"] for row in rows} else None
        return None

    done = wait_for("the first video", lambda: done_before("image_to_video"))
    first.process.send_signal(signal.SIGINT)
    assert first.wait() == 130, first.said()
    assert not film.exists()

    server = Server(data_dir)
    try:
        project = _project(server)
        wait_for(
            "the server to do what was left",
            lambda: (
                not server.query(
                    "SELECT 1 FROM tasks WHERE project_id = $1 AND state IN ('queued', 'running') LIMIT 1", project
                )
            ),
        )
        videos = "SELECT count(*) FROM tasks WHERE project_id = $1 AND kind = 'image_to_video' AND state = 'succeeded'"
        assert server.query(videos, project)[0]["count"] == undisturbed.tasks["image_to_video"]
        assert not film.exists()

        Render(undisturbed.story, film, "--data-dir", str(data_dir)).finish()
        assert sha256(film) == undisturbed.film_sha256
        rows = attempts(data_dir, project)
    finally:
        server.stop()
    assert Counter(row["kind"] for row in rows if row["outcome"] == "succeeded") == undisturbed.tasks
    executions = Counter(row["task_id"] for row in rows)
    assert {executions[task] for task in done & set(executions)} == {1}
    assert max(executions.values()) <= 2
