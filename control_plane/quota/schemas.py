"""Requests and responses of quota."""

from typing import Literal

from pydantic import Field

from control_plane.quota.rules import MAX_DAILY_LIMIT
from control_plane.web.models import Id, PageQuery, RequestModel, ResponseModel, ShortText, Timestamp


class LedgerQuery(PageQuery):
    """Without a space: the current one. A team's id alone names that team."""

    space_type: Literal["personal", "team"] | None = None
    team_space_id: Id | None = None
    project_id: Id | None = None


class LedgerEntry(ResponseModel):
    """``amount`` is added to what is used: positive for ``reserve``, negative for ``refund``, 0 for ``commit``, which
    makes the reservation final. The entries of one task share its ``task_id``."""

    id: str
    task_id: str
    entry: Literal["reserve", "commit", "refund"]
    amount: int
    model_id: str
    model_name: str
    project_id: str | None = None
    created_at: Timestamp


class AccountRequest(RequestModel):
    daily_limit: int | None = Field(default=None, ge=0, le=MAX_DAILY_LIMIT)
    time_zone: ShortText | None = None


class Account(ResponseModel):
    """``next_time_zone`` takes effect at ``reset_at``."""

    tenant_id: str
    daily_limit: int
    used: int
    remaining: int
    reset_at: Timestamp
    time_zone: str
    next_time_zone: str | None = None
