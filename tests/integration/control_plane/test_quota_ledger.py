"""The ledger adds up whatever happens to it: a state machine on the real PostgreSQL, with a clock that it turns."""

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from control_plane.app import make_services
from control_plane.errors import QuotaExceeded
from control_plane.quota import service as quota
from control_plane.work import Services, Work, unit_of_work
from models.specs import MusicSpec
from runtime.ids import new_id
from runtime.settings import Settings
from scheduler import queue
from scheduler.task import NewTask

ZONES = ["UTC", "Asia/Shanghai", "America/New_York", "Pacific/Apia", "America/Havana", "Asia/Kathmandu"]
START = datetime(2026, 3, 7, 12, tzinfo=UTC)  # the day before clocks change in America


class Crash(Exception):
    """The process died between two statements."""


class World:
    """Everything the machines of a test share: an event loop, a database, a clock, and where the next crash is."""

    def __init__(self, database_url: str, redis_url: str, root: Path) -> None:
        self.runner = asyncio.Runner()
        self.now = START
        options = Settings(
            database_url=database_url,  # type: ignore[arg-type]
            redis_url=redis_url,  # type: ignore[arg-type]
            artifacts_url=f"file://{root}",
            secret_key="test secret of more than thirty-two characters",  # type: ignore[arg-type]
        )
        self.services: Services = self.run(self._services(options))
        self.price = 2  # of five seconds of music
        self.statements_left: int | None = None
        event.listen(self.services.database.engine.sync_engine, "before_cursor_execute", self._count)

    async def _services(self, options: Settings) -> Services:
        return dataclasses.replace(make_services(options), clock=lambda: self.now)

    def _count(self, *_: Any) -> None:
        if self.statements_left is not None:
            self.statements_left -= 1
            if self.statements_left < 0:
                raise Crash

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def close(self) -> None:
        self.run(self.services.database.close())
        self.run(self.services.redis.aclose())
        self.runner.close()

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        async with self.services.database.transaction() as session:
            return list(await session.execute(text(statement), values))

    async def plan(self, query: str) -> str:
        """How PostgreSQL runs it, had the table grown: it reads a small one as it lies."""
        async with self.services.database.transaction() as session:
            await session.execute(text("SET LOCAL enable_seqscan = off"))
            return "\n".join(str(row[0]) for row in await session.execute(text(f"EXPLAIN {query}")))


