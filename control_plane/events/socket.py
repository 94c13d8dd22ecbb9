"""The WebSocket: ``/ws?token=…``; actions ``subscribe``, ``unsubscribe`` and ``ping``."""

import asyncio
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import orjson
import structlog
from aiohttp import WSMsgType, web
from pydantic import Field, ValidationError

from control_plane.accounts import access
from control_plane.accounts.actor import Access, Actor
from control_plane.accounts.tokens import actor_of, read_session_token
from control_plane.errors import ApiError, Forbidden, InvalidParameter, Unavailable
from control_plane.events.client import Client, Message
from control_plane.events.hub import Hub
from control_plane.projects.tables import load_project
from control_plane.web.handler import SERVICES, language_of
from control_plane.web.messages import explain
from control_plane.web.models import RequestModel
from control_plane.web.parsing import refuse_unstorable
from control_plane.work import Services
from scheduler.outage import MAYBE_AWAY, is_outage

log = structlog.get_logger(__name__)

HUB: web.AppKey[Hub] = web.AppKey("hub", Hub)
_HEARTBEAT_S = 25.0
_MAX_MESSAGE_BYTES = 16 * 1024


class Action(RequestModel):
    action: str = Field(max_length=32)
    channel: str | None = Field(default=None, max_length=32)
    project_id: str | None = Field(default=None, max_length=64)
    last_event_id: str | None = Field(default=None, pattern=r"^\d{1,18}$")


def add_socket_routes(app: web.Application) -> None:
    app.router.add_get("/ws", websocket)
    app.router.add_get("/api/v1/ws", websocket)


def _check_origin(request: web.Request, services: Services) -> None:
    """Browsers say where a page comes from; a page of somebody else's may not open a socket with our user's token."""
    origin = request.headers.get("Origin")
    if origin is None:
        return
    own = urlsplit(services.signer.public_url)
    allowed = {f"{own.scheme}://{own.netloc}", *services.settings.allowed_origins}
    if origin not in allowed and "*" not in allowed:
        raise Forbidden("来源不被允许", "this origin is not allowed", field="Origin")


async def websocket(request: web.Request) -> web.WebSocketResponse:
    services, hub = request.app[SERVICES], request.app[HUB]
    _check_origin(request, services)
    token = request.query.get("token")
    actor = (
        read_session_token(services.settings, token, Access.READ)
        if token
        else actor_of(request, services.settings, Access.READ)
    )
    async with services.database.reading() as session:
        actor = await access.enter(session, actor)
    language = language_of(request) if "Accept-Language" in request.headers else actor.language or "zh"
    # Not compressed: messages are small and many, and each client would have a compressor of its own.
    socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, max_msg_size=_MAX_MESSAGE_BYTES, compress=False)
    await socket.prepare(request)
    if request.transport is None:
        return socket
    client = Client(socket, request.transport, actor, language)
    hub.add(client)
    writer = asyncio.create_task(client.write_forever())
    try:
        with suppress(ConnectionError):  # it has gone
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    client.send(Message(await _act(services, hub, client, actor, message.data, language)))
                    await client.drained()
    finally:
        hub.remove(client)
        writer.cancel()
        with suppress(asyncio.CancelledError, ConnectionError):
            await writer
        await client.finish()
    return socket


async def _act(services: Services, hub: Hub, client: Client, actor: Actor, text: str, language: str) -> dict[str, Any]:
    """Do what a client asks; the answer, or the error with the project it was about."""
    about: dict[str, Any] = {}
    try:
        action = _read(text)
        if action.action == "ping":
            return {"event": "pong"}
        project_id = action.project_id or ""
        about = {"project_id": project_id}
        if action.action == "unsubscribe":
            hub.unsubscribe(client, project_id)
            return {"event": "unsubscribed", **about}
        async with services.database.reading() as session:
            await load_project(session, actor, project_id)
        last = int(action.last_event_id) if action.last_event_id is not None else None
        reached = await hub.subscribe(client, project_id, last)
    except ApiError as error:
        return _error(error, language, about)
    except MAYBE_AWAY as error:
        if not is_outage(error):
            raise
        log.warning("database is away, an action is refused", error=str(error))
        return _error(Unavailable(), language, about)
    return {"event": "subscribed", **about, "id": str(reached)}


def _error(error: ApiError, language: str, about: dict[str, Any]) -> dict[str, Any]:
    return {"event": "error", "code": error.code, "message": error.message(language), **about}


def _read(text: str) -> Action:
    """Raises InvalidParameter."""
    try:
        action = Action.model_validate(orjson.loads(text))
    except orjson.JSONDecodeError as error:
        raise InvalidParameter("不是 JSON", "not JSON", field="message") from error
    except ValidationError as error:
        raise explain(error) from error
    refuse_unstorable(action)
    if action.action not in {"ping", "subscribe", "unsubscribe"}:
        raise InvalidParameter(
            "应为 subscribe、unsubscribe 或 ping", "must be subscribe, unsubscribe or ping", field="action"
        )
    if action.channel not in {"project", None}:
        raise InvalidParameter("应为 project", "must be project", field="channel")
    return action
