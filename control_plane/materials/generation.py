"""The course of a generation: five script steps in order, each followed by the pictures and voices it asks for.

The scripts run ahead of the pictures: a step's script starts as soon as the one before is written, so that workers
always have something to paint. A step is complete when its script and everything it asked for is there; the package is
complete when its steps are. Everything is decided under the project row's lock.
"""

from control_plane.accounts.actor import Actor
from control_plane.artifacts import tables as artifacts
from control_plane.errors import QuotaExceeded
from control_plane.events import service as events
from control_plane.events.schemas import (
    GenerationCompleted,
    GenerationFailed,
    GenerationProgress,
    QuotaInsufficient,
)
from control_plane.inputs import service as inputs
from control_plane.materials import prompts, tables
from control_plane.materials.rules import (
    CHARACTER_FRAMINGS,
    STEP_NAMES,
    STEPS,
    cast_voices,
    narrator,
    package_progress,
    step_progress,
)
from control_plane.materials.schemas import StartResponse
from control_plane.materials.source import snapshot
from control_plane.projects import tables as projects
from control_plane.projects.rules import STAGE_OF, Status
from control_plane.quota import service as quota
from control_plane.timeline import build
from control_plane.work import Work
from models.specs import Character, Framing, ImageSpec, ScriptResult, ScriptSpec, ScriptStep
from runtime.database import utc_now
from runtime.ids import new_id
from scheduler import queue
from scheduler.task import NewTask

SCRIPT_REACTION = "materials.script"
IMAGE_REACTION = "materials.image"
SCRIPT_PRIORITY = 10
"""Scripts go before pictures: every picture waits for one."""


async def start(work: Work, actor: Actor, project_id: str) -> StartResponse:
    """Start a generation, or answer the one that runs. Raises QuotaExceeded."""
    project = await projects.load_project(work.session, actor, project_id)
    running = await tables.generating_package(work.session, project.id)
    if running is not None:
        return StartResponse(material_package_id=running.id, status="generating")
    source = await inputs.required_input(work, project.id)
    version = await tables.next_version(work.session, project.id)
    package = tables.PackageRow(
        id=new_id("pkg"),
        project_id=project.id,
        version=version,
        package_name=f"{project.name} v{version}",
        source=await snapshot(work, source),
        narrator_voice_id=_narrator_asset(work, source.language),
        job_id=await queue.create_job(
            work.session, kind="generation", project_id=project.id, tenant_id=project.tenant_id
        ),
    )
    package.source["status_before"] = project.status
    work.session.add(package)
    await work.session.flush()
    for order, step in enumerate(STEPS, start=1):
        work.session.add(tables.StepRow(id=new_id("stp"), package_id=package.id, step=step.value, display_order=order))
    project.status, project.stage = Status.GENERATING, STAGE_OF[Status.GENERATING]
    project.progress = 0
    project.started_at = project.started_at or utc_now()
    await work.session.flush()
    await begin_step(work, project, package, ScriptStep.STORYLINE)
    return StartResponse(material_package_id=package.id, status="generating")


def _narrator_asset(work: Work, language: str) -> str:
    voice = narrator(work.services.catalog.default_for("speech").voice, language)
    if voice is None:
        raise LookupError("the default speech model of the catalog has no voices")
    return f"voice_{voice.id}"


async def begin_step(work: Work, project: projects.ProjectRow, package: tables.PackageRow, step: ScriptStep) -> None:
    """Queue a step's script."""
    row = await _step(work, package, step)
    row.status, row.total, row.done = "in_progress", 1, 0
    row.started_at = utc_now()
    parts = await prompts.load_parts(work.session, package)
    model = work.services.catalog.default_for("script").id
    task = _task(work, project, package, step, prompts.script_spec(parts, step), "script", model)
    await quota.enqueue_paid(work, [task])
    await _tell_progress(work, project, package)


def _task(
    work: Work,
    project: projects.ProjectRow,
    package: tables.PackageRow,
    step: ScriptStep,
    spec: ScriptSpec | ImageSpec,
    kind: str,
    model: str,
    *,
    label: str = "",
    image_id: str | None = None,
) -> NewTask:
    if package.job_id is None:
        raise LookupError(f"package {package.id} has no job")
    context = {"package_id": package.id, "step": step.value}
    if image_id is not None:
        context["image_id"] = image_id
    return NewTask(
        kind=kind,
        spec=spec,
        model=model,
        job_id=package.job_id,
        project_id=project.id,
        tenant_id=project.tenant_id,
        reaction=SCRIPT_REACTION if kind == "script" else IMAGE_REACTION,
        label=label or f"{step.value} script",
        context=context,
        priority=SCRIPT_PRIORITY if kind == "script" else 0,
    )


