"""Small pictures for the options: the shape of an aspect ratio, a badge for a model. Drawn when asked for."""

import colorsys
import hashlib
import io
from functools import lru_cache

from aiohttp import web
from PIL import Image, ImageDraw

from control_plane.errors import NotFound
from control_plane.inputs.rules import ASPECT_RATIOS
from control_plane.web.handler import SERVICES

_CACHE = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}


def add_picture_routes(app: web.Application) -> None:
    app.router.add_get("/pictures/ratios/{name}.png", ratio_picture)
    app.router.add_get("/pictures/models/{name}.png", model_picture)


async def ratio_picture(request: web.Request) -> web.Response:
    ratio = ASPECT_RATIOS.get(request.match_info["name"].replace("x", ":"))
    if ratio is None:
        raise NotFound()
    return web.Response(body=_draw_ratio(*ratio.size(120)), content_type="image/png", headers=_CACHE)


async def model_picture(request: web.Request) -> web.Response:
    model = request.app[SERVICES].catalog.get(request.match_info["name"])
    if model is None:
        raise NotFound()
    return web.Response(body=_draw_badge(model.id), content_type="image/png", headers=_CACHE)


@lru_cache(maxsize=16)
def _draw_ratio(width: int, height: int) -> bytes:
    image = Image.new("RGBA", (320, 320), (0, 0, 0, 0))
    scale = min(1.0, 280 / max(width, height))
    half_width, half_height = width * scale / 2, height * scale / 2
    ImageDraw.Draw(image).rounded_rectangle(
        (160 - half_width, 160 - half_height, 160 + half_width, 160 + half_height),
        10,
        outline="#415a77",
        width=6,
    )
    return _png(image)


@lru_cache(maxsize=256)
def _draw_badge(model_id: str) -> bytes:
    """A disc in a colour of the model's own with a pattern of its id's bits, so that two models are told apart."""
    digest = hashlib.sha256(model_id.encode()).digest()
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(digest[0] / 255, 0.55, 0.75))
    image = Image.new("RGBA", (96, 96), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((2, 2, 93, 93), fill=(red, green, blue, 255))
    for index in range(9):
        if digest[1 + index] & 1:
            x, y = 26 + 16 * (index % 3), 26 + 16 * (index // 3)
            draw.rectangle((x, y, x + 11, y + 11), fill=(255, 255, 255, 220))
    return _png(image)


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
