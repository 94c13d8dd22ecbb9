"""A script was written or a picture painted."""

from control_plane.artifacts import tables as artifacts
from control_plane.errors import QuotaExceeded
from control_plane.events import service as events
from control_plane.events.schemas import CandidateCompleted, QuotaInsufficient
from control_plane.materials import generation, modify, pictures, tables
from control_plane.projects import conversations
from control_plane.projects import tables as projects
from control_plane.reactions import drop, reaction
from control_plane.timeline import build
from control_plane.web import reasons
from control_plane.work import Work
from models.specs import Framing, ImageResult, ScriptResult
from scheduler.task import FinishedTask, TaskState


async def _owner(work: Work, task: FinishedTask) -> tuple[projects.ProjectRow, tables.PackageRow] | None:
    """None when the project or package was deleted meanwhile."""
    project = await work.session.get(projects.ProjectRow, task.project_id)
    package = await tables.package_by_id(work.session, task.context["package_id"])
    return (project, package) if project and package else None


@reaction(generation.SCRIPT_REACTION)
async def script_written(work: Work, task: FinishedTask) -> None:
    owner = await _owner(work, task)
    if owner is None:
        return
    project, package = owner
    step = await tables.step_of_task(work.session, package.id, task.context)
    if step is None or package.status != "generating":
        await drop(work, task)  # begun anew, skipped, cancelled, or another task of it failed meanwhile
        return
    if task.state is not TaskState.SUCCEEDED:
        await generation.fail(work, project, package, step, reasons.why(task))
        return
    try:
        async with work.session.begin_nested():
            await generation.apply_script(work, project, package, step, ScriptResult.model_validate(task.result))
    except QuotaExceeded as error:
        for row in (package, project, step):
            await work.session.refresh(row)
        await generation.fail_for_quota(work, project, package, step, error)


@reaction(generation.IMAGE_REACTION)
async def picture_painted(work: Work, task: FinishedTask) -> None:
    owner = await _owner(work, task)
    image = await tables.image_by_id(work.session, task.context["image_id"])
    if owner is None or image is None:
        await drop(work, task)
        return
    project, package = owner
    done = await keep_picture(work, image, task)
    step = await tables.step_of_task(work.session, package.id, task.context)
    if step is None:
        await drop(work, task)
    elif done:
        await build.show_picture(work.session, image)
        await generation.finish_one(work, project, package, step)
    else:
        await generation.fail(work, project, package, step, image.error_message or "")


@reaction(pictures.CANDIDATE_REACTION)
async def candidate_painted(work: Work, task: FinishedTask) -> None:
    image = await tables.image_by_id(work.session, task.context["image_id"])
    if image is None:
        return
    done = await keep_picture(work, image, task)
    element = await tables.element_by_id(work.session, image.element_id)
    if not done and element is not None:
        await pictures.show_last_finished(work.session, element.package_id)
    told = {"event": "candidate.completed", "candidate_id": image.id, "element_id": image.element_id}
    content = "图片已画好" if done else f"图片未能画成：{reasons.spoken(image.error_message or '', 'zh')}"
    await conversations.record(work, task.project_id, "system", content, told)
    await events.append(
        work,
        task.project_id,
        CandidateCompleted(
            candidate_id=image.id,
            element_id=task.context["element_id"],
            status="completed" if done else "failed",
            image_url=image.artifact_id if done else None,
            thumbnail_url=image.thumbnail_artifact_id if done else None,
            error_message=image.error_message,
        ),
    )


@reaction(modify.TEXT_REACTION)
async def text_rewritten(work: Work, task: FinishedTask) -> None:
    try:
        async with work.session.begin_nested():
            await modify.rewritten(work, task)
    except QuotaExceeded as error:
        # The new text would be spoken anew and there is no quota for that: it becomes a candidate only.
        await events.append(
            work, task.project_id, QuotaInsufficient(required=error.required, remaining=error.remaining)
        )
        await modify.rewritten(work, task, applies=False)


async def keep_picture(work: Work, image: tables.ImageRow, task: FinishedTask) -> bool:
    """Give a picture its files; False where the task failed."""
    if task.state is not TaskState.SUCCEEDED:
        image.status, image.error_message = "failed", reasons.why(task)
        await work.session.flush()
        return False
    result = ImageResult.model_validate(task.result)
    await artifacts.fulfil(work.session, image.artifact_id, result.image, result.provenance)
    await artifacts.fulfil(work.session, image.thumbnail_artifact_id, result.thumbnail, result.provenance)
    if result.depth is not None:
        await artifacts.fulfil(work.session, image.depth_artifact_id, result.depth, result.provenance)
    image.status = "completed"
    if image.image_type == Framing.SHOT and image.is_selected:
        project = await work.session.get(projects.ProjectRow, task.project_id)
        if project is not None and project.thumbnail_artifact_id is None:
            project.thumbnail_artifact_id = image.thumbnail_artifact_id
    await work.session.flush()
    return True
