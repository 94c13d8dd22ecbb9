"""The course of a generation: five script steps in order, each followed by the pictures and voices it asks for.

The scripts run ahead of the pictures: a step's script starts as soon as the one before is written, so that workers
always have something to paint. A step is complete when its script and everything it asked for is there; the package is
complete when its steps are. Everything is decided under the project row's lock. Steps that are run again take the same
course: see rerun.py.
"""

from control_plane.accounts.actor import Actor
from control_plane.errors import QuotaExceeded
from control_plane.events import service as events
from control_plane.events.schemas import GenerationCompleted, GenerationFailed, QuotaInsufficient
from control_plane.inputs import service as inputs
from control_plane.materials import elements, pictures, prompts, tables
from control_plane.materials.progress import tell_progress
from control_plane.materials.rules import STEP_NAMES, STEPS, narrator
from control_plane.materials.schemas import StartResponse
from control_plane.materials.source import snapshot
from control_plane.projects import conversations
from control_plane.projects import tables as projects
from control_plane.projects.rules import STAGE_OF, Status
from control_plane.quota import service as quota
from control_plane.timeline import build
from control_plane.web import reasons
from control_plane.work import Work
from models.specs import ImageSpec, ScriptResult, ScriptSpec, ScriptStep
from runtime.database import utc_now
from runtime.ids import new_id
from scheduler import queue
from scheduler.task import NewTask

SCRIPT_REACTION = "materials.script"
IMAGE_REACTION = "materials.image"
SCRIPT_PRIORITY = 10
"""Scripts go before pictures: every picture waits for one."""

_NEEDED = ("script", "text_to_image", "speech")
"""The kinds of tasks that every generation asks for."""

OVER = frozenset({"completed", "skipped"})
"""Of a step that nothing more is done for."""


async def start(work: Work, actor: Actor, project_id: str) -> StartResponse:
    """Start a generation, or answer the one that runs. Raises QuotaExceeded, and NoModelError for one that could not
    end."""
    project = await projects.load_project(work.session, actor, project_id)
    running = await tables.generating_package(work.session, project.id)
    if running is not None:
        return StartResponse(material_package_id=running.id, status="generating")
    for kind in _NEEDED:
        work.services.catalog.default_for(kind)
    source = await inputs.required_input(work, project.id)
    version = await tables.next_version(work.session, project.id)
    package = tables.PackageRow(
        id=new_id("pkg"),
        project_id=project.id,
        version=version,
        package_name=f"{project.name} v{version}",
        source=await snapshot(work, source),
        narrator_voice_id=_narrator_asset(work, source.language),
    )
    work.session.add(package)
    await work.session.flush()
    for order, step in enumerate(STEPS, start=1):
        work.session.add(tables.StepRow(id=new_id("stp"), package_id=package.id, step=step.value, display_order=order))
    told = {"action": "start", "material_package_id": package.id}
    await conversations.record(work, project.id, "user", f"开始生成素材（v{version}）", told)
    await run(work, project, package)
    return StartResponse(material_package_id=package.id, status="generating")


def _narrator_asset(work: Work, language: str) -> str:
    voice = narrator(work.services.catalog.default_for("speech").voice, language)
    if voice is None:
        raise LookupError("the default speech model of the catalog has no voices")
    return f"voice_{voice.id}"


async def run(work: Work, project: projects.ProjectRow, package: tables.PackageRow) -> None:
    """Do what the package's steps leave to do, as a job of its own. Raises QuotaExceeded."""
    package.job_id = await queue.create_job(
        work.session, kind="generation", project_id=project.id, tenant_id=project.tenant_id
    )
    package.source = {**package.source, "status_before": project.status}
    package.status, package.generation_started_at = "generating", utc_now()
    project.status, project.stage = Status.GENERATING, STAGE_OF[Status.GENERATING]
    project.progress = 0
    project.started_at = project.started_at or utc_now()
    await work.session.flush()
    await go_on(work, project, package)


async def go_on(work: Work, project: projects.ProjectRow, package: tables.PackageRow) -> None:
    """Begin what can begin: one script at a time, in order, and the pictures of steps whose script stays."""
    await _paint_what_waited(work, project, package)
    for row in await tables.steps_of(work.session, package.id):
        if row.status == "pending":
            if row.makes == "pictures":
                await _begin_pictures(work, project, package, row)
                continue
            await _begin_script(work, project, package, row)
            return
        if row.status == "in_progress" and row.makes == "script" and row.done == 0:
            return  # its script is being written


def _begin(row: tables.StepRow, total: int) -> None:
    row.status, row.total, row.done = "in_progress", total, 0
    row.run += 1
    row.awaits_sheets = False
    row.error_message = None
    row.started_at, row.finished_at = utc_now(), None


