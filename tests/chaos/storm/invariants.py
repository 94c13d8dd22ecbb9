"""What must hold when the storm is over, each with its figures. Judged by rows, files and the log of
executions alone."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from control_plane.quota.rules import cost_of
from models.catalog import Catalog
from pipelines.registry import TASK_KINDS
from scheduler.task import NewTask
from tests.chaos.storm.customers import Film
from tests.chaos.storm.executions import Execution
from tests.chaos.storm.truth import Truth
from tests.chaos.storm.victims import Record, node_of


@dataclass
class Finding:
    """``figures`` are what was counted; it holds when nothing is ``broken``."""

    name: str
    figures: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def expect(self, holds: bool, complaint: str) -> None:
        if not holds:
            self.broken.append(complaint)

    def same(self, what: str, found: Any, expected: Any) -> None:
        self.expect(found == expected, f"{what}: {found!r}, not {expected!r}")

    def __str__(self) -> str:
        figures = ", ".join(f"{name} {value}" for name, value in self.figures.items())
        lines = [f"{'BROKEN' if self.broken else 'holds '}  {self.name}: {figures}"]
        lines += [f"          {complaint}" for complaint in self.broken[:10]]
        if len(self.broken) > 10:
            lines.append(f"          and {len(self.broken) - 10} more")
        return "\n".join(lines)


@dataclass(frozen=True)
class Evidence:
    truth: Truth
    films: Sequence[Film]
    executions: Sequence[Execution]
    record: Record
    store: Path
    catalog: Catalog


def judge(evidence: Evidence) -> list[Finding]:
    checks = (
        _nothing_lost,
        _artifacts_exist,
        _committed_once,
        _ledger_adds_up,
        _counters_are_sums,
        _events_in_order,
        _executions_counted,
    )
    return [check(evidence) for check in checks]


def _nothing_lost(evidence: Evidence) -> Finding:
    truth, films = evidence.truth, evidence.films
    states = Counter(task["state"] for task in truth.tasks)
    finding = Finding("every submitted task ended", {"tasks": len(truth.tasks), **states, "films": len(films)})
    for task in truth.tasks:
        told = f"{task['kind']} {task['id']}"
        finding.expect(task["finished_at"] is not None, f"{told} is {task['state']}")
        finding.expect(task["applied_at"] is not None, f"{told} was never applied: {task['reaction_error']}")
        finding.expect(task["quarantined_at"] is None, f"{told} is quarantined: {task['reaction_error']}")
        own_fault = task["state"] != "failed" or task["outcome"] == "user"
        finding.expect(own_fault, f"{told} failed with {task['outcome']}: {task['error_message']}")
    # Submitting again what was not answered makes no second project.
    finding.same("projects", sorted(row["id"] for row in truth.projects), sorted(film.project_id for film in films))
    packages = {row["id"]: row for row in truth.packages}
    finding.same("packages", sorted(packages), sorted(film.package_id for film in films))
    for film in films:
        status = packages[film.package_id]["status"] if film.package_id in packages else "gone"
        finding.same(f"{film.project_id} as its user saw it", film.status, status)
        ends = {"complete": {"completed"}, "fail": {"failed"}, "cancel": {"cancelled", "completed"}}[film.wish]
        finding.expect(status in ends, f"{film.project_id} should {film.wish} and is {status}")
        if film.cancelled:
            finding.same(f"{film.project_id}, cancelled", status, "cancelled")
    finding.figures |= {f"films {status}": n for status, n in Counter(film.status for film in films).items()}
    return finding


def _stored_in(result: Any) -> Iterator[dict[str, Any]]:
    """The files that a result names."""
    if isinstance(result, dict):
        if {"key", "sha256", "size"} <= result.keys():
            yield result
        for value in result.values():
            yield from _stored_in(value)
    elif isinstance(result, list):
        for value in result:
            yield from _stored_in(value)


def _artifacts_exist(evidence: Evidence) -> Finding:
    files = 0
    finding = Finding("artifacts exist, byte for byte")
    for task in evidence.truth.tasks:
        if task["state"] != "succeeded":
            continue
        stored = list(_stored_in(task["result"]))
        finding.expect(bool(stored) or task["kind"] == "script", f"{task['kind']} {task['id']} made no file")
        for one in stored:
            files += 1
            path = evidence.store / one["key"]
            data = path.read_bytes() if path.exists() else b""
            whole = len(data) == one["size"] > 0 and hashlib.sha256(data).hexdigest() == one["sha256"]
            finding.expect(whole, f"{one['key']} of {task['id']} is not what was stored")
    completed = {row["id"] for row in evidence.truth.packages if row["status"] == "completed"}
    for step in evidence.truth.steps:
        if step["package_id"] in completed:
            finding.same(f"{step['step']} of {step['package_id']}", step["status"], "completed")
    finding.figures |= {"files": files}
    return finding


def _committed_once(evidence: Evidence) -> Finding:
    truth = evidence.truth
    attempts = defaultdict(list)
    for attempt in truth.attempts:
        attempts[attempt["task_id"]].append(attempt)
    finding = Finding("one committed attempt per succeeded task, no epoch twice")
    for task in truth.tasks:
        own = attempts[task["id"]]
        outcomes = [attempt["outcome"] for attempt in own]
        finding.same(f"epochs of {task['id']}", [a["epoch"] for a in own], list(range(1, task["epoch"] + 1)))
        finding.expect(None not in outcomes, f"an attempt of {task['id']} never ended: {outcomes}")
        if task["state"] == "succeeded":
            finding.same(f"attempts of {task['id']}", outcomes.count("succeeded"), 1)
            finding.same(f"last attempt of {task['id']}", outcomes[-1:], ["succeeded"])
    written = Counter((row["what"], row["task_id"], row["epoch"]) for row in truth.audit if row["what"] == "attempt")
    ended = Counter((row["what"], row["task_id"], 0) for row in truth.audit if row["what"] != "attempt")
    for (what, task_id, epoch), times in (written + ended).items():
        finding.same(f"{what} {task_id} {epoch or ''}".rstrip() + " was written", times, 1)
    # Cancelled while it waited, a task ends by the same statement; only what was inserted so is not seen.
    applied = sum(what == "applied" for what, _, _ in ended)
    finding.same("tasks applied", applied, len(truth.tasks))
    finding.figures |= {
        "attempts": len(truth.attempts),
        "ends written": sum(written.values()),
        "succeeded": sum(attempt["outcome"] == "succeeded" for attempt in truth.attempts),
        "applied": applied,
    }
    return finding


def _ledger_adds_up(evidence: Evidence) -> Finding:
    truth = evidence.truth
    finding = Finding("reserved = settled + released, balances equal sums")
    tasks = {task["id"]: task for task in truth.tasks}
    entries = defaultdict(list)
    for row in truth.ledger:
        entries[row["reservation_id"]].append(row)
    finding.same("reservations", sorted(entries), sorted(tasks))
    reserved = settled = released = 0
    for task_id, rows in entries.items():
        kinds = [row["entry"] for row in rows]
        finding.expect(kinds in (["reserve", "commit"], ["reserve", "refund"]), f"{task_id} has the entries {kinds}")
        amounts = {kind: sum(row["amount"] for row in rows if row["entry"] == kind) for kind in kinds}
        reserved += amounts.get("reserve", 0)
        released -= amounts.get("refund", 0)
        settled += amounts.get("reserve", 0) if "commit" in amounts else 0
        task = tasks.get(task_id)
        if task is None:
            continue
        spec = TASK_KINDS[task["kind"]].spec.model_validate(task["spec"])
        price = cost_of(evidence.catalog, NewTask(task["kind"], spec, task["model"], "", "", "", "", ""))
        finding.same(f"the price of {task['kind']} {task_id}", amounts.get("reserve"), price)
        if "refund" in amounts:
            finding.same(f"the refund of {task_id}", amounts["refund"], -price)
        if task["state"] != "succeeded":
            finding.expect("refund" in amounts, f"{task_id} is {task['state']} and was paid: {kinds}")
    finding.expect(reserved == settled + released, f"{reserved} reserved, {settled} settled, {released} released")
    for account in truth.accounts:
        rows = [row for row in truth.ledger if row["tenant_id"] == account["tenant_id"]]
        today = sum(row["amount"] for row in rows if row["day"] == account["day"])
        finding.same(f"used by {account['tenant_id']}", account["used"], today)
    finding.figures |= {"entries": len(truth.ledger), "reserved": reserved, "settled": settled, "released": released}
    return finding


def _counters_are_sums(evidence: Evidence) -> Finding:
    truth = evidence.truth
    finding = Finding("counters equal sums recomputed from rows")
    compared = 0

    def compare(what: str, rows: Sequence[dict[str, Any]], key: str, column: str, sums: Callable[[str], Any]) -> None:
        nonlocal compared
        for row in rows:
            compared += 1
            finding.same(f"{what} of {row[key]}", row[column], sums(row[key]))

    attempts = Counter(attempt["task_id"] for attempt in truth.attempts)
    compare("tasks.epoch", truth.tasks, "id", "epoch", lambda task: attempts[task])
    farm = Counter(a["task_id"] for a in truth.attempts if a["outcome"] in {"worker", "node", "preempted"})
    own = Counter(a["task_id"] for a in truth.attempts if a["outcome"] in {"task", "user"})
    running = [task for task in truth.tasks if task["state"] != "cancelled"]  # a cancellation counts no failure
    compare("tasks.farm_failures", running, "id", "farm_failures", lambda task: farm[task])
    compare("tasks.task_failures", running, "id", "task_failures", lambda task: own[task])

    numbers = Counter(event["project_id"] for event in truth.events)
    compare("projects.event_seq", truth.projects, "id", "event_seq", lambda project: numbers[project])
    finished = Counter(row["project_id"] for row in truth.packages if row["status"] == "completed")
    compare("projects.edit_count", truth.projects, "id", "edit_count", lambda project: finished[project])
    owned = Counter(project["tenant_id"] for project in truth.projects)
    compare("project_counts.projects", truth.project_counts, "tenant_id", "projects", lambda tenant: owned[tenant])
    finding.same("tenants with projects", set(owned), {row["tenant_id"] for row in truth.project_counts})

    named: dict[tuple[str, str], int] = Counter()
    size: dict[tuple[str, str], int] = {}
    for row in truth.artifacts:
        if row["key"] is not None:
            named[row["tenant_id"], row["key"]] += 1
            size[row["tenant_id"], row["key"]] = row["size"]
    objects = {(row["tenant_id"], row["key"]): (row["artifacts"], row["size"]) for row in truth.disk_objects}
    compared += len(objects)
    finding.same("disk_objects", objects, {key: (count, size[key]) for key, count in named.items()})
    used: dict[str, int] = Counter()
    for (tenant, _), amount in size.items():
        used[tenant] += amount
    compare("disk_accounts.used_bytes", truth.disk_accounts, "tenant_id", "used_bytes", lambda tenant: used[tenant])

    steps: dict[tuple[str, str, int], Counter[str]] = defaultdict(Counter)
    for task in truth.tasks:
        context = task["context"]
        steps[context["package_id"], context["step"], context["run"]][task["state"]] += 1
    completed = {row["id"] for row in truth.packages if row["status"] == "completed"}
    for step in truth.steps:
        states = steps[step["package_id"], step["step"], step["run"]]
        if step["package_id"] in completed:
            compared += 2
            finding.same(f"total of {step['id']}", step["total"], sum(states.values()))
            finding.same(f"done of {step['id']}", step["done"], states["succeeded"])
    finding.figures |= {"counters": compared, "bytes": sum(used.values()), "events": len(truth.events)}
    return finding


def _events_in_order(evidence: Evidence) -> Finding:
    truth = evidence.truth
    finding = Finding("events without gaps, every end told once", {"events": len(truth.events)})
    by_project = defaultdict(list)
    for event in truth.events:
        by_project[event["project_id"]].append(event)
    for film in evidence.films:
        events = by_project[film.project_id]
        finding.same(f"numbers of {film.project_id}", [e["seq"] for e in events], list(range(1, len(events) + 1)))
        ends = Counter(event["event"] for event in events if event["event"].startswith("generation."))
        told = ends["generation.completed"], ends["generation.failed"]
        finding.same(f"ends told of {film.project_id}", told, (1, 0) if film.status == "completed" else (0, 1))
    return finding


def _executions_counted(evidence: Evidence) -> Finding:
    truth, executions = evidence.truth, evidence.executions
    finding = Finding("what ran twice was on what was killed or stopped")
    given = {(row["task_id"], row["epoch"]): row["worker"] for row in truth.attempts}
    succeeded = {(row["task_id"], row["epoch"]) for row in truth.attempts if row["outcome"] in {"succeeded", "user"}}
    by_task = defaultdict(list)
    times = Counter((execution.task, execution.epoch) for execution in executions)
    for execution in executions:
        by_task[execution.task].append(execution)
        finding.same(
            f"the worker of {execution.task} {execution.epoch}",
            execution.worker,
            given.get((execution.task, execution.epoch)),
        )
    for (task, epoch), count in times.items():
        finding.same(f"executions of {task} {epoch}", count, 1)
    for attempt in succeeded:
        finding.expect(attempt in times, f"{attempt} ended without an execution")
    outcomes = {(row["task_id"], row["epoch"]): row["outcome"] for row in truth.attempts}
    again = 0
    for task, own in by_task.items():
        again += len(own) - 1
        for earlier in sorted(own, key=lambda one: one.epoch)[:-1]:
            told = f"{task} ran again, though epoch {earlier.epoch} on {earlier.worker}"
            finding.expect(evidence.record.excuses(earlier), f"{told} was not hurt")
            outcome = outcomes.get((task, earlier.epoch))
            finding.expect(outcome in {"worker", "node"}, f"{told} is {outcome}")
    hurt = {hurt.whom for hurt in evidence.record.hurts}
    lost = [row for row in truth.attempts if row["outcome"] in {"worker", "node"}]
    for row in lost:
        known = row["worker"] in hurt or node_of(row["worker"]) in hurt
        finding.expect(known, f"{row['task_id']} {row['epoch']}: {row['error_message']}, though nobody hurt its worker")
    ran = sum(task["epoch"] > 0 for task in truth.tasks)
    succeeded_tasks = sum(task["state"] == "succeeded" for task in truth.tasks)
    finding.expect(len(by_task) >= succeeded_tasks, f"{len(by_task)} tasks ran, {succeeded_tasks} succeeded")
    finding.figures |= {
        "executions": len(executions),
        "tasks executed": len(by_task),
        "tasks started": ran,
        "again": again,
        "attempts lost": len(lost),
        "hurt": len(evidence.record.hurts),
    }
    return finding
