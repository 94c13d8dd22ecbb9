"""What refers to artifacts, found in the tables themselves, so that a new column cannot be forgotten.

Columns with a foreign key to artifacts or a name that ends in ``artifact_id`` hold an id; JSON and ``…_url`` columns
may hold ids or store keys somewhere within. Of the queue's tasks only those count whose results are not applied yet.
"""

from collections.abc import Iterator

from sqlalchemy import Column, Table
from sqlalchemy.dialects.postgresql import JSONB

from runtime.database import Base

_OWN_TABLES = {"artifacts", "disk_accounts", "disk_objects", "collected_objects"}
_NOT_REFERRING = {"attempts"}
_ONLY_WHERE = {"tasks": "applied_at IS NULL AND quarantined_at IS NULL"}

ID_PATTERN = "art_[0-9a-z]{26}"
KEY_PATTERN = "content/[0-9a-f]{2}/[0-9a-f]{64}[.a-z0-9]*"


def referring_columns() -> dict[tuple[str, str], str]:
    """(table, column) to how it refers: ``id``, or ``text`` that has to be searched."""
    return {
        (table.name, column.name): kind
        for table in Base.metadata.sorted_tables
        if table.name not in _OWN_TABLES | _NOT_REFERRING
        for column in table.columns
        if (kind := _kind_of(table, column)) is not None
    }


def _kind_of(table: Table, column: Column[object]) -> str | None:
    points_at_artifacts = any(key.target_fullname == "artifacts.id" for key in column.foreign_keys)
    if points_at_artifacts or column.name.endswith("artifact_id"):
        return "id"
    return "text" if isinstance(column.type, JSONB) or column.name.endswith("_url") else None


def _selects(kind: str, expression: str) -> Iterator[str]:
    for (table, column), found in referring_columns().items():
        if found == kind:
            condition = f" AND {_ONLY_WHERE[table]}" if table in _ONLY_WHERE else ""
            value = expression.format(column=f'"{column}"')
            yield f'SELECT {value} AS found FROM "{table}" WHERE "{column}" IS NOT NULL{condition}'


def _within_texts(pattern: str) -> str:
    return " UNION ALL ".join(_selects("text", f"(regexp_matches({{column}}::text, '{_doubled(pattern)}', 'g'))[1]"))


def _doubled(pattern: str) -> str:
    """For str.format: the braces of a repetition are not a field."""
    return pattern.replace("{", "{{").replace("}", "}}")


def keys_in_texts() -> str:
    """SQL that gives every store key that some text holds."""
    return f"SELECT DISTINCT found FROM ({_within_texts(KEY_PATTERN)}) AS texts"


def referenced_ids() -> str:
    """SQL that gives the id of every artifact that something refers to, by its id or by its key."""
    ids = " UNION ALL ".join((*_selects("id", "{column}"), _within_texts(ID_PATTERN)))
    return (
        f"SELECT found FROM ({ids}) AS ids "
        f"UNION SELECT artifacts.id FROM artifacts JOIN ({keys_in_texts()}) AS keys ON artifacts.key = keys.found"
    )
