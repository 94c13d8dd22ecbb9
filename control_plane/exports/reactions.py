"""A film was encoded."""

from datetime import timedelta
from pathlib import PurePosixPath

from control_plane.artifacts import tables as artifacts
from control_plane.events import service as events
from control_plane.events.schemas import ExportCompleted, ExportedFile
from control_plane.exports import rules, tables, waiting
from control_plane.projects import conversations
from control_plane.projects import tables as projects
from control_plane.projects.rules import STAGE_OF, Status
from control_plane.quota import service as quota
from control_plane.reactions import reaction
from control_plane.web import reasons
from control_plane.work import Work
from models.specs import EncodeResult, StoredArtifact
from runtime.database import utc_now
from runtime.ids import new_id
from scheduler.task import FinishedTask, TaskState


@reaction(waiting.ENCODE_REACTION)
async def film_encoded(work: Work, task: FinishedTask) -> None:
    export = await tables.export_by_id(work.session, task.context["export_id"])
    project = await work.session.get(projects.ProjectRow, task.project_id)
    if export is None or project is None or export.task_id != task.id or export.status != "pending":
        # Cancelled, deleted or tried again while it was encoded: nobody gets the film, so nobody pays for it.
        await quota.settle(work, task.id, succeeded=False)
        return
    if task.state is not TaskState.SUCCEEDED:
        await waiting.fail(work, export, reasons.why(task))
        return
    result = EncodeResult.model_validate(task.result)
    config = export.config
    files = [await _keep(work, project, export, "video", result.video, result, config["format"])]
    for subtitle in result.subtitles:
        kind = PurePosixPath(subtitle.key).suffix.lstrip(".").upper()
        files.append(await _keep(work, project, export, "subtitle", subtitle, result, kind))
    if result.cover is not None:
        files.append(await _keep(work, project, export, "cover", result.cover, result, "JPEG"))
    export.status, export.completed_at = "completed", utc_now()
    if project.edit_count == export.edit_count and project.status in {Status.EDITING, Status.COMPLETED}:
        project.status, project.stage = Status.EXPORTED, STAGE_OF[Status.EXPORTED]
    await tables.delete_expired_files(work.session)
    content = f"“{export.name}”已导出"
    await conversations.happened(work, project.id, content, "export.completed", export_task_id=export.id)
    await events.append(work, project.id, ExportCompleted(export_task_id=export.id, files=files))


async def _keep(
    work: Work,
    project: projects.ProjectRow,
    export: tables.ExportRow,
    file_type: str,
    stored: StoredArtifact,
    result: EncodeResult,
    file_format: str,
) -> ExportedFile:
    file_name = rules.safe_file_name(export.name, PurePosixPath(stored.key).suffix)
    artifact_id = await artifacts.keep(work.session, project.tenant_id, file_name, stored, result.provenance)
    is_video = file_type == "video"
    kept_days = work.services.settings.export_retention_days
    row = tables.ExportFileRow(
        id=new_id("fil"),
        export_id=export.id,
        project_id=project.id,
        file_type=file_type,
        file_name=file_name,
        artifact_id=artifact_id,
        file_size=stored.size,
        duration_s=result.duration_s if is_video else None,
        resolution=f"{result.width}x{result.height}" if is_video else None,
        format=file_format,
        expires_at=utc_now() + timedelta(days=kept_days) if kept_days is not None else None,
    )
    work.session.add(row)
    await work.session.flush()
    return ExportedFile(
        file_type=file_type,
        file_name=file_name,
        file_url=artifact_id,
        file_size=stored.size,
    )
