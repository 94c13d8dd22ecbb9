"""Run by Alembic for each of its commands: which connection, and which tables the schema should have."""

from alembic import context

from control_plane.migrations import import_tables
from runtime.database import Base


def run() -> None:
    import_tables()
    connection = context.config.attributes.get("connection")
    if connection is None:
        raise RuntimeError("run migrations by `reelfarm migrate`")
    context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


run()
