"""Progress, packages, regenerating a picture, choosing a candidate, saving a version."""

from control_plane.accounts.actor import Actor
from control_plane.artifacts import tables as artifacts
from control_plane.assets import tables as assets
from control_plane.errors import AlreadyExists, InvalidParameter, NotFound
from control_plane.materials import copying, generation, present, prompts, tables
from control_plane.materials.reactions import CANDIDATE_REACTION
from control_plane.materials.rules import STEP_NAMES, package_progress, step_progress
from control_plane.materials.schemas import (
    PackageDetail,
    PackageItem,
    PackageList,
    ProgressResponse,
    RegenerateImageRequest,
    RegenerateImageResponse,
    SaveNewResponse,
    SelectCandidateRequest,
    StepProgress,
    SwitchVoiceRequest,
)
from control_plane.projects import tables as projects
from control_plane.quota import service as quota
from control_plane.timeline import build
from control_plane.work import Work
from models.specs import Character, Framing, ImageSpec, Scene, ScriptStep
from scheduler import queue
from scheduler.task import NewTask


async def progress(work: Work, actor: Actor, project_id: str) -> ProgressResponse:
    """Of the latest generation. Raises NotFound before the first."""
    project = await projects.load_project(work.session, actor, project_id)
    package = await tables.latest_generation(work.session, project.id)
    if package is None:
        raise NotFound("尚未开始生成", "nothing was generated yet", field="project_id")
    steps = await tables.steps_of(work.session, package.id)
    percents = [step_progress(row.done, row.total, row.status) for row in steps]
    return ProgressResponse(
        material_package_id=package.id,
        status=package.status,
        progress=package_progress(percents),
        current_step=generation.current_step(steps, package.status),
        tasks=[
            StepProgress(
                task_id=row.id,
                task_type=row.step,
                task_name=row.step,
                display_name=STEP_NAMES[ScriptStep(row.step)][0],
                display_order=row.display_order,
                status=row.status,
                progress=percent,
                error_message=row.error_message,
            )
            for row, percent in zip(steps, percents, strict=True)
        ],
    )


async def list_packages(work: Work, actor: Actor, project_id: str) -> PackageList:
    project = await projects.load_project(work.session, actor, project_id)
    return PackageList(
        list=[
            PackageItem(
                id=row.id,
                version=row.version,
                package_name=row.package_name,
                status=row.status,
                is_active=row.is_active,
                summary=row.summary,
                generated_at=row.generated_at,
                created_at=row.created_at,
            )
            for row in await tables.packages_of(work.session, project.id)
        ]
    )


async def detail(work: Work, actor: Actor, package_id: str) -> PackageDetail:
    package, _ = await tables.load_package(work.session, actor, package_id)
    return PackageDetail(
        id=package.id,
        version=str(package.version),
        package_name=package.package_name,
        status=package.status,
        materials=await present.materials(work.session, package.id),
        summary=package.summary,
        created_at=package.created_at,
    )


async def regenerate_image(
    work: Work, actor: Actor, package_id: str, request: RegenerateImageRequest
) -> RegenerateImageResponse:
    """Paint another picture of a character or scene, as a candidate. Raises QuotaExceeded.

    A wish for a scene repaints the picture there is; with ``prompt`` a new one is painted from that. A character's
    sheet is always painted anew: who it is lies in its appearance and seed, and a wish may change any garment.
    """
    package, project = await tables.load_package(work.session, actor, package_id)
    element = await _element(work, package, request.element_type, request.element_id)
    framing = Framing.FRONT_VIEW if request.element_type == "character" else Framing.SCENE
    images = [i for i in await tables.images_of(work.session, [element.id]) if i.image_type == framing]
    current = next((image for image in images if image.is_selected), None)
    keys = await artifacts.keys_of(work.session, [current.artifact_id] if current else [])
    parts = await prompts.load_parts(work.session, package)
    wish, prompt, take = request.user_prompt, request.prompt or "", len(images)
    spec: ImageSpec
    if request.element_type == "character":
        character = Character.model_validate(element.data)
        spec = prompts.character_sheet(parts, character, framing, prompt=prompt, wish=wish, take=take)
    else:
        scene = Scene.model_validate(element.data)
        spec = prompts.scene_picture(parts, scene, prompt=prompt, wish=wish, take=take)
    kind = "text_to_image"
    if keys and not prompt and request.element_type == "scene":
        kind = "image_to_image"
        spec = spec.model_copy(update={"reference_keys": [*keys.values(), *spec.reference_keys]})
    image = await generation.new_image(
        work, project, element, framing, spec.prompt, wish=f"{prompt} {wish}".strip(), position=take
    )
    await enqueue_picture(work, project, package, element, image, kind, spec)
    return RegenerateImageResponse(
        candidate_id=image.id,
        image_url=image.artifact_id,
        thumbnail_url=image.thumbnail_artifact_id,
        status="processing",
    )


