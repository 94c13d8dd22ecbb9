"""What the commands share: settings, the data directory, and how a command fails."""

from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError

from runtime.settings import Settings, get_settings

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
