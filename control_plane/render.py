"""`reelfarm render`: one input file to one film, through the public API alone."""

import asyncio
import contextlib
import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from control_plane.client import ApiClient, ClientError, NotReadyError
from control_plane.inputs.rules import ASPECT_RATIOS, SHORT_SIDES
from control_plane.progress import Display
from runtime.embedded.datadir import write_private

INPUT_TYPES = {
    ".txt": "text",
    ".md": "text",
    ".fountain": "script",
    ".csv": "storyboard",
    ".json": "storyboard",
}
FORMATS = {".mp4": "MP4", ".mov": "MOV"}

_STEPS = {
    "storyline": "Storyline",
    "artstyle": "Art style",
    "characters": "Characters",
    "scenes": "Scenes",
    "storyboard": "Storyboard",
}
_POLL_S = 1.0  # events wake us sooner
_LEAST_POLL_S = 0.1
_MUSIC_VOLUME = 0.5
_MUSIC_FADE_IN_S = 1.0
_MUSIC_FADE_OUT_S = 2.0
_NOT_FOUND = 1004


class RenderError(RuntimeError):
    """The input cannot be rendered, or the server could not render it; the message is for the user."""


@dataclass(frozen=True)
class RenderRequest:
    """What makes two renders the same: the content and every option that shapes the film."""

    content: str
    input_type: str
    aspect_ratio: str
    resolution: str
    style: str | None
    duration_s: float | None
    subtitles: bool
    format: str
    title: str


@dataclass(frozen=True)
class RenderedFilm:
    """`duration_s` is the film's own length, 0 if the server did not say."""

    path: Path
    size: int
    duration_s: float


def read_input(path: Path) -> tuple[str, str]:
    """Content and input type of a file. Raises RenderError."""
    input_type = INPUT_TYPES.get(path.suffix.lower())
    if input_type is None:
        raise RenderError(f"{path}: unknown kind of input; use one of {', '.join(INPUT_TYPES)}")
    try:
        return path.read_text(encoding="utf-8-sig"), input_type
    except UnicodeDecodeError as error:
        raise RenderError(f"{path}: not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise RenderError(f"{path}: {error.strerror}") from error


class RenderMemory:
    """Which renders were begun and not finished, so that the same command goes on with them.

    All that has to be remembered is a name for the attempt: every request's idempotency key is made of it, so
    asking for everything again starts nothing a second time.
    """

    def __init__(self, directory: Path, server: str, user: str, request: RenderRequest) -> None:
        text = json.dumps([server, user, asdict(request)], sort_keys=True)
        self._path = directory / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"

    def recall(self) -> str | None:
        try:
            return str(json.loads(self._path.read_text(encoding="utf-8"))["attempt"])
        except FileNotFoundError:
            return None

    def begin(self) -> str:
        attempt = secrets.token_hex(8)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self._path, json.dumps({"attempt": attempt}))
        return attempt

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)


async def render(
    client: ApiClient, request: RenderRequest, output: Path, display: Display, memory: RenderMemory
) -> RenderedFilm:
    """Make the film and store it at `output`. Raises RenderError and ClientError."""
    earlier = memory.recall()
    film: RenderedFilm | None = None
    try:
        if earlier is not None:
            with contextlib.suppress(_GoneError):
                film = await _Render(client, request, display, earlier).run(output)
        if film is None:
            film = await _Render(client, request, display, memory.begin()).run(output)
    except (RenderError, _GoneError):
        memory.forget()
        raise
    memory.forget()
    return film


class _GoneError(ClientError):
    """Something that the render had made was deleted meanwhile."""


