"""How fast the API answers and how fast events reach those who watch.

    python -m benchmarks.api [--rounds 5] [--seconds 3] [--projects 100000] [--subscribers 1000] [--json]

Starts a PostgreSQL, a Redis, the product and its peers on loopback, each in a process of its own, and loads them in
turn. Needs the extra ``bench`` (FastAPI, uvicorn).
"""

import argparse
import asyncio
import json
import os
import resource
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import orjson
import redis.asyncio
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks.report import median, show
from control_plane.accounts.service import create_user
from control_plane.accounts.tables import SessionRow
from control_plane.accounts.tokens import make_session_token
from control_plane.events import tables as events
from control_plane.inputs.tables import InputRow
from control_plane.migrations import migrate
from control_plane.projects.tables import ProjectRow
from runtime import redis as channels
from runtime.database import Database, utc_now
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.embedded.redis_server import EmbeddedRedis
from runtime.embedded.rundir import create_run_dir
from runtime.ids import new_id
from runtime.settings import get_settings

CONNECTIONS = 16
EVENTS_PER_S = 100
WATCHED = 20
PEERS = ("product", "bare", "fastapi")

NOTES = {
    "vs_bare_query": "GET /projects/:id, logged in, over a bare aiohttp handler with the same query (goal: 0.9)",
    "vs_fastapi": "the same over FastAPI and uvicorn with the same query (goal: 1.2)",
    "per_second": "requests per second of the product",
    "list_growth": "page 1 of GET /projects among very many projects over page 1 of 100 (goal: at most 2)",
    "list_ms": "the latter",
    "ws_p99_ms": "from Redis to the socket, 99 of 100 events (goal: under 250)",
    "ws_p50_ms": "the same, half of them",
    "ws_lost": "events that a subscriber did not get (goal: 0)",
}


class Bench:
    """The servers and what is in them."""

    def __init__(self, directory: Path, database_url: str, redis_url: str) -> None:
        os.environ |= {
            "REELFARM_DATABASE_URL": database_url,
            "REELFARM_REDIS_URL": redis_url,
            "REELFARM_ARTIFACTS_URL": f"file://{directory}/artifacts",
            "REELFARM_SECRET_KEY": "a benchmark's secret of more than thirty-two characters",
            "REELFARM_LOG_LEVEL": "ERROR",
        }
        self.database = Database(database_url)
        self.redis_url = redis_url
        self.urls: dict[str, str] = {}

    async def user(self, name: str) -> tuple[str, str]:
        """A user's id and session token."""
        async with self.database.transaction() as session:
            user_id = await create_user(session, username=name, password=secrets.token_hex(8))
            session_id = new_id("ses")
            settings = get_settings()
            expires_at = utc_now().replace(year=utc_now().year + 1)
            row = {"id": session_id, "user_id": user_id, "refresh_hash": "", "expires_at": expires_at}
            await session.execute(insert(SessionRow).values(row))
            return user_id, make_session_token(settings, user_id, session_id)

    async def projects(self, tenant_id: str, count: int) -> list[str]:
        """New projects with their inputs."""
        made: list[str] = []
        for start in range(0, count, 5000):
            async with self.database.transaction() as session:
                ids = [new_id("prj") for _ in range(min(5000, count - start))]
                await _insert_projects(session, tenant_id, ids)
                made += ids
        return made


async def _insert_projects(session: AsyncSession, tenant_id: str, ids: list[str]) -> None:
    rows = [{"id": id_, "tenant_id": tenant_id, "user_id": tenant_id, "name": f"海边 {id_[-6:]}"} for id_ in ids]
    await session.execute(insert(ProjectRow), rows)
    config = {"aspect_ratio": "16:9", "duration_type": "smart"}
    shared = {"input_mode": "general", "input_type": "text", "content": "海边。", "config": config}
    shared |= {"language": "zh", "subtitle_enabled": True, "seed": "benchmark"}
    await session.execute(insert(InputRow), [{"project_id": id_, **shared} for id_ in ids])


@contextmanager
def servers() -> Iterator[tuple[Path, EmbeddedPostgres, EmbeddedRedis]]:
    run_dir = create_run_dir()
    with tempfile.TemporaryDirectory(prefix="reelfarm-bench-") as name:
        postgres = EmbeddedPostgres(Path(name) / "data", run_dir, log=Path(name) / "postgres.log")
        cache = EmbeddedRedis()
        postgres.start()
        cache.start()
        try:
            yield Path(name), postgres, cache
        finally:
            cache.stop()
            postgres.stop()
            shutil.rmtree(run_dir, ignore_errors=True)


@contextmanager
def peer(name: str, port: int, project_id: str, token: str) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.api_peers", name, str(port), project_id, token]
    process = subprocess.Popen(command)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended with {process.returncode}")
            try:
                load("rate", f"{url}/api/v1/projects/{project_id}", token, "0.01", "1")
                break
            except subprocess.CalledProcessError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def load(*arguments: str) -> Any:
    command = [sys.executable, "-m", "benchmarks.api_load", *arguments]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return json.loads(answer.stdout.splitlines()[-1])


