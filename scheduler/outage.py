"""Telling a database that is away, which passes, from a statement it refuses, which does not."""

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

MAYBE_AWAY = (DBAPIError, PoolTimeout, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
"""To be caught, and raised again unless ``is_outage``. OSError also covers the artifact store."""

# SQLSTATE classes: connection, resources (connections, memory, disk), operator intervention (shutdown,
# restart), and what another transaction caused: rolled back, locked, timed out while idle.
_DISK_FULL = "53100"
_PASSING = ("08", "53", "57", "40", "55P03", "25P03")


def is_disk_full(error: BaseException) -> bool:
    """Whether the database's disk has no room left."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(cause, "sqlstate", None)) == _DISK_FULL


def is_outage(error: BaseException) -> bool:
    """Whether trying again later can help."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated or isinstance(error, InterfaceError):
            return True
        return str(getattr(error.orig, "sqlstate", None)).startswith(_PASSING)
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate).startswith(_PASSING)
    return isinstance(error, (PoolTimeout, asyncpg.InterfaceError, OSError, TimeoutError))
