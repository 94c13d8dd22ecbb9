"""Reserve before a task is queued, settle when its result is applied.

A reservation has the task's id and is written in the transaction that queues the task; it is settled in the one that
applies the result. ``used`` is the ledger's sum at any moment, and the account row's lock keeps it under the limit
however many requests run at once. Lock order everywhere: project row, then account row.
"""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.artifacts import disk
from control_plane.errors import InvalidParameter, NotFound, QuotaExceeded
from control_plane.quota import notices, tables
from control_plane.quota.rules import DEFAULT_DAILY_LIMIT, MAX_DAILY_LIMIT, QuotaState, cost_of, next_reset
from control_plane.work import Work
from runtime.database import utc_now
from scheduler import queue
from scheduler.task import NewTask


async def open_account(
    session: AsyncSession,
    tenant_id: str,
    *,
    daily_limit: int | None = None,
    time_zone: str = "UTC",
    now: datetime | None = None,
) -> None:
    """The account of a user or a team. Raises InvalidParameter for a bad limit or an unknown time zone."""
    limit = DEFAULT_DAILY_LIMIT if daily_limit is None else daily_limit
    _check_limit(limit)
    _check_zone(time_zone)
    session.add(
        tables.QuotaAccountRow(
            tenant_id=tenant_id,
            daily_limit=limit,
            time_zone=time_zone,
            resets_at=next_reset(now or utc_now(), time_zone),
            used=0,
        )
    )
    await session.flush()


def _check_limit(limit: int) -> None:
    if not 0 <= limit <= MAX_DAILY_LIMIT:
        raise InvalidParameter(
            f"必须在 0 到 {MAX_DAILY_LIMIT} 之间", f"must be 0 to {MAX_DAILY_LIMIT}", field="daily_limit"
        )


def _check_zone(time_zone: str) -> None:
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a folder of the database is an OSError
        raise InvalidParameter("未知时区", "unknown time zone", field="time_zone") from error


async def state(session: AsyncSession, tenant_id: str, *, now: datetime | None = None) -> QuotaState:
    """The account as it stands, by one look at its row. Raises LookupError where there is none."""
    account = await tables.account(session, tenant_id)
    if account is None:
        raise LookupError(f"no quota account {tenant_id}")
    return tables.state_at(account, now or utc_now())


def price(work: Work, tasks: Sequence[NewTask]) -> int:
    return sum(cost_of(work.services.catalog, task) for task in tasks)


async def enqueue_paid(work: Work, tasks: Sequence[NewTask]) -> list[str]:
    """Queue tasks of one tenant and reserve what they cost, all or nothing. Returns task ids.

    Raises QuotaExceeded, and StorageFull for a request of a tenant whose disk limit is reached.
    """
    if not tasks:
        return []
    costs = [cost_of(work.services.catalog, task) for task in tasks]
    tenant_id = tasks[0].tenant_id
    if not work.applies_result:
        await disk.check(work.session, work.services.settings, tenant_id, 1)
    account = await tables.lock_account(work.session, tenant_id)
    if account is None:
        raise LookupError(f"no quota account {tenant_id}")
    _roll_over(account, work.services.clock())
    remaining = account.daily_limit - account.used
    if sum(costs) > remaining:
        error = QuotaExceeded(sum(costs), max(0, remaining))
        notices.refused(work, tasks[0].project_id, error)
        raise error
    account.used += sum(costs)
    task_ids = await queue.enqueue(work.session, tasks)
    for task_id, task, cost in zip(task_ids, tasks, costs, strict=True):
        work.session.add(
            tables.LedgerRow(
                tenant_id=tenant_id,
                project_id=task.project_id or None,
                reservation_id=task_id,
                entry="reserve",
                amount=cost,
                day=account.day,
                model=task.model,
                created_at=work.services.clock(),
            )
        )
    work.note_queued(tasks, task_ids)
    if sum(costs):
        for project_id in {task.project_id for task in tasks}:
            notices.changed(work, project_id, tenant_id)
    return task_ids


async def settle(work: Work, reservation_id: str, *, succeeded: bool) -> None:
    """Close a reservation: committed when the task succeeded, refunded otherwise. A second call changes nothing. Both
    belong to the day of the reservation: a refund after midnight gives nothing to the day after."""
    reserved = await tables.reservation(work.session, reservation_id)
    if reserved is None:
        return
    account = await tables.lock_account(work.session, reserved.tenant_id)
    if account is None or await tables.is_settled(work.session, reservation_id):
        return
    work.session.add(
        tables.LedgerRow(
            tenant_id=reserved.tenant_id,
            project_id=reserved.project_id,
            reservation_id=reservation_id,
            entry="commit" if succeeded else "refund",
            amount=0 if succeeded else -reserved.amount,
            day=reserved.day,
            model=reserved.model,
            created_at=work.services.clock(),
        )
    )
    if not succeeded and account.day == reserved.day:
        account.used -= reserved.amount
        if reserved.project_id and reserved.amount:
            notices.changed(work, reserved.project_id, reserved.tenant_id)


async def set_daily_limit(session: AsyncSession, tenant_id: str, limit: int) -> None:
    """Takes effect at once; what was reserved under a higher limit stays. Raises InvalidParameter and NotFound."""
    _check_limit(limit)
    (await locked_account(session, tenant_id)).daily_limit = limit
    await session.flush()


async def set_time_zone(session: AsyncSession, tenant_id: str, time_zone: str, *, now: datetime | None = None) -> None:
    """Counts from the next reset: the day that runs ends where it would have. Raises InvalidParameter and NotFound."""
    _check_zone(time_zone)
    account = await locked_account(session, tenant_id)
    _roll_over(account, now or utc_now())
    account.next_time_zone = None if time_zone == account.time_zone else time_zone
    await session.flush()


async def locked_account(session: AsyncSession, tenant_id: str) -> tables.QuotaAccountRow:
    account = await tables.lock_account(session, tenant_id)
    if account is None:
        raise NotFound("配额账户不存在", "no such quota account", field="tenant_id")
    return account


def _roll_over(account: tables.QuotaAccountRow, now: datetime) -> None:
    if now < account.resets_at:
        return
    account.day += 1
    account.used = 0
    account.time_zone, account.next_time_zone = account.next_time_zone or account.time_zone, None
    account.resets_at = next_reset(now, account.time_zone)
