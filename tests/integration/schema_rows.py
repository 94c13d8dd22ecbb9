"""Rows for every table of a schema of any age, made from the schema itself."""

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, get_args, get_origin, get_type_hints

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError

from runtime.database import Base

ROWS = 2
_NEWEST = Base.metadata.tables
"""Rows of any age keep the rules of today, as those that a server wrote did before the rules were constraints."""
_LITERAL = re.compile(r"'([^']*)'")
_MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def fill(connection: sa.Connection) -> dict[str, list[dict[str, Any]]]:
    """Insert rows into every table, as full as its constraints allow; what was inserted, by table."""
    metadata = sa.MetaData()
    metadata.reflect(connection)
    inspector = sa.inspect(connection)
    inserted: dict[str, list[dict[str, Any]]] = {}
    for table in metadata.sorted_tables:
        if table.name == "alembic_version":
            continue
        allowed = _allowed(inspector, table)
        inserted[table.name] = []
        for number in range(ROWS):
            inserted[table.name].append(_insert(connection, table, number, allowed, inserted))
    return inserted


def _insert(
    connection: sa.Connection,
    table: sa.Table,
    number: int,
    allowed: dict[str, list[str]],
    inserted: dict[str, list[dict[str, Any]]],
) -> dict[str, Any]:
    last: IntegrityError | None = None
    for row in _candidates(table, number, allowed, inserted):
        try:
            with connection.begin_nested():
                connection.execute(sa.insert(table).values(row))
        except IntegrityError as error:
            last = error
            continue
        return row
    raise AssertionError(f"no row fits into {table.name}; teach this module: {last}")


def _candidates(
    table: sa.Table, number: int, allowed: dict[str, list[str]], inserted: dict[str, list[dict[str, Any]]]
) -> Iterator[dict[str, Any]]:
    """Rows to try: the fullest first, with every value that a check allows."""
    columns = [column for column in table.columns if column.identity is None and not _counts_by_itself(column)]
    choosing = [name for name in allowed if name in table.columns]
    # A number of its own where it may be one, for a column can be part of a key; zero where a trigger demands it.
    for only_required, counts, choice in itertools.product(
        (False, True), (number, 0), itertools.product(*(allowed[name] for name in choosing))
    ):
        chosen = dict(zip(choosing, choice, strict=True))
        row = {}
        for column in columns:
            if only_required and column.nullable:
                continue
            value = chosen.get(column.name) or _value(table, column, number, counts, inserted)
            if value is not None:
                row[column.name] = value
        yield row


def _counts_by_itself(column: sa.Column[Any]) -> bool:
    return column.computed is not None or "nextval" in str(getattr(column.server_default, "arg", ""))


def _value(
    table: sa.Table, column: sa.Column[Any], number: int, counts: int, inserted: dict[str, list[dict[str, Any]]]
) -> Any:
    newest = _NEWEST.get(table.name)
    known = newest.columns.get(column.name) if newest is not None else None
    for key in column.foreign_keys or (known.foreign_keys if known is not None else ()):
        parents = inserted.get(key.column.table.name)
        return parents[number].get(key.column.name) if parents else None
    kind = column.type
    if isinstance(kind, JSONB):
        return [] if (table.name, column.name) in _lists() else {}
    if isinstance(kind, sa.Boolean):
        return False
    if isinstance(kind, sa.DateTime):
        return _MOMENT
    if isinstance(kind, sa.Date):
        return date(2026, 1, 2)
    if isinstance(kind, sa.Integer | sa.Numeric | sa.Float):
        return counts
    if isinstance(kind, sa.ARRAY):
        return []
    if isinstance(kind, sa.String):
        return "UTC" if column.name == "time_zone" else f"{column.name} {number}"
    raise AssertionError(f"what is a value of {table.name}.{column.name} ({kind})? Teach this module")


def _allowed(inspector: sa.Inspector, table: sa.Table) -> dict[str, list[str]]:
    """The values that a check lists for a column, or compares it with."""
    checks = [check["sqltext"] for check in inspector.get_check_constraints(table.name)]
    newest = _NEWEST.get(table.name)
    rules = newest.constraints if newest is not None else ()
    checks += [str(rule.sqltext) for rule in rules if isinstance(rule, sa.CheckConstraint)]
    found: dict[str, list[str]] = {}
    for check in checks:
        named = [column.name for column in table.columns if re.search(rf"\b{column.name}\b", check)]
        for name in named:
            literals = re.findall(rf"\b{name}\b\W*=\s*'([^']*)'", check) or (
                _LITERAL.findall(check) if len(named) == 1 else []
            )
            if literals:
                found.setdefault(name, literals)
    return found


def _lists() -> set[tuple[str, str]]:
    """The JSON columns that hold lists, as their classes say."""
    return {
        (mapper.local_table.name, mapper.get_property(name).columns[0].name)
        for mapper in Base.registry.mappers
        for name, hint in get_type_hints(mapper.class_).items()
        if get_args(hint) and get_origin(get_args(hint)[0]) is list
    }
