"""What a project's watchers hear of its owner's quota.

A change is told once per transaction and project, as the account stands when everything else is done. A request that
is refused leaves nothing behind, so its refusal is told by a transaction of its own, after the rollback; whoever asked
has the answer even if that is lost.
"""

from control_plane.errors import QuotaExceeded
from control_plane.events import service as events
from control_plane.events.schemas import QuotaChanged, QuotaInsufficient
from control_plane.projects.tables import lock_project
from control_plane.quota import tables
from control_plane.work import Work


def changed(work: Work, project_id: str, tenant_id: str) -> None:
    """Tell the project of the account before the transaction commits."""

    async def tell() -> None:
        account = await tables.account(work.session, tenant_id)
        if account is None or await lock_project(work.session, project_id) is None:
            return
        state = tables.state_at(account, work.services.clock())
        await events.append(
            work,
            project_id,
            QuotaChanged(
                daily_limit=state.daily_limit, used=state.used, remaining=state.remaining, reset_at=state.reset_at
            ),
        )

    if project_id:
        work.before_commit[f"quota of {tenant_id} for {project_id}"] = tell


def refused(work: Work, project_id: str, error: QuotaExceeded) -> None:
    """Tell the project that the quota did not suffice, if the transaction is undone for it."""

    async def tell(later: Work) -> None:
        if await lock_project(later.session, project_id) is not None:
            notice = QuotaInsufficient(required=error.required, remaining=error.remaining)
            await events.append(later, project_id, notice)

    if project_id:
        work.if_refused.append(tell)
