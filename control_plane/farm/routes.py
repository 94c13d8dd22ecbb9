"""The farm, for platform admins."""

from control_plane.accounts.actor import Access
from control_plane.accounts.tables import UserRow
from control_plane.errors import NotFound
from control_plane.farm import service
from control_plane.farm.schemas import DrainRequest, FarmStatus, Ordered, RestartRequest, UndrainRequest
from control_plane.web.routes import Call, Routes

routes = Routes("farm")


@routes.get("/farm", access=Access.PLATFORM, response=FarmStatus)
async def status(call: Call) -> FarmStatus:
    """Its nodes and workers, what they do, and which orders are about them."""
    return await service.status(call.work.session)


@routes.post("/farm/drain", access=Access.PLATFORM, body=DrainRequest, response=Ordered, errors=(NotFound,))
async def drain(call: Call, body: DrainRequest) -> Ordered:
    """Let no new task start on a worker or a node; what runs ends."""
    return await service.drain(call.work.session, body.target, reason=body.reason, ordered_by=await _name(call))


@routes.post("/farm/undrain", access=Access.PLATFORM, body=UndrainRequest, response=Ordered, errors=(NotFound,))
async def undrain(call: Call, body: UndrainRequest) -> Ordered:
    """Let tasks start there again."""
    return await service.undrain(call.work.session, body.target)


@routes.post("/farm/restart", access=Access.PLATFORM, body=RestartRequest, response=Ordered, errors=(NotFound,))
async def restart(call: Call, body: RestartRequest) -> Ordered:
    """Give a worker, or each of a node, a fresh process, once what it runs has ended or at once."""
    return await service.restart(
        call.work.session, body.target, now=body.now, reason=body.reason, ordered_by=await _name(call)
    )


async def _name(call: Call) -> str:
    return (await call.work.session.get_one(UserRow, call.actor.user_id)).username
