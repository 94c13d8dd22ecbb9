"""From an HTTP request to a handler and back: parsing, the envelope, the transaction."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import Any

import orjson
from aiohttp import web

from control_plane.accounts import access
from control_plane.accounts.actor import Access, Actor
from control_plane.accounts.tokens import actor_of
from control_plane.errors import ApiError
from control_plane.moderation.hook import check_request
from control_plane.web import idempotency
from control_plane.web.client_ip import client_ip_of
from control_plane.web.models import RequestModel, to_json_bytes
from control_plane.web.parsing import Nothing, QueryParser, check_path, parse_body, read_body, refuse_body
from control_plane.web.routes import API_PREFIX, Call, Endpoint, Gate, Method
from control_plane.work import Services, reading_work, unit_of_work

SERVICES: web.AppKey[Services] = web.AppKey("services", Services)

# Of the request line and of one header. Longer ones are refused by the parser of HTTP, in plain text.
MAX_LINE_BYTES = 32 * 1024

_TURNS: web.AppKey[dict[Gate, asyncio.Semaphore]] = web.AppKey("turns")
"""At the gates of the application's endpoints."""

_LANGUAGE: web.RequestKey[str | None] = web.RequestKey("language", str)
"""Where a request keeps its user's stored language."""

_JSON_HEADERS = {"Content-Type": "application/json; charset=utf-8"}


def language_of(request: web.Request) -> str:
    """``en`` or ``zh``: what the request asks for, else what its user has chosen, as far as that was loaded."""
    asked = request.headers.get("Accept-Language")
    if asked is None:
        return str(request.get(_LANGUAGE) or "zh")
    return "en" if asked.lower().startswith("en") else "zh"


def _knows_language(request: web.Request) -> bool:
    return "Accept-Language" in request.headers or _LANGUAGE in request


def envelope(data: Any, *, code: int = 0, message: str = "success", status: int = 200) -> web.Response:
    return _json(orjson.dumps({"code": code, "message": message, "data": data}), status)


def _json(body: bytes, status: int) -> web.Response:
    return web.Response(body=body, status=status, headers=_JSON_HEADERS)


def failure(error: ApiError, language: str) -> web.Response:
    response = envelope(None, code=error.code, message=error.message(language), status=error.status)
    if error.status == 429:
        response.headers["Retry-After"] = "60"
    return response


def register(app: web.Application, endpoint: Endpoint) -> None:
    if _TURNS not in app:
        app[_TURNS] = {}
    gate = endpoint.gate
    turns = app[_TURNS].setdefault(gate, asyncio.Semaphore(gate.at_once)) if gate is not None else nullcontext()
    app.router.add_route(endpoint.method.value, API_PREFIX + endpoint.path, _aiohttp_handler(endpoint, turns))


def _aiohttp_handler(
    endpoint: Endpoint, turns: AbstractAsyncContextManager[None]
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    needs_replay = endpoint.method is Method.POST and endpoint.access is not Access.PUBLIC
    names_a_resource = endpoint.names_a_resource
    # Polled most: the query that loads the resource checks the session too.
    enters = not endpoint.loads_what_it_reads or endpoint.speaks
    takes_no_body = endpoint.method is Method.GET
    body_model, query_parser = endpoint.body or Nothing, QueryParser(endpoint.query or Nothing)

    async def parse(request: web.Request) -> list[RequestModel]:
        arguments = []
        if takes_no_body:
            refuse_body(request)
        else:
            body = parse_body(body_model, await read_body(request))
            if endpoint.body is not None:
                arguments.append(body)
        if endpoint.query is not None or request.query_string:
            query = query_parser.parse(request.query)
            if endpoint.query is not None:
                arguments.append(query)
        return arguments

    async def answer(request: web.Request, services: Services, actor: Actor | None) -> web.StreamResponse:
        path = request.match_info
        check_path(path)
        arguments = await parse(request)
        await check_request(services.moderator, arguments)
        async with turns, unit_of_work(services) if endpoint.transacts else reading_work(services) as work:
            if actor is not None and enters:
                actor = await access.enter(work.session, actor)
                request[_LANGUAGE] = actor.language
                if not names_a_resource:
                    access.check_space(actor)
            client_ip = client_ip_of(request, services.settings.trusted_proxies)
            call = Call(work, dict(path), language_of(request), client_ip, actor)
            key = request.headers.get("Idempotency-Key") if needs_replay and actor else None
            if key is None or actor is None:
                found = await endpoint.handler(call, *arguments)
            else:
                fingerprint = idempotency.fingerprint(
                    services.settings.secret_key.get_secret_value(), endpoint.path, request.path, arguments
                )
                found = await idempotency.once(
                    work.session,
                    actor.user_id,
                    key,
                    fingerprint,
                    endpoint.response,
                    lambda: endpoint.handler(call, *arguments),
                    partial(endpoint.secrets, services) if endpoint.secrets is not None else None,
                )
            data = b"null" if found is None else to_json_bytes(found, services.signer, language_of(request))
        return _json(b'{"code":0,"message":"success","data":' + data + b"}", 200)

    async def handle(request: web.Request) -> web.StreamResponse:
        services = request.app[SERVICES]
        actor = None if endpoint.access is Access.PUBLIC else actor_of(request, services.settings, endpoint.access)
        try:
            return await answer(request, services, actor)
        except ApiError:
            # A refusal before the user was loaded; it speaks the user's language all the same.
            if actor is not None and not _knows_language(request):
                async with services.database.transaction() as session:
                    request[_LANGUAGE] = await access.language_of_user(session, actor.user_id)
            raise

    return handle
