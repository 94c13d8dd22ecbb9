"""Signed files and signed uploads: plain HTTP, outside the JSON envelope.

These two routes carry their permission in the URL's signature, so they take no token: a browser's <img> and <video>
can use them as they are.
"""

import re
from urllib.parse import quote

import structlog
from aiohttp import web

from control_plane.artifacts import tables
from control_plane.errors import Forbidden, InvalidParameter, NotFound, StorageFull, UploadFailed
from control_plane.web.handler import SERVICES, language_of
from control_plane.work import Services
from runtime.artifacts import DiskFullError

log = structlog.get_logger(__name__)

_RANGE = re.compile(r"^bytes=(\d{0,15})-(\d{0,15})$")


def add_file_routes(app: web.Application) -> None:
    app.router.add_get("/files/{artifact_id}", serve_file)
    app.router.add_put("/uploads/{upload_id}", receive_upload)


def upload_key(upload_id: str) -> str:
    """Where an upload lies until it is registered."""
    return f"uploads/{upload_id}"


def _check_signature(request: web.Request, services: Services, method: str) -> None:
    if not services.signer.is_valid(method, request.path, request.query.get("exp", ""), request.query.get("sig", "")):
        raise Forbidden("链接无效或已过期", "the link is not valid or has expired")


async def serve_file(request: web.Request) -> web.StreamResponse:
    """A file by its signed URL, with ranges. 404 with Retry-After while it is still being made."""
    services = request.app[SERVICES]
    _check_signature(request, services, "GET")
    async with services.database.transaction() as session:
        row = await tables.artifact(session, request.match_info["artifact_id"])
    if row is None:
        raise NotFound()
    if row.key is None:
        return web.json_response(
            {
                "code": 1004,
                "message": "文件生成中" if language_of(request) == "zh" else "not there yet",
                "data": None,
            },
            status=404,
            headers={"Retry-After": "2", "Cache-Control": "no-store"},
        )
    headers = {
        "Content-Type": row.media_type or "application/octet-stream",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, max-age=3600",
        "Content-Disposition": _disposition(row.file_name, row.key, download="download" in request.query),
        "ETag": f'"{row.sha256}"',
    }
    path = services.store.local_path(row.key)
    if path is not None:
        return web.FileResponse(path, headers=headers)
    if services.store.local_root is not None:
        raise NotFound()
    return await _stream(request, services, row, headers)


async def _stream(
    request: web.Request, services: Services, row: tables.ArtifactRow, headers: dict[str, str]
) -> web.StreamResponse:
    """From an object store, range by range."""
    assert row.key is not None  # noqa: S101 - the caller looked
    start, end, status = 0, row.size, 200
    match = _RANGE.match(request.headers.get("Range", ""))
    if match and (match[1] or match[2]):
        start = int(match[1]) if match[1] else max(0, row.size - int(match[2]))
        end = min(row.size, int(match[2]) + 1) if match[1] and match[2] else row.size
        if start >= end:
            raise web.HTTPRequestRangeNotSatisfiable(headers={"Content-Range": f"bytes */{row.size}"})
        status = 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{row.size}"
    response = web.StreamResponse(
        status=status, headers={**headers, "Content-Length": str(end - start), "Accept-Ranges": "bytes"}
    )
    await response.prepare(request)
    async for chunk in services.store.stream(row.key, start, end):
        await response.write(chunk)
    await response.write_eof()
    return response


async def receive_upload(request: web.Request) -> web.Response:
    """Store the body under the upload's key; what it is gets checked when it is registered."""
    services = request.app[SERVICES]
    _check_signature(request, services, "PUT")
    limit = services.settings.upload_max_bytes
    if (request.content_length or 0) > limit:
        raise UploadFailed(f"文件超过 {limit} 字节", f"the file exceeds {limit} bytes", field="body")
    body = bytearray()
    async for chunk in request.content.iter_chunked(256 * 1024):
        body += chunk
        if len(body) > limit:
            raise UploadFailed(f"文件超过 {limit} 字节", f"the file exceeds {limit} bytes", field="body")
    if not body:
        raise InvalidParameter("文件为空", "the file is empty", field="body")
    try:
        await services.store.put_bytes_async(upload_key(request.match_info["upload_id"]), bytes(body))
    except DiskFullError as error:
        log.error("upload refused, disk full", error=str(error))
        raise StorageFull() from error
    return web.json_response({"code": 0, "message": "success", "data": None})


def _disposition(file_name: str, key: str, *, download: bool) -> str:
    suffix = "." + key.rpartition(".")[2] if "." in key else ""
    name = file_name if file_name.endswith(suffix) else file_name + suffix
    return f"{'attachment' if download else 'inline'}; filename*=UTF-8''{quote(name)}"
