"""What is read most: a page of projects, and one project with everything its answer holds, in one query.

The statements are built once and take who asks as parameters.
"""

from typing import Any, cast

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.accounts.access import may_see, refuse, role_in
from control_plane.accounts.actor import Access, Actor, check_role
from control_plane.errors import NotFound
from control_plane.exports.tables import ExportRow
from control_plane.inputs.tables import InputRow
from control_plane.projects.tables import ProjectCountRow, ProjectRow
from control_plane.work import Work
from runtime.database import PreparedQuery

_ANYBODY = Actor(cast(str, bindparam("user_id")), cast(str, bindparam("session_id")), Access.READ)

_SHARED = (
    ProjectRow.id,
    ProjectRow.name,
    ProjectRow.description,
    ProjectRow.status,
    ProjectRow.stage,
    ProjectRow.progress,
    ProjectRow.tags,
    ProjectRow.created_at,
    ProjectRow.updated_at,
    InputRow.config,
    InputRow.language,
)

DETAIL = PreparedQuery(
    select(
        *_SHARED,
        ProjectRow.started_at,
        ProjectRow.completed_at,
        ProjectRow.total_duration_s,
        ProjectRow.video_count,
        InputRow.subtitle_enabled,
        select(func.count())
        .where(ExportRow.project_id == ProjectRow.id, ExportRow.status == "completed")
        .scalar_subquery()
        .label("export_count"),
        role_in(_ANYBODY, ProjectRow.tenant_id).label("role"),
    )
    .outerjoin(InputRow, InputRow.project_id == ProjectRow.id)
    .where(ProjectRow.id == bindparam("project_id"), may_see(_ANYBODY, ProjectRow.tenant_id))
)


async def detail(work: Work, actor: Actor, project_id: str) -> Any:
    """One project with its input and its figures. Raises NotFound, Forbidden and NotLoggedIn."""
    row = await work.fetch_one(DETAIL, project_id=project_id, user_id=actor.user_id, session_id=actor.session_id)
    if row is None:
        await refuse(work.session, actor, NotFound("项目不存在", "no such project", field="project_id"))
    check_role(row.role, actor.needs)
    return row


async def page(
    session: AsyncSession, tenant_id: str, *, status: str | None, keyword: str | None, limit: int, offset: int
) -> tuple[int, list[Row[Any]]]:
    """How many projects of a tenant there are and a page of them, the latest first: two queries."""
    wanted = [ProjectRow.tenant_id == tenant_id]
    if status is not None:
        wanted.append(ProjectRow.status == status)
    if keyword:
        wanted.append(func.strpos(func.lower(ProjectRow.name), func.lower(keyword)) > 0)
    if len(wanted) == 1:
        count = select(ProjectCountRow.projects).where(ProjectCountRow.tenant_id == tenant_id)
    else:
        count = select(func.count()).where(*wanted)
    rows = await session.execute(
        select(*_SHARED, ProjectRow.thumbnail_artifact_id)
        .outerjoin(InputRow, InputRow.project_id == ProjectRow.id)
        .where(*wanted)
        .order_by(ProjectRow.updated_at.desc(), ProjectRow.id)
        .limit(limit)
        .offset(offset)
    )
    return await session.scalar(count) or 0, list(rows)
