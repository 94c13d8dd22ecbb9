"""Knowing a worker's process and ending it for certain. Linux; runs on the node of the process.

Ray reports an actor as dead before its process is, and a stopped process ignores Ray altogether, so a worker
notes its process id where another process of the node finds it.
"""

import os
import select
import shutil
import signal
import sys
from pathlib import Path

import orjson

from monitoring.logs import configure_logging

_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
}
_FORBIDDEN = ("REELFARM_DATABASE_URL", "REELFARM_SECRET_KEY", "REELFARM_PASSWORD")


def work_root(scratch_dir: Path, worker: str) -> Path:
    """Where the worker keeps the directories of its tasks."""
    return scratch_dir / "work" / worker


def _note(scratch_dir: Path, worker: str) -> Path:
    return scratch_dir / "workers" / f"{worker}.json"


def _start_ticks(pid: int) -> int | None:
    """When the process started, in clock ticks since boot; with the pid it names a process for ever."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(stat.rpartition(")")[2].split()[19])


def memory_and_traffic() -> tuple[int, int]:
    """Bytes that are resident, and bytes read and written so far. One of them moves while weights are read, from mapped
    files or others, and both stand still in a hang."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text(encoding="ascii").splitlines())
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE"), int(fields["rchar"]) + int(fields["wchar"])


def note_process(scratch_dir: Path, worker: str) -> None:
    """Note this process as the worker's."""
    path = _note(scratch_dir, worker)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    partial.write_bytes(orjson.dumps({"pid": os.getpid(), "start_ticks": _start_ticks(os.getpid())}))
    partial.replace(path)


def enter_process(log_level: str) -> None:
    """What every process of a worker begins with. A worker has one core; libraries that start a thread per core of the
    machine slow each other down. One that runs what strangers wrote holds no credentials, whatever its node was started
    with."""
    for variable in _FORBIDDEN:
        os.environ.pop(variable, None)
    os.environ.update(_ENVIRONMENT)
    configure_logging("worker", log_level, stream=sys.stderr)


def end_process(scratch_dir: Path, worker: str, *, timeout_s: float = 10.0) -> bool:
    """Kill the worker's process if it lives; True once it is known to be dead, False if that takes longer.

    What it left in its work directories goes with it. A worker without a note never got as far as to take work,
    and counts as dead. Those of a gang are ended with it.
    """
    lead = _note(scratch_dir, worker)
    notes = [path for path in (lead, *lead.parent.glob(f"{worker}.*.json")) if path.exists()]
    for path in notes:
        note = orjson.loads(path.read_bytes())
        if not _end(note["pid"], note["start_ticks"], timeout_s):
            return False
        path.unlink(missing_ok=True)
    if notes:
        shutil.rmtree(work_root(scratch_dir, worker), ignore_errors=True)
    return True


def _end(pid: int, start_ticks: int, timeout_s: float) -> bool:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        # Behind an open pidfd the number cannot be given to another process, so the comparison holds.
        if _start_ticks(pid) != start_ticks:
            return True
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(timeout_s * 1000))
    except ProcessLookupError:
        return True
    finally:
        os.close(descriptor)
