"""The farm's status as tables on a terminal."""

from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_STYLES = {"busy": "green", "draining": "yellow", "drained": "yellow", "dying": "red", "lost": "red"}


def status(found: dict[str, Any], now: datetime) -> None:
    """``found`` is a FarmStatus as JSON."""
    console = Console(highlight=False)
    if not found["nodes"]:
        console.print("no scheduler has seen the farm yet")
        return
    console.print(_nodes(found, now))
    console.print(_workers(found, now))
    if found["quarantined"]:
        console.print(_quarantined(found, now))
    console.print(f"{found['tasks_running']} tasks run, {found['tasks_queued']} wait")


def _nodes(found: dict[str, Any], now: datetime) -> Table:
    table = Table("node", "address", "state", "workers", "seen", "orders", box=None, pad_edge=False)
    for node in found["nodes"]:
        here = [worker for worker in found["workers"] if worker["node_id"] == node["id"]]
        there = sum(worker["state"] != "lost" for worker in here)
        state = "lost" if node["state"] == "lost" else "drained" if "drain" in node else "up"
        table.add_row(node["id"], node["address"], _state(state), str(there), _ago(node["seen_at"], now), _orders(node))
    return table


def _workers(found: dict[str, Any], now: datetime) -> Table:
    table = Table("worker", "state", "task", "models", "seen", "failures", "orders", box=None, pad_edge=False)
    for worker in found["workers"]:
        table.add_row(
            worker["id"],
            _state(worker["state"]),
            Text(worker.get("task_label", worker.get("task_id", ""))),
            Text(", ".join(worker["models"])),
            _ago(worker["seen_at"], now),
            Text(f"{worker['failures']} in a row: {worker['last_failure']}" if worker["failures"] else ""),
            _orders(worker),
        )
    return table


def _quarantined(found: dict[str, Any], now: datetime) -> Table:
    table = Table("quarantined task", "model", "attempts", "failed", "reason", box=None, pad_edge=False)
    for task in found["quarantined"]:
        reason = Text(task["reason"].splitlines()[0] if task["reason"] else "")
        name = Text(f"{task['label']} ({task['id']})")
        table.add_row(name, task["model_id"], str(task["attempts"]), _ago(task["finished_at"], now), reason)
    return table


def _state(state: str) -> Text:
    return Text(state, style=_STYLES.get(state, ""))


def _ago(moment: str, now: datetime) -> str:
    seconds = max(0.0, (now - datetime.fromisoformat(moment)).total_seconds())
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def _orders(row: dict[str, Any]) -> Text:
    """What is ordered of a node or a worker, by whom and why; of restarts, the last one."""
    lines = []
    if drain := row.get("drain"):
        until = f" until {drain['until'][11:16]} UTC" if "until" in drain else ""
        lines.append(_order(f"drained{until}", drain))
    if restart := row.get("restart"):
        lines.append(_order("restarted" if "done_at" in restart else "to restart", restart))
    return Text("\n".join(lines))


def _order(what: str, order: dict[str, Any]) -> str:
    return f"{what} by {order['ordered_by']}" + (f": {order['reason']}" if order["reason"] else "")
