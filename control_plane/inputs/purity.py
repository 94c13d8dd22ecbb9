"""Whether a picture's file holds its pixels and nothing else: no text, no place, no preview, nothing before, between or
after. Such a file is kept as it was sent; any other is drawn anew. Linear in the file's size, bounded in memory."""

import re
import zlib
from collections.abc import Iterator

_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_LIMITS = {
    b"IHDR": 13,
    b"PLTE": 768,
    b"tRNS": 256,
    b"gAMA": 4,
    b"cHRM": 32,
    b"sRGB": 1,
    b"sBIT": 4,
    b"bKGD": 6,
    b"pHYs": 9,
    b"IEND": 0,
}
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_INFLATE_STEP = 1 << 20
_JPEG_TABLES = {0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD}
_JPEG_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def is_pure(data: bytes, media_type: str) -> bool:
    """``data`` is a file that decodes as its type."""
    return {"image/png": _is_pure_png, "image/jpeg": _is_pure_jpeg, "image/webp": _is_pure_webp}[media_type](data)


def _is_pure_png(data: bytes) -> bool:
    header, pixels = b"", []
    place = len(_PNG_START)
    if not data.startswith(_PNG_START):
        return False
    while place + 12 <= len(data):
        length, name = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        body = memoryview(data)[place + 8 : place + 8 + length]
        place += 12 + length
        if name == b"IDAT":
            pixels.append(body)
            continue
        if length > _PNG_LIMITS.get(name, -1):
            return False
        if name == b"IHDR":
            header = bytes(body)
        if name == b"IEND":
            return place == len(data) and _inflates_exactly(pixels, _png_bytes(header))
    return False


def _png_bytes(header: bytes) -> int:
    """The length of the raw rows; -1 for interlaced pictures, whose rows are harder to count."""
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    depth, colour, interlaced = header[8], header[9], header[12]
    if interlaced or colour not in _PNG_CHANNELS:
        return -1
    return height * (1 + (width * depth * _PNG_CHANNELS[colour] + 7) // 8)


def _inflates_exactly(parts: list[memoryview], expected: int) -> bool:
    inflater, size = zlib.decompressobj(), 0
    try:
        for part in parts:
            if inflater.eof:
                return False
            step = inflater.decompress(part, _INFLATE_STEP)
            while step or inflater.unconsumed_tail:
                size += len(step)
                if size > expected:
                    return False
                step = inflater.decompress(inflater.unconsumed_tail, _INFLATE_STEP)
    except zlib.error:
        return False
    return inflater.eof and not inflater.unused_data and size == expected


def _is_pure_jpeg(data: bytes) -> bool:
    return data.startswith(b"\xff\xd8") and all(_jpeg_parts(data))


def _jpeg_parts(data: bytes) -> Iterator[bool]:
    """Of each segment whether it may be there; False too where the file does not end with its last."""
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        body = data[place + 4 : place + 2 + length]
        place += 2 + length
        is_jfif = marker == 0xE0 and length == 16 and body.startswith(b"JFIF\0")
        is_adobe = marker == 0xEE and length == 14 and body.startswith(b"Adobe")
        yield is_jfif or is_adobe or marker in _JPEG_TABLES or marker == 0xDA
        if marker == 0xDA:
            end = _JPEG_MARKER_IN_SCAN.search(data, place)
            place = end.start() if end else len(data)
            if data[place : place + 2] == b"\xff\xd9":
                yield place + 2 == len(data)
                return
    yield False


def _is_pure_webp(data: bytes) -> bool:
    """One plain picture; the extended form, which may hold anything, is not looked into."""
    length = int.from_bytes(data[16:20], "little")
    is_whole = int.from_bytes(data[4:8], "little") + 8 == len(data) == 20 + length + length % 2
    return is_whole and data[12:16] in {b"VP8 ", b"VP8L"}
