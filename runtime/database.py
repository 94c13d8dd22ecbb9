"""The database every process shares: PostgreSQL through SQLAlchemy 2 and asyncpg."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

import asyncpg
import orjson
from sqlalchemy import DateTime, MetaData, Select, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, ORMExecuteState, Session
from sqlalchemy.util import await_only
from sqlalchemy.util.concurrency import greenlet_spawn

_ASYNCPG = PGDialect_asyncpg()  # type: ignore[no-untyped-call]


class Base(DeclarativeBase):
    """Base of every table, whichever module it belongs to; one metadata, one migration history."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[str]: JSONB,
        list[Any]: JSONB,
    }


def utc_now() -> datetime:
    return datetime.now(UTC)


class Database:
    """An engine and its sessions. ``async with database.transaction() as session`` commits or rolls back;
    ``database.reading()`` spares the round trips of a transaction.

    ``server_settings`` are PostgreSQL parameters of its connections.
    """

    def __init__(self, url: str, *, pool_size: int = 10, server_settings: Mapping[str, str] | None = None) -> None:
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=10,
            hide_parameters=True,  # they hold hashes and what users wrote, and errors are logged
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
            connect_args={"server_settings": {"application_name": "reelfarm", **(server_settings or {})}},
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_closed)
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._readers = async_sessionmaker(
            self.engine.execution_options(isolation_level="AUTOCOMMIT"),
            sync_session_class=_ReadingSession,
            expire_on_commit=False,
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        async with self.sessions() as session, session.begin():
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that only reads, each statement for itself: what read-committed transactions see anyway. Raises
        RuntimeError for a statement that writes or locks."""
        async with self._readers() as session:
            yield session

    def reader(self) -> AsyncSession:
        """A session as ``reading`` gives, to be closed by whoever asked for it."""
        return self._readers()

    async def fetch_one(self, query: "PreparedQuery", **parameters: Any) -> "Record | None":
        """The first row of a query, as it is at this moment. Raises as asyncpg does."""

        def run() -> "Record | None":
            connection = self.engine.sync_engine.raw_connection()
            try:
                asyncpg_connection: Any = connection.driver_connection
                fetched = asyncpg_connection.fetchrow(query.sql, *query.in_order(parameters), record_class=Record)
                return cast("Record | None", await_only(fetched))
            finally:
                connection.close()

        return await greenlet_spawn(run)

    async def close(self) -> None:
        await self.engine.dispose()


class Record(asyncpg.Record):  # type: ignore[misc]
    """A row, its columns by name."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class PreparedQuery:
    """A SELECT compiled once, for what is asked very often. asyncpg executes it itself on a connection of the pool:
    a third of the time that the same statement takes through a session."""

    def __init__(self, statement: Select[Any]) -> None:
        self.statement = statement
        compiled = statement.compile(dialect=_ASYNCPG)
        self.sql = str(compiled)
        self._names = tuple(compiled.positiontup or ())
        self._constants = dict(compiled.params)

    def in_order(self, parameters: Mapping[str, Any]) -> list[Any]:
        return [parameters[name] if name in parameters else self._constants[name] for name in self._names]


class _ReadingSession(Session):
    """The session behind Database.reading."""


@event.listens_for(_ReadingSession, "before_flush")
def _refuse_changes(session: Session, *_: object) -> None:
    raise RuntimeError("something was changed in a session that only reads")


@event.listens_for(_ReadingSession, "do_orm_execute")
def _refuse_writes(state: ORMExecuteState) -> None:
    if not state.is_select or getattr(state.statement, "_for_update_arg", None) is not None:
        raise RuntimeError("a session that only reads was to write or to lock")


def _refuse_closed(connection: Any, *_: object) -> None:
    """Pooled connections that the server has closed meanwhile are made anew. asyncpg knows without asking it: a ping
    would cost every transaction three round trips more."""
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError
