"""Options, submitting an input, and attachments."""

from control_plane.accounts.access import hold_space
from control_plane.accounts.actor import Actor
from control_plane.artifacts import tables as artifacts
from control_plane.assets import tables as assets
from control_plane.errors import AlreadyExists, InvalidParameter, NotFound
from control_plane.inputs import attachments as labelled
from control_plane.inputs import rules, tables, templates
from control_plane.inputs.checks import check_model, check_ratio
from control_plane.inputs.schemas import (
    AspectRatioOption,
    AttachmentList,
    AttachmentReference,
    CreationConfig,
    DurationOption,
    InputOptions,
    ModelOption,
    ModelOptions,
    StyleOption,
    SubjectOption,
    SubmitRequest,
    SubmitResponse,
)
from control_plane.projects import conversations
from control_plane.projects import tables as projects
from control_plane.projects.rules import STAGE_OF, Stage, Status, automatic_name, is_cut
from control_plane.work import Work
from models.draft.script.check import check_source
from models.interfaces import UserInputError
from models.specs import CameraMovement, Emotion, Filter, Font, Transition
from runtime.ids import new_id


async def options(work: Work, actor: Actor, language: str) -> InputOptions:
    """Everything a client may choose from."""
    styles = await assets.visible_assets(work.session, actor, "style")
    subjects = await assets.visible_assets(work.session, actor, "character")
    public_url = work.services.signer.public_url
    return InputOptions(
        models=ModelOptions(
            text_to_image=_models(work, "text_to_image", language),
            image_to_image=_models(work, "image_to_image", language),
            image_to_video=_models(work, "image_to_video", language),
            speech=_models(work, "speech", language),
            music=_models(work, "music", language),
            script=_models(work, "script", language),
        ),
        styles=[
            StyleOption(
                id=style.id,
                name=_name(style, language),
                preview_image_url=style.thumbnail_artifact_id or "",
                category=style.attributes.get("category", "custom"),
            )
            for style in styles
        ],
        aspect_ratios=[
            AspectRatioOption(
                ratio=ratio.name,
                width=ratio.size(rules.BASE_SHORT_SIDE)[0],
                height=ratio.size(rules.BASE_SHORT_SIDE)[1],
                description=ratio.en if language == "en" else ratio.zh,
                preview_url=f"{public_url}/pictures/ratios/{ratio.name.replace(':', 'x')}.png",
            )
            for ratio in rules.ASPECT_RATIOS.values()
        ],
        durations=[
            DurationOption(label="Smart" if language == "en" else "智能", value=rules.SMART_DURATION),
            *(
                DurationOption(label=f"{seconds}{' s' if language == 'en' else '秒'}", value=seconds)
                for seconds in rules.DURATIONS_S
            ),
        ],
        subjects=[
            SubjectOption(id=row.id, name=_name(row, language), type=row.attributes.get("gender", "other"))
            for row in subjects
        ],
        filters=[value.value for value in Filter],
        transitions=[value.value for value in Transition],
        emotions=[value.value for value in Emotion],
        camera_movements=[value.value for value in CameraMovement],
        fonts=[value.value for value in Font],
    )


def _models(work: Work, kind: str, language: str) -> list[ModelOption]:
    catalog = work.services.catalog
    default = catalog.first_for(kind)
    return [
        ModelOption(
            id=model.id,
            name=model.id,
            display_name=(model.display_name_zh or model.display_name) if language == "zh" else model.display_name,
            icon_url=f"{work.services.signer.public_url}/pictures/models/{model.id}.png",
            is_default=model is default,
        )
        for model in catalog.for_task(kind)
    ]


def _name(asset: assets.AssetRow, language: str) -> str:
    return asset.attributes.get("name_en", asset.name) if language == "en" else asset.name


async def submit(work: Work, actor: Actor, request: SubmitRequest) -> SubmitResponse:
    """Check and store an input, in a new project or in the one that is named."""
    _check_content(work, request)
    project = await _project_for(work, actor, request)
    config, template_id = await templates.filled(work, actor, request.config, request.template_id, project.tenant_id)
    await _check_config(work, actor, config)
    attached = await _attach(work, project, request.attachments) if request.attachments is not None else []
    row = await tables.input_of(work.session, project.id)
    former_config = row.config if row is not None else {}
    if row is None:
        row = tables.InputRow(project_id=project.id)
        work.session.add(row)
    row.input_mode = request.input_mode
    row.input_type = request.input_type
    row.content = request.content
    row.config = config.model_dump(exclude_none=True, exclude={"language", "subtitle_enabled"})
    row.language = request.language or config.language or rules.detect_language(request.content)
    subtitles = request.subtitle_enabled if request.subtitle_enabled is not None else config.subtitle_enabled
    row.subtitle_enabled = True if subtitles is None else subtitles
    row.seed = rules.seed_text(request.content, request.input_type, request.input_mode)
    # Submitting again with the same assets is no further use of them.
    chosen = [row.config[name] for name in ("style_id", "subject_id") if name in row.config]
    await assets.count_use(work.session, *(set(chosen) - set(former_config.values())))
    if template_id is not None:
        await tables.count_use_of_template(work.session, template_id)
    told = {"action": "submit", "input_type": row.input_type, "attachments": attached}
    await conversations.record(work, project.id, "user", request.content, told)
    return SubmitResponse(project_id=project.id, status="submitted")


