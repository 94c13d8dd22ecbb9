"""The command line: `reelfarm`."""

import asyncio
import os
import signal
import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated

import typer

from control_plane.console import DataDirOption, data_dir_of, fail, settings, use_data_dir
from control_plane.farm_commands import farm
from control_plane.models_command import CatalogOption, check_catalog, models, use_catalog, warn_without_gpu
from control_plane.user_commands import users

app = typer.Typer(
    name="reelfarm",
    help="Turns a text, a script or a storyboard into a finished video, on your own machines.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(users, name="user")
app.add_typer(models, name="models")
app.add_typer(farm, name="farm")


@app.command()
def up(
    data_dir: DataDirOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="0 takes a free one.", min=0, max=65535, show_default="8400")] = None,
    cpu_workers: Annotated[
        int | None, typer.Option(help="Tasks rendered at once on CPUs.", min=1, show_default="one per CPU")
    ] = None,
    catalog: CatalogOption = None,
) -> None:
    """Run everything on this machine: database, queue, workers, API. Prints `ready http://…` once it serves."""
    use_catalog(catalog)
    use_data_dir(data_dir)
    check_catalog(catalog)
    warn_without_gpu(catalog)
    from runtime.embedded.errors import EmbeddedError
    from runtime.embedded.server import ServerOptions, run_server

    found = settings()
    options = ServerOptions(
        data_dir=data_dir_of(data_dir),
        host=found.host if host is None else host,
        port=found.port if port is None else port,
        cpu_workers=cpu_workers or found.cpu_workers,
        settings=found,
    )
    try:
        ended_by = run_server(
            options,
            on_ready=lambda url: typer.echo(f"ready {url}"),
            complain=lambda message: typer.echo(message, err=True),
        )
    except EmbeddedError as error:
        fail(str(error))
    raise typer.Exit(130 if ended_by is signal.SIGINT else 0)


@app.command()
def api() -> None:
    """Run one API process; its addresses come from REELFARM_… variables."""
    os.execv(sys.executable, [sys.executable, "-m", "control_plane"])  # noqa: S606  becomes the process itself


@app.command()
def scheduler() -> None:
    """Run one scheduler process: the first is active, others stand by."""
    check_catalog(None)
    os.execv(sys.executable, [sys.executable, "-m", "scheduler"])  # noqa: S606


@app.command("gpu-exporter")
def gpu_exporter(
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int, typer.Option(help="Where Prometheus finds /metrics.", min=1, max=65535)] = 8402,
) -> None:
    """Serve this machine's GPUs to Prometheus; one on every GPU node."""
    from monitoring import gpu
    from monitoring.logs import configure_logging

    found = settings()
    configure_logging("gpu-exporter", found.log_level)
    address = found.host if host is None else host
    try:
        gpu.serve(address, port)
    except OSError as error:
        fail(f"cannot listen on {address}:{port}: {error.strerror or error}")


@app.command()
def migrate() -> None:
    """Bring the database's schema to this version."""
    from sqlalchemy.exc import SQLAlchemyError

    from control_plane import migrations

    url = settings().database_url.get_secret_value()
    if not url:
        fail("REELFARM_DATABASE_URL is not set; `reelfarm up` migrates its own database")
    try:
        revision = asyncio.run(migrations.migrate(url))
    except (migrations.SchemaError, SQLAlchemyError, OSError) as error:
        fail(str(error).splitlines()[0])
    typer.echo(f"the schema is at revision {revision}")


@app.command()
def render(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT...", help="A text, screenplay (.fountain) or storyboard (.csv, .json)."),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The film (.mp4, .mov), or a directory.", show_default="INPUT.mp4"),
    ] = None,
    aspect: Annotated[str, typer.Option(help="Such as 16:9, 9:16, 4:3, 2.35:1.")] = "16:9",
    resolution: Annotated[str, typer.Option(help="720p, 1080p or 4K.")] = "720p",
    style: Annotated[str | None, typer.Option(help="A style's name or id.", show_default="fitting the text")] = None,
    duration: Annotated[
        float | None, typer.Option(help="Length in seconds.", min=5, max=600, show_default="fitting the text")
    ] = None,
    subtitles: Annotated[bool, typer.Option(help="Draw what is spoken into the picture.")] = True,
    server: Annotated[
        str | None, typer.Option(help="http://… of a running server.", show_default="one of our own")
    ] = None,
    user: Annotated[
        str | None, typer.Option(help="Whom to log in as; the password is in REELFARM_PASSWORD or asked for.")
    ] = None,
    data_dir: DataDirOption = None,
    catalog: CatalogOption = None,
) -> None:
    """Make a film of each input. The same command goes on with a render that was interrupted."""
    from control_plane import render_command
    from control_plane.client import ClientError
    from control_plane.render import RenderError
    from runtime.embedded.errors import EmbeddedError

    try:
        render_command.run(
            render_command.RenderOptions(
                inputs=inputs,
                output=output,
                aspect=aspect,
                resolution=resolution,
                style=style,
                duration_s=duration,
                subtitles=subtitles,
                server=server,
                user=user,
                data_dir=data_dir_of(data_dir),
                catalog=catalog,
            )
        )
    except (RenderError, ClientError, EmbeddedError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.strerror}: {error.filename}" if error.filename else str(error))
    except KeyboardInterrupt:
        fail("interrupted; the same command goes on where it was", 130)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(installed_version("reelfarm"))


def main() -> None:
    app()


if __name__ == "__main__":
    main()