async def apply_script(
    work: Work,
    project: projects.ProjectRow,
    package: tables.PackageRow,
    step: ScriptStep,
    result: ScriptResult,
) -> None:
    """A step's script is written: keep it, ask for its pictures and voices, start the next step's script."""
    elements = _elements(package, step, result)
    work.session.add_all(elements)
    await work.session.flush()
    parts = await prompts.load_parts(work.session, package)
    tasks: list[NewTask] = []
    if step is ScriptStep.STORYLINE and result.storyline is not None:
        package.summary = result.storyline.summary
        if project.name.endswith("…") or not project.name:
            project.name = result.storyline.title
            package.package_name = f"{project.name} v{package.version}"
        project.description = project.description or result.storyline.summary
    elif step is ScriptStep.ARTSTYLE:
        specs = [(elements[0], Framing.STYLE, prompts.style_board(parts))]
        tasks = await _picture_tasks(work, project, package, step, specs)
    elif step is ScriptStep.CHARACTERS:
        await _give_voices(work, package, elements, result.characters)
        specs = [
            (element, framing, prompts.character_sheet(parts, character, framing))
            for element, character in zip(elements, result.characters, strict=True)
            for framing in CHARACTER_FRAMINGS
        ]
        tasks = await _picture_tasks(work, project, package, step, specs)
    elif step is ScriptStep.SCENES:
        specs = [
            (element, Framing.SCENE, prompts.scene_picture(parts, scene))
            for element, scene in zip(elements, result.scenes, strict=True)
        ]
        tasks = await _picture_tasks(work, project, package, step, specs)
    elif step is ScriptStep.STORYBOARD:
        specs = [
            (element, Framing.SHOT, prompts.shot_picture(parts, shot))
            for element, shot in zip(elements, result.shots, strict=True)
        ]
        tasks = await _picture_tasks(work, project, package, step, specs)
        tasks += await build.create_clips(work, project, package, elements, result.shots)
        await build.use_attached_music(work, project, package)
    row = await _step(work, package, step)
    row.total += len(tasks)
    await quota.enqueue_paid(work, tasks)
    following = STEPS.index(step) + 1
    if following < len(STEPS):
        await begin_step(work, project, package, STEPS[following])
    await finish_one(work, project, package, step)


def _elements(package: tables.PackageRow, step: ScriptStep, result: ScriptResult) -> list[tables.ElementRow]:
    kinds: dict[ScriptStep, tuple[str, list[object]]] = {
        ScriptStep.STORYLINE: ("storyline", [result.storyline]),
        ScriptStep.ARTSTYLE: ("artstyle", [result.art_style]),
        ScriptStep.CHARACTERS: ("character", list(result.characters)),
        ScriptStep.SCENES: ("scene", list(result.scenes)),
        ScriptStep.STORYBOARD: ("storyboard", list(result.shots)),
    }
    kind, parts = kinds[step]
    if any(part is None for part in parts) or (step is ScriptStep.STORYBOARD and not parts):
        raise ValueError(f"the script model returned no {step.value}")
    return [
        tables.ElementRow(
            id=new_id("elm"),
            package_id=package.id,
            kind=kind,
            position=position,
            data=part.model_dump(mode="json"),  # type: ignore[attr-defined]
        )
        for position, part in enumerate(parts)
    ]


async def _picture_tasks(
    work: Work,
    project: projects.ProjectRow,
    package: tables.PackageRow,
    step: ScriptStep,
    specs: list[tuple[tables.ElementRow, Framing, ImageSpec]],
) -> list[NewTask]:
    tasks = []
    for element, framing, spec in specs:
        image = await new_image(work, project, element, framing, spec.prompt, is_selected=True)
        label = f"{framing.value} of {element.data.get('name') or element.position + 1}"
        model = image_model(work, package, "text_to_image")
        tasks.append(_task(work, project, package, step, spec, "text_to_image", model, label=label, image_id=image.id))
    return tasks


def image_model(work: Work, package: tables.PackageRow, kind: str) -> str:
    """The model the user chose for this kind of picture, else the catalog's default."""
    chosen = package.source["config"].get(f"{kind}_model")
    return chosen or work.services.catalog.default_for(kind).id


async def new_image(
    work: Work,
    project: projects.ProjectRow,
    element: tables.ElementRow,
    framing: Framing,
    prompt: str,
    *,
    wish: str = "",
    is_selected: bool = False,
    position: int = 0,
) -> tables.ImageRow:
    """A picture that is to be made, with the addresses it will have."""
    name = f"{element.kind}-{element.position + 1}-{framing.value}"
    image = tables.ImageRow(
        id=new_id("img"),
        element_id=element.id,
        image_type=framing.value,
        artifact_id=await artifacts.promise(work.session, project.tenant_id, name),
        thumbnail_artifact_id=await artifacts.promise(work.session, project.tenant_id, f"{name}-thumbnail"),
        depth_artifact_id=await artifacts.promise(work.session, project.tenant_id, f"{name}-depth"),
        prompt=prompt,
        wish=wish,
        is_selected=is_selected,
        position=position,
    )
    work.session.add(image)
    await work.session.flush()
    return image


