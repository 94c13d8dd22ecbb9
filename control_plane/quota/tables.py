"""Quota accounts and the append-only ledger."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from runtime.database import Base, utc_now


class QuotaAccountRow(Base):
    """``used`` counts for ``day``, a calendar day in ``time_zone``; it always equals the ledger's sum for that day."""

    __tablename__ = "quota_accounts"
    __table_args__ = (CheckConstraint("used >= 0", name="used_not_negative"),)

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    daily_limit: Mapped[int]
    time_zone: Mapped[str] = mapped_column(default="UTC")
    day: Mapped[date]
    used: Mapped[int] = mapped_column(default=0)


class LedgerRow(Base):
    """One movement. ``reserve`` adds, ``refund`` takes back, ``commit`` (0) closes; (reservation, entry) is unique, so
    nothing is settled twice."""

    __tablename__ = "quota_ledger"
    __table_args__ = (UniqueConstraint("reservation_id", "entry"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("quota_accounts.tenant_id"), index=True)
    reservation_id: Mapped[str]
    entry: Mapped[str]
    amount: Mapped[int]
    day: Mapped[date]
    model: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


async def lock_account(session: AsyncSession, tenant_id: str) -> QuotaAccountRow | None:
    statement = select(QuotaAccountRow).where(QuotaAccountRow.tenant_id == tenant_id)
    return await session.scalar(statement.with_for_update().execution_options(populate_existing=True))


async def account(session: AsyncSession, tenant_id: str) -> QuotaAccountRow | None:
    return await session.get(QuotaAccountRow, tenant_id)


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