def free_ports(count: int) -> list[int]:
    import socket

    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for found in sockets:
            found.bind(("127.0.0.1", 0))
        return [found.getsockname()[1] for found in sockets]


def rates(urls: dict[str, str], project_id: str, token: str, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Requests per second of each server, in turns."""
    found: dict[str, list[float]] = {name: [] for name in urls}
    for _ in range(rounds):
        for name, url in urls.items():
            path = f"{url}/api/v1/projects/{project_id}"
            found[name].append(load("rate", path, token, str(seconds), str(CONNECTIONS))["per_second"])
    return found


def list_growth(url: str, few: str, many: str, rounds: int, seconds: float) -> tuple[float, float]:
    """Median seconds of page 1 with few and with many projects over those with few, one request at a time."""
    path = f"{url}/api/v1/projects?page=1&page_size=20"

    def page_s(token: str) -> float:
        return float(load("rate", path, token, str(seconds), "1")["median_s"])

    pairs = [(page_s(few), page_s(many)) for _ in range(rounds)]
    return median([1000 * one for one, _ in pairs]), median([other / one for one, other in pairs])


async def websockets(
    bench: Bench, token: str, projects: list[str], subscribers: int, seconds: float
) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.api_load", "listen", bench.urls["product"], token]
    process = await asyncio.create_subprocess_exec(
        *(*command, str(subscribers), *projects),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 28,
    )
    assert process.stdout is not None
    assert (await process.stdout.readline()).strip() == b"ready"
    sent = await publish(bench, projects, seconds)
    heard = json.loads((await process.communicate(b"stop\n"))[0].splitlines()[-1])
    delays = sorted((came - sent[number]) / 1e6 for number, came in heard)
    # Projects have as many subscribers each, up to one.
    watching = [len(range(index, subscribers, len(projects))) for index in range(len(projects))]
    expected = sum(watching[number % len(projects)] for number in sent)
    return {
        "ws_p99_ms": round(delays[len(delays) * 99 // 100], 2),
        "ws_p50_ms": round(delays[len(delays) // 2], 2),
        "ws_lost": float(expected - len(heard)),
    }


async def publish(bench: Bench, projects: list[str], seconds: float) -> dict[int, int]:
    """Events at an even pace, over the projects in turn: row first, then Redis. Numbers to when Redis was told."""
    sent: dict[int, int] = {}
    client = redis.asyncio.from_url(bench.redis_url)
    started = time.monotonic()
    for number in range(int(EVENTS_PER_S * seconds)):
        await asyncio.sleep(max(0.0, started + number / EVENTS_PER_S - time.monotonic()))
        project_id = projects[number % len(projects)]
        async with bench.database.transaction() as session:
            data = {"required": number, "remaining": 0}
            seq = await events.append(session, project_id, "quota.insufficient", data)
        sent[number] = time.monotonic_ns()
        await client.publish(channels.EVENTS, orjson.dumps({"project_id": project_id, "seq": seq}))
    await client.aclose()
    return sent


async def prepare(bench: Bench, url: str, many: int) -> tuple[str, str, str, list[str]]:
    """Tokens of somebody with 100 and with many projects, a project, and those that are watched."""
    await migrate(url)
    few_id, few = await bench.user("few")
    many_id, many_token = await bench.user("many")
    projects = await bench.projects(few_id, 100)
    await bench.projects(many_id, many)
    async with bench.database.engine.connect() as connection:
        await connection.exec_driver_sql("ANALYZE")
    return few, many_token, projects[0], projects[:WATCHED]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--projects", type=int, default=100_000)
    parser.add_argument("--subscribers", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    with ExitStack() as stack:
        directory, postgres, cache = stack.enter_context(servers())
        bench = Bench(directory, postgres.url, cache.url)
        with asyncio.Runner() as runner:
            few, many, project, watched = runner.run(prepare(bench, postgres.url, options.projects))
            for name, port in zip(PEERS, free_ports(len(PEERS)), strict=True):
                bench.urls[name] = stack.enter_context(peer(name, port, project, few))
            found = rates(bench.urls, project, few, options.rounds, options.seconds)
            list_ms, growth = list_growth(bench.urls["product"], few, many, options.rounds, options.seconds / 3)
            sockets = runner.run(websockets(bench, few, watched, options.subscribers, 10))
            runner.run(bench.database.close())
    figures = {
        "vs_bare_query": median([one / peer for one, peer in zip(found["product"], found["bare"], strict=True)]),
        "vs_fastapi": median([one / peer for one, peer in zip(found["product"], found["fastapi"], strict=True)]),
        "per_second": round(median(found["product"])),
        "list_growth": growth,
        "list_ms": list_ms,
        **sockets,
    }
    show("The API", figures, NOTES, as_json=options.json)


if __name__ == "__main__":
    main()
