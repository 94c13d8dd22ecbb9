"""Reading the pictures and sounds that become assets, in threads: small previews, true lengths.

A preview is drawn here and not by the farm: it is there when the request is answered, a task would cost more to queue
than the drawing takes, and both the pixels and how many are decoded at once are bounded.
"""

import asyncio
import hashlib
import io
from concurrent.futures import ThreadPoolExecutor

from PIL import Image, ImageOps
from tinytag import TinyTag, TinyTagException

from control_plane.artifacts.tables import ArtifactRow
from control_plane.errors import InvalidParameter
from control_plane.work import Services
from models.specs import StoredArtifact
from runtime.artifacts import content_key

THUMBNAIL_WIDTH = 320
MAX_PIXELS = 50_000_000
_DRAWERS = ThreadPoolExecutor(2, "thumbnail")
"""Few, since a decoded picture takes up to 200 MB."""


async def thumbnail(services: Services, picture: ArtifactRow, *, field: str) -> StoredArtifact:
    """A small JPEG of a picture, stored. Raises InvalidParameter where it is none that can be read."""
    data = await services.store.get_bytes_async(_key(picture))
    try:
        small = await asyncio.get_running_loop().run_in_executor(_DRAWERS, _shrunk, data)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InvalidParameter(
            "图片无法解码或过大", "the picture cannot be decoded or is too large", field=field
        ) from error
    sha256 = hashlib.sha256(small).hexdigest()
    stored = StoredArtifact(key=content_key(sha256, ".jpg"), media_type="image/jpeg", size=len(small), sha256=sha256)
    await services.store.put_bytes_async(stored.key, small)
    return stored


def _shrunk(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        if image.width * image.height > MAX_PIXELS:
            raise ValueError("too many pixels")
        image.draft("RGB", (2 * THUMBNAIL_WIDTH, 2 * THUMBNAIL_WIDTH))
        upright = ImageOps.exif_transpose(image).convert("RGBA")
        width = min(upright.width, THUMBNAIL_WIDTH)
        small = upright.resize((width, max(1, round(upright.height * width / upright.width))), reducing_gap=2.0)
        ground = Image.new("RGBA", small.size, "white")
        buffer = io.BytesIO()
        Image.alpha_composite(ground, small).convert("RGB").save(buffer, "JPEG", quality=85)
        return buffer.getvalue()


async def sound_length_s(services: Services, sound: ArtifactRow, *, field: str) -> float:
    """How long a sound lasts by its own file. Raises InvalidParameter where it is none that can be read."""
    data = await services.store.get_bytes_async(_key(sound))
    try:
        tag = await asyncio.to_thread(TinyTag.get, f"sound.{_key(sound).rpartition('.')[2]}", io.BytesIO(data))
    except (TinyTagException, ValueError, OSError) as error:
        raise InvalidParameter("声音无法读取", "the sound cannot be read", field=field) from error
    if not tag.duration or tag.duration <= 0:
        raise InvalidParameter("没有可播放的声音", "there is no sound in it", field=field)
    return float(tag.duration)


def _key(row: ArtifactRow) -> str:
    if row.key is None:
        raise LookupError(f"artifact {row.id} is not there yet")
    return row.key
