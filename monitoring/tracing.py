"""Which request and which task a log line is about: ids bound to all that is logged meanwhile, in whatever module.

An api process gives each request an id and logs with it which tasks the request queued. The scheduler and the workers
log each task's id, its job and its project; so the lines of a film, or of one request of it, are found in the logs of
all processes together.
"""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

REQUEST_ID_HEADER = "X-Request-Id"

# What a client sends ends up in every log line: long enough for a UUID or a trace id, and nothing to break out with.
_WELL_FORMED = re.compile(r"[0-9A-Za-z._-]{1,64}")


def request_id(offered: str | None) -> str:
    """The id that a client or a proxy gave its request, if it is well-formed; otherwise a new one."""
    return offered if offered is not None and _WELL_FORMED.fullmatch(offered) else uuid.uuid4().hex


def bind(**ids: str | int) -> None:
    """Add ids to every line logged from here on, until the asyncio task or the enclosing `traced` ends."""
    bind_contextvars(**ids)


@contextmanager
def traced(**ids: str | int) -> Iterator[None]:
    """Add ids to every line logged inside; at the end they are forgotten, with whatever else was bound inside."""
    before = get_contextvars()
    bind_contextvars(**ids)
    try:
        yield
    finally:
        clear_contextvars()
        bind_contextvars(**before)
