"""Files as users upload them."""

import asyncio
import io
import wave
from typing import Any

import numpy as np
from PIL import Image

from tests.integration.control_plane.conftest import Client


def picture(colour: str = "#08d020", size: tuple[int, int] = (640, 360)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def sound(seconds: float = 1.0, hz: float = 440.0) -> bytes:
    times = np.arange(round(8000 * seconds)) / 8000
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((8000 * np.sin(2 * np.pi * hz * times)).astype("<i2").tobytes())
    return buffer.getvalue()


async def upload(user: Client, data: bytes, name: str, media_type: str, category: str, **changes: Any) -> Any:
    """An attachment."""
    config = await user.get("/attachments/upload-config")
    async with user.session.put(config["upload_url"], data=data) as answer:
        assert answer.status == 200
    registration = {
        "file_name": name,
        "file_type": media_type,
        "file_category": category,
        "file_size": len(data),
        "file_url": config["file_url"],
    }
    return await user.post("/attachments", registration | changes)


async def upload_picture(user: Client, colour: str = "#08d020", size: tuple[int, int] = (640, 360)) -> Any:
    return await upload(user, picture(colour, size), "picture.png", "image/png", "image")


async def upload_sound(user: Client, seconds: float = 1.0, hz: float = 440.0) -> Any:
    return await upload(user, sound(seconds, hz), "sound.wav", "audio/wav", "audio")


async def fetch(user: Client, url: str) -> bytes:
    async with user.session.get(url) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read()


async def fetch_made(user: Client, url: str) -> bytes:
    """A file that is still being made, once it is there."""
    async with asyncio.timeout(60):
        while True:
            async with user.session.get(url) as answer:
                if answer.status == 200:
                    return await answer.read()
            await asyncio.sleep(0.05)


async def looks(user: Client, url: str) -> Image.Image:
    return Image.open(io.BytesIO(await fetch(user, url))).convert("RGB")
