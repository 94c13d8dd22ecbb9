"""Structured logs of every process: a JSON object a line, readable text on a terminal, secrets in neither."""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_HIDDEN = "[redacted]"
_SECRET_NAMES = re.compile(
    r"(?i)^(.*[_-])?(password|passwd|secret|secret_key|token|api_key|authorization|cookie|sig|signature)$"
)
_SECRET_TEXT = (
    (re.compile(r"(?i)\b(bearer\s+)[\w.~+/=-]+"), rf"\1{_HIDDEN}"),
    # A query parameter or an assignment; the value ends where a URL's or a phrase's next part starts.
    (
        re.compile(
            r"(?i)\b((?:\w+[_-])?(?:token|sig|signature|password|passwd|secret|secret_key|api_key)['\"]?\s*[=:]\s*['\"]?)"
            r"[^\s&'\",;})]+"
        ),
        rf"\1{_HIDDEN}",
    ),
    # A password's hash, which a database quotes when it refuses the row.
    (re.compile(r"\$argon2\w*\$[^\s,'\")]+(?:,[^\s,'\")]+)*"), _HIDDEN),
    # The password of a server's address: scheme://user:password@host
    (re.compile(r"(\w\+?\w*://[^\s:/@]*:)[^\s@/]+(@)"), rf"\1{_HIDDEN}\2"),
)


def redact(value: Any) -> Any:
    """The same value with tokens, passwords and signatures hidden, known by their name or by their shape."""
    if isinstance(value, str):
        for pattern, replacement in _SECRET_TEXT:
            value = pattern.sub(replacement, value)
        return value
    if isinstance(value, Mapping):
        return {
            name: _HIDDEN if isinstance(name, str) and _SECRET_NAMES.match(name) else redact(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact(item) for item in value]
    return value


def configure_logging(process: str, level: str = "INFO", *, stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's logging to `stream` (stderr), each line naming the process.

    Context bound with `structlog.contextvars.bind_contextvars` is added to every line.
    """
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )

    def name_process(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    # An exception becomes text before the secrets are hidden: its message may hold one. Only text: a table of what
    # every local variable holds would tell more of them, and takes seconds to draw.
    last: list[Processor] = [structlog.processors.format_exc_info, _hide]
    if stream.isatty():
        last.append(structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback))
    else:
        last.append(structlog.processors.JSONRenderer(_to_json))
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, name_process, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(True)


def _hide(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: _HIDDEN if _SECRET_NAMES.match(name) else redact(item) for name, item in event.items()}


def _to_json(value: Any, **_options: Any) -> str:
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
