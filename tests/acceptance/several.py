"""Several api processes of one server behind a proxy that deals connections out in turn."""

import asyncio
import contextlib
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field

from aiohttp.test_utils import unused_port

from runtime.embedded.services import answers_health
from tests.acceptance.product import Server, wait_for


@dataclass
class RoundRobin:
    """A TCP proxy; every new connection goes to the next address. ``dealt`` counts them by port."""

    ports: list[int]
    port: int = field(default_factory=unused_port)
    dealt: dict[int, int] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        turns = itertools.cycle(self.ports)
        serving: Future[Callable[[], object]] = Future()

        async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            port = next(turns)
            self.dealt[port] = self.dealt.get(port, 0) + 1
            back_reader, back_writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(_copy(reader, back_writer), _copy(back_reader, writer))

        async def serve() -> None:
            server = await asyncio.start_server(connect, "127.0.0.1", self.port)
            end = asyncio.Event()
            loop = asyncio.get_running_loop()
            serving.set_result(lambda: loop.call_soon_threadsafe(end.set))
            await end.wait()
            server.close()

        # Its run ends what is still open.
        thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        thread.start()
        end = serving.result(10)
        try:
            yield
        finally:
            end()
            thread.join(10)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(64 * 1024):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.contextmanager
def api_processes(server: Server, count: int) -> Iterator[RoundRobin]:
    """``count`` more api processes on the server's database, Redis and store, behind one address."""
    proxy = RoundRobin([unused_port() for _ in range(count)])
    served = server.service("-m", "control_plane")
    assert served is not None
    environment = {**os.environ, **served.environ(), "REELFARM_PUBLIC_URL": proxy.url}
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "control_plane"],
            env={**environment, "REELFARM_PORT": str(port)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for port in proxy.ports
    ]
    try:
        for port in proxy.ports:
            wait_for("an api process", lambda port=port: answers_health("127.0.0.1", port))  # type: ignore[misc]
        with proxy.serving():
            yield proxy
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(20)
