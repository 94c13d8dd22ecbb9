"""Pictures in and out of files, and fitting them into a frame. Pixels are RGB, 8 bits; sizes are (width, height).

The frame arithmetic that engines need too (I420 planes, warps, camera views) lives in ``models.planes`` and
``models.camera`` and is offered here under one roof.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from models.camera import View, ease, view_at
from models.planes import (
    chroma_matrix,
    empty_frame,
    i420_to_rgb,
    planes,
    rgb_to_i420,
    rgb_to_planes,
    warp_plane,
    warp_planes,
)

if TYPE_CHECKING:
    from models.interfaces import RGB, Grey

__all__ = [
    "UnreadableImageError",
    "View",
    "check_picture",
    "chroma_matrix",
    "cover_crop",
    "ease",
    "empty_frame",
    "i420_to_rgb",
    "load_grey",
    "load_image",
    "planes",
    "rgb_to_i420",
    "rgb_to_planes",
    "save_jpeg",
    "save_png",
    "save_thumbnail",
    "view_at",
    "warp_plane",
    "warp_planes",
]

MAX_PIXELS = 64_000_000
THUMBNAIL_WIDTH = 320


class UnreadableImageError(ValueError):
    """The file is no picture that can be decoded, or one far too large."""


def load_image(path: Path) -> "RGB":
    """Decode a picture, upright as its EXIF orientation says. Raises UnreadableImageError, FileNotFoundError."""
    return _decode(path, cv2.IMREAD_COLOR_RGB)


def load_grey(path: Path) -> "Grey":
    """Decode a picture as 8-bit grey. Raises UnreadableImageError, FileNotFoundError."""
    return _decode(path, cv2.IMREAD_GRAYSCALE)


def _decode(path: Path, flags: int) -> "RGB":
    # The header is read first: a few bytes can announce a picture that fills the memory when decoded.
    try:
        with Image.open(path) as header:
            width, height = header.size
    except (UnidentifiedImageError, Image.DecompressionBombError, ValueError, SyntaxError) as error:
        raise UnreadableImageError(f"{path.name} is not a picture") from error
    if width * height > MAX_PIXELS:
        raise UnreadableImageError(f"{path.name} has {width}x{height} pixels; at most {MAX_PIXELS} are read")
    pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), flags)
    if pixels is None:
        raise UnreadableImageError(f"{path.name} is not a picture that can be decoded")
    return pixels


def save_png(path: Path, pixels: "RGB | Grey") -> None:
    """Lossless, at the fastest compression: the farm reads these more often than it keeps them."""
    _encode(path, pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])


def save_jpeg(path: Path, pixels: "RGB | Grey", quality: int = 92) -> None:
    _encode(path, pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])


def save_thumbnail(path: Path, pixels: "RGB") -> None:
    """A JPEG 320 pixels wide, or as wide as the picture if that is less."""
    height, width = pixels.shape[:2]
    target = min(width, THUMBNAIL_WIDTH)
    size = (target, max(1, round(height * target / width)))
    save_jpeg(path, cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), quality=85)


def jpeg(pixels: "RGB", quality: int = 70) -> bytes:
    """Raises RuntimeError when OpenCV cannot encode it."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError("a preview could not be encoded")
    return bytes(data)


def _encode(path: Path, pixels: "RGB | Grey", options: list[int]) -> None:
    bgr = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    ok, data = cv2.imencode(path.suffix, bgr, options)
    if not ok:
        raise RuntimeError(f"{path.name} could not be encoded")
    path.write_bytes(data.tobytes())


def cover_crop(pixels: "RGB | Grey", width: int, height: int) -> "RGB | Grey":
    """Scale the picture until it covers ``width`` x ``height`` and cut what sticks out, evenly on both sides."""
    rows, columns = pixels.shape[:2]
    if (columns, rows) == (width, height):
        return pixels
    scale = max(width / columns, height / rows)
    size = (max(width, round(columns * scale)), max(height, round(rows * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(pixels, size, interpolation=method)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return np.ascontiguousarray(scaled[top : top + height, left : left + width])


def check_picture(pixels: "RGB") -> None:
    """Refuse a picture that shows nothing. Raises RuntimeError."""
    if not np.isfinite(pixels).all() or float(pixels.std()) < 1.0:
        raise RuntimeError("the picture came out blank")