async def _begin_script(
    work: Work, project: projects.ProjectRow, package: tables.PackageRow, row: tables.StepRow
) -> None:
    _begin(row, 1)
    parts = await prompts.load_parts(work.session, package)
    spec = prompts.script_spec(parts, ScriptStep(row.step))
    await quota.enqueue_paid(work, [_script_task(work, project, package, row, spec)])
    await tell_progress(work, project, package)


async def _begin_pictures(
    work: Work, project: projects.ProjectRow, package: tables.PackageRow, row: tables.StepRow
) -> None:
    found = await tables.elements_of(work.session, package.id, elements.KINDS[ScriptStep(row.step)])
    _begin(row, 0)
    if await _must_wait(work, package, row):
        row.awaits_sheets = True
        return
    tasks = await _picture_tasks(work, project, package, row, found)
    row.total = len(tasks)
    if not tasks:
        row.status, row.finished_at = "completed", utc_now()
    await quota.enqueue_paid(work, tasks)
    await tell_progress(work, project, package)


async def _must_wait(work: Work, package: tables.PackageRow, row: tables.StepRow) -> bool:
    """Whether a step's pictures are painted from sheets that are not all there."""
    if row.step != ScriptStep.STORYBOARD or not pictures.paints_from_sheets(work, package):
        return False
    steps = await tables.steps_of(work.session, package.id)
    return any(step.status not in OVER for step in steps if step.step in {ScriptStep.CHARACTERS, ScriptStep.SCENES})


async def _paint_what_waited(work: Work, project: projects.ProjectRow, package: tables.PackageRow) -> None:
    """Ask for the pictures that waited for sheets, if these are there by now. Where they cannot be paid, a request is
    refused (QuotaExceeded), and a task that made them possible keeps what it made: the step that waited fails."""
    for row in await tables.steps_of(work.session, package.id):
        if not row.awaits_sheets or row.status != "in_progress" or await _must_wait(work, package, row):
            continue
        try:
            async with work.session.begin_nested():
                await _paint_waiting(work, project, package, row)
        except QuotaExceeded as error:
            if not work.applies_result:
                raise
            for changed in (row, package, project):
                await work.session.refresh(changed)
            await fail_for_quota(work, project, package, row, error)
            return


async def _paint_waiting(
    work: Work, project: projects.ProjectRow, package: tables.PackageRow, row: tables.StepRow
) -> None:
    row.awaits_sheets = False
    found = await tables.elements_of(work.session, package.id, elements.KINDS[ScriptStep(row.step)])
    tasks = await _picture_tasks(work, project, package, row, found)
    row.total += len(tasks)
    await quota.enqueue_paid(work, tasks)


def _script_task(
    work: Work, project: projects.ProjectRow, package: tables.PackageRow, row: tables.StepRow, spec: ScriptSpec
) -> NewTask:
    return NewTask(
        kind="script",
        spec=spec,
        model=work.services.catalog.default_for("script").id,
        job_id=package.job_id or "",
        project_id=project.id,
        tenant_id=project.tenant_id,
        reaction=SCRIPT_REACTION,
        label=f"{row.step} script",
        context=_context(package, row),
        priority=SCRIPT_PRIORITY,
    )


def _context(package: tables.PackageRow, row: tables.StepRow) -> dict[str, object]:
    return {"package_id": package.id, "step": row.step, "run": row.run}


async def _picture_tasks(
    work: Work,
    project: projects.ProjectRow,
    package: tables.PackageRow,
    row: tables.StepRow,
    found: list[tables.ElementRow],
) -> list[NewTask]:
    step = ScriptStep(row.step)
    parts = await prompts.load_parts(work.session, package)
    if step is ScriptStep.STORYBOARD and pictures.paints_from_sheets(work, package):
        parts = await prompts.with_sheets(work.session, package, parts)
    shown = await pictures.selected(work.session, found)
    # A new script gives new pictures, but a shot that survives it is still as the user wished to see it.
    keeps_wishes = row.makes == "pictures" or step is ScriptStep.STORYBOARD
    if row.makes == "script":
        parts = parts.made_anew(step)
    wishes = {key: image.wish for key, image in shown.items()} if keeps_wishes else {}
    tasks = []
    for element, framing, spec in elements.pictures_of(parts, step, found, wishes):
        before = shown.get((element.id, framing.value))
        take = before.take if before and row.makes == "pictures" else parts.take_of(step)
        wish = wishes.get((element.id, framing.value), "")
        image = await pictures.new_take(work, project, element, framing, spec.prompt, wish=wish, take=take)
        tasks.append(_picture_task(work, project, package, row, spec, element, image))
    return tasks


def _picture_task(
    work: Work,
    project: projects.ProjectRow,
    package: tables.PackageRow,
    row: tables.StepRow,
    spec: ImageSpec,
    element: tables.ElementRow,
    image: tables.ImageRow,
) -> NewTask:
    return NewTask(
        kind="text_to_image",
        spec=spec,
        model=pictures.shot_model(work, package, spec),
        job_id=package.job_id or "",
        project_id=project.id,
        tenant_id=project.tenant_id,
        reaction=IMAGE_REACTION,
        label=f"{image.image_type} of {element.data.get('name') or element.position + 1}",
        context={**_context(package, row), "image_id": image.id},
        priority=0,
    )


