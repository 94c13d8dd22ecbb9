"""Exports and their files."""

from control_plane.accounts.actor import Access
from control_plane.exports import service
from control_plane.exports.schemas import (
    DownloadUrl,
    ExportFileList,
    ExportRequest,
    ExportResponse,
    ExportTask,
    HistoryItem,
)
from control_plane.web.models import Page, PageQuery
from control_plane.web.routes import Call, Routes

routes = Routes("exports")


@routes.post(
    "/projects/{project_id}/export",
    access=Access.WRITE,
    body=ExportRequest,
    response=ExportResponse,
    spends=True,
)
async def export(call: Call, body: ExportRequest) -> ExportResponse:
    """Export the project's film."""
    return await service.export(call.work, call.actor, call.path["project_id"], body)


@routes.get("/export-tasks/{task_id}", access=Access.READ, response=ExportTask)
async def export_task(call: Call) -> ExportTask:
    """How far an export is."""
    return await service.export_task(call.work, call.actor, call.path["task_id"])


@routes.post("/export-tasks/{task_id}/cancel", access=Access.WRITE)
async def cancel(call: Call) -> None:
    """Cancel an export."""
    await service.cancel(call.work, call.actor, call.path["task_id"])


@routes.post("/export-tasks/{task_id}/retry", access=Access.WRITE, response=ExportResponse, spends=True)
async def retry(call: Call) -> ExportResponse:
    """Export again what failed or was cancelled."""
    return await service.retry(call.work, call.actor, call.path["task_id"])


@routes.get("/projects/{project_id}/export-history", access=Access.READ, query=PageQuery, response=Page[HistoryItem])
async def history(call: Call, query: PageQuery) -> Page[HistoryItem]:
    """The project's exports that ended, the latest first."""
    return await service.history(call.work, call.actor, call.path["project_id"], query)


@routes.get("/projects/{project_id}/export-files", access=Access.READ, response=ExportFileList)
async def export_files(call: Call) -> ExportFileList:
    """The files that the project's exports made."""
    return await service.export_files(call.work, call.actor, call.path["project_id"])


@routes.get("/export-files/{file_id}/download-url", access=Access.READ, response=DownloadUrl, transacts=True)
async def download_url(call: Call) -> DownloadUrl:
    """A temporary link that downloads a file."""
    return await service.download_url(call.work, call.actor, call.path["file_id"])
