"""Who may still hear of what they once subscribed to. Asked for all of a process's clients at once."""

from collections.abc import Collection, Mapping

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.accounts.actor import Actor
from control_plane.accounts.tables import MembershipRow, SessionRow
from control_plane.projects.tables import ProjectRow


async def live_sessions(session: AsyncSession, session_ids: Collection[str]) -> set[str]:
    """Those of the sessions that have not ended."""
    statement = select(SessionRow.id).where(
        SessionRow.id.in_(session_ids), SessionRow.revoked_at.is_(None), SessionRow.expires_at > func.now()
    )
    return set(await session.scalars(statement))


async def strangers(session: AsyncSession, watched: Mapping[str, Collection[Actor]]) -> dict[str, set[str]]:
    """By project the users that are not, or not any more, of its tenant. A project that is gone has no tenant."""
    if not watched:
        return {}
    owners = await session.execute(select(ProjectRow.id, ProjectRow.tenant_id).where(ProjectRow.id.in_(watched)))
    tenants = {row.id: row.tenant_id for row in owners}
    users = {actor.user_id for actors in watched.values() for actor in actors}
    memberships = await session.execute(
        select(MembershipRow.team_id, MembershipRow.user_id).where(MembershipRow.user_id.in_(users))
    )
    members = {(row.team_id, row.user_id) for row in memberships}
    return {
        project_id: {
            actor.user_id
            for actor in actors
            if (tenant := tenants.get(project_id)) != actor.user_id and (tenant, actor.user_id) not in members
        }
        for project_id, actors in watched.items()
    }
