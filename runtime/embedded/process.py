"""Processes that belong to us: each leads a session of its own, so that all it starts can be found and ended.

Children of Ray change their process group and overwrite their environment, but none leaves its session.
Linux only.
"""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

_PR_SET_PDEATHSIG = 1
_POLL_S = 0.02
_LOG_KEEP_BYTES = 16 * 1024 * 1024

# Loaded before any fork: between fork and exec nothing may be imported or looked up.
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Account:
    """A user and group that a server is run as."""

    uid: int
    gid: int


def unprivileged_account() -> Account | None:
    """Whom to run a server as that refuses to run as root; None where we are not root ourselves."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


@dataclass(frozen=True)
class ProcessRecord:
    """A session leader, told from a later process with the same id by its start time and its boot."""

    pid: int
    start_ticks: int
    boot_id: str

    @classmethod
    def of(cls, pid: int) -> Self:
        """Raises ProcessLookupError."""
        stat = _stat(pid)
        if stat is None:
            raise ProcessLookupError(pid)
        return cls(pid, stat.start_ticks, boot_id())

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(int(value["pid"]), int(value["start_ticks"]), str(value["boot_id"]))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def is_alive(self) -> bool:
        stat = _stat(self.pid)
        return stat is not None and not stat.dead and self._is(stat)

    def members(self) -> list[int]:
        """Processes of the session that live. Empty once the session's number went to somebody else."""
        if self.boot_id != boot_id():
            return []
        leader = _stat(self.pid)
        if leader is not None and not self._is(leader):
            return []
        return session_members(self.pid)

    def _is(self, stat: "_Stat") -> bool:
        return stat.start_ticks == self.start_ticks and self.boot_id == boot_id()


@dataclass(frozen=True)
class _Stat:
    session: int
    start_ticks: int
    dead: bool


def _stat(pid: int) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command name may hold spaces and brackets: the fields start after the last one.
    fields = text[text.rindex(")") + 2 :].split()
    return _Stat(session=int(fields[3]), start_ticks=int(fields[19]), dead=fields[0] in "ZX")


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def session_members(session: int) -> list[int]:
    """Ids of the living processes of a session, ascending; zombies do not count."""
    members = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            stat = _stat(int(entry.name))
            if stat is not None and stat.session == session and not stat.dead:
                members.append(int(entry.name))
    return sorted(members)


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Look again and again until the condition holds; False when the time is up."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True


def end_sessions(records: Sequence[ProcessRecord], *, first: signal.Signals, grace_s: float) -> None:
    """End every process of the sessions: ask with `first`, and kill what is left after the grace."""
    _signal_members(records, first)
    if not wait_until(lambda: not any(record.members() for record in records), grace_s):
        _signal_members(records, signal.SIGKILL)
        wait_until(lambda: not any(record.members() for record in records), 2.0)


def _signal_members(records: Sequence[ProcessRecord], number: signal.Signals) -> None:
    for record in records:
        for pid in record.members():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)


class Child:
    """A process started by us, leader of its own session.

    `stop_signal` asks it to end; the kernel sends `death_signal` to it when we die ourselves.
    """

    def __init__(self, name: str, popen: subprocess.Popen[bytes], stop_signal: signal.Signals) -> None:
        self.name = name
        self.popen = popen
        self.stop_signal = stop_signal
        self.record = ProcessRecord.of(popen.pid)

    @property
    def pid(self) -> int:
        return self.popen.pid

    def exit_status(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        return self.popen.poll()

    def request_stop(self) -> None:
        if self.popen.poll() is None:
            self.popen.send_signal(self.stop_signal)

    def stop(self, grace_s: float) -> None:
        """Ask it to end, wait, and then kill whatever remains of its session."""
        self.request_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(grace_s)
        end_sessions([self.record], first=signal.SIGKILL, grace_s=2.0)
        self.popen.wait()


def spawn(
    name: str,
    argv: Sequence[str],
    *,
    log: Path | None = None,
    stdout: int | None = None,
    environment: Mapping[str, str] | None = None,
    account: Account | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    death_signal: signal.Signals = signal.SIGTERM,
    pass_fds: Sequence[int] = (),
) -> Child:
    """Start a program in a session of its own, its output appended to `log` (dropped without one).

    `stdout` may send that elsewhere, such as `subprocess.PIPE`.

    To be called from the main thread: the kernel sends the death signal when the *thread* that spawned ends.
    """
    parent = os.getpid()

    def arm() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    with contextlib.ExitStack() as files:
        output: Any = subprocess.DEVNULL
        if log is not None:
            _rotate(log)
            output = files.enter_context(log.open("ab"))
        popen = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=output if stdout is None else stdout,
            stderr=output,
            env=None if environment is None else dict(environment),
            start_new_session=True,
            preexec_fn=arm,  # noqa: PLW1509  only a system call; libc is loaded before
            pass_fds=list(pass_fds),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    return Child(name, popen, stop_signal)


def _rotate(log: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > _LOG_KEEP_BYTES:
            log.replace(log.with_name(log.name + ".1"))