def _check_content(work: Work, request: SubmitRequest) -> None:
    limit = work.services.settings.content_max_chars
    if len(request.content) > limit:
        raise InvalidParameter(
            f"最多 {limit} 个字符，现有 {len(request.content)} 个",
            f"at most {limit} characters, this has {len(request.content)}",
            field="content",
        )
    try:
        check_source(request.input_type, request.content)
    except UserInputError as error:
        raise InvalidParameter(error.zh, error.en, field=error.field) from error


async def _check_config(work: Work, actor: Actor, config: CreationConfig) -> None:
    for name in ("aspect_ratio", "duration_type"):
        if getattr(config, name) is None:
            raise InvalidParameter("必填", "required", field=f"config.{name}")
    check_ratio(config.aspect_ratio or "", field="config.aspect_ratio")
    if config.duration_type == "custom" and config.duration_seconds is None:
        raise InvalidParameter("custom 时必填", "required with custom", field="config.duration_seconds")
    if config.duration_type == "smart" and config.duration_seconds is not None:
        raise InvalidParameter("smart 时不可填", "not with smart", field="config.duration_seconds")
    for kind in ("text_to_image", "image_to_image"):
        model_id = getattr(config, f"{kind}_model")
        if model_id is not None:
            check_model(work, model_id, kind, field=f"config.{kind}_model")
    for asset_type, asset_id in (("style", config.style_id), ("character", config.subject_id)):
        if asset_id is not None:
            field = "config.style_id" if asset_type == "style" else "config.subject_id"
            if await assets.visible_asset(work.session, actor, asset_type, asset_id) is None:
                raise InvalidParameter(f"没有 {asset_id}", f"there is no {asset_id}", field=field)


async def _attach(work: Work, project: projects.ProjectRow, references: list[AttachmentReference]) -> list[str]:
    """Give the project these attachments in the place of those it has. Of one that another project has it gets a copy.

    Raises InvalidParameter for one that the project's space does not own.
    """
    rows = {row.id: row for row in await tables.lock_attachments(work.session, project, [r.id for r in references])}
    former = {tables.origin_of(row): row for row in rows.values() if row.project_id == project.id}
    attached: list[tables.AttachmentRow] = []
    for index, reference in enumerate(references):
        row = rows.get(reference.id)
        if row is None:
            field = f"attachments.{index}.id"
            raise InvalidParameter("项目所在空间没有此附件", "the project's space has no such attachment", field=field)
        if row.project_id not in {None, project.id}:
            origin = tables.origin_of(row)
            row = former[origin] = former.get(origin) or await _copy(work, row)
        row.project_id = project.id
        if reference.label is not None:
            row.label = reference.label
        attached.append(row)
    for row in rows.values():
        if row.project_id == project.id and row not in attached:
            row.project_id = None
    return [row.id for row in attached]


async def _copy(work: Work, row: tables.AttachmentRow) -> tables.AttachmentRow:
    artifact = await artifacts.artifact(work.session, row.artifact_id)
    if artifact is None:
        raise LookupError(f"attachment {row.id} has no artifact")
    copy_id = new_id("att")
    copy = tables.AttachmentRow(
        id=copy_id,
        tenant_id=row.tenant_id,
        upload_id=f"{tables.origin_of(row)}@{copy_id}",
        artifact_id=await artifacts.share(work.session, row.tenant_id, artifact),
        file_name=row.file_name,
        file_type=row.file_type,
        file_category=row.file_category,
        file_size=row.file_size,
        label=row.label,
        metadata_=row.metadata_,
    )
    work.session.add(copy)
    return copy


async def _project_for(work: Work, actor: Actor, request: SubmitRequest) -> projects.ProjectRow:
    if request.project_id is not None:
        project = await projects.load_project(work.session, actor, request.project_id)
        if project.stage == Stage.GENERATING:
            raise AlreadyExists("正在生成，稍后再改", "it is being generated", field="project_id")
        if project.auto_named:
            _name_after(project, request.content)
        return project
    project = projects.ProjectRow(
        id=new_id("prj"),
        tenant_id=await hold_space(work.session, actor),
        user_id=actor.user_id,
        status=Status.DRAFT,
        stage=STAGE_OF[Status.DRAFT],
    )
    _name_after(project, request.content)
    work.session.add(project)
    await work.session.flush()
    return project


def _name_after(project: projects.ProjectRow, content: str) -> None:
    """Only the beginning of a text gives way to the story's title."""
    project.name = automatic_name(content)
    project.auto_named = is_cut(project.name)


async def list_attachments(work: Work, actor: Actor, project_id: str, category: str | None) -> AttachmentList:
    project = await projects.load_project(work.session, actor, project_id)
    rows = await tables.project_attachments(work.session, project.id, category)
    return AttachmentList(list=[labelled.shown(row) for row in rows])


async def required_input(work: Work, project_id: str) -> tables.InputRow:
    """Raises NotFound for a project that was created without an input."""
    row = await tables.input_of(work.session, project_id)
    if row is None:
        raise NotFound("项目还没有输入", "the project has no input yet", field="project_id")
    return row
