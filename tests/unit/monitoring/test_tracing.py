"""Ids in log lines: whose they are, and that they do not outlive what they are about."""

import asyncio
import io
import json

import pytest
import structlog

from monitoring.logs import configure_logging
from monitoring.tracing import bind, request_id, traced


@pytest.mark.parametrize("offered", ["a", "film-42", "018f9b2e-7a7e-7bd0-a3c9-0242ac120002", "x" * 64])
def test_a_well_formed_id_is_kept(offered: str) -> None:
    assert request_id(offered) == offered


@pytest.mark.parametrize("offered", [None, "", "a b", "x" * 65, 'a","level":"error', "a\n", "片", "a;b"])
def test_any_other_is_replaced_by_a_new_one(offered: str | None) -> None:
    first, second = request_id(offered), request_id(offered)
    assert first != second
    assert request_id(first) == first
    assert first != offered


def test_ids_are_in_the_lines_inside_and_in_no_other() -> None:
    stream = io.StringIO()
    configure_logging("test", stream=stream)
    log = structlog.get_logger("any")
    with traced(request_id="r"):
        log.info("one")
        with traced(task_id="t", request_id="inner"):
            bind(epoch=2)
            log.info("two")
        log.info("three")
    log.info("four")
    ids = [
        {name: line[name] for name in ("request_id", "task_id", "epoch") if name in line}
        for line in map(json.loads, stream.getvalue().splitlines())
    ]
    assert ids == [{"request_id": "r"}, {"request_id": "inner", "task_id": "t", "epoch": 2}, {"request_id": "r"}, {}]


def test_they_are_forgotten_after_an_error_too() -> None:
    with pytest.raises(LookupError), traced(task_id="t"):
        raise LookupError
    assert structlog.contextvars.get_contextvars() == {}


async def test_requests_at_once_do_not_mix() -> None:
    async def one(name: str) -> str:
        with traced(request_id=name):
            await asyncio.sleep(0)
            return str(structlog.contextvars.get_contextvars()["request_id"])

    assert await asyncio.gather(*(one(str(n)) for n in range(5))) == ["0", "1", "2", "3", "4"]
