"""A script was written or a picture painted."""

from control_plane.artifacts import tables as artifacts
from control_plane.errors import QuotaExceeded
from control_plane.events import service as events
from control_plane.events.schemas import CandidateCompleted
from control_plane.materials import generation, tables
from control_plane.projects import tables as projects
from control_plane.reactions import reaction
from control_plane.work import Work
from models.specs import Framing, ImageResult, ScriptResult, ScriptStep
from scheduler.task import FinishedTask, TaskState

CANDIDATE_REACTION = "materials.candidate"


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
    step = ScriptStep(task.context["step"])
    if task.state is not TaskState.SUCCEEDED:
        await generation.fail(work, project, package, step, task.error_message or task.outcome.value)
        return
    if package.status != "generating":
        return  # another task of it failed meanwhile: nothing new is started
    try:
        async with work.session.begin_nested():
            await generation.apply_script(work, project, package, step, ScriptResult.model_validate(task.result))
    except QuotaExceeded as error:
        await work.session.refresh(package)
        await work.session.refresh(project)
        await generation.fail_for_quota(work, project, package, step, error)


@reaction(generation.IMAGE_REACTION)
async def picture_painted(work: Work, task: FinishedTask) -> None:
    owner = await _owner(work, task)
    image = await tables.image_by_id(work.session, task.context["image_id"])
    if owner is None or image is None:
        return
    project, package = owner
    step = ScriptStep(task.context["step"])
    if await keep_picture(work, image, task):
        await generation.finish_one(work, project, package, step)
    else:
        await generation.fail(work, project, package, step, image.error_message or "")


@reaction(CANDIDATE_REACTION)
async def candidate_painted(work: Work, task: FinishedTask) -> None:
    image = await tables.image_by_id(work.session, task.context["image_id"])
    if image is None:
        return
    done = await keep_picture(work, image, task)
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


async def keep_picture(work: Work, image: tables.ImageRow, task: FinishedTask) -> bool:
    """Give a picture its files; False where the task failed."""
    if task.state is not TaskState.SUCCEEDED:
        image.status, image.error_message = "failed", task.error_message or task.outcome.value
        await work.session.flush()
        return False
    result = ImageResult.model_validate(task.result)
    await artifacts.fulfil(work.session, image.artifact_id, result.image)
    await artifacts.fulfil(work.session, image.thumbnail_artifact_id, result.thumbnail)
    if result.depth is not None:
        await artifacts.fulfil(work.session, image.depth_artifact_id, result.depth)
    image.status = "completed"
    if image.image_type == Framing.SHOT and image.is_selected:
        project = await work.session.get(projects.ProjectRow, task.project_id)
        if project is not None and project.thumbnail_artifact_id is None:
            project.thumbnail_artifact_id = image.thumbnail_artifact_id
    await work.session.flush()
    return True
