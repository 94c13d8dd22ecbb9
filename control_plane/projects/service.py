"""Making, listing, showing, renaming and deleting projects."""

from typing import Any

from control_plane.accounts import access
from control_plane.accounts.actor import Actor
from control_plane.inputs import tables as inputs
from control_plane.projects import conversations, queries, tables
from control_plane.projects.locking import lock_with_jobs
from control_plane.projects.rules import STAGE_OF, Status, placeholder_name
from control_plane.projects.schemas import (
    CreateProject,
    DetailedInputConfig,
    InputConfig,
    ProjectDetail,
    ProjectItem,
    ProjectMetadata,
    ProjectQuery,
    UpdateProject,
)
from control_plane.web.models import Page
from control_plane.work import Work
from runtime.ids import new_id

SMART_DURATION = -1.0


async def create(work: Work, actor: Actor, request: CreateProject, language: str) -> ProjectDetail:
    """An empty project in the space that is named, or in the current one."""
    space = await access.space_of(work.session, actor, request.space_type, request.team_space_id)
    name = request.name
    if name is None:
        number = 1 + await tables.count_of(work.session, space.tenant_id)
        name = placeholder_name(number, language)
    project = tables.ProjectRow(
        id=new_id("prj"),
        tenant_id=space.tenant_id,
        user_id=actor.user_id,
        name=name,
        auto_named=request.name is None,
        status=Status.DRAFT,
        stage=STAGE_OF[Status.DRAFT],
    )
    work.session.add(project)
    await work.session.flush()
    await conversations.record(work, project.id, "user", f"创建项目“{name}”", {"action": "create"})
    return await detail(work, actor, project.id)


async def list_projects(work: Work, actor: Actor, query: ProjectQuery) -> Page[ProjectItem]:
    """A constant number of queries, however many projects there are."""
    space = await access.space_of(work.session, actor, query.space_type, query.team_space_id)
    total, rows = await queries.page(
        work.session,
        space.tenant_id,
        status=query.status,
        keyword=query.keyword,
        limit=query.page_size,
        offset=(query.page - 1) * query.page_size,
    )
    return Page[ProjectItem](
        list=[
            ProjectItem(
                **_shared(row),
                input_config=InputConfig(**_input_config(row)),
                thumbnail_url=row.thumbnail_artifact_id,
            )
            for row in rows
        ],
        total=total,
        page=query.page,
        page_size=query.page_size,
    )


async def detail(work: Work, actor: Actor, project_id: str) -> ProjectDetail:
    row = await queries.detail(work, actor, project_id)
    return ProjectDetail(
        **_shared(row),
        input_config=DetailedInputConfig(
            **_input_config(row), subtitle_enabled=True if row.subtitle_enabled is None else row.subtitle_enabled
        ),
        metadata=ProjectMetadata(
            total_duration=row.total_duration_s, video_count=row.video_count, export_count=row.export_count
        ),
        started_at=row.started_at,
        completed_at=row.completed_at,
    )


async def update(work: Work, actor: Actor, project_id: str, request: UpdateProject) -> None:
    project = await tables.load_project(work.session, actor, project_id)
    changes = request.model_dump(exclude_none=True)
    for field, value in changes.items():
        setattr(project, field, value)
    if request.name is not None:
        project.auto_named = False
    if changes:
        content = f"项目改名为“{request.name}”" if request.name is not None else f"修改项目（{', '.join(changes)}）"
        await conversations.asked(work, project.id, content, "update_project", changes=changes)


async def delete(work: Work, actor: Actor, project_id: str) -> None:
    """Cancel what runs for a project and forget it with everything in it. What its tasks still bring is dropped and
    refunded when it comes; its files go when nothing else uses them."""
    project = await lock_with_jobs(work, actor, project_id)
    await inputs.delete_attachments(work.session, project.id)
    await work.session.delete(project)
    await work.session.flush()


def _shared(row: Any) -> dict[str, Any]:
    fields = ("id", "name", "description", "status", "stage", "progress", "tags", "created_at", "updated_at")
    return {field: getattr(row, field) for field in fields}


def _input_config(row: Any) -> dict[str, Any]:
    if row.config is None:
        return {"aspect_ratio": "16:9", "duration": SMART_DURATION, "language": "zh"}
    return {
        "aspect_ratio": row.config["aspect_ratio"],
        "duration": row.config.get("duration_seconds", SMART_DURATION),
        "language": row.language,
    }
