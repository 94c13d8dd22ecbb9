"""How near the scheduling policy comes to what no schedule can beat, beside simpler policies in the same simulation.

    python -m benchmarks.scheduling [--large] [--json]

The reference trace has 512 GPUs, 60 models and 20 tenants at load 0.95; the equal one is made, with 20 tenants of equal
demand. --large adds 1,500,000 tasks on 10,000 GPUs with 400 models at load 0.9, which takes some minutes. Each runs as
a process of its own, so that memory is its own.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.report import show

TRACES = Path(__file__).parent / "traces"
REFERENCE = ["--trace", str(TRACES / "reference-512.csv.gz"), "--fleet", str(TRACES / "reference-512.fleet.json")]
EQUAL = ["--synthetic", "--tenants", "20", "--tenant-skew", "0"]
LARGE = ["--synthetic", "--gpus", "10000", "--models", "400", "--load", "0.9", "--tasks", "1500000"]
NOTES = {
    "reference_vs_bound": "mean flow time over the lower bound (goal: up to 1.35)",
    "reference_load_fraction": "seconds of loading models over seconds of service (goal: up to 0.09)",
    "reference_decisions_per_s": "placements per second of one core inside the policy",
    "reference_fifo_vs_bound": "first in, first out",
    "reference_fifo_load_fraction": "",
    "reference_fifo_warm_vs_bound": "first in, first out, to a worker that has the model if one is free",
    "reference_round_robin_vs_bound": "the tenants in turn",
    "reference_shortest_first_vs_bound": "shortest expected service first",
    "deaths_vs_bound": "the reference, with 2 deaths and 1 hang per busy hour of a GPU",
    "misjudged_vs_bound": "the reference, with measurements off by a factor of 2 (one standard deviation)",
    "equal_vs_bound": "20 tenants of equal demand",
    "equal_worst_vs_best": "mean slowdown of the worst tenant over that of the best (goal: up to 2)",
    "large_vs_bound": "10,000 GPUs (goal: up to 1.05)",
    "large_decisions_per_s": "(goal: from 100,000)",
    "large_peak_rss_mb": "(goal: under 1,000)",
}


def simulate(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "scheduler.simulate", "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def over_bound(run: dict[str, Any]) -> float:
    return round(run["mean_flow_s"] / run["lower_bound_s"], 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    fair = simulate(*REFERENCE)
    figures = {
        "reference_vs_bound": over_bound(fair),
        "reference_load_fraction": round(fair["load_fraction"], 4),
        "reference_decisions_per_s": round(fair["decisions_per_s"]),
    }
    for policy in ("fifo", "fifo-warm", "round-robin", "shortest-first"):
        run = simulate(*REFERENCE, "--policy", policy)
        figures[f"reference_{policy.replace('-', '_')}_vs_bound"] = over_bound(run)
        if policy == "fifo":
            figures["reference_fifo_load_fraction"] = round(run["load_fraction"], 4)
    figures["deaths_vs_bound"] = over_bound(simulate(*REFERENCE, "--deaths-per-hour", "2", "--hangs-per-hour", "1"))
    figures["misjudged_vs_bound"] = over_bound(simulate(*REFERENCE, "--estimate-error", "0.7"))
    equal = simulate(*EQUAL)
    slowdowns = equal["slowdown_by_tenant"].values()
    figures["equal_vs_bound"] = over_bound(equal)
    figures["equal_worst_vs_best"] = round(max(slowdowns) / min(slowdowns), 3)
    if options.large:
        large = simulate(*LARGE)
        figures["large_vs_bound"] = over_bound(large)
        figures["large_decisions_per_s"] = round(large["decisions_per_s"])
        figures["large_peak_rss_mb"] = round(large["peak_rss_mb"])
    show("Scheduling", figures, NOTES, as_json=options.json)


if __name__ == "__main__":
    main()
