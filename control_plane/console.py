"""What the commands share: settings, the server's database and its login, and how a command fails."""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer
from pydantic import ValidationError

from runtime.settings import Settings, get_settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

T = TypeVar("T")

DEFAULT_DATA_DIR = Path(".reelfarm")

DataDirOption = Annotated[
    Path | None,
    typer.Option(help="Everything the server keeps. Default: REELFARM_DATA_DIR, else ./.reelfarm", show_default=False),
]


def fail(message: str, status: int = 1) -> NoReturn:
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(status)


def settings() -> Settings:
    try:
        return get_settings()
    except ValidationError as error:
        first = error.errors()[0]
        fail(f"REELFARM_{str(first['loc'][0]).upper()}: {first['msg']}", 2)


def data_dir_of(option: Path | None) -> Path:
    return option or settings().data_dir or DEFAULT_DATA_DIR


def use_data_dir(option: Path | None) -> None:
    """For this process and those it starts."""
    os.environ["REELFARM_DATA_DIR"] = str(data_dir_of(option).resolve())
    get_settings.cache_clear()


def password_of(user: str) -> str:
    """From REELFARM_PASSWORD, else asked for."""
    return os.environ.get("REELFARM_PASSWORD") or typer.prompt(f"Password of {user}", hide_input=True, err=True)


def in_servers_database(data_dir: Path | None, act: "Callable[[AsyncSession], Awaitable[T]]") -> T:
    """Do something in one transaction of the server's database, that of a data directory, whether its server runs or
    not, or of REELFARM_DATABASE_URL; failing is told in a line."""
    from sqlalchemy.exc import SQLAlchemyError

    from control_plane import local
    from control_plane.errors import ApiError
    from control_plane.migrations import SchemaError
    from runtime.embedded.errors import EmbeddedError

    external = settings().database_url.get_secret_value()
    try:
        with contextlib.nullcontext(external) if external else local.database_of(data_dir_of(data_dir)) as url:
            return asyncio.run(local.in_database(url, act))
    except (ApiError, EmbeddedError, SchemaError, SQLAlchemyError, OSError) as error:
        fail(str(error).splitlines()[0])