class _Render:
    def __init__(self, client: ApiClient, request: RenderRequest, display: Display, attempt: str) -> None:
        self._client = client
        self._request = request
        self._display = display
        self._attempt = attempt

    async def run(self, output: Path) -> RenderedFilm:
        try:
            return await self._make(output)
        except ClientError as error:
            if error.code == _NOT_FOUND:
                raise _GoneError(str(error), error.code) from error
            raise

    async def _make(self, output: Path) -> RenderedFilm:
        options = await self._client.get("/input/options")
        project_id = await self._submit(options)
        async with _watching(self._client, project_id) as events:
            await self._post("/generation/start", {"project_id": project_id}, "start")
            await self._wait_for_materials(project_id, events)
            await _together(self._make_videos(project_id, options, events), self._make_music(project_id, events))
            export_id = await self._start_export(project_id)
            await self._wait_for_export(export_id, events)
        return await self._download(project_id, output)

    async def _post(self, path: str, body: dict[str, Any], purpose: str) -> dict[str, Any]:
        return await self._client.post(path, body, key=f"render-{self._attempt}-{purpose}")

    async def _submit(self, options: dict[str, Any]) -> str:
        request = self._request
        ratios = [item["ratio"] for item in options["aspect_ratios"] if item["ratio"] in ASPECT_RATIOS]
        if request.aspect_ratio not in ratios:
            raise RenderError(f"unknown aspect ratio {request.aspect_ratio}; use one of {', '.join(ratios)}")
        config: dict[str, Any] = {
            "aspect_ratio": request.aspect_ratio,
            "duration_type": "smart" if request.duration_s is None else "custom",
        }
        if request.duration_s is not None:
            config["duration_seconds"] = request.duration_s
        if request.style is not None:
            config["style_id"] = await self._style_id(options, request.style)
        answer = await self._post(
            "/input/submit",
            {
                "input_mode": "general",
                "input_type": request.input_type,
                "content": request.content,
                "config": config,
                "subtitle_enabled": request.subtitles,
            },
            "submit",
        )
        return str(answer["project_id"])

    async def _style_id(self, options: dict[str, Any], wanted: str) -> str:
        """By id or by its name in either language. Raises RenderError."""
        chinese = await self._client.get("/input/options", language="zh")
        for style in (*options["styles"], *chinese["styles"]):
            if wanted.casefold() in {style["id"].casefold(), style["name"].casefold()}:
                return str(style["id"])
        names = ", ".join(style["name"] for style in options["styles"])
        raise RenderError(f"unknown style {wanted}; use one of {names}")

    async def _wait_for_materials(self, project_id: str, events: "_Events") -> None:
        while True:
            progress = await self._client.get(f"/generation/progress/{project_id}")
            for task in progress["tasks"]:
                done = task["status"] in {"completed", "skipped"}
                if done or task["status"] == "in_progress":
                    self._display.show(_STEPS[task["task_type"]], 1.0 if done else task["progress"] / 100)
            if progress["status"] == "completed":
                return
            if progress["status"] == "failed":
                reasons = [task["error_message"] for task in progress["tasks"] if task.get("error_message")]
                raise RenderError(f"the generation failed: {'; '.join(reasons) or progress['current_step']}")
            await events.changed()

    async def _make_videos(self, project_id: str, options: dict[str, Any], events: "_Events") -> None:
        clips = (await self._client.get(f"/projects/{project_id}/timeline"))["clips"]
        models = options["models"]["image_to_video"]
        model = next((model for model in models if model["is_default"]), models[0])
        pending: dict[str, str] = {}  # generation id by clip id
        for clip in clips:
            answer = await self._post(
                f"/timeline-clips/{clip['id']}/generate-video",
                {"model_id": model["id"]},
                f"video-{clip['id']}",
            )
            pending[clip["id"]] = answer["generation_id"]
        while True:
            for clip_id, generation_id in list(pending.items()):
                task = await self._client.get(f"/video-generation-tasks/{generation_id}")
                if task["status"] == "completed":
                    del pending[clip_id]
                elif task["status"] in {"failed", "cancelled"}:
                    failure = events.latest("video.failed", clip_id).get("error_message", task["status"])
                    raise RenderError(f"a clip's video was not made: {failure}")
            running = sum(events.latest("video.progress", clip_id).get("progress", 0) for clip_id in pending)
            ready = len(clips) - len(pending)
            fraction = (ready + running / 100) / len(clips) if clips else 1.0
            self._display.show("Videos", min(fraction, 1.0), f"{ready} of {len(clips)}")
            if not pending:
                return
            await events.changed()

    async def _make_music(self, project_id: str, events: "_Events") -> None:
        self._display.show("Music", 0.0)
        candidate = await self._post(f"/projects/{project_id}/generate-bgm", {}, "bgm")
        while True:
            with contextlib.suppress(NotReadyError):
                await self._client.probe_file(candidate["audio_url"])
                break
            result = events.latest("bgm.completed", candidate["candidate_id"])
            if result.get("status") == "failed":
                raise RenderError(f"the music was not made: {result.get('error_message', 'no reason given')}")
            await events.changed()
        await self._client.put(
            f"/projects/{project_id}/bgm",
            {
                "audio_url": candidate["audio_url"],
                "source": "ai_generated",
                "volume": _MUSIC_VOLUME,
                "fade_in_duration": _MUSIC_FADE_IN_S,
                "fade_out_duration": _MUSIC_FADE_OUT_S,
            },
        )
        self._display.show("Music", 1.0)

    async def _start_export(self, project_id: str) -> str:
        request = self._request
        width, height = ASPECT_RATIOS[request.aspect_ratio].size(SHORT_SIDES[request.resolution])
        config = {
            "resolution": request.resolution,
            "width": width,
            "height": height,
            "format": request.format,
            "aspect_ratio": request.aspect_ratio,
            "subtitle": {"enabled": request.subtitles, "burn_in": request.subtitles},
            "cover": {"enabled": True, "cover_type": "auto_generate"},
        }
        body = {"task_name": request.title, "config": config}
        answer = await self._post(f"/projects/{project_id}/export", body, "export")
        return str(answer["export_task_id"])

    async def _wait_for_export(self, export_id: str, events: "_Events") -> None:
        while True:
            task = await self._client.get(f"/export-tasks/{export_id}")
            self._display.show("Export", task["progress"] / 100)
            if task["status"] == "completed":
                return
            if task["status"] in {"failed", "cancelled"}:
                raise RenderError(f"the export {task['status']}: {task.get('error_message', 'no reason given')}")
            await events.changed()

    async def _download(self, project_id: str, output: Path) -> RenderedFilm:
        files = (await self._client.get(f"/projects/{project_id}/export-files"))["list"]
        film = next((file for file in files if file["file_type"] == "video"), None)
        if film is None:
            raise RenderError("the export left no video")
        link = await self._client.get(f"/export-files/{film['id']}/download-url")
        self._display.show("Download", 0.0)
        size = await self._client.download(
            link["download_url"], output, lambda fraction: self._display.show("Download", fraction)
        )
        if size != film["file_size"] or size == 0:
            raise RenderError(f"the download has {size} bytes, the server said {film['file_size']}")
        self._display.show("Download", 1.0)
        return RenderedFilm(output, size, float(film.get("duration", 0)))


