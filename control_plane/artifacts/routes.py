"""How files were made; and signed files and signed uploads: plain HTTP, outside the JSON envelope.

The latter two routes carry their permission in the URL's signature, so they take no token: a browser's <img> and
<video> can use them as they are.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import structlog
from aiohttp import web

from control_plane.accounts.actor import Access
from control_plane.artifacts import tables, uploads
from control_plane.artifacts.provenance import of_file
from control_plane.artifacts.ranges import wanted_part
from control_plane.artifacts.schemas import FileProvenance
from control_plane.assets.previews import ask_for_file
from control_plane.errors import Forbidden, InvalidParameter, NotFound, StorageFull, UploadFailed
from control_plane.web.handler import SERVICES, language_of
from control_plane.web.routes import Call, Routes
from control_plane.work import Services, unit_of_work
from runtime.artifacts import DiskFullError

log = structlog.get_logger(__name__)

_CHUNK = 1 << 20


routes = Routes("files")


@routes.get("/files/{artifact_id}/provenance", access=Access.READ, response=FileProvenance)
async def provenance(call: Call) -> FileProvenance:
    """How a file was made: model, seed, parameters, and from which files."""
    return await of_file(call.work, call.actor, call.path["artifact_id"])


def add_file_routes(app: web.Application) -> None:
    app.router.add_get("/files/{artifact_id}", serve_file)
    app.router.add_put("/uploads/{upload_id}", receive_upload)


def _check_signature(request: web.Request, services: Services, method: str) -> None:
    if not services.signer.is_valid(method, request.path, request.query.get("exp", ""), request.query.get("sig", "")):
        raise _not_valid()


def _not_valid() -> Forbidden:
    return Forbidden("链接无效或已过期", "the link is not valid or has expired")


async def serve_file(request: web.Request) -> web.StreamResponse:
    """A file by its signed URL, with ranges. 404 with Retry-After while it is still being made."""
    services = request.app[SERVICES]
    _check_signature(request, services, "GET")
    async with services.database.transaction() as session:
        row = await tables.artifact(session, request.match_info["artifact_id"])
    if row is None:
        raise NotFound()
    if row.key is None:
        if row.tenant_id == tables.PUBLIC_TENANT:
            async with unit_of_work(services) as work:
                await ask_for_file(work, row.id)
        return web.json_response(
            {
                "code": 1004,
                "message": "文件生成中" if language_of(request) == "zh" else "not there yet",
                "data": None,
            },
            status=404,
            headers={"Retry-After": "2", "Cache-Control": "no-store"},
        )
    etag = f'"{row.sha256}"'
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, max-age=3600",
        "Accept-Ranges": "bytes",
        "ETag": etag,
    }
    part = wanted_part(
        row.size,
        etag,
        range_=request.headers.get("Range"),
        if_range=request.headers.get("If-Range"),
        if_none_match=request.headers.get("If-None-Match"),
    )
    if part.status == 304:
        return web.Response(status=304, headers=headers)
    if part.status == 416:
        return web.Response(status=416, headers=headers | {"Content-Range": f"bytes */{row.size}"})
    headers |= {
        "Content-Type": _content_type(row.media_type),
        "Content-Disposition": _disposition(row.file_name, row.key, download="download" in request.query),
        "Content-Length": str(part.end - part.start),
    }
    if part.status == 206:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{row.size}"
    response = web.StreamResponse(status=part.status, headers=headers)
    chunks = services.store.stream(row.key, part.start, part.end)
    await _send(request, response, chunks)
    return response


async def _send(request: web.Request, response: web.StreamResponse, chunks: AsyncIterator[bytes]) -> None:
    """Raises NotFound where the object is not there: nothing has been answered by then."""
    try:
        first = await anext(chunks, b"")
    except FileNotFoundError as error:
        raise NotFound() from error
    await response.prepare(request)
    if request.method != "HEAD":
        await response.write(first)
        async for chunk in chunks:
            await response.write(chunk)
    await response.write_eof()


async def receive_upload(request: web.Request) -> web.Response:
    """Store the body under the upload's key; what it is gets checked when it is registered.

    It appears there whole or not at all: a client that goes away, or sends too much, leaves nothing. Nothing is taken
    for an upload that is registered already or whose time is over, even if that came while it was being sent.
    """
    services, upload_id = request.app[SERVICES], request.match_info["upload_id"]
    _check_signature(request, services, "PUT")
    async with services.database.transaction() as session:
        if not await uploads.is_open(session, upload_id):
            raise _not_valid()
    _check_limit(services, request.content_length or 0)
    try:
        services.store.check_room(request.content_length or 0)
        with services.store.scratch() as directory:
            path = directory / "upload"
            size, sha256 = await _receive(request, services, path)
            async with services.database.transaction() as session:
                if not await uploads.is_open(session, upload_id):
                    raise _not_valid()
                await asyncio.to_thread(services.store.move_file, uploads.upload_key(upload_id), path)
    except DiskFullError as error:
        log.error("upload refused, disk full", error=str(error))
        raise StorageFull() from error
    return web.json_response({"code": 0, "message": "success", "data": {"file_size": size, "file_hash": sha256}})


async def _receive(request: web.Request, services: Services, path: Path) -> tuple[int, str]:
    """The body in a file; its size in bytes and its SHA-256."""
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        while chunk := await request.content.read(_CHUNK):
            size += len(chunk)
            _check_limit(services, size)
            services.store.check_room(len(chunk))
            digest.update(chunk)
            file.write(chunk)
    if not size:
        raise InvalidParameter("文件为空", "the file is empty", field="body")
    return size, digest.hexdigest()


def _check_limit(services: Services, size: int) -> None:
    limit = services.settings.upload_max_bytes
    if size > limit:
        raise UploadFailed(f"文件超过 {limit} 字节", f"the file exceeds {limit} bytes", field="body")


def _content_type(media_type: str | None) -> str:
    if media_type is None:
        return "application/octet-stream"
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type


def _disposition(file_name: str, key: str, *, download: bool) -> str:
    suffix = "." + key.rpartition(".")[2] if "." in key else ""
    name = file_name if file_name.endswith(suffix) else file_name + suffix
    return f"{'attachment' if download else 'inline'}; filename*=UTF-8''{quote(name, safe='')}"
