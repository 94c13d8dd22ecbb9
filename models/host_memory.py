"""How much memory this process may take of its machine: control groups, such as a container's, may leave it less."""

from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/")


def total_bytes(root: Path = _ROOT) -> int:
    """The machine's memory, or the least that a control group of the process or one around it allows.

    Version 2 of them says so in ``memory.max``, version 1 in ``memory.limit_in_bytes``: cgroups(7).
    """
    return min([_machine_bytes(root), *_limits(root)])


def _machine_bytes(root: Path) -> int:
    for line in (root / "proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"{root / 'proc/meminfo'} has no MemTotal")


def _limits(root: Path) -> Iterator[int]:
    for file in _groups(root):
        try:
            said = file.read_text(encoding="ascii").strip()
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue
        if said.isdigit():  # else "max"
            yield int(said)


def _groups(root: Path) -> Iterator[Path]:
    """The files that may name a limit: of the process's group and of all around it."""
    mounts = root / "sys/fs/cgroup"
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        number, controllers, group = line.split(":", 2)
        if number == "0":
            places = [(mounts, "memory.max"), (mounts / "unified", "memory.max")]
        elif "memory" in controllers.split(","):
            places = [(mounts / "memory", "memory.limit_in_bytes")]
        else:
            continue
        for mount, name in places:
            # Seen from inside a container, the path may be that of the world outside: the mount itself is the group.
            inside = Path(group.lstrip("/"))
            for part in (inside, *inside.parents):
                yield mount / part / name
