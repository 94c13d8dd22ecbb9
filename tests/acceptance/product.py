"""The product from outside: a `reelfarm up` with its processes, its API, and `reelfarm render`."""

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError

import asyncpg
import psutil

from runtime.embedded.datadir import DataDirectory
from tests.contract.fields import SENT

T = TypeVar("T")

REELFARM = [sys.executable, "-m", "control_plane.cli"]
PASSWORD = "correct horse battery"
PATIENCE_S = 180.0
"""Nothing is judged by how fast it is: whoever waits this long waits for something that will not come."""

STORY = "傍晚，林晓雨在海边散步。“你好，大海！”林晓雨说。星星升起来了。"
"""Makes a film of a few shots, for tests that need several."""

SIZES = {"16:9": (1280, 720), "9:16": (720, 1280)}


def wait_for(what: str, look: Callable[[], T | None], within_s: float = PATIENCE_S) -> T:
    """Look until there is something to see, and return that."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {within_s:.0f} s for {what}"
        time.sleep(0.05)
    return found


def _request(method: str, url: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
    assert url.startswith("http://")
    request = urllib.request.Request(url, data, headers or {}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Refused(AssertionError):
    def __init__(self, status: int, envelope: dict[str, Any]) -> None:
        super().__init__(f"{status}: {envelope}")
        self.status, self.code, self.message = status, envelope["code"], envelope["message"]


@dataclass
class Api:
    """One user's requests; answers `data`."""

    url: str
    token: str = ""

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = None
        if method in {"POST", "PUT"}:
            headers["Content-Type"] = "application/json"
            data = json.dumps({} if body is None else body).encode()
        try:
            envelope = json.loads(_request(method, f"{self.url}/api/v1{path}", data, headers))
        except HTTPError as error:
            raise Refused(error.code, json.load(error)) from error
        assert (set(envelope), envelope["code"]) == ({"code", "message", "data"}, 0), envelope
        SENT.note(method, path, body)
        return envelope["data"]

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        return self.call("POST", path, body)

    def put(self, path: str, body: Any = None) -> Any:
        return self.call("PUT", path, body)

    def login(self, name: str, password: str = PASSWORD) -> "Api":
        return Api(self.url, self.post("/auth/login", {"username": name, "password": password})["session_token"])

    def fetch(self, url: str) -> bytes | None:
        """A file by its signed URL; None while it is being made."""
        try:
            return _request("GET", url)
        except HTTPError as error:
            if error.code == 404 and "Retry-After" in error.headers:
                return None
            raise

    def wait_for_file(self, url: str) -> bytes:
        return wait_for(f"the file of {url}", lambda: self.fetch(url))

    def upload(self, data: bytes, name: str, media_type: str, category: str) -> dict[str, Any]:
        """An attachment, by the way that browsers go."""
        config = self.get("/attachments/upload-config")
        _request("PUT", config["upload_url"], data)
        registration = {
            "file_name": name,
            "file_type": media_type,
            "file_category": category,
            "file_size": len(data),
            "file_url": config["file_url"],
        }
        return dict(self.post("/attachments", registration))

    # --- the flow

    def submit(
        self, content: str, *, input_type: str = "text", config: dict[str, Any] | None = None, **more: Any
    ) -> str:
        """A new project with its generation started."""
        body = {
            "input_mode": "general",
            "input_type": input_type,
            "content": content,
            "config": {"aspect_ratio": "16:9", "duration_type": "smart"} | (config or {}),
        }
        project_id = str(self.post("/input/submit", body | more)["project_id"])
        self.post("/generation/start", {"project_id": project_id})
        return project_id

    def wait_for_materials(self, project_id: str) -> str:
        """The material package's id."""

        def look() -> Any:
            progress = self.get(f"/generation/progress/{project_id}")
            assert progress["status"] != "failed", progress
            return progress if progress["status"] == "completed" else None

        return str(wait_for("the materials", look)["material_package_id"])

    def start_export(self, project_id: str, name: str, *, ratio: str = "16:9", **changes: Any) -> str:
        """An export whose files are named after it."""
        width, height = SIZES[ratio]
        config = {"resolution": "720p", "width": width, "height": height, "format": "MP4", "aspect_ratio": ratio}
        answer = self.post(f"/projects/{project_id}/export", {"task_name": name, "config": config | changes})
        return str(answer["export_task_id"])

    def wait_for_export(self, export_id: str) -> dict[str, Any]:
        def look() -> Any:
            task = self.get(f"/export-tasks/{export_id}")
            assert task["status"] not in {"failed", "cancelled"}, task
            return task if task["status"] == "completed" else None

        return dict(wait_for("the export", look))

    def exported(self, project_id: str, name: str, folder: Path) -> dict[str, Path]:
        """The files of an export by their type."""
        files = self.get(f"/projects/{project_id}/export-files")["list"]
        return {
            file["file_type"]: self.download(file, folder) for file in files if Path(file["file_name"]).stem == name
        }

    def download(self, file: dict[str, Any], folder: Path) -> Path:
        path = folder / f"{file['id']}-{file['file_name']}"
        data = self.fetch(self.get(f"/export-files/{file['id']}/download-url")["download_url"])
        assert data is not None
        path.write_bytes(data)
        return path


