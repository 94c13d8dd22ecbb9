"""What a request that failed is answered: always the envelope, never a stack trace."""

import time
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from control_plane.errors import ApiError, InvalidParameter, NoModel, StorageFull, Unavailable
from control_plane.web.handler import envelope, failure, language_of
from control_plane.web.routes import API_PREFIX
from models.catalog import NoModelError
from monitoring.metrics import HTTP_REQUEST_SECONDS
from runtime.artifacts import DiskFullError
from scheduler.outage import is_disk_full, is_outage

log = structlog.get_logger(__name__)

_CLIENT_CLOSED = 499
"""What is counted for a client that has hung up; nobody is there to read it."""

_HAS_BEGUN: web.RequestKey[bool] = web.RequestKey("answer_has_begun", bool)


def add_failures(app: web.Application) -> None:
    app.middlewares.append(_answer_failures)
    app.on_response_prepare.append(_note_begun)


async def _note_begun(request: web.Request, response: web.StreamResponse) -> None:
    request[_HAS_BEGUN] = True


@web.middleware
async def _answer_failures(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """What was not foreseen is logged whole and answered without details."""
    started = time.perf_counter()
    try:
        response = await handler(request)
    except Exception as error:  # noqa: BLE001 - told apart there, and logged whole where it was not foreseen
        response = _refusal(request, error)
    resource = request.match_info.route.resource
    HTTP_REQUEST_SECONDS.labels(
        request.method, resource.canonical if resource else "unmatched", str(response.status)
    ).observe(time.perf_counter() - started)
    return response


def _refusal(request: web.Request, error: Exception) -> web.Response:
    """Raises the error itself where it is an answer of aiohttp's own outside the API."""
    is_gone = request.transport is None or request.transport.is_closing()
    if isinstance(error, ConnectionError) and is_gone:
        return web.Response(status=_CLIENT_CLOSED)
    if _HAS_BEGUN in request:
        log.error("answer broken off", method=request.method, path=request.path, exc_info=error)
        # A file or a WebSocket: another answer would be taken for a part of it, so the connection ends here.
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)
    language = language_of(request)
    if isinstance(error, ApiError):
        return failure(error, language)
    if isinstance(error, NoModelError):
        return failure(NoModel(error.kind), language)
    if isinstance(error, DiskFullError):
        log.error("disk full", error=str(error))
        return failure(StorageFull(), language)
    if isinstance(error, web.RequestPayloadError):
        told = InvalidParameter("内容编码有误或不完整", "it is not encoded as it says, or incomplete", field="body")
        return failure(told, language)
    if isinstance(error, web.HTTPException):
        if error.status < 400 or not request.path.startswith(API_PREFIX):
            raise error
        return _http_failure(request, error, language)
    log.error("request failed", method=request.method, path=request.path, exc_info=error)
    return failure(
        StorageFull() if is_disk_full(error) else Unavailable() if is_outage(error) else ApiError(), language
    )


def _http_failure(request: web.Request, error: web.HTTPException, language: str) -> web.Response:
    """aiohttp's own refusals (no such path, wrong method, body too large) in the envelope's form."""
    code = {404: 1004, 405: 1001, 413: 1001}.get(error.status, 1001 if error.status < 500 else 1000)
    zh = {404: "资源不存在", 405: "不支持的请求方法", 413: "请求体过大"}.get(error.status, error.reason)
    message = error.reason if language == "en" else zh
    response = envelope(None, code=code, message=message, status=error.status)
    if isinstance(error, web.HTTPMethodNotAllowed):
        response.headers["Allow"] = ",".join(sorted(_methods_of(request) or error.allowed_methods))
    return response


def _methods_of(request: web.Request) -> set[str]:
    """Of a path that has routes of its own. Those with an id in its place, which it fits too, do not count."""
    routes = request.app.router.routes()
    return {route.method for route in routes if route.resource and route.resource.canonical == request.path}
