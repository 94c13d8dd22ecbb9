"""The rows of the database, and a record that the database itself keeps of what is written twice.

A row tells how things ended. Whether an end was written once or twice is told by triggers, which the run adds and
the product knows nothing of.
"""

from dataclasses import dataclass
from typing import Any

import asyncpg

Row = dict[str, Any]

_AUDIT = (
    "CREATE TABLE storm_audit (id bigserial PRIMARY KEY, what text, task_id text, epoch integer, value text)",
    """
    CREATE FUNCTION storm_attempt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO storm_audit (what, task_id, epoch, value) VALUES ('attempt', NEW.task_id, NEW.epoch, NEW.outcome);
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION storm_task() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO storm_audit (what, task_id, epoch, value) VALUES (TG_ARGV[0], NEW.id, NEW.epoch, NEW.state);
        RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER storm_attempt AFTER UPDATE OF outcome ON attempts FOR EACH ROW WHEN (NEW.outcome IS NOT NULL) "
    "EXECUTE FUNCTION storm_attempt()",
    "CREATE TRIGGER storm_ended AFTER UPDATE OF state, outcome, result, finished_at ON tasks FOR EACH ROW "
    "WHEN (NEW.finished_at IS NOT NULL) EXECUTE FUNCTION storm_task('ended')",
    "CREATE TRIGGER storm_applied AFTER UPDATE OF applied_at ON tasks FOR EACH ROW "
    "WHEN (NEW.applied_at IS NOT NULL) EXECUTE FUNCTION storm_task('applied')",
)

_TABLES = {
    "tasks": "SELECT * FROM tasks ORDER BY seq",
    "attempts": "SELECT * FROM attempts ORDER BY task_id, epoch",
    "audit": "SELECT * FROM storm_audit ORDER BY id",
    "ledger": "SELECT * FROM quota_ledger ORDER BY id",
    "accounts": "SELECT * FROM quota_accounts",
    "projects": "SELECT * FROM projects",
    "project_counts": "SELECT * FROM project_counts",
    "packages": "SELECT * FROM material_packages",
    "steps": "SELECT * FROM generation_steps",
    "events": "SELECT project_id, seq, event, data FROM events ORDER BY project_id, seq",
    "artifacts": "SELECT * FROM artifacts",
    "disk_accounts": "SELECT * FROM disk_accounts",
    "disk_objects": "SELECT * FROM disk_objects",
    "nodes": "SELECT * FROM farm_nodes",
    "workers": "SELECT *, extract(epoch FROM clock_timestamp() - seen_at) AS unseen_s FROM farm_workers",
}


@dataclass(frozen=True)
class Truth:
    """Every row, as of one moment."""

    tasks: list[Row]
    attempts: list[Row]
    audit: list[Row]
    ledger: list[Row]
    accounts: list[Row]
    projects: list[Row]
    project_counts: list[Row]
    packages: list[Row]
    steps: list[Row]
    events: list[Row]
    artifacts: list[Row]
    disk_accounts: list[Row]
    disk_objects: list[Row]
    nodes: list[Row]
    workers: list[Row]


async def _connect(dsn: str) -> Any:
    connection = await asyncpg.connect(dsn, timeout=10)
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, encoder=str, decoder=_decoded, schema="pg_catalog")
    return connection


def _decoded(text: str) -> Any:
    import orjson

    return orjson.loads(text)


async def add_audit(dsn: str) -> None:
    connection = await _connect(dsn)
    try:
        for statement in _AUDIT:
            await connection.execute(statement)
    finally:
        await connection.close()


async def read_truth(dsn: str) -> Truth:
    connection = await _connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return Truth(
                **{name: [dict(row) for row in await connection.fetch(query)] for name, query in _TABLES.items()}
            )
    finally:
        await connection.close()


async def unfinished(dsn: str, slots: int) -> dict[str, int]:
    """What still has to happen before the rows can be judged: all are 0 once it has."""
    connection = await _connect(dsn)
    try:
        row = await connection.fetchrow(
            "SELECT (SELECT count(*) FROM tasks WHERE finished_at IS NULL) AS running, "
            "(SELECT count(*) FROM tasks WHERE finished_at IS NOT NULL AND applied_at IS NULL "
            "AND quarantined_at IS NULL) AS unapplied, "
            "$1 - (SELECT count(*) FROM farm_workers JOIN farm_nodes ON farm_nodes.id = node_id AND NOT lost "
            "WHERE state = 'idle' AND clock_timestamp() - farm_workers.seen_at < interval '3 s') AS slots_not_idle",
            slots,
        )
    finally:
        await connection.close()
    return dict(row)


async def count_tasks(dsn: str) -> int:
    connection = await _connect(dsn)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM tasks"))
    finally:
        await connection.close()
