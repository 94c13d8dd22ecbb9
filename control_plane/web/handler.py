"""From an HTTP request to a handler and back: parsing, the envelope, the transaction, errors."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import structlog
from aiohttp import web

from control_plane.accounts import access
from control_plane.accounts.actor import Access
from control_plane.accounts.tokens import actor_of
from control_plane.errors import ApiError, InvalidParameter, StorageFull, Unavailable
from control_plane.web import idempotency
from control_plane.web.models import RequestModel, to_json_bytes
from control_plane.web.parsing import Nothing, QueryParser, check_path, parse_body, read_body, refuse_body
from control_plane.web.routes import API_PREFIX, Call, Endpoint, Method
from control_plane.work import Services, unit_of_work
from monitoring.metrics import HTTP_REQUEST_SECONDS
from runtime.artifacts import DiskFullError
from scheduler.outage import is_outage

log = structlog.get_logger(__name__)

SERVICES: web.AppKey[Services] = web.AppKey("services", Services)

# Of the request line and of one header. Longer ones are refused by the parser of HTTP, in plain text.
MAX_LINE_BYTES = 32 * 1024

_JSON_HEADERS = {"Content-Type": "application/json; charset=utf-8"}


def language_of(request: web.Request) -> str:
    """``en`` where the client prefers English, Chinese otherwise."""
    return "en" if request.headers.get("Accept-Language", "").lower().startswith("en") else "zh"


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
    app.router.add_route(endpoint.method.value, API_PREFIX + endpoint.path, _aiohttp_handler(endpoint))


def _aiohttp_handler(endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    needs_replay = endpoint.method is Method.POST and endpoint.access is not Access.PUBLIC
    names_a_resource = "{" in endpoint.path
    # Polled most: the query that loads the resource checks the session too.
    loads_what_it_reads = names_a_resource and endpoint.access is Access.READ
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

    async def handle(request: web.Request) -> web.StreamResponse:
        services = request.app[SERVICES]
        actor = None if endpoint.access is Access.PUBLIC else actor_of(request, services.settings, endpoint.access)
        path = request.match_info
        check_path(path)
        arguments = await parse(request)
        async with unit_of_work(services) as work:
            if actor is not None and not loads_what_it_reads:
                actor = await access.enter(work.session, actor)
                if not names_a_resource:
                    access.check_space(actor)
            call = Call(work, dict(path), language_of(request), request.remote or "", actor)
            key = request.headers.get("Idempotency-Key") if needs_replay and actor else None
            if key is None or actor is None:
                answer = await endpoint.handler(call, *arguments)
            else:
                fingerprint = idempotency.fingerprint(endpoint.path, request.path, arguments)
                answer = await idempotency.once(
                    work.session,
                    actor.user_id,
                    key,
                    fingerprint,
                    endpoint.response,
                    lambda: endpoint.handler(call, *arguments),
                )
            data = b"null" if answer is None else to_json_bytes(answer, services.signer)
        return _json(b'{"code":0,"message":"success","data":' + data + b"}", 200)

    return handle


@web.middleware
async def error_middleware(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Every failure leaves as an envelope; what was not foreseen is logged whole and answered without details."""
    started = time.perf_counter()
    language = language_of(request)
    try:
        response = await handler(request)
    except ApiError as error:
        response = failure(error, language)
    except DiskFullError as error:
        log.error("disk full", error=str(error))
        response = failure(StorageFull(), language)
    except web.RequestPayloadError:
        response = failure(
            InvalidParameter("内容编码有误或不完整", "it is not encoded as it says, or incomplete", field="body"),
            language,
        )
    except web.HTTPException as error:
        if error.status < 400 or not request.path.startswith(API_PREFIX):
            raise
        response = _http_failure(error, language)
    except (ConnectionResetError, TimeoutError):
        raise
    except Exception as error:
        log.exception("request failed", method=request.method, path=request.path)
        response = failure(Unavailable() if is_outage(error) else ApiError(), language)
    resource = request.match_info.route.resource
    HTTP_REQUEST_SECONDS.labels(
        request.method, resource.canonical if resource else "unmatched", str(response.status)
    ).observe(time.perf_counter() - started)
    return response


def _http_failure(error: web.HTTPException, language: str) -> web.Response:
    """aiohttp's own refusals (no such path, wrong method, body too large) in the envelope's form."""
    code = {404: 1004, 405: 1001, 413: 1001}.get(error.status, 1001 if error.status < 500 else 1000)
    zh = {404: "资源不存在", 405: "不支持的请求方法", 413: "请求体过大"}.get(error.status, error.reason)
    message = error.reason if language == "en" else zh
    response = envelope(None, code=code, message=message, status=error.status)
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response
