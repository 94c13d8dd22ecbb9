"""What an uploaded file really is: its bytes decide, its name and the client's word do not.

A picture whose file holds more than pixels is drawn anew, so that nothing else is kept: no place where it was taken and
no archive, script or page behind or between them. Everything is bounded, and made to run in a thread.
"""

import codecs
import re
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

import puremagic
from PIL import Image, ImageOps, UnidentifiedImageError
from tinytag import TinyTag, TinyTagException

from control_plane.errors import UploadFailed
from control_plane.inputs.purity import is_pure

MAX_IMAGE_PIXELS = 50_000_000
MAX_AUDIO_S = 3 * 3600
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
_MARKUP = re.compile(
    r"\s*(?:<!--.*?-->\s*|<\?xml\b.*?\?>\s*)*<(?:!doctype|html|head|body|script|svg|iframe)\b", re.I | re.S
)
_HEAD_BYTES = 4096
_PARSE_ERRORS = (TinyTagException, ValueError, KeyError, IndexError, TypeError, AttributeError, OSError, struct.error)


@dataclass(frozen=True)
class CheckedFile:
    """A file that may be kept: what it is, and where its bytes are, which may be others than were sent."""

    media_type: str
    path: Path


def claimed_type(declared: str, category: str) -> str:
    """The type that a client claims. Raises UploadFailed for one that is not taken, or of another category."""
    plain = declared.lower().partition(";")[0].strip()
    claimed = _ALIASES.get(plain, plain)
    if claimed not in SUFFIXES:
        allowed = ", ".join(ALLOWED_TYPES)
        raise UploadFailed(
            f"不支持 {declared}，可用：{allowed}", f"{declared} is not one of {allowed}", field="file_type"
        )
    if _CATEGORY_OF[claimed.partition("/")[0]] != category:
        raise UploadFailed(f"{claimed} 不属于 {category}", f"{claimed} is not of {category}", field="file_category")
    return claimed


def checked_file(path: Path, claimed: str) -> CheckedFile:
    """The file as it may be kept; a picture's is written beside it. Raises UploadFailed where it is not what it
    claims to be, or cannot be decoded."""
    if claimed.startswith("image/"):
        return _clean_image(path, claimed)
    if claimed.startswith("text/"):
        _check_text(path, claimed)
    else:
        _check_audio(path, claimed)
    return CheckedFile(claimed, path)


def _mismatch(claimed: str, actual: str | None) -> UploadFailed:
    return UploadFailed(
        f"文件内容不是 {claimed}" + (f"，而是 {actual}" if actual else ""),
        f"the content is not {claimed}" + (f" but {actual}" if actual else ""),
        field="file_type",
    )


def _clean_image(path: Path, claimed: str) -> CheckedFile:
    """The file where it is nothing but a picture; else the first frame, turned upright."""
    try:
        with warnings.catch_warnings(), Image.open(path, formats=tuple(_IMAGE_FORMATS)) as image:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit here is our own
            kind = _IMAGE_FORMATS[image.format or ""]
            width, height = image.size
            if width * height > MAX_IMAGE_PIXELS:
                raise UploadFailed(
                    f"图片 {width}x{height} 过大",
                    f"the picture of {width}x{height} is too large",
                    field="file_url",
                )
            if kind != claimed:
                raise _mismatch(claimed, kind)
            image.load()
            if is_pure(path.read_bytes(), kind):
                return CheckedFile(kind, path)
            upright = ImageOps.exif_transpose(image)
            has_alpha = kind != "image/jpeg" and upright.has_transparency_data
            clean = upright.convert("RGBA" if has_alpha else "RGB")
    except (
        UnidentifiedImageError,
        OSError,
        SyntaxError,
        ValueError,
        struct.error,
        Image.DecompressionBombError,
    ) as error:
        raise UploadFailed("图片无法解码", "the picture cannot be decoded", field="file_url") from error
    clean.info.clear()
    target = path.with_name("clean" + SUFFIXES[kind])
    if kind == "image/png":
        clean.save(target, "PNG")
    elif kind == "image/jpeg":
        clean.save(target, "JPEG", quality=95, subsampling=0)
    else:
        clean.save(target, "WEBP", quality=95)
    return CheckedFile(kind, target)


def _check_text(path: Path, claimed: str) -> None:
    """UTF-8 without NUL that is not a page: a text that begins as HTML or SVG would be one elsewhere."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    head = ""
    with path.open("rb") as file:
        while True:
            chunk = file.read(1 << 20)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                raise _mismatch(claimed, _magic_type(path, claimed)) from error
            if "\0" in text:
                raise _mismatch(claimed, None)
            if len(head) < _HEAD_BYTES:
                head += text[:_HEAD_BYTES]
            if not chunk:
                break
    if not head.strip():
        raise UploadFailed("文件没有内容", "the file holds no text", field="file_url")
    if _MARKUP.match(head):
        raise _mismatch(claimed, "text/html")


def _check_audio(path: Path, claimed: str) -> None:
    """Whether it is of its type, whole as far as its headers say, and holds sound."""
    if (actual := _magic_type(path, claimed)) != claimed:
        raise _mismatch(claimed, actual)
    try:
        tag = TinyTag.get(str(path), tags=False, duration=True)
    except _PARSE_ERRORS as error:
        raise UploadFailed("音频无法解码", "the sound cannot be decoded", field="file_url") from error
    duration_s = tag.duration or 0.0
    if not duration_s > 0 or not tag.samplerate or _is_cut(path, claimed):
        raise UploadFailed("音频无法解码或不完整", "the sound cannot be decoded or is cut off", field="file_url")
    if duration_s > MAX_AUDIO_S:
        raise UploadFailed(f"音频最长 {MAX_AUDIO_S} 秒", f"sound of at most {MAX_AUDIO_S} s", field="file_url")


def _is_cut(path: Path, claimed: str) -> bool:
    """Whether the container's own headers promise more bytes than there are."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if claimed == "audio/wav":
            return int.from_bytes(file.read(8)[4:], "little") + 8 > size + 1
        if claimed == "audio/mp4":
            start = 0
            while start < size:
                file.seek(start)
                header = file.read(16)
                length = int.from_bytes(header[:4], "big")
                if length == 1:
                    length = int.from_bytes(header[8:16], "big")
                if length == 0:
                    return False  # up to the end of the file
                if length < 8:
                    return True
                start += length
            return start > size
    return False


def _magic_type(path: Path, claimed: str) -> str | None:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    try:
        matches = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return None
    types = [_ALIASES.get(match.mime_type, match.mime_type) for match in matches if match.mime_type]
    if claimed == "audio/mp4" and any(kind in {"video/mp4", "audio/mp4"} for kind in types):
        return claimed  # the container is the same
    return claimed if claimed in types else next(iter(types), None)
