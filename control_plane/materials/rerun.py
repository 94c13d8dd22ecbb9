"""Running steps again, skipping them, cancelling a generation."""

from sqlalchemy import ColumnElement, select

from control_plane.accounts.access import granted, may_see, role_in
from control_plane.accounts.actor import Actor
from control_plane.assets import tables as assets
from control_plane.assets.presets import style_of
from control_plane.errors import AlreadyExists, InvalidParameter, NotFound, Unavailable
from control_plane.materials import copying, elements, generation, tables
from control_plane.materials.rules import DEPENDENTS, STEP_NAMES, to_redo
from control_plane.materials.schemas import RetryResponse
from control_plane.projects import conversations
from control_plane.projects import tables as projects
from control_plane.projects.rules import automatic_name
from control_plane.web import reasons
from control_plane.work import Work
from models.specs import ArtStyle, Character, ScriptStep, Storyline
from runtime.database import utc_now
from scheduler import queue


async def retry(work: Work, actor: Actor, step_id: str) -> RetryResponse:
    """Run a step again, with what depends on it and what was not done yet. One that was complete gives another result,
    one that was not is simply tried again. Raises QuotaExceeded."""
    row, package, project = await tables.load_step(work.session, actor, step_id)
    await _refuse_while_generating(work, project)
    step = ScriptStep(row.step)
    if row.status == "completed":
        takes = dict(package.source.get("takes", {}))
        takes[step.value] = takes.get(step.value, 0) + 1
        package.source = {**package.source, "takes": takes}
    await _set_aside(work, package, step, skipped=False)
    await _tell(work, project, package, step, "retry", f"重新生成{STEP_NAMES[step].zh}")
    await generation.run(work, project, package)
    return RetryResponse(status="pending")


async def skip(work: Work, actor: Actor, step_id: str) -> None:
    """Go on without a step: its part is taken from the package that was active before, else from the input and the
    presets. What is being made for it is cancelled; what was made from it is made anew. Raises QuotaExceeded."""
    job_id = await _lock_job(work, actor, tables.StepRow.id == step_id, "task_id")
    row, package, project = await tables.load_step(work.session, actor, step_id)
    step = ScriptStep(row.step)
    if step is ScriptStep.STORYBOARD:
        raise InvalidParameter("分镜不能跳过", "the storyboard cannot be skipped", field="task_id")
    if row.status == "skipped":
        raise AlreadyExists("该步骤已跳过", "the step was skipped already", field="task_id")
    if package.job_id != job_id:
        raise Unavailable()
    running = package.status == "generating"
    if not running:
        await _refuse_while_generating(work, project)
    await _set_aside(work, package, step, skipped=True)
    row.status, row.error_message, row.finished_at = "skipped", None, utc_now()
    row.run += 1
    await _take_part(work, package, step)
    await _tell(work, project, package, step, "skip", f"跳过{STEP_NAMES[step].zh}")
    if running:
        await generation.go_on(work, project, package)
    else:
        await generation.run(work, project, package)


async def cancel(work: Work, actor: Actor, project_id: str) -> None:
    """Stop the generation that runs. The project returns to where it was before."""
    await _lock_job(work, actor, projects.ProjectRow.id == project_id, "project_id", generating=True)
    project = await projects.load_project(work.session, actor, project_id)
    package = await tables.generating_package(work.session, project.id)
    if package is None:
        raise AlreadyExists("没有正在进行的生成", "nothing is being generated", field="project_id")
    told = {"action": "cancel", "material_package_id": package.id}
    await conversations.record(work, project.id, "user", "取消生成", told)
    await generation.stop(work, project, package, None, "cancelled", reasons.both("已取消", "cancelled"))


