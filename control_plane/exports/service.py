"""Exporting a film, following it, and fetching its files."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from control_plane.accounts.actor import Actor
from control_plane.artifacts import service as artifact_service
from control_plane.errors import AlreadyExists, InvalidParameter
from control_plane.exports import rules, tables, waiting
from control_plane.exports.schemas import (
    CoverConfig,
    DownloadUrl,
    ExportConfig,
    ExportFile,
    ExportFileList,
    ExportRequest,
    ExportResponse,
    ExportTask,
    FileSummary,
    HistoryItem,
)
from control_plane.materials import tables as materials
from control_plane.projects import conversations
from control_plane.projects import tables as projects
from control_plane.timeline import build
from control_plane.timeline import rules as timeline_rules
from control_plane.timeline import tables as timeline
from control_plane.web import reasons
from control_plane.web.models import Page, PageQuery
from control_plane.work import Work
from runtime.database import utc_now
from runtime.ids import new_id
from scheduler import queue
from scheduler.estimates import measured_s
from scheduler.task import TaskState


async def export(work: Work, actor: Actor, project_id: str, request: ExportRequest) -> ExportResponse:
    """Export the active package's film. What is still being made of it is waited for. Raises QuotaExceeded."""
    rules.check_size(request.config)
    project = await projects.load_project(work.session, actor, project_id)
    package = await materials.active_package(work.session, project.id)
    if package is None or package.status == "generating":
        raise AlreadyExists("素材尚未生成完成", "the materials are not generated yet", field="project_id")
    clips = await timeline.clips_of(work.session, package.id)
    if not clips:
        raise AlreadyExists("时间轴是空的", "the timeline is empty", field="project_id")
    cover = await _checked_cover(work, actor, request.config.cover, {clip.id for clip in clips})
    config = request.config.model_copy(update={"cover": cover})
    name = request.task_name or project.name
    row = tables.ExportRow(
        id=new_id("exp"),
        project_id=project.id,
        package_id=package.id,
        name=name,
        config=config.model_dump(mode="json", exclude_none=True),
        job_id=await queue.create_job(work.session, kind="export", project_id=project.id, tenant_id=project.tenant_id),
        status="pending",
        waiting=True,
    )
    work.session.add(row)
    await conversations.asked(work, project.id, f"导出“{name}”", "export", export_task_id=row.id)
    return await _begin(work, project, row, clips, request.config, field="project_id")


async def _begin(
    work: Work,
    project: projects.ProjectRow,
    row: tables.ExportRow,
    clips: list[timeline.ClipRow],
    config: ExportConfig,
    *,
    field: str,
) -> ExportResponse:
    """Queue the encoding if the film is there. Raises AlreadyExists where it never will be, QuotaExceeded,
    and NoModelError."""
    model = work.services.catalog.default_for("encode").id  # before anything waits for it
    await work.session.flush()
    await waiting.start(work, project, row)
    if row.status == "failed":
        reason = row.error_message or ""
        raise AlreadyExists(reasons.spoken(reason, "zh"), reasons.spoken(reason, "en"), field=field)
    lines = await timeline.lines_of(work.session, [clip.id for clip in clips])
    placed = await build.timings(work.session, clips, lines)
    # the unit of an encode task: megapixel-seconds
    units = timeline_rules.total_duration(placed) * config.width * config.height / 1e6
    estimate = await measured_s(work.session, "encode", model, "encode", units)
    return ExportResponse(
        export_task_id=row.id,
        estimated_duration=round(estimate, 1) if estimate is not None else None,
        status="pending",
    )


async def retry(work: Work, actor: Actor, export_id: str) -> ExportResponse:
    """Export again, as the film is now, what failed or was cancelled: under the same id and configuration. Raises
    AlreadyExists for any other export, and QuotaExceeded."""
    row, project = await tables.load_export(work.session, actor, export_id)
    if row.status not in {"failed", "cancelled"}:
        raise AlreadyExists("只能重试失败或已取消的导出", "only a failed or cancelled export", field="task_id")
    row.job_id = await queue.create_job(work.session, kind="export", project_id=project.id, tenant_id=project.tenant_id)
    row.status, row.waiting, row.task_id = "pending", True, None
    row.error_message = row.completed_at = None
    await conversations.asked(work, project.id, f"重新导出“{row.name}”", "retry_export", export_task_id=row.id)
    clips = await timeline.clips_of(work.session, row.package_id)
    return await _begin(work, project, row, clips, ExportConfig.model_validate(row.config), field="task_id")


