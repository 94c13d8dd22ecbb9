"""What commands on the server's own machine may do beside the API: reach its database, and start it."""

import asyncio
import contextlib
import secrets
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from runtime.embedded.datadir import DataDirectory, ServerState, write_private
from runtime.embedded.errors import DataDirectoryInUseError, EmbeddedError
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.embedded.process import spawn, wait_until
from runtime.embedded.rundir import create_run_dir

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

T = TypeVar("T")

LOCAL_USER = "local"
_LOCAL_DAILY_LIMIT = 1_000_000  # whoever holds the data directory holds the machine
_START_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 15.0


async def in_database(url: str, act: "Callable[[AsyncSession], Awaitable[T]]") -> T:
    """Do something in one transaction of the database at `url`. Raises what it raises."""
    # Imported here: it takes as long as the server takes to start, which goes on meanwhile.
    from control_plane import migrations
    from runtime.database import Database

    migrations.import_tables()
    database = Database(url, pool_size=1)
    try:
        async with database.transaction() as session:
            return await act(session)
    finally:
        await database.close()


async def _create_local_user(session: "AsyncSession", password: str) -> None:
    from control_plane.accounts import service

    await service.create_user(session, username=LOCAL_USER, password=password, daily_limit=_LOCAL_DAILY_LIMIT)


@contextlib.contextmanager
def database_of(data_dir: Path) -> Iterator[str]:
    """The address of a data directory's database: the running server's, or one started for the moment.

    Raises EmbeddedError.
    """
    from control_plane import migrations

    directory = DataDirectory(data_dir)
    state = _running(directory)
    if state is not None:
        yield state.database_url
        return
    run_dir = create_run_dir()
    try:
        with directory.hold():
            server = EmbeddedPostgres(directory.postgres, run_dir, log=directory.logs / "postgres.log")
            server.start()
            try:
                asyncio.run(migrations.migrate(server.url))
                yield server.url
            finally:
                server.stop()
    finally:
        shutil.rmtree(run_dir, ignore_errors=True)


@contextlib.contextmanager
def local_server(data_dir: Path, catalog: Path | None = None) -> Iterator[str]:
    """The address of the server of a data directory: the one that runs, or our own until the block ends.

    Raises EmbeddedError; so it does for a ``catalog`` where a server runs, which has its own.
    """
    directory = DataDirectory(data_dir)
    state = _running(directory)
    if state is not None and catalog is not None:
        raise EmbeddedError(f"a server runs on {directory.root} with its own catalog: stop it, or leave out --catalog")
    if state is not None:
        yield state.url
        return
    directory.create()
    log = directory.logs / "up.log"
    up = ["-m", "control_plane.cli", "up", "--data-dir", str(directory.root)]
    if catalog is not None:
        up += ["--catalog", str(catalog)]
    # In a session of its own, so that Ctrl-C is for us and we stop it in our time.
    child = spawn(
        "up",
        [sys.executable, *up, "--host", "127.0.0.1", "--port", "0"],
        log=log,
        stdout=subprocess.PIPE,
    )
    try:
        assert child.popen.stdout is not None  # noqa: S101  asked for as a pipe
        word, _, url = child.popen.stdout.readline().decode().strip().partition(" ")
        if word != "ready":
            raise EmbeddedError(_last_line(log) or "the server did not start")
        yield url
    finally:
        child.stop(_STOP_TIMEOUT_S)


def local_user(data_dir: Path) -> tuple[str, str]:
    """Name and password of the user that commands on this machine render as; made at the first call.

    The server of the data directory must run. Raises EmbeddedError.
    """
    directory = DataDirectory(data_dir)
    state = directory.read_state()
    if state is None:
        raise EmbeddedError(f"no server runs on {directory.root}")
    path = directory.root / "local-password"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24))
    password = path.read_text(encoding="utf-8").strip()
    from control_plane.errors import AlreadyExists

    with contextlib.suppress(AlreadyExists):
        asyncio.run(in_database(state.database_url, lambda session: _create_local_user(session, password)))
    return LOCAL_USER, password


def _running(directory: DataDirectory) -> ServerState | None:
    """The running server's addresses, waited for while it starts; None if none runs."""
    wait_until(lambda: directory.read_state() is not None or not directory.is_held(), _START_TIMEOUT_S)
    state = directory.read_state()
    if state is None and directory.is_held():
        raise DataDirectoryInUseError(f"the server on {directory.root} does not finish starting")
    return state


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].removeprefix("error: ") if lines else ""
