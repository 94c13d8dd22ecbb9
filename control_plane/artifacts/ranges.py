"""What part of a file a request wants (RFC 9110, sections 13 and 14). Pure."""

import re
from dataclasses import dataclass

_RANGE = re.compile(r"^bytes=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*$")


@dataclass(frozen=True)
class Part:
    """Bytes ``start`` to ``end`` (exclusive) and the status they are answered with: 200, 206, 304 or 416."""

    status: int
    start: int
    end: int


def wanted_part(size: int, etag: str, *, range_: str | None, if_range: str | None, if_none_match: str | None) -> Part:
    """``etag`` is quoted, as in its header. Several ranges at once, or a Range that is none, get the whole file."""
    if if_none_match is not None and _matches(if_none_match, etag):
        return Part(304, 0, 0)
    whole = Part(200, 0, size)
    match = _RANGE.match(range_ or "")
    # A date in If-Range never fits: content never changes under one address, so there is no date to compare with.
    if match is None or not (match[1] or match[2]) or (if_range is not None and if_range.strip() != etag):
        return whole
    if not match[1]:
        start, end = max(0, size - int(match[2])), size
    else:
        start = int(match[1])
        end = min(size, int(match[2]) + 1) if match[2] else size
        if match[2] and int(match[2]) < start:
            return whole
    return Part(206, start, end) if start < end else Part(416, 0, 0)


def _matches(header: str, etag: str) -> bool:
    return header.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in header.split(","))
