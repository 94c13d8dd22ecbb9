"""Progress, packages, regenerating a picture, choosing a candidate, saving a version."""

from control_plane.accounts.actor import Actor
from control_plane.artifacts import tables as artifacts
from control_plane.assets import tables as assets
from control_plane.errors import AlreadyExists, NotFound
from control_plane.materials import copying, modify, pictures, present, prompts, tables
from control_plane.materials.progress import current_step
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
from control_plane.projects import conversations
from control_plane.projects import tables as projects
from control_plane.timeline import build
from control_plane.work import Work
from models.specs import Character, Framing, ImageSpec, Scene, ScriptStep
from runtime.bilingual import both


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
        current_step=current_step(steps, package.status),
        tasks=[
            StepProgress(
                task_id=row.id,
                task_type=row.step,
                task_name=row.step,
                display_name=both(STEP_NAMES[ScriptStep(row.step)].zh, STEP_NAMES[ScriptStep(row.step)].en),
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
    image = await pictures.new_image(
        work,
        project,
        element,
        framing,
        spec.prompt,
        wish=f"{prompt} {wish}".strip(),
        position=take,
        take=current.take if current else 0,
    )
    await pictures.enqueue_candidate(work, project, package, element, image, kind, spec)
    told = {"action": "regenerate_image", "element_id": element.id, "candidate_id": image.id}
    await conversations.record(work, project.id, "user", f"重画{element.data['name']}：{image.wish}", told)
    return RegenerateImageResponse(
        candidate_id=image.id,
        image_url=image.artifact_id,
        thumbnail_url=image.thumbnail_artifact_id,
        status="processing",
    )


async def _element(work: Work, package: tables.PackageRow, kind: str, element_id: str) -> tables.ElementRow:
    element = await tables.element_in(work.session, package.id, kind, element_id)
    if element is None:
        raise NotFound("元素不存在", "no such element in this package", field="element_id")
    return element


async def select_candidate(work: Work, actor: Actor, package_id: str, request: SelectCandidateRequest) -> None:
    """Make a candidate the element's picture, voice or text. Pictures that are painted from now on show a character or
    a scene as the selected picture does. Raises QuotaExceeded where lines are spoken anew."""
    package, project = await tables.load_package(work.session, actor, package_id)
    element = await _element(work, package, request.element_type, request.element_id)
    if request.candidate_type == "text":
        await modify.select_text(work, project, package, element, request.candidate_id)
    elif request.candidate_type == "voice":
        await _select_voice(work, project, package, element, request.candidate_id)
    else:
        image = await tables.image_by_id(work.session, request.candidate_id)
        if image is None or image.element_id != element.id:
            raise NotFound("候选不存在", "no such candidate", field="candidate_id")
        if image.status != "completed":
            raise AlreadyExists("候选尚未完成", "the candidate is not finished", field="candidate_id")
        await tables.select_image(work.session, image)
        await build.show_picture(work.session, image)
        await build.edited(work, project)
    told = {"action": "select", "element_id": element.id, "candidate_id": request.candidate_id}
    await conversations.record(work, project.id, "user", "选用候选", told)


async def _select_voice(
    work: Work,
    project: projects.ProjectRow,
    package: tables.PackageRow,
    element: tables.ElementRow,
    candidate_id: str,
) -> None:
    voices = await tables.voices_of(work.session, [element.id])
    if candidate_id not in {voice.id for voice in voices}:
        raise NotFound("候选不存在", "no such candidate", field="candidate_id")
    for voice in voices:
        voice.is_selected = voice.id == candidate_id
    await work.session.flush()
    await build.respeak(work, project, package, character=element.data["name"])


async def switch_voice(work: Work, actor: Actor, package_id: str, request: SwitchVoiceRequest) -> None:
    """Give a character, or the narration, another voice and have its lines spoken again."""
    package, project = await tables.load_package(work.session, actor, package_id)
    voice = await assets.visible_asset(work.session, actor, "voice", request.voice_id)
    if voice is None:
        raise NotFound("没有此音色", "no such voice", field="voice_id")
    await give_voice(work, project, package, request.element_type, request.element_id, voice)


async def give_voice(
    work: Work,
    project: projects.ProjectRow,
    package: tables.PackageRow,
    element_type: str,
    element_id: str,
    voice: assets.AssetRow,
) -> None:
    """For the narration the element is the package. Raises NotFound and QuotaExceeded."""
    told = {"action": "switch_voice", "element_id": element_id, "voice_id": voice.id}
    if element_type == "narration":
        if element_id != package.id:
            raise NotFound("旁白用素材包 id", "for narration this is the package's id", field="element_id")
        if package.narrator_voice_id != voice.id:
            await assets.count_use(work.session, voice.id)
        package.narrator_voice_id = voice.id
        await conversations.record(work, project.id, "user", f"旁白换用音色“{voice.name}”", told)
        await build.respeak(work, project, package, character=None)
        return
    element = await _element(work, package, "character", element_id)
    await assets.count_use(work.session, voice.id)
    await tables.choose_voice(work.session, element.id, voice.id)
    name = element.data["name"]
    await conversations.record(work, project.id, "user", f"{name}换用音色“{voice.name}”", told)
    await build.respeak(work, project, package, character=name)


async def save_new(work: Work, actor: Actor, package_id: str, name: str | None) -> SaveNewResponse:
    """Copy a package with its timeline as the next version and make the copy active."""
    package, project = await tables.load_package(work.session, actor, package_id)
    _check_whole(package)
    copy = await copying.copy_package(work, project, package, name)
    told = {"action": "save_new", "material_package_id": copy.id}
    await conversations.record(work, project.id, "user", f"另存为新版本“{copy.package_name}”", told)
    await build.edited(work, project)
    return SaveNewResponse(new_package_id=copy.id, version=copy.version)


async def switch(work: Work, actor: Actor, package_id: str) -> None:
    """Make a package, with its timeline, the one that is shown and exported."""
    package, project = await tables.load_package(work.session, actor, package_id)
    if package.is_active:
        return
    _check_whole(package)
    if await tables.generating_package(work.session, project.id) is not None:
        raise AlreadyExists(
            "正在生成，请等待或先取消", "something is being generated: wait or cancel", field="package_id"
        )
    await tables.activate(work.session, package)
    told = {"action": "switch", "material_package_id": package.id}
    await conversations.record(work, project.id, "user", f"切换到“{package.package_name}”", told)
    await build.edited(work, project)


async def rename(work: Work, actor: Actor, package_id: str, name: str) -> None:
    package, project = await tables.load_package(work.session, actor, package_id)
    former, package.package_name = package.package_name, name
    content = f"素材包“{former}”改名为“{name}”"
    await conversations.asked(work, project.id, content, "rename_package", material_package_id=package.id, name=name)


def _check_whole(package: tables.PackageRow) -> None:
    """Raises AlreadyExists where the package was never complete, or is being changed."""
    if package.generated_at is None or package.status == "generating":
        raise AlreadyExists("素材包尚未完成", "the package is not complete", field="package_id")