async def _checked_cover(work: Work, actor: Actor, cover: CoverConfig | None, clip_ids: set[str]) -> CoverConfig | None:
    """The cover to keep: with the artifact's id in place of its URL, and only what its type uses. A picture or a clip
    that is named without a type says the type. Raises InvalidParameter where the two do not fit."""
    if cover is None or not cover.enabled:
        return None
    picture, clip = cover.custom_image_url, cover.source_clip_id
    kind = cover.cover_type or ("custom" if picture else "from_clip" if clip else "auto_generate")
    for field, value, owner in (("custom_image_url", picture, "custom"), ("source_clip_id", clip, "from_clip")):
        if (value is not None) != (kind == owner):
            raise InvalidParameter(
                f"与 cover_type {kind} 不符", f"does not fit cover_type {kind}", field=f"config.cover.{field}"
            )
    if clip is not None and clip not in clip_ids:
        raise InvalidParameter("不是此时间轴的片段", "not a clip of this timeline", field="config.cover.source_clip_id")
    if picture is not None:
        field = "config.cover.custom_image_url"
        picture = (await artifact_service.readable(work, actor, picture, field=field, media="image")).id
    return cover.model_copy(update={"cover_type": kind, "custom_image_url": picture})


async def export_task(work: Work, actor: Actor, export_id: str) -> ExportTask:
    row, _ = await tables.load_export(work.session, actor, export_id)
    view = await queue.find_task(work.session, row.task_id) if row.task_id else None
    status, progress = row.status, 100 if row.status == "completed" else 0
    if view is not None and row.status == "pending" and view.state is not TaskState.QUEUED:
        # Never 100 before the result is checked and applied.
        status, progress = "processing", min(99, int(100 * view.progress))
    return ExportTask(
        id=row.id,
        project_id=row.project_id,
        task_name=row.name,
        status=status,
        progress=progress,
        error_message=row.error_message,
        started_at=view.started_at if view else None,
        completed_at=row.completed_at,
        created_at=row.created_at,
    )


async def export_files(work: Work, actor: Actor, project_id: str) -> ExportFileList:
    project = await projects.load_project(work.session, actor, project_id)
    return ExportFileList(
        list=[
            ExportFile(
                id=row.id,
                file_type=row.file_type,
                file_name=row.file_name,
                file_url=row.artifact_id,
                file_size=row.file_size,
                duration=row.duration_s,
                resolution=row.resolution,
                format=row.format,
                download_count=row.download_count,
                expires_at=row.expires_at,
                created_at=row.created_at,
            )
            for row in await tables.files_of(work.session, project.id)
        ]
    )


async def history(work: Work, actor: Actor, project_id: str, query: PageQuery) -> Page[HistoryItem]:
    project = await projects.load_project(work.session, actor, project_id)
    rows, total = await tables.history_of(work.session, project.id, page=query.page, page_size=query.page_size)
    summaries = await tables.summaries_of(work.session, [row.id for row in rows])
    items = []
    for row in rows:
        videos, size = summaries.get(row.id, (0, 0))
        items.append(
            HistoryItem(
                export_task_id=row.id,
                export_config=_shown_config(work, row.config),
                file_summary=FileSummary(video_count=videos, total_size=size),
                status=row.status,
                exported_at=row.completed_at or row.created_at,
            )
        )
    return Page[HistoryItem](list=items, total=total, page=query.page, page_size=query.page_size)


def _shown_config(work: Work, config: dict[str, Any]) -> dict[str, Any]:
    """As the client gave it: with a URL where the artifact's id is kept."""
    cover = config.get("cover") or {}
    if "custom_image_url" not in cover:
        return config
    return config | {"cover": cover | {"custom_image_url": work.services.signer.file_url(cover["custom_image_url"])}}


async def download_url(work: Work, actor: Actor, file_id: str) -> DownloadUrl:
    """A signed link that downloads the file, until it expires."""
    row = await tables.load_file(work.session, actor, file_id)
    await tables.count_download(work.session, row.id)
    url = work.services.signer.file_url(row.artifact_id, download=True)
    expires = int(parse_qs(urlsplit(url).query)["exp"][0])
    return DownloadUrl(download_url=url, expires_at=datetime.fromtimestamp(expires, UTC))


async def cancel(work: Work, actor: Actor, export_id: str) -> None:
    """Stop an export. One that is over cannot be cancelled."""
    # The job before the project, as reactions lock them.
    await queue.cancel_job(work.session, await tables.job_of(work.session, actor, export_id))
    row, project = await tables.load_export(work.session, actor, export_id)
    if row.status != "pending":
        raise AlreadyExists("导出任务已结束", "the export is over", field="task_id")
    await conversations.asked(work, project.id, f"取消导出“{row.name}”", "cancel_export", export_task_id=row.id)
    row.status, row.waiting, row.completed_at = "cancelled", False, utc_now()
    work.wakes_scheduler = True
