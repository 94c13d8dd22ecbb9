"""Quota accounts and the append-only ledger."""

from datetime import datetime

from sqlalchemy import DDL, CheckConstraint, ForeignKey, Index, UniqueConstraint, event, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from control_plane.accounts.access import granted, may_see, role_in
from control_plane.accounts.actor import Actor
from control_plane.errors import NotFound
from control_plane.quota.rules import QuotaState, next_reset
from runtime.database import Base, utc_now


class QuotaAccountRow(Base):
    """``used`` counts for the account's day number ``day``, which ends at ``resets_at``; it always equals the ledger's
    sum for that number. Days are counted and not dated: after a change of time zone a date can come twice.
    ``next_time_zone`` takes effect at the reset."""

    __tablename__ = "quota_accounts"
    __table_args__ = (CheckConstraint("used >= 0", name="used_not_negative"),)

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    daily_limit: Mapped[int]
    time_zone: Mapped[str] = mapped_column(default="UTC")
    next_time_zone: Mapped[str | None]
    day: Mapped[int] = mapped_column(default=1)
    resets_at: Mapped[datetime]
    used: Mapped[int] = mapped_column(default=0)


class LedgerRow(Base):
    """One movement. ``reserve`` adds, ``refund`` takes back, ``commit`` (0) closes; a reservation is opened once and
    settled once. Rows are never changed or deleted: the database refuses it."""

    __tablename__ = "quota_ledger"
    __table_args__ = (
        UniqueConstraint("reservation_id", "entry"),
        CheckConstraint(
            "(entry = 'reserve' AND amount >= 0) OR (entry = 'commit' AND amount = 0) "
            "OR (entry = 'refund' AND amount <= 0)",
            name="entry",
        ),
        Index(
            "uq_quota_ledger_settled",
            "reservation_id",
            unique=True,
            postgresql_where=text("entry IN ('commit', 'refund')"),
        ),
        Index("ix_quota_ledger_tenant_id", "tenant_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("quota_accounts.tenant_id"))
    project_id: Mapped[str | None]
    """No foreign key: what was spent outlives the project."""
    reservation_id: Mapped[str]
    entry: Mapped[str]
    amount: Mapped[int]
    day: Mapped[int]
    model: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


def state_at(account: QuotaAccountRow, now: datetime) -> QuotaState:
    """The account at a moment, whether or not its day was turned over yet."""
    if now < account.resets_at:
        return QuotaState(account.daily_limit, account.used, account.resets_at)
    return QuotaState(account.daily_limit, 0, next_reset(now, account.next_time_zone or account.time_zone))


APPEND_ONLY_TRIGGER: tuple[str, ...] = (
    """
CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = 'the quota ledger is append-only';
END $$
""".strip(),
    "CREATE TRIGGER refuse_ledger_change BEFORE UPDATE OR DELETE OR TRUNCATE ON quota_ledger "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change()",
)

for _statement in APPEND_ONLY_TRIGGER:
    event.listen(LedgerRow.__table__, "after_create", DDL(_statement))
event.listen(LedgerRow.__table__, "after_drop", DDL("DROP FUNCTION IF EXISTS refuse_ledger_change()"))


async def lock_account(session: AsyncSession, tenant_id: str) -> QuotaAccountRow | None:
    statement = select(QuotaAccountRow).where(QuotaAccountRow.tenant_id == tenant_id)
    return await session.scalar(statement.with_for_update().execution_options(populate_existing=True))


async def account(session: AsyncSession, tenant_id: str) -> QuotaAccountRow | None:
    return await session.get(QuotaAccountRow, tenant_id, populate_existing=True)


async def load_account(session: AsyncSession, actor: Actor, tenant_id: str, *, field: str) -> QuotaAccountRow:
    """An account of a space that the actor is in. Raises NotFound, Forbidden and NotLoggedIn."""
    statement = select(QuotaAccountRow, role_in(actor, QuotaAccountRow.tenant_id)).where(
        QuotaAccountRow.tenant_id == tenant_id, may_see(actor, QuotaAccountRow.tenant_id)
    )
    missing = NotFound("配额账户不存在", "no such quota account", field=field)
    (row,) = await granted(session, actor, statement, missing)
    return row


async def reservation(session: AsyncSession, reservation_id: str) -> LedgerRow | None:
    """The reserve entry of a reservation."""
    return await session.scalar(
        select(LedgerRow).where(LedgerRow.reservation_id == reservation_id, LedgerRow.entry == "reserve")
    )


async def is_settled(session: AsyncSession, reservation_id: str) -> bool:
    statement = select(func.count()).where(
        LedgerRow.reservation_id == reservation_id, LedgerRow.entry.in_(["commit", "refund"])
    )
    return bool(await session.scalar(statement))


async def ledger_page(
    session: AsyncSession, tenant_id: str, project_id: str | None, *, page: int, page_size: int
) -> tuple[list[LedgerRow], int]:
    """A page of the entries, the newest first, and how many there are in all."""
    entries = select(LedgerRow).where(LedgerRow.tenant_id == tenant_id)
    if project_id is not None:
        entries = entries.where(LedgerRow.project_id == project_id)
    total = await session.scalar(select(func.count()).select_from(entries.subquery())) or 0
    newest = entries.order_by(LedgerRow.id.desc()).limit(page_size).offset((page - 1) * page_size)
    return list(await session.scalars(newest)), total