async def apply_script(
    work: Work,
    project: projects.ProjectRow,
    package: tables.PackageRow,
    row: tables.StepRow,
    result: ScriptResult,
) -> None:
    """A step's script is written: keep it, ask for its pictures and voices, start the next step's script."""
    step = ScriptStep(row.step)
    tasks: list[NewTask] = []
    if step is ScriptStep.STORYBOARD:
        found, lines = await elements.keep_shots(work, project, package, result.shots)
        tasks = await build.speech_tasks(work, project, package, lines, package.job_id or "", _context(package, row))
        await build.use_attached_music(work, project, package)
    else:
        found = await elements.keep(work, package, step, result)
    if step is ScriptStep.STORYLINE and result.storyline is not None:
        package.summary = result.storyline.summary
        if project.auto_named:
            project.name = result.storyline.title
            package.package_name = f"{project.name} v{package.version}"
        project.description = project.description or result.storyline.summary
    if await _must_wait(work, package, row):
        row.awaits_sheets = True
    else:
        tasks = await _picture_tasks(work, project, package, row, found) + tasks
    row.total += len(tasks)
    await quota.enqueue_paid(work, tasks)
    await finish_one(work, project, package, row)
    if package.status == "generating":  # else pictures that waited for this step's cannot be paid
        await go_on(work, project, package)


async def finish_one(work: Work, project: projects.ProjectRow, package: tables.PackageRow, row: tables.StepRow) -> None:
    """One task of a step is done; complete the step and the package where it was the last."""
    row.done += 1
    if row.status == "in_progress" and row.done >= row.total and not row.awaits_sheets:
        row.status, row.finished_at = "completed", utc_now()
    await work.session.flush()
    await _paint_what_waited(work, project, package)
    steps = await tables.steps_of(work.session, package.id)
    if package.status == "generating" and all(step.status in OVER for step in steps):
        await _complete(work, project, package)
    else:
        await tell_progress(work, project, package)


async def _complete(work: Work, project: projects.ProjectRow, package: tables.PackageRow) -> None:
    package.status, package.generated_at = "completed", utc_now()
    await tables.activate(work.session, package)
    project.status, project.stage = Status.EDITING, STAGE_OF[Status.EDITING]
    project.progress = 100
    project.edit_count += 1
    await build.settle_status(work, project)
    await tell_progress(work, project, package)
    told = {"event": "generation.completed", "material_package_id": package.id}
    await conversations.record(work, project.id, "system", f"素材已生成：{package.package_name}", told)
    await events.append(
        work,
        project.id,
        GenerationCompleted(material_package_id=package.id, package_name=package.package_name),
    )


async def stop(
    work: Work,
    project: projects.ProjectRow,
    package: tables.PackageRow,
    row: tables.StepRow | None,
    status: str,
    message: str,
) -> None:
    """End a generation that is not complete: the package and the step at fault say so, the project returns to where it
    was, every element shows the last picture it had. The caller holds the job's lock."""
    for other in await tables.steps_of(work.session, package.id):
        if row is not None and other.id == row.id:
            other.status, other.error_message, other.finished_at = "failed", message, utc_now()
        elif other.status not in OVER:
            other.status = "cancelled" if status == "cancelled" else "pending"
    package.status = status
    before = Status(package.source["status_before"])
    project.status, project.stage = before, STAGE_OF[before]
    await work.session.flush()
    await pictures.show_last_finished(work.session, package.id)
    await queue.cancel_job(work.session, package.job_id or "")
    work.wakes_scheduler = True
    step = row.step if row is not None else ""
    told = {"event": "generation.failed", "material_package_id": package.id, "step": step, "status": status}
    name = STEP_NAMES[ScriptStep(step)].zh if step else "生成"
    await conversations.record(work, project.id, "system", f"{name}：{reasons.spoken(message, 'zh')}", told)
    await events.append(
        work, project.id, GenerationFailed(material_package_id=package.id, step=step, error_message=message)
    )


async def fail(
    work: Work, project: projects.ProjectRow, package: tables.PackageRow, row: tables.StepRow, message: str
) -> None:
    """A task of a step failed for good."""
    if package.status == "generating":  # else it has failed already; what is left of it ends here
        await stop(work, project, package, row, "failed", message)


async def fail_for_quota(
    work: Work,
    project: projects.ProjectRow,
    package: tables.PackageRow,
    row: tables.StepRow,
    error: QuotaExceeded,
) -> None:
    await events.append(work, project.id, QuotaInsufficient(required=error.required, remaining=error.remaining))
    await fail(work, project, package, row, reasons.of_error(error))
