"""Each request's id: the client's own or a new one, in every log line of the request and in its answer."""

from aiohttp import web
from aiohttp.typedefs import Handler

from monitoring.tracing import REQUEST_ID_HEADER, request_id, traced

_REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)


def add_tracing(app: web.Application) -> None:
    """To be called before any other middleware is added, so that those log with the id too."""
    app.middlewares.append(_trace)
    app.on_response_prepare.append(_answer_id)


@web.middleware
async def _trace(request: web.Request, handler: Handler) -> web.StreamResponse:
    request[_REQUEST_ID] = request_id(request.headers.get(REQUEST_ID_HEADER))
    with traced(request_id=request[_REQUEST_ID]):
        return await handler(request)


async def _answer_id(request: web.Request, response: web.StreamResponse) -> None:
    # Here rather than in the middleware: a file or a WebSocket has sent its headers when the handler returns.
    if _REQUEST_ID in request:
        response.headers[REQUEST_ID_HEADER] = request[_REQUEST_ID]
