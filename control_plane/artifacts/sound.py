"""How long a sound lasts, by its own file."""

import asyncio
import io

from tinytag import TinyTag, TinyTagException

from control_plane.artifacts.tables import ArtifactRow
from control_plane.errors import InvalidParameter
from control_plane.work import Services


async def sound_length_s(services: Services, sound: ArtifactRow, *, field: str) -> float:
    """Raises InvalidParameter for a file that holds no sound that can be read."""
    if sound.key is None:
        raise LookupError(f"artifact {sound.id} is not there yet")
    data = await services.store.get_bytes_async(sound.key)
    try:
        tag = await asyncio.to_thread(TinyTag.get, f"sound.{sound.key.rpartition('.')[2]}", io.BytesIO(data))
    except (TinyTagException, ValueError, OSError) as error:
        raise InvalidParameter("声音无法读取", "the sound cannot be read", field=field) from error
    if not tag.duration or not 0 < tag.duration < float("inf"):
        raise InvalidParameter("没有可播放的声音", "there is no sound in it", field=field)
    return float(tag.duration)
