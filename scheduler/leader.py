"""One active scheduler: a row with a generation that every takeover raises.

The active process renews the row; a standby takes over once it was not renewed for ``ttl_s``. Every write of
the loop reads the row in its own transaction (``fence``), so a process that was paused and resumed changes
nothing.
"""

import os
import socket
import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.database import Database
from scheduler.tables import LeaderRow

NAME = "scheduler"
TTL_S = 3.0


# Every transaction of the loop begins with it, and to put it together takes as long as to execute it.
_FENCE = (
    select(LeaderRow.generation)
    .where(LeaderRow.name == NAME, LeaderRow.generation == bindparam("generation"))
    .with_for_update(read=True)
)


class LostLeadershipError(RuntimeError):
    """Another process is active, or may be: stop acting."""


class Leadership:
    """This process's turn as the active scheduler."""

    def __init__(self, generation: int, ttl_s: float, clock: Callable[[], float], *, since: float) -> None:
        self.generation = generation
        self.ttl_s = ttl_s
        self._clock = clock
        self._valid_until = since + ttl_s

    def may_act(self) -> bool:
        """False once this process could have been replaced without knowing it, such as after a pause.

        Asks no database: it guards acts outside of it, where a paused process must notice by itself.
        """
        return self._clock() < self._valid_until

    async def fence(self, session: AsyncSession) -> None:
        """Hold off a takeover until this transaction ends. Raises LostLeadershipError after one."""
        held = await session.scalar(_FENCE, {"generation": self.generation})
        if held is None:
            raise LostLeadershipError(f"generation {self.generation} was taken over")

    async def renew(self, database: Database) -> None:
        """Raises LostLeadershipError after a takeover."""
        asked_at = self._clock()
        async with database.transaction() as session:
            renewed = await session.scalar(
                update(LeaderRow)
                .where(LeaderRow.name == NAME, LeaderRow.generation == self.generation)
                .values(expires_at=func.clock_timestamp() + timedelta(seconds=self.ttl_s))
                .returning(LeaderRow.generation)
            )
        if renewed is None:
            raise LostLeadershipError(f"generation {self.generation} was taken over")
        self._valid_until = asked_at + self.ttl_s

    async def resign(self, database: Database) -> None:
        """Let a standby take over at once."""
        async with database.transaction() as session:
            await session.execute(
                update(LeaderRow)
                .where(LeaderRow.name == NAME, LeaderRow.generation == self.generation)
                .values(expires_at=func.clock_timestamp())
            )


async def try_to_lead(
    database: Database, *, ttl_s: float = TTL_S, clock: Callable[[], float] = time.monotonic
) -> Leadership | None:
    """Become the active scheduler if there is none; None while another one is."""
    holder = f"{socket.gethostname()}:{os.getpid()}"
    expires_at = func.clock_timestamp() + timedelta(seconds=ttl_s)
    asked_at = clock()
    statement = insert(LeaderRow).values(name=NAME, generation=1, holder=holder, expires_at=expires_at)
    async with database.transaction() as session:
        generation = await session.scalar(
            statement.on_conflict_do_update(
                index_elements=[LeaderRow.name],
                set_={"generation": LeaderRow.generation + 1, "holder": holder, "expires_at": expires_at},
                where=LeaderRow.expires_at < func.clock_timestamp(),
            ).returning(LeaderRow.generation)
        )
    return None if generation is None else Leadership(generation, ttl_s, clock, since=asked_at)
