"""The migrations and the tables say the same."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from control_plane.migrations import import_tables
from runtime.database import Base, Database


async def test_the_migrated_schema_is_the_tables(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))

    import_tables()
    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
