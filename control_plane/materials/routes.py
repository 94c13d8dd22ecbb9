"""Generations and material packages."""

from control_plane.accounts.actor import Access
from control_plane.errors import AlreadyExists, NotFound, Unavailable
from control_plane.materials import generation, modify, replace, rerun, service
from control_plane.materials.schemas import (
    ModifyTextRequest,
    ModifyTextResponse,
    PackageDetail,
    PackageList,
    ProgressResponse,
    RegenerateImageRequest,
    RegenerateImageResponse,
    RenameRequest,
    ReplaceRequest,
    RetryResponse,
    SaveNewRequest,
    SaveNewResponse,
    SelectCandidateRequest,
    StartRequest,
    StartResponse,
    SwitchVoiceRequest,
    TextCandidateList,
    TextCandidateQuery,
)
from control_plane.web.routes import Call, Routes

routes = Routes("materials")


@routes.post(
    "/generation/start",
    access=Access.WRITE,
    body=StartRequest,
    response=StartResponse,
    errors=(NotFound,),
    spends=True,
)
async def start(call: Call, body: StartRequest) -> StartResponse:
    """Start generating a project's materials."""
    return await generation.start(call.work, call.actor, body.project_id)


@routes.get("/generation/progress/{project_id}", access=Access.READ, response=ProgressResponse)
async def progress(call: Call) -> ProgressResponse:
    """How far the latest generation is, step by step."""
    return await service.progress(call.work, call.actor, call.path["project_id"])


@routes.post(
    "/generation/retry/{task_id}",
    access=Access.WRITE,
    response=RetryResponse,
    errors=(AlreadyExists,),
    spends=True,
)
async def retry(call: Call) -> RetryResponse:
    """Run a step again, with what depends on it."""
    return await rerun.retry(call.work, call.actor, call.path["task_id"])


@routes.post("/generation/skip/{task_id}", access=Access.WRITE, errors=(AlreadyExists, Unavailable), spends=True)
async def skip(call: Call) -> None:
    """Go on without a step: its part is taken from the package before, else from defaults."""
    await rerun.skip(call.work, call.actor, call.path["task_id"])


@routes.post("/generation/cancel/{project_id}", access=Access.WRITE, errors=(AlreadyExists,))
async def cancel(call: Call) -> None:
    """Stop the generation that runs; what is not done costs nothing."""
    await rerun.cancel(call.work, call.actor, call.path["project_id"])


@routes.get("/projects/{project_id}/material-packages", access=Access.READ, response=PackageList)
async def list_packages(call: Call) -> PackageList:
    """The versions of a project's materials."""
    return await service.list_packages(call.work, call.actor, call.path["project_id"])


@routes.get("/material-packages/{package_id}", access=Access.READ, response=PackageDetail)
async def detail(call: Call) -> PackageDetail:
    """Everything in a package."""
    return await service.detail(call.work, call.actor, call.path["package_id"])


@routes.put("/material-packages/{package_id}", access=Access.WRITE, body=RenameRequest)
async def rename(call: Call, body: RenameRequest) -> None:
    """Rename a package."""
    await service.rename(call.work, call.actor, call.path["package_id"], body.package_name)


@routes.post("/material-packages/{package_id}/switch", access=Access.WRITE, errors=(AlreadyExists,))
async def switch(call: Call) -> None:
    """Make a package, with its timeline, the active one."""
    await service.switch(call.work, call.actor, call.path["package_id"])


@routes.post(
    "/material-packages/{package_id}/modify/text",
    access=Access.WRITE,
    body=ModifyTextRequest,
    response=ModifyTextResponse,
    errors=(AlreadyExists, NotFound),
    spends=True,
)
async def modify_text(call: Call, body: ModifyTextRequest) -> ModifyTextResponse:
    """Edit an element's text, or have it written again."""
    return await modify.modify_text(call.work, call.actor, call.path["package_id"], body)


@routes.get(
    "/material-packages/{package_id}/text-candidates",
    access=Access.READ,
    query=TextCandidateQuery,
    response=TextCandidateList,
    errors=(NotFound,),
)
async def text_candidates(call: Call, query: TextCandidateQuery) -> TextCandidateList:
    """The texts that an element has had, to go back to."""
    return await modify.text_candidates(call.work, call.actor, call.path["package_id"], query.element_id)


@routes.post(
    "/material-packages/{package_id}/replace-from-asset",
    access=Access.WRITE,
    body=ReplaceRequest,
    errors=(AlreadyExists, NotFound),
    spends=True,
)
async def replace_from_asset(call: Call, body: ReplaceRequest) -> None:
    """Put an asset of the library in the place of a style, a character or a voice."""
    await replace.replace_from_asset(call.work, call.actor, call.path["package_id"], body)


@routes.post(
    "/material-packages/{package_id}/regenerate/image",
    access=Access.WRITE,
    body=RegenerateImageRequest,
    response=RegenerateImageResponse,
    spends=True,
)
async def regenerate_image(call: Call, body: RegenerateImageRequest) -> RegenerateImageResponse:
    """Paint another picture of a character or a scene."""
    return await service.regenerate_image(call.work, call.actor, call.path["package_id"], body)


@routes.post(
    "/material-packages/{package_id}/select-candidate", access=Access.WRITE, body=SelectCandidateRequest, spends=True
)
async def select_candidate(call: Call, body: SelectCandidateRequest) -> None:
    """Choose among an element's candidates."""
    await service.select_candidate(call.work, call.actor, call.path["package_id"], body)


@routes.post("/material-packages/{package_id}/switch-voice", access=Access.WRITE, body=SwitchVoiceRequest, spends=True)
async def switch_voice(call: Call, body: SwitchVoiceRequest) -> None:
    """Give a character or the narration another voice."""
    await service.switch_voice(call.work, call.actor, call.path["package_id"], body)


@routes.post(
    "/material-packages/{package_id}/save-new",
    access=Access.WRITE,
    body=SaveNewRequest,
    response=SaveNewResponse,
    spends=True,
)
async def save_new(call: Call, body: SaveNewRequest) -> SaveNewResponse:
    """Save a package as a new version."""
    return await service.save_new(call.work, call.actor, call.path["package_id"], body.package_name)
