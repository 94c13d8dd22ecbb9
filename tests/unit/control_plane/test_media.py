"""Uploaded files that lie, hide something, or would fill the memory."""

import io
import struct
import wave
import zipfile
import zlib
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from control_plane.errors import UploadFailed
from control_plane.inputs import media


def picture(kind: str = "PNG", size: tuple[int, int] = (32, 20), **options: object) -> bytes:
    buffer = io.BytesIO()
    image = Image.new("RGB", size, "red")
    image.paste("blue", (0, 0, size[0] // 2, size[1]))
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def sound(seconds: float = 0.5) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\x01\x10" * int(8000 * seconds))
    return buffer.getvalue()


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("Applet.class", b"\xca\xfe\xba\xbe")
    return buffer.getvalue()


def check(directory: Path, data: bytes, claimed: str) -> bytes:
    """What would be kept of a file."""
    path = directory / "upload"
    path.write_bytes(data)
    return media.checked_file(path, claimed).path.read_bytes()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_of(width: int, height: int, pixels: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("declared", "category", "claimed"),
    [
        ("image/png", "image", "image/png"),
        ("IMAGE/JPG", "image", "image/jpeg"),
        ("audio/x-wav", "audio", "audio/wav"),
        ("text/plain; charset=utf-8", "document", "text/plain"),
    ],
)
def test_a_type_has_several_names(declared: str, category: str, claimed: str) -> None:
    assert media.claimed_type(declared, category) == claimed


@pytest.mark.parametrize(
    ("declared", "category", "field"),
    [
        ("image/svg+xml", "image", "file_type"),
        ("text/html", "document", "file_type"),
        ("image/png", "audio", "file_category"),
    ],
)
def test_a_type_that_is_not_taken_is_refused(declared: str, category: str, field: str) -> None:
    with pytest.raises(UploadFailed) as caught:
        media.claimed_type(declared, category)
    assert caught.value.field == field


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_plain_picture_is_kept_as_it_is(tmp_path: Path, kind: str) -> None:
    data = picture(kind)
    assert check(tmp_path, data, f"image/{kind.lower()}") == data


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    "payload",
    [pytest.param(archive(), id="zip"), pytest.param(b"<script>alert(1)</script>", id="html"), b"\0" * 100],
)
def test_what_hangs_behind_a_picture_is_gone(tmp_path: Path, kind: str, payload: bytes) -> None:
    kept = check(tmp_path, picture(kind) + payload, f"image/{kind.lower()}")
    assert payload not in kept
    assert not zipfile.is_zipfile(io.BytesIO(kept))
    with Image.open(io.BytesIO(kept)) as image:
        assert (image.format, image.size) == (kind, (32, 20))


def test_where_a_picture_was_taken_and_what_was_written_in_it_is_gone(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "<html>secret place</html>"
    exif[0x0112] = 6  # lies on its side
    exif.get_ifd(0x8825)[1] = "N"
    kept = check(tmp_path, picture("JPEG", exif=exif, comment=b"secret place"), "image/jpeg")
    assert b"secret place" not in kept
    with Image.open(io.BytesIO(kept)) as image:
        assert not image.getexif()
        assert image.size == (20, 32)
        assert image.getpixel((10, 2))[2] > 200  # type: ignore[index] - the left half is on top now
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "secret place", zip=False)
    assert b"secret place" not in check(tmp_path, picture(pnginfo=text), "image/png")


def test_a_payload_within_the_pixels_stream_is_gone(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + bytes(8) for _ in range(8))
    kept = check(tmp_path, png_of(8, 8, zlib.compress(rows) + b"<svg onload=alert(1)>"), "image/png")
    assert b"<svg" not in kept


def test_transparency_survives_drawing_anew(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (4, 4), (1, 2, 3, 0)).save(buffer, "PNG")
    with Image.open(io.BytesIO(check(tmp_path, buffer.getvalue() + b"tail", "image/png"))) as image:
        assert image.getpixel((0, 0)) == (1, 2, 3, 0)


@pytest.mark.parametrize(
    ("data", "claimed", "field"),
    [
        (png_of(100_000, 100_000, zlib.compress(b"\0" * 1000)), "image/png", "file_url"),
        (picture()[:-40], "image/png", "file_url"),
        (picture("JPEG")[:200], "image/jpeg", "file_url"),
        (b"\x89PNG\r\n\x1a\n", "image/png", "file_url"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png", "file_url"),
        (picture("JPEG"), "image/png", "file_type"),
        (picture("GIF"), "image/png", "file_url"),
        (b"MZ\x90\x00", "text/plain", "file_type"),
        (b"\xff\xfeh\0i\0", "text/plain", "file_type"),
        ("\ufeff  <!-- hello -->\n<!DOCTYPE html><script>".encode(), "text/plain", "file_type"),
        (b"<?xml version='1.0'?><svg onload='x'>", "text/markdown", "file_type"),
        (b"   \n", "text/plain", "file_url"),
        (b"<html><script>", "image/png", "file_url"),
        (b"\x00\x01\x02\xff", "text/plain", "file_type"),
        (b"not sound at all", "audio/mpeg", "file_type"),
        (picture(), "audio/wav", "file_type"),
        (sound()[: len(sound()) // 2], "audio/wav", "file_url"),
        (sound(0), "audio/wav", "file_url"),
        (b"ID3\x03\0\0\0\0\0\0" + b"\0" * 3000, "audio/mpeg", "file_url"),
        (b"fLaC" + b"\xff" * 400, "audio/flac", "file_url"),
        (b"OggS" + b"\0" * 400, "audio/ogg", "file_url"),
        (b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42" + b"\0\0\x10\0moov", "audio/mp4", "file_url"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_field(tmp_path: Path, data: bytes, claimed: str, field: str) -> None:
    with pytest.raises(UploadFailed) as caught:
        check(tmp_path, data, claimed)
    assert caught.value.field == field


def test_a_stream_that_swells_costs_no_memory(tmp_path: Path) -> None:
    import resource

    swollen = zlib.compressobj(9)
    bomb = b"".join(swollen.compress(b"\0" * (1 << 20)) for _ in range(300)) + swollen.flush()  # 300 MB in 300 kB
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    kept = check(tmp_path, png_of(8, 8, bomb), "image/png")
    assert len(kept) < 1000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_text_chunks_that_swell_are_refused(tmp_path: Path) -> None:
    bomb = chunk(b"zTXt", b"a\0\0" + zlib.compress(b"\0" * (64 << 20), 9))
    data = picture()
    with pytest.raises(UploadFailed):
        check(tmp_path, data[:33] + bomb + data[33:], "image/png")


def test_sound_is_kept_as_it_is(tmp_path: Path) -> None:
    assert check(tmp_path, sound(), "audio/wav") == sound()


@pytest.mark.parametrize("claimed", sorted(media.SUFFIXES))
def test_rubbish_of_any_type_is_refused_and_never_raises_otherwise(tmp_path: Path, claimed: str) -> None:
    import random

    starts = {
        "image/jpeg": picture("JPEG"),
        "image/png": picture(),
        "image/webp": picture("WEBP"),
        "audio/wav": sound(),
        "audio/flac": b"fLaC\0\0\0\x22",
        "audio/ogg": b"OggS\0\2",
        "audio/mpeg": b"\xff\xfb\x90\x64",
        "audio/mp4": b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42\0\0\0\x80moov\0\0\0\x70trak",
    }
    chance = random.Random(claimed)
    for _ in range(150):
        data = bytearray(starts.get(claimed, b"text") + chance.randbytes(chance.randrange(300)))
        for _ in range(chance.randrange(1, 12)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            check(tmp_path, bytes(data), claimed)
        except UploadFailed:
            continue
