"""Which pages of other origins a browser lets read our answers."""

from collections.abc import Collection

from aiohttp import web
from aiohttp.typedefs import Handler

from monitoring.tracing import REQUEST_ID_HEADER

_REQUEST_HEADERS = f"Authorization, Content-Type, Accept-Language, Idempotency-Key, Range, {REQUEST_ID_HEADER}"
_ANSWER_HEADERS = f"Content-Disposition, Content-Range, ETag, Retry-After, {REQUEST_ID_HEADER}"


def add_cors(app: web.Application, allowed_origins: Collection[str]) -> None:
    """For the origins given; ``*`` stands for any. To be called before what answers errors is added."""
    allowed = set(allowed_origins)
    if not allowed:
        return

    def is_allowed(request: web.Request) -> bool:
        origin = request.headers.get("Origin", "")
        return origin in allowed or bool(origin and "*" in allowed)

    @web.middleware
    async def answer_preflights(request: web.Request, handler: Handler) -> web.StreamResponse:
        is_preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        if not is_preflight or not is_allowed(request):
            return await handler(request)
        return web.Response(
            status=204,
            headers={
                "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
                "Access-Control-Allow-Headers": _REQUEST_HEADERS,
                "Access-Control-Max-Age": "3600",
            },
        )

    async def allow(request: web.Request, response: web.StreamResponse) -> None:
        response.headers.add("Vary", "Origin")
        if is_allowed(request):
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response.headers["Access-Control-Expose-Headers"] = _ANSWER_HEADERS

    app.middlewares.append(answer_preflights)
    # When an answer begins, since a file has sent its headers by the time its handler returns.
    app.on_response_prepare.append(allow)
