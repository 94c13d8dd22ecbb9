"""Outages pass; statements that the database refuses do not."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from scheduler.outage import is_disk_full, is_outage


def wrapped(sqlstate: str, *, invalidated: bool = False) -> DBAPIError:
    original = Exception("as the server says")
    original.sqlstate = sqlstate  # type: ignore[attr-defined]
    return DBAPIError("SELECT", None, original, connection_invalidated=invalidated)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        PoolTimeout(),
        asyncpg.CannotConnectNowError(),
        asyncpg.InterfaceError("connection is closed"),
        wrapped("57P01"),
        wrapped("25P03"),
        wrapped("40P01"),
        wrapped("XX000", invalidated=True),
    ],
)
def test_outages(error: Exception) -> None:
    assert is_outage(error)


@pytest.mark.parametrize(
    "error",
    [
        wrapped("42703"),
        wrapped("22P05"),
        IntegrityError("INSERT", None, Exception()),
        ValueError(),
        asyncpg.UndefinedTableError(),
    ],
)
def test_defects(error: Exception) -> None:
    assert not is_outage(error)


def test_a_full_disk_is_told_from_other_outages() -> None:
    assert is_disk_full(wrapped("53100"))
    assert is_outage(wrapped("53100"))
    assert not is_disk_full(wrapped("53300"))
    assert not is_disk_full(ValueError())
