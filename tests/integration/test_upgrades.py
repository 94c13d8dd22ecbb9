"""A database of any age, with rows in every table, becomes one of today, and nothing in it is lost."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from control_plane import migrations
from control_plane.app import make_services
from control_plane.artifacts import disk
from control_plane.artifacts.tables import DiskAccountRow
from control_plane.housekeeping import run_once
from runtime.database import Base, Database, utc_now
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.settings import Settings
from tests.conftest import execute
from tests.integration.schema_rows import ROWS, fill

REVISIONS = [
    script.revision for script in ScriptDirectory.from_config(migrations._config()).walk_revisions("base", "heads")
][::-1]

REWRITTEN = {
    ("disk_objects", "artifacts"),
    ("disk_accounts", "used_bytes"),
    ("project_counts", "projects"),
    ("quota_accounts", "day"),
    ("quota_ledger", "day"),
}
"""Columns whose values a migration or a trigger changes on purpose."""


@pytest.fixture
async def empty(postgres: EmbeddedPostgres) -> AsyncIterator[Database]:
    name = f"empty_{uuid.uuid4().hex}"
    await execute(postgres, f"CREATE DATABASE {name}")
    database = Database(postgres.url_of(name))
    yield database
    await database.close()
    await execute(postgres, f"DROP DATABASE {name} WITH (FORCE)")


def url_of(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


async def go_to(database: Database, revision: str, *, down: bool = False) -> None:
    def run(connection: sa.Connection) -> None:
        config = migrations._config()
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)

    async with database.engine.begin() as connection:
        await connection.run_sync(run)


@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_database_of_any_revision_is_upgraded_with_its_rows(
    empty: Database, revision: str, tmp_path: Path
) -> None:
    await go_to(empty, revision)
    async with empty.engine.begin() as connection:
        before = await connection.run_sync(fill)
    assert {len(rows) for rows in before.values()} == {ROWS}
    await migrations.migrate(url_of(empty))

    def lost(connection: sa.Connection) -> list[tuple[str, dict[str, Any]]]:
        tables = sa.MetaData()
        tables.reflect(connection)
        return [
            (name, row)
            for name, rows in before.items()
            if name in tables.tables
            for row in rows
            if not _is_there(connection, tables.tables[name], row)
        ]

    async with empty.engine.connect() as connection:
        assert await connection.run_sync(lost) == []
        assert (
            await connection.run_sync(lambda sync: compare_metadata(MigrationContext.configure(sync), Base.metadata))
            == []
        )
    async with empty.transaction() as session:
        for mapper in Base.registry.mappers:
            rows = list(await session.scalars(sa.select(mapper.class_)))
            if mapper.local_table.name in before:
                assert len(rows) >= ROWS, mapper
        accounts = {row.tenant_id: row.used_bytes for row in await session.scalars(sa.select(DiskAccountRow))}
        if "disk_accounts" not in before:
            assert accounts == await disk.counted_anew(session)
    await _keep_house(empty, tmp_path)


def _is_there(connection: sa.Connection, table: sa.Table, row: dict[str, Any]) -> bool:
    kept = {name: value for name, value in row.items() if name in table.columns and (table.name, name) not in REWRITTEN}
    return bool(
        connection.scalar(
            sa.select(sa.func.count())
            .select_from(table)
            .where(
                *(
                    sa.cast(table.c[name], sa.Text) == sa.cast(sa.literal(value, table.c[name].type), sa.Text)
                    for name, value in kept.items()
                )
            )
        )
    )


async def _keep_house(database: Database, tmp_path: Path) -> None:
    """What runs over every table, and over the oldest rows."""
    services = make_services(
        Settings.model_validate(
            {
                "database_url": url_of(database),
                "redis_url": "redis://127.0.0.1:1",
                "artifacts_url": f"file://{tmp_path}/artifacts",
                "secret_key": "test secret of more than thirty-two characters",
            }
        )
    )
    try:
        assert await run_once(services, utc_now())
    finally:
        await services.redis.aclose()
        await services.database.close()


async def test_every_upgrade_can_be_taken_back(empty: Database) -> None:
    await migrations.migrate(url_of(empty))
    await go_to(empty, "base", down=True)

    def tables(connection: sa.Connection) -> list[str]:
        return sa.inspect(connection).get_table_names()

    async with empty.engine.connect() as connection:
        assert await connection.run_sync(tables) == ["alembic_version"]
    await migrations.migrate(url_of(empty))


def test_the_history_is_one_line() -> None:
    scripts = ScriptDirectory.from_config(migrations._config())
    assert scripts.get_heads() == [migrations.head_revision()]
    assert sorted(REVISIONS) == REVISIONS
