"""What a simulation showed, as figures."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scheduler.simulation.bound import lower_bound_s
from scheduler.simulation.engine import Run
from scheduler.simulation.fleet import Fleet
from scheduler.simulation.trace import Trace

NOTES = {
    "tasks": "tasks of the trace, all of which ended",
    "mean_flow_s": "mean time from arrival to end",
    "p50_s": "median of it",
    "p95_s": "95th percentile",
    "p99_s": "99th percentile",
    "lower_bound_s": "mean flow that no schedule can beat",
    "load_fraction": "seconds of loading over seconds of service",
    "loads": "loads of a model into VRAM",
    "cold_loads": "of these from the disk",
    "slowdown_by_tenant": "mean of flow over service",
    "jain": "Jain's index of these: 1 when all tenants are slowed down alike, 1/tenants at worst",
    "deadline_misses": "tasks that ended after their deadline",
    "lost_attempts": "attempts that ended with their worker, and were run again",
    "decisions_per_s": "placements per second of one core inside the policy",
    "wall_s": "real time of the simulation",
    "peak_rss_mb": "memory of this process at its most",
}


def figures(run: Run, trace: Trace, fleet: Fleet, wall_s: float) -> dict[str, Any]:
    """The fields of NOTES. Times are seconds; those of the farm are simulated, ``wall_s`` is real."""
    flow_s = np.asarray(run.flow_s)
    service_s = np.asarray(trace.service_s)
    p50_s, p95_s, p99_s = (float(value) for value in np.percentile(flow_s, (50, 95, 99)))
    slowdowns = mean_by_tenant(trace.tenant, (flow_s / service_s).tolist())
    return {
        "tasks": len(trace),
        "mean_flow_s": float(flow_s.mean()),
        "p50_s": p50_s,
        "p95_s": p95_s,
        "p99_s": p99_s,
        "lower_bound_s": lower_bound_s(trace.arrival_s, trace.service_s, fleet.gpus),
        "load_fraction": run.load_s / float(service_s.sum()),
        "loads": run.loads,
        "cold_loads": run.cold_loads,
        "slowdown_by_tenant": slowdowns,
        "jain": jain(list(slowdowns.values())),
        "deadline_misses": int(np.sum(np.asarray(trace.arrival_s) + flow_s > np.asarray(trace.deadline_s))),
        "lost_attempts": run.lost,
        "decisions_per_s": (len(trace) + run.lost) / run.policy_s if run.policy_s else 0.0,
        "wall_s": wall_s,
        "peak_rss_mb": peak_rss_mb(),
    }


def mean_by_tenant(tenants: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    """Mean of each tenant's values; tenants by their first appearance."""
    total: defaultdict[str, float] = defaultdict(float)
    count: defaultdict[str, int] = defaultdict(int)
    for tenant, value in zip(tenants, values, strict=True):
        total[tenant] += value
        count[tenant] += 1
    return {tenant: total[tenant] / count[tenant] for tenant in total}


def jain(values: Sequence[float]) -> float:
    """(Σx)² / (n Σx²) of positive values."""
    return sum(values) ** 2 / (len(values) * sum(value * value for value in values))


def peak_rss_mb() -> float:
    # Not getrusage: its maximum is inherited from the program that started this one.
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1000 * 1.024
    return 0.0


def table(shown: dict[str, Any]) -> str:
    """The figures with what they mean, one a line; tenants below theirs."""
    lines = []
    for name, value in shown.items():
        if isinstance(value, dict):
            lines.append(_line(name, "", NOTES[name]))
            lines += [_line(f"  {key}", _text(part), "") for key, part in value.items()]
        else:
            lines.append(_line(name, _text(value), NOTES[name]))
    return "\n".join(lines)


def _line(name: str, value: str, note: str) -> str:
    return f"{name:<20} {value:>12}   {note}".rstrip()


def _text(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.0f}" if value >= 10_000 else f"{value:.4g}"
