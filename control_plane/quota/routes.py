"""Quota accounts and the ledger."""

from control_plane.accounts.actor import Access
from control_plane.quota import accounts
from control_plane.quota.schemas import Account, AccountRequest, LedgerEntry, LedgerQuery
from control_plane.web.models import Page
from control_plane.web.routes import Call, Routes

routes = Routes("quota")


@routes.get("/quota/ledger", access=Access.READ, query=LedgerQuery, response=Page[LedgerEntry])
async def ledger(call: Call, query: LedgerQuery) -> Page[LedgerEntry]:
    """What the quota of a space went to."""
    return await accounts.ledger(call.work, call.actor, query)


@routes.get("/quota/accounts/{tenant_id}", access=Access.READ, response=Account)
async def account(call: Call) -> Account:
    """The quota of a user's personal space or of a team."""
    return await accounts.show(call.work, call.actor, call.path["tenant_id"])


@routes.put("/quota/accounts/{tenant_id}", access=Access.PLATFORM, body=AccountRequest, response=Account)
async def change_account(call: Call, body: AccountRequest) -> Account:
    """Change a daily limit, or the time zone from the next reset on."""
    return await accounts.change(call.work, call.path["tenant_id"], body)
