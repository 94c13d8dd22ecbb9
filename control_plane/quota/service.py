"""Reserve before a task is queued, settle when its result is applied.

A reservation has the task's id and is written in the transaction that queues the task; it is settled in the one that
applies the result. ``used`` is the ledger's sum at any moment, and the account row's lock keeps it under the limit
however many requests run at once. Lock order everywhere: project row, then account row.
"""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.errors import InvalidParameter, QuotaExceeded
from control_plane.quota import tables
from control_plane.quota.rules import DEFAULT_DAILY_LIMIT, QuotaState, cost_of, day_at, next_reset
from control_plane.work import Work
from runtime.database import utc_now
from scheduler import queue
from scheduler.task import NewTask


async def open_account(
    session: AsyncSession, tenant_id: str, *, daily_limit: int | None = None, time_zone: str = "UTC"
) -> None:
    """Raises InvalidParameter for a negative limit or an unknown time zone."""
    limit = DEFAULT_DAILY_LIMIT if daily_limit is None else daily_limit
    if not 0 <= limit <= 1_000_000_000:
        raise InvalidParameter("必须在 0 到 1000000000 之间", "must be 0 to 1000000000", field="daily_limit")
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidParameter("未知时区", "unknown time zone", field="time_zone") from error
    session.add(
        tables.QuotaAccountRow(
            tenant_id=tenant_id,
            daily_limit=limit,
            time_zone=time_zone,
            day=day_at(utc_now(), time_zone),
            used=0,
        )
    )
    await session.flush()


async def state(session: AsyncSession, tenant_id: str) -> QuotaState:
    account = await tables.account(session, tenant_id)
    if account is None:
        raise LookupError(f"no quota account {tenant_id}")
    now = utc_now()
    used = account.used if account.day == day_at(now, account.time_zone) else 0
    return QuotaState(account.daily_limit, used, next_reset(now, account.time_zone))


def price(work: Work, tasks: Sequence[NewTask]) -> int:
    return sum(cost_of(work.services.catalog, task) for task in tasks)


async def enqueue_paid(work: Work, tasks: Sequence[NewTask]) -> list[str]:
    """Queue tasks of one tenant and reserve what they cost, all or nothing. Returns task ids. Raises QuotaExceeded."""
    if not tasks:
        return []
    costs = [cost_of(work.services.catalog, task) for task in tasks]
    tenant_id = tasks[0].tenant_id
    account = await tables.lock_account(work.session, tenant_id)
    if account is None:
        raise LookupError(f"no quota account {tenant_id}")
    today = day_at(utc_now(), account.time_zone)
    _roll_over(account, today)
    remaining = account.daily_limit - account.used
    if sum(costs) > remaining:
        raise QuotaExceeded(sum(costs), max(0, remaining))
    account.used += sum(costs)
    task_ids = await queue.enqueue(work.session, tasks)
    for task_id, task, cost in zip(task_ids, tasks, costs, strict=True):
        work.session.add(
            tables.LedgerRow(
                tenant_id=tenant_id,
                reservation_id=task_id,
                entry="reserve",
                amount=cost,
                day=today,
                model=task.model,
            )
        )
    work.note_queued(tasks, task_ids)
    return task_ids


async def settle(session: AsyncSession, reservation_id: str, *, succeeded: bool) -> None:
    """Close a reservation: committed when the task succeeded, refunded otherwise. A second call changes nothing."""
    reserved = await tables.reservation(session, reservation_id)
    if reserved is None:
        return
    account = await tables.lock_account(session, reserved.tenant_id)
    if account is None or await tables.is_settled(session, reservation_id):
        return
    session.add(
        tables.LedgerRow(
            tenant_id=reserved.tenant_id,
            reservation_id=reservation_id,
            entry="commit" if succeeded else "refund",
            amount=0 if succeeded else -reserved.amount,
            day=reserved.day,
            model=reserved.model,
        )
    )
    if not succeeded and account.day == reserved.day:
        account.used -= reserved.amount


def _roll_over(account: tables.QuotaAccountRow, today: date) -> None:
    if account.day != today:
        account.day = today
        account.used = 0
