"""What ran, by the log that the models themselves wrote."""

from dataclasses import dataclass
from pathlib import Path

import orjson


@dataclass(frozen=True)
class Execution:
    """Times are of the machine's monotonic clock, which all processes share."""

    task: str
    epoch: int
    worker: str
    pid: int
    begun_at: float


def read_executions(log: Path) -> list[Execution]:
    """Every execution that was begun, in the order in which they were."""
    if not log.exists():
        return []
    lines = [orjson.loads(line) for line in log.read_bytes().splitlines()]
    return [
        Execution(line["task"], line["epoch"], line["worker"], line["pid"], line["at"])
        for line in lines
        if line["what"] == "begun"
    ]


def executing_workers(log: Path) -> set[str]:
    """Workers whose last line is of an execution that has not ended."""
    last: dict[str, str] = {}
    if log.exists():
        for line in map(orjson.loads, log.read_bytes().splitlines()):
            last[line["worker"]] = line["what"]
    return {worker for worker, what in last.items() if what == "begun"}
