"""Text to finished film on a running server: wall time against the film's own length, and memory.

    python -m benchmarks.end_to_end [--runs 3] [--input samples/seaside.txt] [--cpu-workers 2] [--json]

Starts its own embedded server, renders the input once to warm up and then several times through the public API
(speech, music, camera moves, burned-in subtitles, 720p), each time with another style, so that nothing can be reused.
The limit beside it is the encoder alone: the film's own frames, already decoded, through x264 with the same settings.
"""

import argparse
import asyncio
import dataclasses
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import psutil

from benchmarks.report import median, show
from control_plane import local
from control_plane.client import ApiClient
from control_plane.render import INPUT_TYPES, RenderedFilm, RenderMemory, RenderRequest, render
from pipelines.media.encode import X264, encoder_settings
from pipelines.media.video_writer import VideoWriter

STYLES = ("cinematic", "watercolor", "storybook", "anime", "oil")
_LIMIT_FRAMES = 240

NOTES = {
    "wall_over_duration": "wall time of a render over the film's length (goal: at most 0.5)",
    "peak_rss_gb": "memory of all processes together, resident sizes added up (goal: under 3)",
    "peak_pss_gb": "the same with shared pages counted once",
    "film_s": "length of the film",
    "wall_s": "wall time of a render",
    "encode_over_duration": "the limit: x264 alone on ready frames, over the same length",
    "vs_encode": "wall time of a render over the limit",
}


class Quiet:
    """A display that shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def show(self, step: str, fraction: float, detail: str = "") -> None:
        return


class Memory(threading.Thread):
    """Samples the memory of a process and everything below it until it is stopped."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._root = psutil.Process(pid)
        self._stopped = threading.Event()
        self.peak_rss = 0
        self.peak_pss = 0

    def run(self) -> None:
        for turn in itertools.count():
            if self._stopped.wait(0.25):
                return
            rss = pss = 0
            for process in [self._root, *self._root.children(recursive=True)]:
                try:
                    rss += process.memory_info().rss
                    if turn % 8 == 0:  # reading the shared pages costs
                        pss += process.memory_full_info().pss
                except psutil.NoSuchProcess:
                    continue
            self.peak_rss = max(self.peak_rss, rss)
            self.peak_pss = max(self.peak_pss, pss)

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def encode_seconds(path: Path) -> float:
    """Seconds x264 needs for the film with ready frames, from a stretch of it."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        total = stream.frames
        decoded = itertools.islice(container.decode(stream), total // 4, total // 4 + _LIMIT_FRAMES)
        frames = [frame.to_ndarray(format="yuv420p") for frame in decoded]
        width, height, fps = stream.width, stream.height, round(float(stream.average_rate or 24))
    with tempfile.TemporaryDirectory() as directory:
        started = time.perf_counter()
        settings = encoder_settings(X264, width, height)
        with VideoWriter(Path(directory) / "limit.mp4", width, height, fps, gop=2 * fps, **settings) as writer:  # type: ignore[arg-type]
            for frame in frames:
                writer.write(frame)
        return (time.perf_counter() - started) * total / len(frames)


async def one_film(
    server: str, login: tuple[str, str], request: RenderRequest, directory: Path
) -> tuple[float, RenderedFilm]:
    memory = RenderMemory(directory / "renders", server, login[0], request)
    async with ApiClient(server) as client:
        await client.login(*login)
        started = time.perf_counter()
        film = await render(client, request, directory / "film.mp4", Quiet(), memory)
        return time.perf_counter() - started, film


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--input", type=Path, default=Path("samples/seaside.txt"))
    parser.add_argument("--cpu-workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    request = RenderRequest(
        content=options.input.read_text(encoding="utf-8"),
        input_type=INPUT_TYPES[options.input.suffix],
        aspect_ratio="16:9",
        resolution="720p",
        style=None,
        duration_s=None,
        subtitles=True,
        format="MP4",
        title="benchmark",
    )
    with tempfile.TemporaryDirectory(prefix="reelfarm-bench-") as name:
        directory = Path(name)
        command = [sys.executable, "-m", "control_plane.cli", "up", "--data-dir", name, "--port", "0"]
        server = subprocess.Popen(
            [*command, "--cpu-workers", str(options.cpu_workers)], stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split()[-1]
            login = local.local_user(directory)
            memory = Memory(server.pid)
            memory.start()
            asyncio.run(one_film(address, login, request, directory))
            walls, lengths, limits = [], [], []
            for _, style in zip(range(options.runs), itertools.cycle(STYLES), strict=False):
                styled = dataclasses.replace(request, style=f"style_{style}")
                wall_s, film = asyncio.run(one_film(address, login, styled, directory))
                walls.append(wall_s)
                lengths.append(film.duration_s)
                limits.append(encode_seconds(film.path))
            memory.stop()
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
    figures = {
        "wall_over_duration": median([wall / length for wall, length in zip(walls, lengths, strict=True)]),
        "peak_rss_gb": round(memory.peak_rss / 1e9, 3),
        "peak_pss_gb": round(memory.peak_pss / 1e9, 3),
        "film_s": median(lengths),
        "wall_s": median(walls),
        "encode_over_duration": median([limit / length for limit, length in zip(limits, lengths, strict=True)]),
        "vs_encode": median([wall / limit for wall, limit in zip(walls, limits, strict=True)]),
    }
    show("Text to finished film", figures, NOTES, as_json=options.json)


if __name__ == "__main__":
    main()
