"""Listing, showing and renaming projects."""

from typing import Any

from sqlalchemy import func, select

from control_plane.accounts.actor import Actor
from control_plane.exports.tables import ExportRow
from control_plane.inputs.tables import InputRow
from control_plane.materials import tables as materials
from control_plane.projects import tables
from control_plane.projects.schemas import (
    DetailedInputConfig,
    InputConfig,
    ProjectDetail,
    ProjectItem,
    ProjectMetadata,
    ProjectQuery,
    UpdateProject,
)
from control_plane.timeline import build, rules
from control_plane.timeline import tables as timeline
from control_plane.web.models import Page
from control_plane.work import Work

SMART_DURATION = -1.0


async def list_projects(work: Work, actor: Actor, query: ProjectQuery) -> Page[ProjectItem]:
    """Three queries, however many projects there are."""
    visible = tables.visible_projects(actor, status=query.status, keyword=query.keyword)
    total = await work.session.scalar(select(func.count()).select_from(visible.subquery())) or 0
    page = visible.order_by(tables.ProjectRow.updated_at.desc(), tables.ProjectRow.id)
    page = page.limit(query.page_size).offset((query.page - 1) * query.page_size)
    rows = list(await work.session.scalars(page))
    inputs = {
        row.project_id: row
        for row in await work.session.scalars(select(InputRow).where(InputRow.project_id.in_([row.id for row in rows])))
    }
    return Page[ProjectItem](
        list=[
            ProjectItem(
                **_shared(row),
                input_config=InputConfig(**_input_config(inputs.get(row.id))),
                thumbnail_url=row.thumbnail_artifact_id,
            )
            for row in rows
        ],
        total=total,
        page=query.page,
        page_size=query.page_size,
    )


async def detail(work: Work, actor: Actor, project_id: str) -> ProjectDetail:
    project = await tables.load_project(work.session, actor, project_id)
    source = await work.session.get(InputRow, project.id)
    return ProjectDetail(
        **_shared(project),
        input_config=DetailedInputConfig(
            **_input_config(source), subtitle_enabled=source.subtitle_enabled if source else True
        ),
        metadata=await _metadata(work, project),
        started_at=project.started_at,
        completed_at=project.completed_at,
    )


async def update(work: Work, actor: Actor, project_id: str, request: UpdateProject) -> None:
    project = await tables.load_project(work.session, actor, project_id)
    for field, value in request.model_dump(exclude_none=True).items():
        setattr(project, field, value)


async def _metadata(work: Work, project: tables.ProjectRow) -> ProjectMetadata:
    package = await materials.active_package(work.session, project.id)
    exports = await work.session.scalar(
        select(func.count()).where(ExportRow.project_id == project.id, ExportRow.status == "completed")
    )
    if package is None:
        return ProjectMetadata(export_count=exports)
    clips = await timeline.clips_of(work.session, package.id)
    lines = await timeline.lines_of(work.session, [clip.id for clip in clips])
    placed = await build.timings(work.session, clips, lines)
    return ProjectMetadata(
        total_duration=round(rules.total_duration(placed), 3),
        video_count=sum(clip.selected_video_id is not None for clip in clips),
        export_count=exports,
    )


def _shared(row: tables.ProjectRow) -> dict[str, Any]:
    fields = ("id", "name", "description", "status", "stage", "progress", "tags", "created_at", "updated_at")
    return {field: getattr(row, field) for field in fields}


def _input_config(row: InputRow | None) -> dict[str, Any]:
    if row is None:
        return {"aspect_ratio": "16:9", "duration": SMART_DURATION, "language": "zh"}
    return {
        "aspect_ratio": row.config["aspect_ratio"],
        "duration": row.config.get("duration_seconds", SMART_DURATION),
        "language": row.language,
    }
