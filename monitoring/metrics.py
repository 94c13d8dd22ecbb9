"""Prometheus metrics, defined once for every process. No label names a task, a project or a person."""

from collections.abc import Iterable, Mapping
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import column, func, select, table
from sqlalchemy.ext.asyncio import AsyncSession

_DISPATCH_BUCKETS_S = (0.002, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_WAIT_BUCKETS_S = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200)
_TASK_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180, 600, 1800)

# Of the active scheduler
DISPATCH_SECONDS = Histogram(
    "reelfarm_dispatch_seconds",
    "From the moment a task and a free worker both were there to the start of the attempt",
    buckets=_DISPATCH_BUCKETS_S,
)
QUEUE_SECONDS = Histogram(
    "reelfarm_queue_seconds", "From enqueueing a task to its first start", ["kind"], buckets=_WAIT_BUCKETS_S
)
TASK_SECONDS = Histogram(
    "reelfarm_task_seconds",
    "Time a successful attempt took on its worker; of a batch, its share",
    ["kind", "model"],
    buckets=_TASK_BUCKETS_S,
)
BATCH_TASKS = Histogram(
    "reelfarm_batch_tasks",
    "Of each task that succeeded, how many were made in one call with it, itself included",
    ["kind"],
    buckets=(1, 2, 4, 8, 16, 32),
)
ATTEMPTS = Counter("reelfarm_attempts", "Attempts that ended, by how", ["kind", "outcome"])
WORKERS = Gauge("reelfarm_workers", "Workers by device and state", ["device", "state"])
LEADING = Gauge("reelfarm_scheduler_leading", "1 while this scheduler process is the active one")

# Of an api process
HTTP_REQUEST_SECONDS = Histogram(
    "reelfarm_http_request_seconds",
    "Time to answer a request, by route",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
REACTIONS = Counter("reelfarm_reactions", "Finished tasks handed to the product, by how", ["reaction", "outcome"])
WEBSOCKET_CLIENTS = Gauge("reelfarm_websocket_clients", "Open WebSockets")


def show_workers(counts: Mapping[tuple[Literal["cpu", "gpu"], str], int]) -> None:
    """Set the number of workers by device and state."""
    WORKERS.clear()
    for (device, state), count in counts.items():
        WORKERS.labels(device, state).set(count)


class _Rows(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


async def queue_metrics(session: AsyncSession) -> bytes:
    """What the rows say of the queue, in the Prometheus text format: any process can answer, whoever
    schedules."""
    tasks = table("tasks", column("kind"), column("state"), column("outcome"), column("quarantined_at"))
    open_tasks = GaugeMetricFamily("reelfarm_tasks_open", "Tasks that wait or run", labels=["kind", "state"])
    finished = CounterMetricFamily("reelfarm_tasks_finished", "Tasks that ended, by how", labels=["kind", "outcome"])
    quarantined = GaugeMetricFamily(
        "reelfarm_tasks_quarantined", "Finished tasks whose result could not be applied", labels=["kind"]
    )
    rows = await session.execute(
        select(tasks.c.kind, tasks.c.state, tasks.c.outcome, func.count(), func.count(tasks.c.quarantined_at))
        .group_by(tasks.c.kind, tasks.c.state, tasks.c.outcome)
        .order_by(tasks.c.kind, tasks.c.state, tasks.c.outcome)
    )
    quarantined_by_kind: dict[str, int] = {}
    for kind, state, outcome, count, quarantined_count in rows:
        if outcome is None:
            open_tasks.add_metric([kind, state], count)
        else:
            finished.add_metric([kind, outcome], count)
        quarantined_by_kind[kind] = quarantined_by_kind.get(kind, 0) + quarantined_count
    for kind, count in quarantined_by_kind.items():
        quarantined.add_metric([kind], count)
    registry = CollectorRegistry()
    registry.register(_Rows([open_tasks, finished, quarantined]))
    return generate_latest(registry)
