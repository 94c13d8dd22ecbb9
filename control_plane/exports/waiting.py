"""Exports wait for what is still being made of their film; this queues the encoding once it is there."""

from datetime import timedelta

from control_plane.errors import QuotaExceeded, StorageFull
from control_plane.events import service as events
from control_plane.events.schemas import ExportFailed, QuotaInsufficient
from control_plane.exports import tables
from control_plane.exports.plan import NotReady, film_plan
from control_plane.exports.schemas import ExportConfig
from control_plane.materials import tables as materials
from control_plane.projects import conversations
from control_plane.projects import tables as projects
from control_plane.quota import service as quota
from control_plane.web import reasons
from control_plane.work import Work
from runtime.database import utc_now
from scheduler.task import NewTask

ENCODE_REACTION = "exports.encoded"

_WITHIN = timedelta(minutes=2)
"""From when on an export that a person waits for goes before everything else."""


async def start_waiting(work: Work, project: projects.ProjectRow) -> None:
    """Queue the encoding of every export of the project that has all it needs. Called after each finished part and
    each change of the film: one that cannot be paid or stored fails, and the change is made all the same."""
    for export in await tables.waiting_exports(work.session, project.id):
        try:
            async with work.session.begin_nested():
                await start(work, project, export)
        except QuotaExceeded as error:
            await events.append(work, project.id, QuotaInsufficient(required=error.required, remaining=error.remaining))
            await fail(work, export, reasons.of_error(error))
        except StorageFull as error:
            await fail(work, export, reasons.of_error(error))


async def start(work: Work, project: projects.ProjectRow, export: tables.ExportRow) -> None:
    """Queue the encoding if the film is there, fail the export if it never will be. Raises QuotaExceeded and
    StorageFull."""
    package = await materials.package_by_id(work.session, export.package_id)
    if package is None:
        await fail(work, export, reasons.both("素材包已被删除", "the package was deleted"))
        return
    try:
        spec = await film_plan(work, project, package, ExportConfig.model_validate(export.config))
    except NotReady as reason:
        if reason.failed is not None:
            await fail(work, export, reason.failed)
        return
    task = NewTask(
        kind="encode",
        spec=spec,
        model=work.services.catalog.default_for("encode").id,
        job_id=export.job_id,
        project_id=project.id,
        tenant_id=project.tenant_id,
        reaction=ENCODE_REACTION,
        label=f"film {export.name}",
        context={"export_id": export.id},
        priority=30,  # a person waits for it
        deadline_at=utc_now() + _WITHIN,
    )
    (export.task_id,) = await quota.enqueue_paid(work, [task])
    export.waiting, export.edit_count = False, project.edit_count
    await work.session.flush()


async def fail(work: Work, export: tables.ExportRow, message: str) -> None:
    export.status, export.error_message, export.completed_at = "failed", message, utc_now()
    export.waiting = False
    content = f"“{export.name}”未能导出：{reasons.spoken(message, 'zh')}"
    await conversations.happened(work, export.project_id, content, "export.failed", export_task_id=export.id)
    await events.append(work, export.project_id, ExportFailed(export_task_id=export.id, error_message=message))
