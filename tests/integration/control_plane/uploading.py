"""Uploading as a browser does, for tests."""

import hashlib
import io
from typing import Any

import aiohttp
from PIL import Image

from tests.integration.control_plane.conftest import Client


def picture(colour: str = "red", kind: str = "PNG", size: tuple[int, int] = (64, 48)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind)
    return buffer.getvalue()


async def put(user: Client, data: bytes) -> str:
    """Upload; returns the address to register by."""
    config = await user.get("/attachments/upload-config")
    async with user.session.put(config["upload_url"], data=data) as answer:
        assert answer.status == 200, await answer.text()
    return str(config["file_url"])


def registration(data: bytes, file_url: str, **changes: Any) -> dict[str, Any]:
    return {
        "file_name": "参考.png",
        "file_type": "image/png",
        "file_category": "image",
        "file_size": len(data),
        "file_url": file_url,
        "file_hash": hashlib.sha256(data).hexdigest(),
    } | changes


async def attach(user: Client, data: bytes, **changes: Any) -> dict[str, Any]:
    attachment: dict[str, Any] = await user.post("/attachments", registration(data, await put(user, data), **changes))
    return attachment


async def fetch(
    session: aiohttp.ClientSession, url: str, method: str = "GET", **headers: str
) -> tuple[int, aiohttp.ClientResponse, bytes]:
    """A file, with header names in snake case."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with session.request(method, url, headers=named) as answer:
        return answer.status, answer, await answer.read()
