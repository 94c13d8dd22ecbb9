"""Generations and material packages."""

from control_plane.accounts.actor import Access
from control_plane.materials import generation, service
from control_plane.materials.schemas import (
    PackageDetail,
    PackageList,
    ProgressResponse,
    RegenerateImageRequest,
    RegenerateImageResponse,
    SaveNewRequest,
    SaveNewResponse,
    SelectCandidateRequest,
    StartRequest,
    StartResponse,
    SwitchVoiceRequest,
)
from control_plane.web.routes import Call, Routes

routes = Routes("materials")


@routes.post("/generation/start", access=Access.WRITE, body=StartRequest, response=StartResponse)
async def start(call: Call, body: StartRequest) -> StartResponse:
    """Start generating a project's materials."""
    return await generation.start(call.work, call.actor, body.project_id)


@routes.get("/generation/progress/{project_id}", access=Access.READ, response=ProgressResponse)
async def progress(call: Call) -> ProgressResponse:
    """How far the latest generation is, step by step."""
    return await service.progress(call.work, call.actor, call.path["project_id"])


@routes.get("/projects/{project_id}/material-packages", access=Access.READ, response=PackageList)
async def list_packages(call: Call) -> PackageList:
    """The versions of a project's materials."""
    return await service.list_packages(call.work, call.actor, call.path["project_id"])


@routes.get("/material-packages/{package_id}", access=Access.READ, response=PackageDetail)
async def detail(call: Call) -> PackageDetail:
    """Everything in a package."""
    return await service.detail(call.work, call.actor, call.path["package_id"])


@routes.post(
    "/material-packages/{package_id}/regenerate/image",
    access=Access.WRITE,
    body=RegenerateImageRequest,
    response=RegenerateImageResponse,
)
async def regenerate_image(call: Call, body: RegenerateImageRequest) -> RegenerateImageResponse:
    """Paint another picture of a character or a scene."""
    return await service.regenerate_image(call.work, call.actor, call.path["package_id"], body)


@routes.post("/material-packages/{package_id}/select-candidate", access=Access.WRITE, body=SelectCandidateRequest)
async def select_candidate(call: Call, body: SelectCandidateRequest) -> None:
    """Choose among an element's candidates."""
    await service.select_candidate(call.work, call.actor, call.path["package_id"], body)


@routes.post("/material-packages/{package_id}/switch-voice", access=Access.WRITE, body=SwitchVoiceRequest)
async def switch_voice(call: Call, body: SwitchVoiceRequest) -> None:
    """Give a character or the narration another voice."""
    await service.switch_voice(call.work, call.actor, call.path["package_id"], body)


@routes.post(
    "/material-packages/{package_id}/save-new",
    access=Access.WRITE,
    body=SaveNewRequest,
    response=SaveNewResponse,
)
async def save_new(call: Call, body: SaveNewRequest) -> SaveNewResponse:
    """Save a package as a new version."""
    return await service.save_new(call.work, call.actor, call.path["package_id"], body.package_name)
