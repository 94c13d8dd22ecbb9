"""Users, their sessions, and teams."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from runtime.database import Base, utc_now


class UserRow(Base):
    __tablename__ = "users"
    __table_args__ = (Index("uq_users_username_lower", func.lower(text("username")), unique=True),)

    id: Mapped[str] = mapped_column(primary_key=True)
    username: Mapped[str]
    email: Mapped[str]
    password_hash: Mapped[str]
    avatar_artifact_id: Mapped[str | None] = mapped_column(ForeignKey("artifacts.id"))
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    is_platform_admin: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)


class TeamRow(Base):
    """A team and its space: a tenant that owns projects, assets, templates and quota."""

    __tablename__ = "teams"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    logo_artifact_id: Mapped[str | None] = mapped_column(ForeignKey("artifacts.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)


class MembershipRow(Base):
    """What a user is in a team: ``admin``, ``editor`` or ``viewer``."""

    __tablename__ = "memberships"
    __table_args__ = (CheckConstraint("role IN ('admin', 'editor', 'viewer')", name="role"),)

    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    role: Mapped[str]
    last_accessed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class InviteRow(Base):
    """An invitation to a team, known by the SHA-256 of its code. ``uses_left`` is null where there is no limit."""

    __tablename__ = "invites"

    id: Mapped[str] = mapped_column(primary_key=True)
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    uses_left: Mapped[int | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    created_by: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class SessionRow(Base):
    """A login. ``refresh_hash`` is the SHA-256 of the one refresh token that is valid now; ``space_id`` is the team
    whose space the user works in, null for the personal one."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    refresh_hash: Mapped[str]
    space_id: Mapped[str | None] = mapped_column(ForeignKey("teams.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class PasswordResetRow(Base):
    """A one-time token that lets its bearer choose a user's password, known by its SHA-256."""

    __tablename__ = "password_resets"

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


async def user_by_name(session: AsyncSession, username: str) -> UserRow | None:
    """In any case. The database lowers both sides, as the unique index does: Python has other small letters."""
    return await session.scalar(select(UserRow).where(func.lower(UserRow.username) == func.lower(username)))


async def user_by_id(session: AsyncSession, user_id: str) -> UserRow | None:
    return await session.get(UserRow, user_id)


async def lock_user(session: AsyncSession, user_id: str) -> UserRow | None:
    """As it is now, and so until the transaction ends."""
    statement = select(UserRow).where(UserRow.id == user_id).with_for_update(key_share=True)
    return await session.scalar(statement.execution_options(populate_existing=True))


async def is_in_a_team(session: AsyncSession, user_id: str) -> bool:
    return bool(await session.scalar(select(select(MembershipRow).where(MembershipRow.user_id == user_id).exists())))


async def end_sessions(session: AsyncSession, user_id: str, *, but: str | None = None) -> None:
    """End a user's sessions, all or all but one."""
    statement = update(SessionRow).where(SessionRow.user_id == user_id, SessionRow.revoked_at.is_(None))
    if but is not None:
        statement = statement.where(SessionRow.id != but)
    await session.execute(statement.values(revoked_at=utc_now()))


async def lock_session(session: AsyncSession, session_id: str) -> SessionRow | None:
    return await session.scalar(select(SessionRow).where(SessionRow.id == session_id).with_for_update())
