"""The API's own documentation: the specification, and a page that shows it. Everything the page needs is served from
here, so it works without the internet."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import orjson
from aiohttp import web

from control_plane.errors import NotFound
from control_plane.web.openapi import openapi_document
from control_plane.web.routes import API_PREFIX, Endpoint
from control_plane.web.signing import Signer

_PARTS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Reelfarm API</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
<div id="page"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
"""
_START = """SwaggerUIBundle({
  url: new URL("api/v1/openapi.json", document.baseURI).pathname,
  dom_id: "#page",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  validatorUrl: null,
});
"""


def _directory() -> Path:
    """Where Swagger UI lies. Found without importing the package, which would load a web framework."""
    spec = find_spec("flask_swagger_ui")
    if spec is None or spec.origin is None:
        raise NotFound("未安装 Swagger UI", "Swagger UI is not installed")
    return Path(spec.origin).parent / "dist"


def add_docs_routes(app: web.Application, endpoints: Iterable[Endpoint], signer: Signer) -> None:
    document = b""

    async def specification(request: web.Request) -> web.Response:
        nonlocal document
        if not document:
            document = orjson.dumps(openapi_document(endpoints, signer.public_url))
        return web.Response(body=document, content_type="application/json", charset="utf-8")

    app.router.add_get(f"{API_PREFIX}/openapi.json", specification)
    app.router.add_get("/docs", page)
    app.router.add_get("/docs/start.js", start)
    app.router.add_get("/docs/{name}", part)


async def page(request: web.Request) -> web.Response:
    return web.Response(text=_PAGE, content_type="text/html", headers=_HEADERS)


async def start(request: web.Request) -> web.Response:
    return web.Response(text=_START, content_type="text/javascript", headers=_HEADERS)


async def part(request: web.Request) -> web.StreamResponse:
    name = request.match_info["name"]
    if name not in _PARTS:
        raise NotFound(field="name")
    return web.FileResponse(
        _directory() / name,
        headers={**_HEADERS, "Content-Type": _PARTS[name], "Cache-Control": "public, max-age=86400"},
    )