async def enqueue_picture(
    work: Work,
    project: projects.ProjectRow,
    package: tables.PackageRow,
    element: tables.ElementRow,
    image: tables.ImageRow,
    kind: str,
    spec: ImageSpec,
) -> int:
    """Queue one candidate's painting, as a job of its own; returns what it costs."""
    job_id = await queue.create_job(work.session, kind="image", project_id=project.id, tenant_id=project.tenant_id)
    task = NewTask(
        kind=kind,
        spec=spec,
        model=generation.image_model(work, package, kind),
        job_id=job_id,
        project_id=project.id,
        tenant_id=project.tenant_id,
        reaction=CANDIDATE_REACTION,
        label=f"candidate of {element.kind} {element.position + 1}",
        context={"image_id": image.id, "element_id": element.id},
        priority=20,  # a person waits for it
    )
    await quota.enqueue_paid(work, [task])
    return quota.price(work, [task])


async def _element(work: Work, package: tables.PackageRow, kind: str, element_id: str) -> tables.ElementRow:
    element = await tables.element_in(work.session, package.id, kind, element_id)
    if element is None:
        raise NotFound("元素不存在", "no such element in this package", field="element_id")
    return element


async def select_candidate(work: Work, actor: Actor, package_id: str, request: SelectCandidateRequest) -> None:
    """Make a candidate the element's picture or voice."""
    package, project = await tables.load_package(work.session, actor, package_id)
    element = await _element(work, package, request.element_type, request.element_id)
    if request.candidate_type == "voice":
        voices = await tables.voices_of(work.session, [element.id])
        if request.candidate_id not in {voice.id for voice in voices}:
            raise NotFound("候选不存在", "no such candidate", field="candidate_id")
        for voice in voices:
            voice.is_selected = voice.id == request.candidate_id
        await work.session.flush()
        await build.respeak(work, project, package, character=element.data["name"])
        return
    image = await tables.image_by_id(work.session, request.candidate_id)
    if image is None or image.element_id != element.id:
        raise NotFound("候选不存在", "no such candidate", field="candidate_id")
    if image.status != "completed":
        raise AlreadyExists("候选尚未完成", "the candidate is not finished", field="candidate_id")
    await tables.select_image(work.session, image)


async def switch_voice(work: Work, actor: Actor, package_id: str, request: SwitchVoiceRequest) -> None:
    """Give a character, or the narration, another voice and have its lines spoken again."""
    package, project = await tables.load_package(work.session, actor, package_id)
    voice = await assets.visible_asset(work.session, actor, "voice", request.voice_id)
    if voice is None:
        raise InvalidParameter("没有此音色", "no such voice", field="voice_id")
    if request.element_type == "narration":
        if request.element_id != package.id:
            raise NotFound("旁白用素材包 id", "for narration this is the package's id", field="element_id")
        package.narrator_voice_id = voice.id
        await build.respeak(work, project, package, character=None)
        return
    element = await _element(work, package, "character", request.element_id)
    await tables.choose_voice(work.session, element.id, voice.id)
    await build.respeak(work, project, package, character=element.data["name"])


async def save_new(work: Work, actor: Actor, package_id: str, name: str | None) -> SaveNewResponse:
    """Copy a package with its timeline as the next version and make the copy active."""
    package, project = await tables.load_package(work.session, actor, package_id)
    if package.status != "completed":
        raise AlreadyExists("素材包尚未完成", "the package is not complete", field="package_id")
    copy = await copying.copy_package(work, project, package, name)
    return SaveNewResponse(new_package_id=copy.id, version=copy.version)
