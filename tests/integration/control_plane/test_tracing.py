"""The lines of one request are found in the logs of every process: by its id, then by its tasks' ids."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from monitoring.logs import configure_logging
from tests.integration.control_plane.conftest import Client, Plane, submission

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("test", stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(stream: io.StringIO, event: str, **ids: str) -> list[dict[str, Any]]:
    every = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [line for line in every if line["event"] == event and ids.items() <= line.items()]


async def test_a_request_its_tasks_and_what_follows_from_them_are_joined(
    plane: Plane, user: Client, stream: io.StringIO
) -> None:
    project_id = (await user.post("/input/submit", submission()))["project_id"]
    await user.post("/generation/start", {"project_id": project_id}, headers={"X-Request-Id": "film-42"})
    await user.until(f"/generation/progress/{project_id}", lambda answer: answer["status"] != "generating")

    (first,) = lines(stream, "tasks queued", request_id="film-42")
    followers = [line for line in lines(stream, "tasks queued", project_id=project_id) if line != first]
    task_ids = {task_id for line in (first, *followers) for task_id in line["task_ids"]}
    assert len(task_ids) > 5
    assert first["project_id"] == project_id
    # What follows from a task is queued by its reaction, whose lines name the task and no request.
    assert all(line["task_id"] in task_ids and "request_id" not in line for line in followers)
    for task_id in task_ids:
        for event in ("attempt started", "attempt ended"):
            (line,) = lines(stream, event, task_id=task_id, project_id=project_id, job_id=first["job_id"])
            assert line["epoch"] == 1


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/input/options", "/api/v1/user/me", "/nowhere", "/api/v1/none"])
async def test_every_answer_names_its_request(plane: Plane, path: str) -> None:
    session, url = plane.anonymous.session, plane.anonymous.url
    async with session.get(url + path, headers={"X-Request-Id": "mine-1"}) as answer:
        assert answer.headers.getall("X-Request-Id") == ["mine-1"]
    ids = set()
    for headers in ({}, {}, {"X-Request-Id": "not mine"}):
        async with session.get(url + path, headers=headers) as answer:
            ids.add(answer.headers["X-Request-Id"])
    assert len(ids) == 3
    assert "not mine" not in ids


async def test_a_websocket_names_its_request(user: Client) -> None:
    socket = await user.session.ws_connect(f"{user.url}/ws?token={user.token}", headers={"X-Request-Id": "mine-2"})
    assert socket._response.headers["X-Request-Id"] == "mine-2"
    await socket.close()


async def test_a_failure_is_logged_with_its_request(
    plane: Plane, user: Client, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plane.services.database, "reader", None)  # anything that is a bug
    async with user.session.get(
        f"{user.url}/api/v1/user/me",
        headers={"Authorization": f"Bearer {user.token}", "X-Request-Id": "broken-1"},
    ) as answer:
        assert (answer.status, answer.headers["X-Request-Id"]) == (500, "broken-1")
    monkeypatch.undo()
    (line,) = lines(stream, "request failed", request_id="broken-1")
    assert line["path"] == "/api/v1/user/me"
