"""Questions to Ray that block: the head may go between being asked and answering."""

import asyncio
import threading

import pytest

from farm.cluster import ask
from scheduler.ports import FarmLostError


async def listen() -> asyncio.Server:
    return await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)


def address_of(server: asyncio.Server) -> str:
    return f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_the_head_that_goes_while_a_question_is_open_is_told_and_nothing_waits_for_the_answer() -> None:
    server = await listen()
    asked, never = threading.Event(), threading.Event()

    def question() -> None:
        asked.set()
        never.wait()

    asking = asyncio.create_task(ask(address_of(server), question))
    await asyncio.to_thread(asked.wait)
    server.close()
    with pytest.raises(FarmLostError):
        await asking
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "ask-ray")
    never.set()


async def test_an_answer_and_an_error_arrive_as_they_are() -> None:
    async with await listen() as server:
        assert await ask(address_of(server), lambda: 3) == 3
        with pytest.raises(ZeroDivisionError):
            await ask(address_of(server), lambda: 1 // 0)


async def test_no_question_is_put_to_a_head_that_is_gone() -> None:
    server = await listen()
    address = address_of(server)
    server.close()
    with pytest.raises(FarmLostError):
        await ask(address, lambda: pytest.fail("it was asked"))
