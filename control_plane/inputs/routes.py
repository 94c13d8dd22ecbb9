"""The creation input: options, submit, attachments."""

from control_plane.accounts.actor import Access
from control_plane.inputs import service
from control_plane.inputs.schemas import (
    Attachment,
    AttachmentList,
    AttachmentQuery,
    InputOptions,
    RegisterAttachment,
    SubmitRequest,
    SubmitResponse,
    UploadConfig,
)
from control_plane.web.routes import Call, Routes

routes = Routes("inputs")


@routes.get("/input/options", access=Access.USER, response=InputOptions)
async def options(call: Call) -> InputOptions:
    """Models, styles, aspect ratios, durations and subjects to choose from."""
    return await service.options(call.work, call.actor, call.language)


@routes.post("/input/submit", access=Access.WRITE, body=SubmitRequest, response=SubmitResponse)
async def submit(call: Call, body: SubmitRequest) -> SubmitResponse:
    """Submit a text, a screenplay or a storyboard; makes the project or updates the one that is named."""
    return await service.submit(call.work, call.actor, body)


@routes.get("/attachments/upload-config", access=Access.USER, response=UploadConfig)
async def upload_config(call: Call) -> UploadConfig:
    """A signed address to PUT a file to, and the address to register it by."""
    return service.upload_config(call.work)


@routes.post("/attachments", access=Access.USER, body=RegisterAttachment, response=Attachment)
async def register_attachment(call: Call, body: RegisterAttachment) -> Attachment:
    """Register an uploaded file."""
    return await service.register_attachment(call.work, call.actor, body)


@routes.get("/projects/{project_id}/attachments", access=Access.READ, query=AttachmentQuery, response=AttachmentList)
async def list_attachments(call: Call, query: AttachmentQuery) -> AttachmentList:
    """The files attached to a project."""
    return await service.list_attachments(call.work, call.actor, call.path["project_id"], query.category)
