"""Options, submitting an input, and attachments."""

import hashlib
from collections.abc import Sequence

from control_plane.accounts.actor import Actor
from control_plane.artifacts import tables as artifacts
from control_plane.artifacts.routes import upload_key
from control_plane.assets import tables as assets
from control_plane.errors import AlreadyExists, InvalidParameter, NotFound, UploadFailed
from control_plane.inputs import media, rules, tables
from control_plane.inputs.schemas import (
    AspectRatioOption,
    Attachment,
    AttachmentItem,
    AttachmentList,
    CreationConfig,
    DurationOption,
    InputOptions,
    ModelOption,
    ModelOptions,
    RegisterAttachment,
    StyleOption,
    SubjectOption,
    SubmitRequest,
    SubmitResponse,
    UploadConfig,
)
from control_plane.projects import tables as projects
from control_plane.projects.rules import STAGE_OF, Stage, Status, automatic_name
from control_plane.work import Work
from models.draft.script.check import check_source
from models.interfaces import UserInputError
from models.specs import CameraMovement, Emotion, Filter, Font, StoredArtifact, Transition
from runtime.artifacts import content_key
from runtime.ids import new_id

UPLOAD_TTL_S = 3600


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
            DurationOption(label="Smart" if language == "en" else "智能", value=-1),
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
    default = catalog.default_for(kind).id
    return [
        ModelOption(
            id=model.id,
            name=model.id,
            display_name=(model.display_name_zh or model.display_name) if language == "zh" else model.display_name,
            icon_url=f"{work.services.signer.public_url}/pictures/models/{model.id}.png",
            is_default=model.id == default,
        )
        for model in catalog.for_task(kind)
    ]


def _name(asset: assets.AssetRow, language: str) -> str:
    return asset.attributes.get("name_en", asset.name) if language == "en" else asset.name


async def submit(work: Work, actor: Actor, request: SubmitRequest) -> SubmitResponse:
    """Check and store an input, in a new project or in the one that is named."""
    _check_content(work, request)
    await _check_config(work, actor, request.config)
    attachments = await _own_attachments(work, actor, request)
    project = await _project_for(work, actor, request)
    if request.attachments is not None:
        for former in await tables.project_attachments(work.session, project.id):
            former.project_id = None
    for attachment in attachments:
        attachment.project_id = project.id
    row = await tables.input_of(work.session, project.id)
    if row is None:
        row = tables.InputRow(project_id=project.id)
        work.session.add(row)
    config = request.config
    row.input_mode = request.input_mode
    row.input_type = request.input_type
    row.content = request.content
    row.config = config.model_dump(exclude_none=True, exclude={"language", "subtitle_enabled"})
    row.language = request.language or config.language or rules.detect_language(request.content)
    subtitles = request.subtitle_enabled if request.subtitle_enabled is not None else config.subtitle_enabled
    row.subtitle_enabled = True if subtitles is None else subtitles
    row.seed = rules.seed_text(request.content, request.input_type, request.input_mode)
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
    if config.aspect_ratio not in rules.ASPECT_RATIOS:
        accepted = ", ".join(rules.ASPECT_RATIOS)
        raise InvalidParameter(
            f"不支持 {config.aspect_ratio}，可选：{accepted}",
            f"{config.aspect_ratio} is not one of {accepted}",
            field="config.aspect_ratio",
        )
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
            await assets.count_use(work.session, asset_id)


def check_model(work: Work, model_id: str, kind: str, *, field: str) -> None:
    """Raises InvalidParameter where the catalog has no such model for this kind of task."""
    known = [model.id for model in work.services.catalog.for_task(kind)]
    if model_id not in known:
        accepted = ", ".join(known)
        raise InvalidParameter(
            f"没有模型 {model_id}，可选：{accepted}", f"no model {model_id} among {accepted}", field=field
        )


async def _own_attachments(work: Work, actor: Actor, request: SubmitRequest) -> Sequence[tables.AttachmentRow]:
    references = request.attachments or []
    rows = {row.id: row for row in await tables.readable_attachments(work.session, actor, [r.id for r in references])}
    for index, reference in enumerate(references):
        row = rows.get(reference.id)
        if row is None:
            raise InvalidParameter("附件不存在", "no such attachment", field=f"attachments.{index}.id")
        if reference.label is not None:
            row.label = reference.label
    return list(rows.values())