class Server:
    """`reelfarm up` on a data directory of its own."""

    def __init__(self, data_dir: Path, environment: Mapping[str, str] | None = None, *options: str) -> None:
        self.data_dir = data_dir
        command = [*REELFARM, "up", "--data-dir", str(data_dir), "--host", "127.0.0.1", "--port", "0", *options]
        self.process = subprocess.Popen(
            [*command, "--cpu-workers", "2"],
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        word, _, self.url = self.process.stdout.readline().strip().partition(" ")
        assert word == "ready", self.logs()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def logs(self) -> str:
        logs = sorted(self.data_dir.glob("logs/*.log"))
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-2000:]}" for path in logs)

    def new_user(self, name: str) -> Api:
        create = [*REELFARM, "user", "create", name, "--password-stdin", "--daily-limit", "1000000"]
        subprocess.run(
            [*create, "--data-dir", str(self.data_dir)],
            input=f"{PASSWORD}\n",
            text=True,
            check=True,
            capture_output=True,
        )
        return Api(self.url).login(name)

    # --- its processes

    def service(self, *end_of_command: str) -> psutil.Process | None:
        """The process that the supervisor runs with such a command line."""
        noted = json.loads((self.data_dir / "run" / "processes.json").read_text())
        for record in noted["processes"]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(record["pid"])
                command = process.cmdline()
                if command[-len(end_of_command) :] == list(end_of_command):
                    return process
        return None

    def postgres(self) -> psutil.Process | None:
        pid_file = self.data_dir / "postgres" / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, psutil.NoSuchProcess, ValueError):
            return psutil.Process(int(pid_file.read_text().split()[0]))
        return None

    def worker(self, name: str) -> psutil.Process:
        note = json.loads((self.data_dir / "scratch" / "workers" / f"{name}.json").read_text())
        return psutil.Process(note["pid"])

    # --- its queue

    def query(self, statement: str, *arguments: Any) -> list[dict[str, Any]]:
        return query(self.data_dir, statement, *arguments)

    def attempts(self, project_id: str) -> list[dict[str, Any]]:
        return attempts(self.data_dir, project_id)


def query(data_dir: Path, statement: str, *arguments: Any) -> list[dict[str, Any]]:
    """Rows of a running server's database."""
    state = DataDirectory(data_dir).read_state()
    assert state is not None, "no server runs"
    url = state.database_url.replace("+asyncpg", "")

    async def fetch() -> list[dict[str, Any]]:
        connection = await asyncpg.connect(url)
        try:
            return [dict(row) for row in await connection.fetch(statement, *arguments)]
        finally:
            await connection.close()

    return asyncio.run(fetch())


def attempts(data_dir: Path, project_id: str) -> list[dict[str, Any]]:
    """Every execution of a project's tasks, with the task's kind and label."""
    return query(
        data_dir,
        "SELECT task_id, attempts.epoch, worker, generation, attempts.outcome, kind, label, state FROM attempts "
        "JOIN tasks ON tasks.id = task_id WHERE project_id = $1 ORDER BY attempts.started_at",
        project_id,
    )


class Render:
    """A running `reelfarm render`; its film is at `film`."""

    def __init__(self, source: Path, film: Path, *options: str, server: Server | None = None, user: str = "") -> None:
        self.film = film
        self._said = film.with_suffix(".log")
        on = ["--server", server.url, "--user", user, "--data-dir", str(server.data_dir)] if server else []
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [*REELFARM, "render", str(source), "-o", str(film), *on, *options],
                stdout=said,
                stderr=said,
                env={**os.environ, "REELFARM_PASSWORD": PASSWORD},
                start_new_session=True,
            )

    def said(self) -> str:
        return self._said.read_text()

    def wait(self) -> int:
        return self.process.wait(PATIENCE_S)

    def finish(self) -> Path:
        assert self.wait() == 0, self.said()
        return self.film


def render(source: Path, film: Path, options: Sequence[str], server: Server, user: str) -> Path:
    return Render(source, film, *options, server=server, user=user).finish()
