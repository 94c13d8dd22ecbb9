"""Reading the pictures that become assets, in threads: small previews.

A preview is drawn here and not by the farm: it is there when the request is answered, a task would cost more to queue
than the drawing takes, and the pixels are bounded. How many are decoded at once is too, by the gate of the requests.
"""

import asyncio
import hashlib
import io

from PIL import Image, ImageOps

from control_plane.artifacts.tables import ArtifactRow
from control_plane.errors import InvalidParameter
from control_plane.work import Services
from models.specs import StoredArtifact
from runtime.artifacts import content_key

THUMBNAIL_WIDTH = 320
MAX_PIXELS = 50_000_000


async def thumbnail(services: Services, picture: ArtifactRow, *, field: str) -> StoredArtifact:
    """A small JPEG of a picture, stored. Raises InvalidParameter where it is none that can be read."""
    if picture.key is None:
        raise LookupError(f"artifact {picture.id} is not there yet")
    data = await services.store.get_bytes_async(picture.key)
    try:
        small = await asyncio.to_thread(_shrunk, data)
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
