"""The schema's history gives the schema that the code declares, once, whoever runs it."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from control_plane import migrations
from runtime.database import Base, Database
from runtime.embedded.postgres import EmbeddedPostgres
from tests.conftest import execute


@pytest.fixture
async def empty(postgres: EmbeddedPostgres) -> AsyncIterator[Database]:
    """A database without tables."""
    name = f"empty_{uuid.uuid4().hex}"
    await execute(postgres, f"CREATE DATABASE {name}")
    database = Database(postgres.url_of(name))
    yield database
    await database.close()
    await execute(postgres, f"DROP DATABASE {name} WITH (FORCE)")


def url_of(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


async def test_migrating_makes_exactly_the_declared_tables(empty: Database) -> None:
    assert await migrations.migrate(url_of(empty)) == migrations.head_revision()

    def differences(connection: Connection) -> list[object]:
        migrations.check_revision(connection)
        return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))

    async with empty.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_two_that_migrate_at_once_take_turns(empty: Database) -> None:
    revisions = await asyncio.gather(*(migrations.migrate(url_of(empty)) for _ in range(3)))
    assert set(revisions) == {migrations.head_revision()}


async def test_an_older_schema_is_told_from_a_newer_one(empty: Database) -> None:
    async with empty.engine.connect() as connection:
        with pytest.raises(migrations.SchemaError, match="run `reelfarm migrate`"):
            await connection.run_sync(migrations.check_revision)
    await migrations.migrate(url_of(empty))
    async with empty.transaction() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    async with empty.engine.connect() as connection:
        with pytest.raises(migrations.SchemaError, match=r"revision 9999.* newer"):
            await connection.run_sync(migrations.check_revision)
    with pytest.raises(migrations.SchemaError, match="newer"):
        await migrations.migrate(url_of(empty))
