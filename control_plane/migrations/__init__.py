"""The history of the schema (Alembic). `reelfarm migrate` changes it; other processes check the revision."""

import importlib
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

_HERE = Path(__file__).parent
_PROJECT = _HERE.parents[1]
_LOCK = 0x7265656C  # "reel": two processes that migrate at once take turns


class SchemaError(RuntimeError):
    """The database's revision does not fit the code; the message is one line that says what to do."""


def import_tables() -> None:
    """Import every module of tables, so that `Base.metadata` is complete."""
    for module in ("scheduler.tables", "scheduler.farm_tables", "control_plane.web.idempotency"):
        importlib.import_module(module)
    for path in sorted(_PROJECT.glob("control_plane/*/tables.py")):
        importlib.import_module(f"control_plane.{path.parent.name}.tables")


def head_revision() -> str:
    """The newest revision that the code knows."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise SchemaError("the installed package holds no migrations")
    return head


async def migrate(url: str) -> str:
    """Bring the schema to the code's revision, in one transaction, and return it.

    Raises SchemaError for a schema newer than the code.
    """

    def run(connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        _refuse_newer(connection)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()
    return head_revision()


def check_revision(connection: Connection) -> None:
    """Raises SchemaError unless the schema is exactly what the code expects."""
    _refuse_newer(connection)
    if MigrationContext.configure(connection).get_current_revision() != head_revision():
        raise SchemaError("the database's schema is older than this Reelfarm; run `reelfarm migrate`")


def _refuse_newer(connection: Connection) -> None:
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if current is not None and current not in known:
        raise SchemaError(
            f"the database's schema (revision {current}) is newer than this Reelfarm; install the newer one"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("path_separator", "os")
    return config
