"""The data directory: who holds it, what is private in it, what can be wrong with it."""

import shutil
import stat
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from runtime.embedded.datadir import DataDirectory, ServerState
from runtime.embedded.errors import DataDirectoryInUseError, EmbeddedError
from runtime.embedded.process import wait_until

STATE = ServerState("http://127.0.0.1:1", "postgresql+asyncpg://x", "redis://x", "file:///x", "127.0.0.1:2")


def test_only_one_holds_it_and_a_killed_holder_lets_go(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    code = (
        "import sys, time; from pathlib import Path; from runtime.embedded.datadir import DataDirectory\n"
        "with DataDirectory(Path(sys.argv[1])).hold():\n    print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(directory.root)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert directory.is_held()
    with (
        pytest.raises(DataDirectoryInUseError, match=f"in use by a running server .process {holder.pid}"),
        directory.hold(),
    ):
        pass
    holder.kill()
    holder.wait()
    assert wait_until(lambda: not directory.is_held(), 5)
    with directory.hold():
        assert directory.is_held()


def test_the_state_counts_only_while_it_is_held(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    with directory.hold():
        directory.write_state(STATE)
        assert directory.read_state() == STATE
    assert directory.read_state() is None


def test_what_is_secret_is_for_the_owner_alone(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    with directory.hold():
        directory.write_state(STATE)
        key = directory.secret_key()
    assert len(key) >= 32
    assert directory.secret_key() == key
    assert stat.S_IMODE((directory.root / "secret.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((directory.run / "server.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.root.stat().st_mode) == 0o700


def test_permissions_of_an_existing_directory_stay(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o750)
    DataDirectory(tmp_path / "data").create()
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o750


def test_a_path_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError, match="is a file"):
        DataDirectory(tmp_path / "file" / "data").create()


def test_a_directory_that_cannot_be_written() -> None:
    # Root may write anywhere but where the kernel itself refuses.
    with pytest.raises(EmbeddedError, match="/proc/reelfarm"):
        DataDirectory(Path("/proc/reelfarm")).create()


def test_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "probe").symlink_to("/dev/full")
    with pytest.raises(EmbeddedError, match="is full"):
        DataDirectory(tmp_path).create()


def test_a_nearly_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10 << 30, 10 << 30, 5 << 20))
    with pytest.raises(EmbeddedError, match="is full: 5 MB free"):
        DataDirectory(tmp_path).create()