@pytest.fixture(scope="module")
def world(
    module_database_url: str, _embedded_redis_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    world = World(module_database_url, _embedded_redis_server, tmp_path_factory.mktemp("store"))
    yield world
    world.close()


def tasks_of(count: int, tenant: str, job_id: str, project_id: str = "") -> list[NewTask]:
    task = NewTask(
        kind="music",
        spec=MusicSpec(duration_s=5),
        model="draft-music",
        job_id=job_id,
        project_id=project_id,
        tenant_id=tenant,
        reaction="assets.preview",
        label="music",
        context={},
    )
    return [task] * count


OPERATIONS = st.one_of(
    st.tuples(st.just("reserve"), st.integers(1, 4)),
    st.tuples(st.sampled_from(["commit", "refund"]), st.integers(0, 50)),
)


class LedgerMachine(RuleBasedStateMachine):
    """One account. What it remembers is only what callers were told: which reservations they hold."""

    world: World

    @initialize(limit=st.integers(0, 24), zone=st.sampled_from(ZONES))
    def open(self, limit: int, zone: str) -> None:
        self.world.now = START
        self.tenant = new_id("usr")
        self.held: list[str] = []
        self.settled: dict[str, str] = {}
        self.limit = self.most = limit
        self.zones = {zone}

        async def work() -> None:
            async with unit_of_work(self.world.services) as work:
                await quota.open_account(
                    work.session, self.tenant, daily_limit=limit, time_zone=zone, now=self.world.now
                )
                self.job = await queue.create_job(work.session, kind="music", project_id="", tenant_id=self.tenant)

        self.world.run(work())

    @rule(operations=st.lists(OPERATIONS, min_size=1, max_size=5))
    def at_once(self, operations: list[tuple[str, int]]) -> None:
        """Some on connections of their own, in whatever order the database lets them; settling one twice included."""

        async def work() -> None:
            await asyncio.gather(*(self._act(kind, number) for kind, number in operations))

        self.world.run(work())

    @rule(operation=OPERATIONS, statements=st.integers(0, 8))
    def crash(self, operation: tuple[str, int], statements: int) -> None:
        """The transaction ends after some statements: nothing of it is there."""
        before = self.world.run(self._ledger())
        self.world.statements_left = statements
        try:
            self.world.run(self._act(*operation))
        except Crash:
            self.world.statements_left = None
            assert self.world.run(self._ledger()) == before
        finally:
            self.world.statements_left = None

    @rule(hours=st.floats(0, 40))
    def wait(self, hours: float) -> None:
        self.world.now += timedelta(hours=hours)

    @rule()
    def wait_until_the_last_second_of_the_day(self) -> None:
        state = self.world.run(self._state())
        self.world.now = state.reset_at - timedelta(seconds=1)

    @rule(zone=st.sampled_from(ZONES))
    def move(self, zone: str) -> None:
        """Changes nothing of the day that runs."""
        before = self.world.run(self._state())
        self.zones.add(zone)

        async def change(work: Work) -> None:
            await quota.set_time_zone(work.session, self.tenant, zone, now=self.world.now)

        self.world.run(self._unit(change))
        assert self.world.run(self._state()) == before

    @rule(limit=st.integers(0, 24))
    def change_limit(self, limit: int) -> None:
        async def change(work: Work) -> None:
            await quota.set_daily_limit(work.session, self.tenant, limit)

        self.world.run(self._unit(change))
        self.limit = limit

    @invariant()
    def adds_up(self) -> None:
        account, ledger = self.world.run(self._account()), self.world.run(self._ledger())
        today = [row for row in ledger if row.day == account.day]
        assert account.used == sum(row.amount for row in today)
        # What was reserved before the limit was lowered stays.
        self.most = max(self.limit, min(self.most, account.used))
        assert 0 <= account.used <= self.most
        for day in {row.day for row in ledger}:
            assert sum(row.amount for row in ledger if row.day == day) >= 0
            assert day <= account.day

    @invariant()
    def holds_what_callers_were_told(self) -> None:
        ledger = self.world.run(self._ledger())
        reserved = {row.reservation_id: row for row in ledger if row.entry == "reserve"}
        assert sorted(reserved) == sorted(self.held)
        closed = Counter(row.reservation_id for row in ledger if row.entry != "reserve")
        assert set(closed.values()) <= {1}
        assert set(closed) == set(self.settled)
        for row in ledger:
            if row.entry != "reserve":
                assert row.day == reserved[row.reservation_id].day
                assert row.amount == (0 if row.entry == "commit" else -self.world.price)

    @invariant()
    def tells_the_day(self) -> None:
        """By one look, whether or not anybody spent since midnight."""
        account, state = self.world.run(self._account()), self.world.run(self._state())
        assert state.reset_at > self.world.now
        assert state.used == (account.used if self.world.now < account.resets_at else 0)
        assert any(is_first_of_day(state.reset_at, zone) for zone in self.zones)
        assert state.reset_at - self.world.now <= timedelta(hours=26)

    async def _act(self, kind: str, number: int) -> None:
        if kind == "reserve":
            with_room: list[str] = []

            async def reserve(work: Work) -> None:
                with_room.extend(await quota.enqueue_paid(work, tasks_of(number, self.tenant, self.job)))

            try:
                await self._unit(reserve)
            except QuotaExceeded as error:
                assert error.required == number * self.world.price > error.remaining
            else:
                self.held += with_room
        elif self.held:
            reservation = self.held[number % len(self.held)]

            async def settle(work: Work) -> None:
                await quota.settle(work, reservation, succeeded=kind == "commit")

            await self._unit(settle)
            self.settled.setdefault(reservation, kind)

    async def _unit(self, act: Callable[[Work], Awaitable[None]]) -> None:
        async with unit_of_work(self.world.services) as work:
            await act(work)

    async def _account(self) -> Any:
        (row,) = await self.world.rows("SELECT * FROM quota_accounts WHERE tenant_id = :id", id=self.tenant)
        return row

    async def _ledger(self) -> list[Any]:
        return await self.world.rows("SELECT * FROM quota_ledger WHERE tenant_id = :id ORDER BY id", id=self.tenant)

    async def _state(self) -> Any:
        async with self.world.services.database.transaction() as session:
            return await quota.state(session, self.tenant, now=self.world.now)


def is_first_of_day(moment: datetime, zone: str) -> bool:
    local = moment.astimezone(ZoneInfo(zone))
    if local.time() == time.min:
        return True
    return (moment - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date() < local.date()


def test_the_ledger_adds_up_whatever_happens(world: World) -> None:
    machine = type("Machine", (LedgerMachine,), {"world": world})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize(
    "statement",
    ["UPDATE quota_ledger SET amount = 0", "DELETE FROM quota_ledger", "TRUNCATE quota_ledger"],
)
def test_the_ledger_cannot_be_rewritten(world: World, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        world.run(world.rows(statement))


def test_the_state_is_one_look_however_long_the_ledger(world: World) -> None:
    tenant = new_id("usr")
    statements: list[str] = []

    async def look() -> None:
        async with world.services.database.transaction() as session:
            await quota.open_account(session, tenant)
        async with world.services.database.transaction() as session:
            event.listen(
                world.services.database.engine.sync_engine,
                "before_cursor_execute",
                listener := (lambda _c, _cur, statement, *_: statements.append(statement)),
            )
            await quota.state(session, tenant)
            event.remove(world.services.database.engine.sync_engine, "before_cursor_execute", listener)

    world.run(look())
    assert len(statements) == 1
    assert "quota_ledger" not in statements[0]
    plan = world.run(world.plan("SELECT * FROM quota_ledger WHERE tenant_id = 'x' ORDER BY id DESC LIMIT 20"))
    assert "ix_quota_ledger_tenant_id" in plan
