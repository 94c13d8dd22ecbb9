"""Looking at an account and its ledger, and changing its limit."""

from control_plane.accounts.actor import Actor
from control_plane.errors import InvalidParameter
from control_plane.quota import service, tables
from control_plane.quota.schemas import Account, AccountRequest, LedgerEntry, LedgerQuery
from control_plane.web.models import Page
from control_plane.work import Work


async def ledger(work: Work, actor: Actor, query: LedgerQuery) -> Page[LedgerEntry]:
    """What a space's quota went to, the newest first. Raises NotFound for a team that the actor is not in."""
    account = await tables.load_account(work.session, actor, _tenant(actor, query), field="team_space_id")
    rows, total = await tables.ledger_page(
        work.session, account.tenant_id, query.project_id, page=query.page, page_size=query.page_size
    )
    catalog = work.services.catalog
    return Page[LedgerEntry](
        list=[
            LedgerEntry(
                id=f"led_{row.id}",
                task_id=row.reservation_id,
                entry=row.entry,
                amount=row.amount,
                model_id=row.model,
                model_name=model.display_name if (model := catalog.get(row.model)) else row.model,
                project_id=row.project_id,
                created_at=row.created_at,
            )
            for row in rows
        ],
        total=total,
        page=query.page,
        page_size=query.page_size,
    )


def _tenant(actor: Actor, query: LedgerQuery) -> str:
    if query.space_type == "team" and query.team_space_id is None:
        raise InvalidParameter("团队空间必填", "required for a team space", field="team_space_id")
    if query.space_type == "personal" and query.team_space_id is not None:
        raise InvalidParameter("个人空间没有团队", "a personal space has no team", field="team_space_id")
    if query.space_type == "personal":
        return actor.user_id
    return query.team_space_id or actor.tenant_id


async def show(work: Work, actor: Actor, tenant_id: str) -> Account:
    return _shown(work, await tables.load_account(work.session, actor, tenant_id, field="tenant_id"))


async def change(work: Work, tenant_id: str, request: AccountRequest) -> Account:
    """Change what is given, keep the rest. For platform admins. Raises NotFound and InvalidParameter."""
    if request.daily_limit is not None:
        await service.set_daily_limit(work.session, tenant_id, request.daily_limit)
    if request.time_zone is not None:
        await service.set_time_zone(work.session, tenant_id, request.time_zone, now=work.services.clock())
    return _shown(work, await service.locked_account(work.session, tenant_id))


def _shown(work: Work, account: tables.QuotaAccountRow) -> Account:
    state = tables.state_at(account, work.services.clock())
    return Account(
        tenant_id=account.tenant_id,
        daily_limit=state.daily_limit,
        used=state.used,
        remaining=state.remaining,
        reset_at=state.reset_at,
        time_zone=account.time_zone,
        next_time_zone=account.next_time_zone,
    )
