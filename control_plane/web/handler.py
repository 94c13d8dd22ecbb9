"""From an HTTP request to a handler and back: parsing, the envelope, the transaction, errors."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import structlog
from aiohttp import web
from pydantic import BaseModel, ValidationError

from control_plane.accounts import access
from control_plane.accounts.actor import Access
from control_plane.accounts.tokens import actor_of
from control_plane.errors import ApiError, InvalidParameter, NotFound, StorageFull, Unavailable
from control_plane.web import idempotency
from control_plane.web.messages import explain
from control_plane.web.models import RequestModel, to_json
from control_plane.web.routes import API_PREFIX, Call, Endpoint, Method
from control_plane.work import Services, unit_of_work
from monitoring.metrics import HTTP_REQUEST_SECONDS
from runtime.artifacts import DiskFullError
from scheduler.outage import is_disk_full, is_outage

log = structlog.get_logger(__name__)

SERVICES: web.AppKey[Services] = web.AppKey("services", Services)
MAX_BODY_BYTES = 2 * 1024 * 1024


def language_of(request: web.Request) -> str:
    """``en`` where the client prefers English, Chinese otherwise."""
    return "en" if request.headers.get("Accept-Language", "").lower().startswith("en") else "zh"


def envelope(data: Any, *, code: int = 0, message: str = "success", status: int = 200) -> web.Response:
    body = orjson.dumps({"code": code, "message": message, "data": data})
    return web.Response(body=body, status=status, content_type="application/json", charset="utf-8")


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

    async def handle(request: web.Request) -> web.StreamResponse:
        services = request.app[SERVICES]
        if any("\0" in value for value in request.match_info.values()):
            raise NotFound()
        actor = None if endpoint.access is Access.PUBLIC else actor_of(request, services.settings, endpoint.access)
        arguments: list[RequestModel] = []
        if endpoint.body is not None:
            arguments.append(await _parse_body(request, endpoint.body))
        if endpoint.query is not None:
            arguments.append(_parse_query(request, endpoint.query))
        async with unit_of_work(services) as work:
            if actor is not None and not loads_what_it_reads:
                actor = await access.enter(work.session, actor)
                if not names_a_resource:
                    access.check_space(actor)
            call = Call(work, dict(request.match_info), language_of(request), request.remote or "", actor)
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
            data = None if answer is None else to_json(answer, services.signer)
        return envelope(data)

    return handle


async def _parse_body(request: web.Request, model: type[RequestModel]) -> RequestModel:
    if not request.can_read_body:
        return _validated(model, b"{}")
    if request.content_type != "application/json":
        raise InvalidParameter(
            "请求体必须是 application/json", "the body must be application/json", field="Content-Type"
        )
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise InvalidParameter("请求体过大", f"the body exceeds {MAX_BODY_BYTES} bytes", field="body")
    return _validated(model, await request.read())


def _validated(model: type[RequestModel], raw: bytes) -> RequestModel:
    try:
        parsed = model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        raise explain(error) from error
    refuse_nul(parsed)
    return parsed


def _parse_query(request: web.Request, model: type[RequestModel]) -> RequestModel:
    values: dict[str, Any] = {}
    for name in request.query:
        every = request.query.getall(name)
        values[name] = every if len(every) > 1 else every[0]
    try:
        parsed = model.model_validate(values)
    except ValidationError as error:
        raise explain(error) from error
    refuse_nul(parsed)
    return parsed


def refuse_nul(model: BaseModel) -> None:
    """PostgreSQL has no NUL in text, so it is refused here, by name, rather than failing there."""

    def walk(value: Any, path: str) -> None:
        if isinstance(value, str) and "\0" in value:
            raise InvalidParameter("含有空字符", "contains a NUL character", field=path)
        if isinstance(value, dict):
            for key, item in value.items():
                walk(key, path)
                walk(item, f"{path}.{key}" if path else str(key))
        elif isinstance(value, list | tuple):
            for index, item in enumerate(value):
                walk(item, f"{path}.{index}")

    walk(model.model_dump(), "")


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
    except web.HTTPException as error:
        if error.status < 400 or not request.path.startswith(API_PREFIX):
            raise
        response = _http_failure(error, language)
    except (ConnectionResetError, TimeoutError):
        raise
    except Exception as error:
        log.exception("request failed", method=request.method, path=request.path)
        told = StorageFull() if is_disk_full(error) else Unavailable() if is_outage(error) else ApiError()
        response = failure(told, language)
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