class _Events:
    """What the server told about a project: the latest event of each kind and thing."""

    def __init__(self) -> None:
        self._arrived = asyncio.Event()
        self._latest: dict[tuple[str, str], dict[str, Any]] = {}

    def add(self, event: dict[str, Any]) -> None:
        data = event.get("data") or {}
        for field in ("clip_id", "candidate_id"):
            if field in data:
                self._latest[event["event"], data[field]] = data
        # Workers tell their progress many times a second: it is shown with the next poll and worth none of its own.
        if event["event"] not in {"video.progress", "export.progress"}:
            self._arrived.set()

    def latest(self, name: str, thing_id: str) -> dict[str, Any]:
        """The data of the last such event, empty if there was none; it may be lost, rows tell the truth."""
        return self._latest.get((name, thing_id), {})

    async def changed(self) -> None:
        """Until something is told, and for a while at most."""
        await asyncio.sleep(_LEAST_POLL_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_POLL_S):
                await self._arrived.wait()
        self._arrived.clear()


@contextlib.asynccontextmanager
async def _watching(client: ApiClient, project_id: str) -> AsyncIterator[_Events]:
    events = _Events()

    async def follow() -> None:
        async for event in client.events(project_id):
            events.add(event)

    task = asyncio.create_task(follow())
    try:
        yield events
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _together(*works: Any) -> None:
    """At the same time; the first failure is raised as itself and ends the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
