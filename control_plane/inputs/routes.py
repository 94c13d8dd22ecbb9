"""The creation input: options, submit, attachments."""

from control_plane.accounts.actor import Access
from control_plane.errors import AlreadyExists, NotFound, StorageFull, TooManyRequests, UploadFailed
from control_plane.inputs import attachments, service, templates, uploads
from control_plane.inputs.schemas import (
    Attachment,
    AttachmentItem,
    AttachmentList,
    AttachmentQuery,
    ConfigTemplate,
    ConfigTemplateList,
    CreateConfigTemplate,
    InputOptions,
    RegisterAttachment,
    SubmitRequest,
    SubmitResponse,
    UpdateAttachment,
    UpdateConfigTemplate,
    UploadConfig,
)
from control_plane.web.routes import FILES, Call, Routes

routes = Routes("inputs")


@routes.get("/input/options", access=Access.USER, response=InputOptions)
async def options(call: Call) -> InputOptions:
    """Models, styles, aspect ratios, durations and subjects to choose from."""
    return await service.options(call.work, call.actor, call.language)


@routes.post("/input/submit", access=Access.WRITE, body=SubmitRequest, response=SubmitResponse, errors=(NotFound,))
async def submit(call: Call, body: SubmitRequest) -> SubmitResponse:
    """Submit a text, a screenplay or a storyboard; makes the project or updates the one that is named."""
    return await service.submit(call.work, call.actor, body)


@routes.get(
    "/attachments/upload-config",
    access=Access.WRITE,
    response=UploadConfig,
    errors=(StorageFull, TooManyRequests),
    transacts=True,
)
async def upload_config(call: Call) -> UploadConfig:
    """A signed address to PUT a file to, and the address to register it by."""
    return await uploads.upload_config(call.work, call.actor)


@routes.post(
    "/attachments",
    access=Access.WRITE,
    body=RegisterAttachment,
    response=Attachment,
    errors=(UploadFailed, StorageFull),
    gate=FILES,
)
async def register_attachment(call: Call, body: RegisterAttachment) -> Attachment:
    """Register an uploaded file."""
    return await uploads.register_attachment(call.work, call.actor, body)


@routes.get("/projects/{project_id}/attachments", access=Access.READ, query=AttachmentQuery, response=AttachmentList)
async def list_attachments(call: Call, query: AttachmentQuery) -> AttachmentList:
    """The files attached to a project."""
    return await service.list_attachments(call.work, call.actor, call.path["project_id"], query.category)


@routes.get("/attachments/{attachment_id}", access=Access.READ, response=AttachmentItem)
async def attachment(call: Call) -> AttachmentItem:
    """One attachment."""
    return await attachments.attachment(call.work, call.actor, call.path["attachment_id"])


@routes.put("/attachments/{attachment_id}", access=Access.WRITE, body=UpdateAttachment, response=AttachmentItem)
async def update_attachment(call: Call, body: UpdateAttachment) -> AttachmentItem:
    """Label an attachment for the next generation, or note something about it."""
    return await attachments.update(call.work, call.actor, call.path["attachment_id"], body)


@routes.delete("/attachments/{attachment_id}", access=Access.WRITE, errors=(AlreadyExists,))
async def delete_attachment(call: Call) -> None:
    """Take an attachment away; refused while its project is being generated."""
    await attachments.delete(call.work, call.actor, call.path["attachment_id"])


@routes.get("/config-templates", access=Access.READ, response=ConfigTemplateList)
async def list_templates(call: Call) -> ConfigTemplateList:
    """The current space's templates: the default first, then the newest first."""
    return await templates.list_templates(call.work, call.actor)


@routes.post("/config-templates", access=Access.WRITE, body=CreateConfigTemplate, response=ConfigTemplate)
async def create_template(call: Call, body: CreateConfigTemplate) -> ConfigTemplate:
    """Keep a configuration; the default one fills in what submissions leave out."""
    return await templates.create(call.work, call.actor, body)


@routes.get("/config-templates/{template_id}", access=Access.READ, response=ConfigTemplate)
async def template(call: Call) -> ConfigTemplate:
    """One template."""
    return await templates.template(call.work, call.actor, call.path["template_id"])


@routes.put("/config-templates/{template_id}", access=Access.WRITE, body=UpdateConfigTemplate, response=ConfigTemplate)
async def update_template(call: Call, body: UpdateConfigTemplate) -> ConfigTemplate:
    """Change a template; `config_data` replaces the whole configuration."""
    return await templates.update(call.work, call.actor, call.path["template_id"], body)


@routes.delete("/config-templates/{template_id}", access=Access.WRITE)
async def delete_template(call: Call) -> None:
    """Remove a template."""
    await templates.delete(call.work, call.actor, call.path["template_id"])