async def _project_for(work: Work, actor: Actor, request: SubmitRequest) -> projects.ProjectRow:
    if request.project_id is not None:
        project = await projects.load_project(work.session, actor, request.project_id)
        if project.stage == Stage.GENERATING:
            raise AlreadyExists("正在生成，稍后再改", "it is being generated", field="project_id")
        return project
    project = projects.ProjectRow(
        id=new_id("prj"),
        tenant_id=actor.tenant_id,
        user_id=actor.user_id,
        name=automatic_name(request.content),
        status=Status.DRAFT,
        stage=STAGE_OF[Status.DRAFT],
    )
    work.session.add(project)
    await work.session.flush()
    return project


def upload_config(work: Work) -> UploadConfig:
    upload_id = new_id("upl")
    signer = work.services.signer
    return UploadConfig(
        upload_url=signer.upload_url(upload_id, UPLOAD_TTL_S),
        file_url=signer.plain_upload_url(upload_id),
        file_max_size=work.services.settings.upload_max_bytes,
        allowed_types=list(media.ALLOWED_TYPES),
    )


async def register_attachment(work: Work, actor: Actor, request: RegisterAttachment) -> Attachment:
    """Take an upload in: what its bytes are is checked here, and it moves to its content-addressed key.

    Raises UploadFailed where the bytes are not what the request says of them.
    """
    upload_id = work.services.signer.upload_id_of(request.file_url)
    if upload_id is None:
        raise InvalidParameter("不是 upload-config 返回的地址", "not a file_url of upload-config", field="file_url")
    if await tables.attachment_by_upload(work.session, upload_id) is not None:
        raise AlreadyExists("该文件已登记", "this upload is registered already", field="file_url")
    store = work.services.store
    size = await store.size_async(upload_key(upload_id))
    if size is None:
        raise UploadFailed("尚未上传", "nothing was uploaded there", field="file_url")
    if size != request.file_size:
        raise UploadFailed(f"实际 {size} 字节", f"the file has {size} bytes", field="file_size")
    longest = 4 * work.services.settings.content_max_chars  # bytes: no character of UTF-8 has more
    if request.file_category == "document" and size > longest:
        raise UploadFailed(f"文档最多 {longest} 字节", f"a document has at most {longest} bytes", field="file_size")
    data = await store.get_bytes_async(upload_key(upload_id))
    sha256 = hashlib.sha256(data).hexdigest()
    if request.file_hash is not None and request.file_hash.lower() != sha256:
        raise UploadFailed("sha256 不符", "the sha256 differs", field="file_hash")
    media_type = media.checked_type(data, request.file_type, request.file_category)
    stored = StoredArtifact(
        key=content_key(sha256, media.SUFFIXES[media_type]), media_type=media_type, size=size, sha256=sha256
    )
    await store.put_bytes_async(stored.key, data)
    artifact_id = await artifacts.keep(work.session, actor.tenant_id, request.file_name, stored)
    row = tables.AttachmentRow(
        id=new_id("att"),
        tenant_id=actor.tenant_id,
        upload_id=upload_id,
        artifact_id=artifact_id,
        file_name=request.file_name,
        file_type=media_type,
        file_category=request.file_category,
        file_size=size,
    )
    work.session.add(row)
    await work.session.flush()
    return Attachment(
        id=row.id,
        file_name=row.file_name,
        file_url=artifact_id,
        file_size=size,
        upload_status="completed",
        created_at=row.created_at,
    )


async def list_attachments(work: Work, actor: Actor, project_id: str, category: str | None) -> AttachmentList:
    project = await projects.load_project(work.session, actor, project_id)
    rows = await tables.project_attachments(work.session, project.id, category)
    return AttachmentList(
        list=[
            AttachmentItem(
                id=row.id,
                file_name=row.file_name,
                file_type=row.file_type,
                file_category=row.file_category,
                file_url=row.artifact_id,
                file_size=row.file_size,
                label=row.label,
                metadata=row.metadata_,
                created_at=row.created_at,
            )
            for row in rows
        ]
    )


async def required_input(work: Work, project_id: str) -> tables.InputRow:
    """Raises NotFound for a project that was created without an input."""
    row = await tables.input_of(work.session, project_id)
    if row is None:
        raise NotFound("项目还没有输入", "the project has no input yet", field="project_id")
    return row
