"""What an uploaded file really is: its bytes decide, its name and the client's word do not."""

import io

import puremagic
from PIL import Image, UnidentifiedImageError

from control_plane.errors import UploadFailed

MAX_IMAGE_PIXELS = 50_000_000
_IMAGE_FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
# The names that clients and puremagic use for the same type.
_ALIASES = {
    "image/jpg": "image/jpeg",
    "audio/wave": "audio/wav",
    "audio/x-wav": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/mp3": "audio/mpeg",
    "audio/x-flac": "audio/flac",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "text/x-markdown": "text/markdown",
}
SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "audio/flac": ".flac",
    "audio/ogg": ".ogg",
    "audio/mp4": ".m4a",
    "text/plain": ".txt",
    "text/markdown": ".md",
}
ALLOWED_TYPES = tuple(SUFFIXES)
_CATEGORY_OF = {"image": "image", "audio": "audio", "text": "document"}


def checked_type(data: bytes, declared: str, category: str) -> str:
    """The file's true type. Raises UploadFailed where it is not what it claims to be, or not a type we take."""
    claimed = _ALIASES.get(declared.lower().partition(";")[0].strip(), declared.lower().partition(";")[0].strip())
    if claimed not in SUFFIXES:
        allowed = ", ".join(ALLOWED_TYPES)
        raise UploadFailed(
            f"不支持 {declared}，可用：{allowed}", f"{declared} is not one of {allowed}", field="file_type"
        )
    if _CATEGORY_OF[claimed.partition("/")[0]] != category:
        raise UploadFailed(f"{claimed} 不属于 {category}", f"{claimed} is not of {category}", field="file_category")
    actual = _sniff(data, claimed)
    if actual != claimed:
        raise UploadFailed(
            f"文件内容不是 {claimed}" + (f"，而是 {actual}" if actual else ""),
            f"the content is not {claimed}" + (f" but {actual}" if actual else ""),
            field="file_type",
        )
    return claimed


def _sniff(data: bytes, claimed: str) -> str | None:
    if claimed.startswith("image/"):
        return _image_type(data)
    if claimed.startswith("text/"):
        return claimed if _is_text(data) else _magic_type(data, claimed)
    return _magic_type(data, claimed)


def _image_type(data: bytes) -> str | None:
    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            if width * height > MAX_IMAGE_PIXELS:
                raise UploadFailed(
                    f"图片 {width}x{height} 过大",
                    f"the picture of {width}x{height} is too large",
                    field="file_url",
                )
            kind = _IMAGE_FORMATS.get(image.format or "")
            image.verify()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UploadFailed("图片无法解码", "the picture cannot be decoded", field="file_url") from error
    return kind


def _magic_type(data: bytes, claimed: str) -> str | None:
    try:
        matches = puremagic.magic_string(data[:4096])
    except (puremagic.PureError, ValueError):
        return None
    types = [_ALIASES.get(match.mime_type, match.mime_type) for match in matches if match.mime_type]
    if claimed == "audio/mp4" and any(kind in {"video/mp4", "audio/mp4"} for kind in types):
        return claimed  # the container is the same; whether it holds sound shows when it is decoded
    return claimed if claimed in types else next(iter(types), None)


def _is_text(data: bytes) -> bool:
    try:
        return "\0" not in data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
