"""Logs: one JSON object a line, and no secret in any of them."""

import io
import json
import logging

import pytest
import structlog

from monitoring.logs import configure_logging, redact


@pytest.fixture
def stream() -> io.StringIO:
    stream = io.StringIO()
    configure_logging("test", "INFO", stream=stream)
    return stream


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer eyJhbGciOi.J9-x_y.z", "eyJhbGciOi.J9-x_y.z"),
        ("GET /ws?token=abc.def-123&last=7", "abc.def-123"),
        ("GET /files/art_1?exp=17&sig=aZ_-09 200", "aZ_-09"),
        ("postgresql+asyncpg://reelfarm:hunter2@db/reelfarm", "hunter2"),
        ("redis://:hunter2@cache:6379/0", "hunter2"),
        ('{"password": "correct horse"}', "correct"),
        ("refresh_token=ses_1.Zx", "ses_1.Zx"),
        ("secret_key: 0123456789", "0123456789"),
        ("row contains (usr_1, ada, $argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA, 1)", "aGFzaA"),
    ],
)
def test_secrets_in_text_are_hidden(text: str, secret: str) -> None:
    hidden = redact(text)
    assert secret not in hidden
    assert "[redacted]" in hidden


@pytest.mark.parametrize(
    "text", ["tokens: 5 of 7", "the password is wrong", "http://host:8400/healthz", "assigned=3", "design = bold"]
)
def test_other_text_stays(text: str) -> None:
    assert redact(text) == text


def test_secrets_are_hidden_by_name_and_inside(stream: io.StringIO) -> None:
    structlog.get_logger("one").info(
        "request", session_token="abc", body={"password": "x y", "name": "ada"}, urls=["/f?sig=abc"]
    )
    line = json.loads(stream.getvalue())
    assert line["session_token"] == "[redacted]"
    assert line["body"] == {"password": "[redacted]", "name": "ada"}
    assert line["urls"] == ["/f?sig=[redacted]"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_told_of_an_exception_without_its_secrets() -> None:
    terminal, password = Terminal(), "hunter2"
    configure_logging("test", "INFO", stream=terminal)
    try:
        raise ValueError(f"redis://:{password}@cache:6379/0 is away")
    except ValueError:
        structlog.get_logger("one").exception("request failed")
    assert "request failed" in terminal.getvalue()
    assert "is away" in terminal.getvalue()
    assert password not in terminal.getvalue()


def test_every_line_is_one_object_whoever_logs(stream: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(task_id="tsk_1"):
        logging.getLogger("library").warning("first\nline of %s", "two")
        try:
            raise ValueError("no luck with ?token=abc")
        except ValueError:
            structlog.get_logger("ours").exception("failed")
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["event"], first["process"], first["level"]) == ("first\nline of two", "test", "warning")
    assert first["task_id"] == second["task_id"] == "tsk_1"
    assert "ValueError" in second["exception"]
    assert "abc" not in stream.getvalue()


def test_the_level_is_kept(stream: io.StringIO) -> None:
    structlog.get_logger().debug("quiet")
    assert stream.getvalue() == ""