async def _give_voices(
    work: Work, package: tables.PackageRow, elements: list[tables.ElementRow], characters: list[Character]
) -> None:
    voices = work.services.catalog.default_for("speech").voice
    cast = cast_voices(characters, voices, package.source["language"])
    for element, voice in zip(elements, cast, strict=True):
        if voice is not None:
            work.session.add(
                tables.CharacterVoiceRow(
                    id=new_id("cvo"), element_id=element.id, asset_id=f"voice_{voice.id}", is_selected=True
                )
            )
    await work.session.flush()


async def finish_one(work: Work, project: projects.ProjectRow, package: tables.PackageRow, step: ScriptStep) -> None:
    """One task of a step is done; complete the step and the package where it was the last."""
    row = await _step(work, package, step)
    row.done += 1
    if row.status == "in_progress" and row.done >= row.total:
        row.status, row.finished_at = "completed", utc_now()
    await work.session.flush()
    steps = await tables.steps_of(work.session, package.id)
    if package.status == "generating" and all(step.status in {"completed", "skipped"} for step in steps):
        await _complete(work, project, package)
    else:
        await _tell_progress(work, project, package)


async def _complete(work: Work, project: projects.ProjectRow, package: tables.PackageRow) -> None:
    package.status, package.generated_at = "completed", utc_now()
    await tables.activate(work.session, package)
    project.status, project.stage = Status.EDITING, STAGE_OF[Status.EDITING]
    project.progress = 100
    await build.settle_status(work, project)
    await _tell_progress(work, project, package)
    await events.append(
        work,
        project.id,
        GenerationCompleted(material_package_id=package.id, package_name=package.package_name),
    )


async def fail(
    work: Work, project: projects.ProjectRow, package: tables.PackageRow, step: ScriptStep, message: str
) -> None:
    """A task of a step failed for good: the step and the package say so, the project returns to where it was."""
    if package.status != "generating":
        return  # it has failed already; what is left of it ends here
    for row in await tables.steps_of(work.session, package.id):
        if row.step == step.value:
            row.status, row.error_message, row.finished_at = "failed", message, utc_now()
        elif row.status == "in_progress":
            row.status = "pending"
    package.status = "failed"
    before = Status(package.source["status_before"])
    project.status, project.stage = before, STAGE_OF[before]
    await work.session.flush()
    # Nobody waits for the rest any more. Its job is this reaction's own, so it is locked already.
    await queue.cancel_job(work.session, package.job_id or "")
    work.wakes_scheduler = True
    await events.append(
        work,
        project.id,
        GenerationFailed(material_package_id=package.id, step=step.value, error_message=message),
    )


async def fail_for_quota(
    work: Work,
    project: projects.ProjectRow,
    package: tables.PackageRow,
    step: ScriptStep,
    error: QuotaExceeded,
) -> None:
    await events.append(work, project.id, QuotaInsufficient(required=error.required, remaining=error.remaining))
    await fail(work, project, package, step, error.message("zh"))


async def _step(work: Work, package: tables.PackageRow, step: ScriptStep) -> tables.StepRow:
    rows = await tables.steps_of(work.session, package.id)
    return next(row for row in rows if row.step == step.value)


async def _tell_progress(work: Work, project: projects.ProjectRow, package: tables.PackageRow) -> None:
    await work.session.flush()
    steps = await tables.steps_of(work.session, package.id)
    progress = package_progress(step_progress(row.done, row.total, row.status) for row in steps)
    if package.status == "generating":
        project.progress = progress
    status = package.status if package.status in {"completed", "failed"} else "generating"
    await events.append(
        work,
        project.id,
        GenerationProgress(
            material_package_id=package.id,
            status=status,
            progress=progress,
            current_step=current_step(steps, package.status),
        ),
    )


def current_step(steps: list[tables.StepRow], package_status: str) -> str:
    """What a person reads while waiting."""
    if package_status == "completed":
        return "生成完成"
    failed = next((row for row in steps if row.status == "failed"), None)
    if failed is not None:
        return f"{STEP_NAMES[ScriptStep(failed.step)][0]}失败"
    running = next((row for row in steps if row.status == "in_progress"), None)
    return STEP_NAMES[ScriptStep(running.step)][1] if running else "等待中"
