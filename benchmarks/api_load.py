"""Load generators on loopback, each a process of its own that ends by itself; the last line they print is JSON.

python -m benchmarks.api_load rate URL TOKEN SECONDS CONNECTIONS
python -m benchmarks.api_load listen URL TOKEN SUBSCRIBERS PROJECT…
"""

import asyncio
import json
import resource
import sys
import time
from urllib.parse import urlsplit

import aiohttp
import orjson
import uvloop

MAX_SECONDS = 120
MAX_CONNECTIONS = 2000
QUIET_S = 3.0


async def rate(url: str, token: str, seconds: float, connections: int) -> dict[str, float]:
    """Requests per second and their median latency, over keep-alive connections that always have one under way."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    head = f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    ends_at = time.perf_counter() + seconds
    latencies: list[float] = []

    async def one() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        while (started := time.perf_counter()) < ends_at:
            writer.write(head)
            answer = await reader.readuntil(b"\r\n\r\n")
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(answer.decode())
            length = int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            latencies.append(time.perf_counter() - started)
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    taken = time.perf_counter() - started
    return {"per_second": len(latencies) / taken, "median_s": sorted(latencies)[len(latencies) // 2]}


async def listen(url: str, token: str, subscribers: int, projects: list[str]) -> list[tuple[int, int]]:
    """(number of the event, monotonic nanoseconds when it came) of everything that every subscriber heard. Says
    ``ready`` once all have subscribed; ends when nothing more comes after a line on its standard input."""
    heard: list[tuple[int, int]] = []
    address = url.replace("http", "ws") + f"/ws?token={token}"
    ready: list[int] = []
    everybody = asyncio.Event()

    async def one(session: aiohttp.ClientSession, project: str) -> None:
        async with session.ws_connect(address, max_msg_size=0) as socket:
            await socket.send_json({"action": "subscribe", "channel": "project", "project_id": project})
            answer = await socket.receive_json()
            if answer["event"] != "subscribed":
                raise RuntimeError(str(answer))
            ready.append(1)
            if len(ready) == subscribers:
                everybody.set()
            async for message in socket:
                came = time.monotonic_ns()
                event = orjson.loads(message.data)
                if event["event"] == "quota.insufficient":
                    heard.append((event["data"]["required"], came))

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        tasks = []
        for index in range(subscribers):
            tasks.append(asyncio.create_task(one(session, projects[index % len(projects)])))
            if index % 50 == 49:
                await asyncio.sleep(0.1)
        await asyncio.wait_for(everybody.wait(), MAX_SECONDS)
        print("ready", flush=True)
        async with asyncio.timeout(MAX_SECONDS):
            await asyncio.to_thread(sys.stdin.readline)
            before = -1
            while before != len(heard):
                before = len(heard)
                await asyncio.sleep(QUIET_S)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    broken = [error for error in results if isinstance(error, Exception)]
    if broken:
        raise broken[0]
    return heard


def main() -> None:
    kind, url, token, *rest = sys.argv[1:]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    if urlsplit(url).hostname != "127.0.0.1":
        sys.exit("loopback only")
    if kind == "rate":
        seconds, connections = min(float(rest[0]), MAX_SECONDS), min(int(rest[1]), MAX_CONNECTIONS)
        print(json.dumps(uvloop.run(rate(url, token, seconds, connections))))
    else:
        subscribers = min(int(rest[0]), MAX_CONNECTIONS)
        print(json.dumps(uvloop.run(listen(url, token, subscribers, rest[1:]))))


if __name__ == "__main__":
    main()
