"""The asset library."""

from control_plane.accounts.actor import Access
from control_plane.assets import service
from control_plane.assets.schemas import VoiceItem, VoiceQuery
from control_plane.web.models import Page
from control_plane.web.routes import Call, Routes

routes = Routes("assets")


@routes.get("/assets/voices", access=Access.USER, query=VoiceQuery, response=Page[VoiceItem])
async def list_voices(call: Call, query: VoiceQuery) -> Page[VoiceItem]:
    """The voice library."""
    return await service.list_voices(call.work, call.actor, query)
