"""Run a scheduling policy on a trace of tasks and a simulated farm.

    python -m scheduler.simulate --trace T.csv --fleet F.json --policy fair [--json]
    python -m scheduler.simulate --synthetic --gpus 512 --load 0.95 --policy fair [--json]

`fair` is the policy that production runs; the others are there to hold it against. A trace (.csv or .csv.gz) has the
columns arrival_s, tenant, weight, model, shape, service_s, deadline_s (empty for none, else on the clock of
arrival_s); a fleet is JSON with the fields of scheduler.simulation.fleet.Fleet.
"""

import argparse
import dataclasses
import gc
import json
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from scheduler.simulation.engine import simulate
from scheduler.simulation.errors import InputError
from scheduler.simulation.faults import FaultOptions
from scheduler.simulation.fleet import Fleet, read_fleet
from scheduler.simulation.policies import POLICIES
from scheduler.simulation.report import figures, table
from scheduler.simulation.synthetic import SyntheticOptions, synthesize
from scheduler.simulation.trace import Trace, read_trace

EXIT_BAD_INPUT = 2
"""As argparse has it for a wrong command line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: EXIT_BAD_INPUT for a trace or fleet that cannot be used."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        trace, fleet = _load(parser, options)
    except InputError as error:
        sys.stderr.write(f"error: {error}\n")
        return EXIT_BAD_INPUT
    started = time.perf_counter()
    faults = FaultOptions(**{field.name: getattr(options, field.name) for field in dataclasses.fields(FaultOptions)})
    # What was read stays to the end: the collector has nothing to look for there.
    gc.collect()
    gc.freeze()
    run = simulate(trace, fleet, POLICIES[options.policy], faults)
    wall_s = time.perf_counter() - started
    shown = figures(run, trace, fleet, wall_s)
    sys.stdout.write(f"{json.dumps(shown) if options.json else table(shown)}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    lines = (__doc__ or "").splitlines()
    parser = argparse.ArgumentParser(prog="python -m scheduler.simulate", description=lines[0])
    parser.add_argument("--trace", type=Path, help="tasks, .csv or .csv.gz")
    parser.add_argument("--fleet", type=Path, help="the farm and its models, .json")
    parser.add_argument("--policy", choices=sorted(POLICIES), default="fair")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--synthetic", action="store_true", help="make trace and fleet, by these options:")
    made = {
        "gpus": (_count, "8 to a node"),
        "models": (_count, "their popularity is Zipf's, inside each kind of task"),
        "tenants": (_count, "tenants"),
        "tenant_skew": (_not_negative, "Zipf exponent of their demand; 0 for equal demand"),
        "load": (_positive, "service asked for, over what the GPUs can give"),
        "tasks": (_count, "tasks"),
        "seed": (_seed, "another one makes another trace"),
    }
    for field in dataclasses.fields(SyntheticOptions):
        kind, text = made[field.name]
        flag = f"--{field.name.replace('_', '-')}"
        parser.add_argument(flag, type=kind, help=f"{text} (default {field.default})")
    parser.add_argument("--deaths-per-hour", type=_not_negative, default=0.0, help="of a worker, for each busy hour")
    parser.add_argument("--hangs-per-hour", type=_not_negative, default=0.0, help="likewise")
    parser.add_argument(
        "--estimate-error", type=_not_negative, default=0.0, help="by how much measured durations are off (log sigma)"
    )
    parser.add_argument("--fault-seed", type=_seed, default=0, help="another one makes other faults")
    return parser


def _load(parser: argparse.ArgumentParser, options: argparse.Namespace) -> tuple[Trace, Fleet]:
    """Raises InputError; leaves by the parser for options that do not go together."""
    names = [field.name for field in dataclasses.fields(SyntheticOptions)]
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    if options.synthetic:
        if options.trace is not None or options.fleet is not None:
            parser.error("--synthetic makes its own trace and fleet")
        return synthesize(SyntheticOptions(**given))
    if given:
        parser.error(f"--{next(iter(given)).replace('_', '-')} goes with --synthetic")
    if options.trace is None or options.fleet is None:
        parser.error("give --trace and --fleet, or --synthetic")
    fleet = read_fleet(options.fleet)
    return read_trace(options.trace, fleet), fleet


def _count(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


def _seed(text: str) -> int:
    if (number := int(text)) < 0:
        raise ValueError(text)
    return number


def _positive(text: str) -> float:
    if not 0 < (number := float(text)) < math.inf:
        raise ValueError(text)
    return number


def _not_negative(text: str) -> float:
    if not 0 <= (number := float(text)) < math.inf:
        raise ValueError(text)
    return number


# argparse names the function in its message.
_count.__name__, _seed.__name__ = "count of at least 1", "seed of at least 0"
_positive.__name__, _not_negative.__name__ = "number above 0", "number of at least 0"

if __name__ == "__main__":
    sys.exit(main())
