"""What `reelfarm render` does around the flow itself: inputs and outputs, a server, a login, a last line."""

import asyncio
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import typer

from control_plane import local, render
from control_plane.client import ApiClient, ClientError
from control_plane.console import password_of
from control_plane.inputs.rules import SHORT_SIDES
from control_plane.progress import make_display
from control_plane.render import RenderError, RenderMemory, RenderRequest
from runtime.embedded.datadir import DataDirectory


@dataclass(frozen=True)
class RenderOptions:
    inputs: Sequence[Path]
    output: Path | None
    aspect: str
    resolution: str
    style: str | None
    duration_s: float | None
    subtitles: bool
    server: str | None
    user: str | None
    data_dir: Path
    catalog: Path | None = None


def run(options: RenderOptions) -> None:
    """Render every input; what is wrong with any is said before the first starts.

    Raises RenderError, ClientError, EmbeddedError and OSError.
    """
    jobs = [(request_of(path, options), output_of(path, options)) for path in options.inputs]
    makers: dict[Path, Path] = {}
    for (_, output), path in zip(jobs, options.inputs, strict=True):
        other = makers.setdefault(output.resolve(), path)
        if other is not path:
            raise RenderError(f"{other} and {path} would both become {output}")
        if not os.access(output.parent, os.W_OK):
            raise RenderError(f"{output.parent} is not a directory that can be written to")
        if output.resolve() == path.resolve():
            raise RenderError(f"{output} is the input itself")
    with _server(options) as server:
        name, password = _login(options)
        directory = DataDirectory(options.data_dir)
        for (request, output), path in zip(jobs, options.inputs, strict=True):
            if len(jobs) > 1:
                typer.echo(f"{output.name}: {request.title}", err=True)
            try:
                asyncio.run(_render(server, (name, password), request, output, directory))
            except ClientError as error:
                raise RenderError(f"{path}: {error}") from error


async def _render(
    server: str, login: tuple[str, str], request: RenderRequest, output: Path, directory: DataDirectory
) -> None:
    # A server of our own has another port each time, yet it is the same one.
    identity = str(directory.root) if login[0] == local.LOCAL_USER else server
    memory = RenderMemory(directory.renders, identity, login[0], request)
    async with ApiClient(server) as client:
        await client.login(*login)
        with make_display() as display:
            film = await render.render(client, request, output, display, memory)
    length = f"{film.duration_s:.1f} s, " if film.duration_s else ""
    typer.echo(f"{film.path}: {length}{film.size / 1e6:.1f} MB")


def request_of(path: Path, options: RenderOptions) -> RenderRequest:
    """Raises RenderError."""
    content, input_type = render.read_input(path)
    resolution = {"2160p": "4K", "4k": "4K"}.get(options.resolution.lower(), options.resolution.lower())
    if resolution not in SHORT_SIDES:
        raise RenderError(f"unknown resolution {options.resolution}; use one of {', '.join(SHORT_SIDES)}")
    return RenderRequest(
        content=content,
        input_type=input_type,
        aspect_ratio=options.aspect,
        resolution=resolution,
        style=options.style,
        duration_s=options.duration_s,
        subtitles=options.subtitles,
        format=render.FORMATS[output_of(path, options).suffix.lower()],
        title=path.stem,
    )


def output_of(path: Path, options: RenderOptions) -> Path:
    """Where the film of an input goes. Raises RenderError."""
    output = options.output
    if output is None:
        return Path(f"{path.stem}.mp4")
    if output.is_dir():
        return output / f"{path.stem}.mp4"
    if len(options.inputs) > 1:
        raise RenderError(f"{output} is not a directory, and there are {len(options.inputs)} inputs")
    if output.suffix.lower() not in render.FORMATS:
        raise RenderError(f"{output}: unknown kind of film; use one of {', '.join(render.FORMATS)}")
    return output


def _server(options: RenderOptions) -> AbstractContextManager[str]:
    if options.server is None:
        return local.local_server(options.data_dir, options.catalog)
    if options.catalog is not None:
        raise RenderError(f"{options.server} has a catalog of its own: --catalog is for a server of our own")
    if urlsplit(options.server).scheme not in {"http", "https"}:
        raise RenderError(f"{options.server} is not an address such as http://127.0.0.1:8400")
    return nullcontext(options.server)


def _login(options: RenderOptions) -> tuple[str, str]:
    if options.server is None and options.user is None:
        return local.local_user(options.data_dir)
    if options.user is None:
        raise RenderError("whom to log in as? give --user NAME, and the password in REELFARM_PASSWORD")
    return options.user, password_of(options.user)