async def _lock_job(
    work: Work, actor: Actor, condition: ColumnElement[bool], field: str, *, generating: bool = False
) -> str | None:
    """Lock the job of a package before its project, as reactions do; returns its id."""
    statement = (
        select(tables.PackageRow.job_id, role_in(actor, projects.ProjectRow.tenant_id))
        .select_from(projects.ProjectRow)
        .outerjoin(
            tables.PackageRow,
            (tables.PackageRow.project_id == projects.ProjectRow.id)
            & ((tables.PackageRow.status == "generating") if generating else True),
        )
        .outerjoin(tables.StepRow, tables.StepRow.package_id == tables.PackageRow.id)
        .where(condition, may_see(actor, projects.ProjectRow.tenant_id))
        .limit(1)
    )
    missing = NotFound("资源不存在", "there is no such thing", field=field)
    (job_id,) = await granted(work.session, actor, statement, missing)
    if job_id is not None:
        await queue.lock_job(work.session, job_id)
    return str(job_id) if job_id is not None else None


async def _refuse_while_generating(work: Work, project: projects.ProjectRow) -> None:
    if await tables.generating_package(work.session, project.id) is not None:
        raise AlreadyExists("正在生成，请等待或先取消", "something is being generated: wait or cancel", field="task_id")


async def _set_aside(work: Work, package: tables.PackageRow, step: ScriptStep, *, skipped: bool) -> None:
    """Mark what is to be done anew because of a step. While a generation runs (a step is skipped), what does not depend
    on that step goes on."""
    rows = {ScriptStep(row.step): row for row in await tables.steps_of(work.session, package.id)}
    redo = to_redo(step, {other: row.status for other, row in rows.items()})
    for other, makes in redo.items():
        row = rows[other]
        if package.status == "generating":
            if other is not step and (other not in DEPENDENTS[step] or row.status == "pending"):
                continue
            await queue.cancel_tasks_of_job(
                work.session, package.job_id or "", {"package_id": package.id, "step": other.value, "run": row.run}
            )
            work.wakes_scheduler = True
        has_script = row.status == "in_progress" and (row.done > 0 or row.makes == "pictures")
        row.makes = DEPENDENTS[step].get(other, "script") if package.status == "generating" and has_script else makes
        row.status, row.error_message = "pending", None
        row.total = row.done = 0
    await work.session.flush()


async def _take_part(work: Work, package: tables.PackageRow, step: ScriptStep) -> None:
    """Put the part of the package before in place of a step's, or what can be said without an engine."""
    for element in await tables.elements_of(work.session, package.id, elements.KINDS[step]):
        await work.session.delete(element)
    await work.session.flush()
    former = await tables.previous_package(work.session, package)
    if former is not None:
        found = await tables.elements_of(work.session, former.id, elements.KINDS[step])
        await copying.copy_elements(work.session, found, package)
        if step is ScriptStep.STORYLINE:
            package.summary = former.summary
        elif step is ScriptStep.CHARACTERS:
            package.narrator_voice_id = former.narrator_voice_id
        return
    for position, part in enumerate(await _default_part(work, package, step)):
        data = part.model_dump(mode="json")
        work.session.add(elements.new_element(package, elements.KINDS[step], position, data))
        if isinstance(part, Storyline):
            package.summary = part.summary
    await work.session.flush()


async def _default_part(
    work: Work, package: tables.PackageRow, step: ScriptStep
) -> list[Storyline] | list[ArtStyle] | list[Character]:
    source = package.source
    if step is ScriptStep.STORYLINE:
        content = source["content"]
        title = automatic_name(content)
        return [Storyline(title=title, content=content, summary=title, genre="", tone="", language=source["language"])]
    if step is ScriptStep.ARTSTYLE:
        if source.get("fixed_style"):
            return [ArtStyle.model_validate(source["fixed_style"])]
        preset = await assets.first_preset(work.session, "style")
        return [style_of(preset.name, preset.description, preset.attributes)] if preset else []
    if step is ScriptStep.CHARACTERS and source.get("fixed_protagonist"):
        return [Character.model_validate(source["fixed_protagonist"])]
    return []


async def _tell(
    work: Work, project: projects.ProjectRow, package: tables.PackageRow, step: ScriptStep, action: str, content: str
) -> None:
    told = {"action": action, "material_package_id": package.id, "step": step.value}
    await conversations.record(work, project.id, "user", content, told)
