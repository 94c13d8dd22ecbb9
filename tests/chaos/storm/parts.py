"""The product's processes and servers, as an operator would run them: what dies is started again."""

import asyncio
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aiohttp.test_utils import unused_port

from control_plane.accounts.service import create_user
from control_plane.migrations import migrate
from runtime.database import Database
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.embedded.process import Child, spawn, wait_until
from runtime.embedded.services import answers_health
from tests.chaos.storm.catalog import write_catalog

PASSWORD = "correct horse battery"
DAILY_LIMIT = 100_000_000
LEASE_S = 10.0
_RESTART_AFTER_S = 0.5


@dataclass
class Part:
    """A process that is started again when it ends, as a supervisor would."""

    name: str
    launch: Callable[[], Child]
    child: Child | None = None
    ended_at: float | None = None
    deaths: int = 0

    def start(self) -> None:
        self.child = self.launch()

    def keep(self) -> None:
        if self.child is None or self.child.exit_status() is None:
            return
        if self.ended_at is None:
            self.ended_at = time.monotonic()
            self.deaths += 1
        elif time.monotonic() - self.ended_at >= _RESTART_AFTER_S:
            self.ended_at = None
            self.start()

    @property
    def pid(self) -> int | None:
        """None while it is down."""
        return None if self.child is None or self.child.exit_status() is not None else self.child.pid

    def signal(self, number: signal.Signals) -> bool:
        if (pid := self.pid) is None:
            return False
        os.kill(pid, number)
        return True

    def end(self, grace_s: float) -> None:
        if self.child is not None:
            self.child.stop(grace_s)
            self.child = None


class Parts:
    """A database, a Redis, two api processes, and two schedulers, one of which stands by."""

    def __init__(self, root: Path, run_dir: Path, ray_address: str) -> None:
        self.root = root
        self.log = root / "executions.jsonl"
        self.data_dir = root / "data"
        self.store = root / "artifacts"
        self.postgres = EmbeddedPostgres(root / "postgres", run_dir, log=root / "postgres.log")
        self.redis_port = unused_port()
        self.api_ports = [unused_port(), unused_port()]
        self.environment = self._environment(ray_address)
        self.redis = Part("redis", self._launch_redis)
        self.apis = [self._api(f"api-{name}", port) for name, port in zip("ab", self.api_ports, strict=True)]
        self.schedulers = [
            Part(name, partial(self._launch, name, "scheduler")) for name in ("scheduler-a", "scheduler-b")
        ]

    @property
    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.api_ports]

    @property
    def kept(self) -> list[Part]:
        """What is started again when it ends; PostgreSQL is by whoever stopped it."""
        return [self.redis, *self.apis, *self.schedulers]

    @property
    def dsn(self) -> str:
        return self.postgres.url.replace("+asyncpg", "")

    def start(self, users: list[str]) -> None:
        write_catalog(self.root / "catalog.toml", self.log)
        self.postgres.start()
        asyncio.run(migrate(self.postgres.url))
        asyncio.run(self._make(users))
        for part in self.kept:
            part.start()
        if not wait_until(lambda: all(answers_health("127.0.0.1", port) for port in self.api_ports), 60):
            raise TimeoutError(f"the api processes do not serve; see {self.root}")

    async def _make(self, users: list[str]) -> None:
        """As `reelfarm user create` does, but all at once."""
        database = Database(self.postgres.url)
        async with database.transaction() as session:
            for user in users:
                await create_user(session, username=user, password=PASSWORD, daily_limit=DAILY_LIMIT)
        await database.close()

    def keep(self) -> None:
        """Start again what ended."""
        for part in self.kept:
            part.keep()

    def stop_product(self) -> None:
        parts = [*self.apis, *self.schedulers]
        for part in parts:
            part.signal(signal.SIGTERM)
        for part in parts:
            part.end(grace_s=20)

    def stop_servers(self) -> None:
        self.redis.end(grace_s=5)
        self.postgres.stop(grace_s=20)

    def pids(self) -> set[int]:
        """Of the processes that are waited for by whoever started them."""
        children = [part.child for part in self.kept] + [self.postgres.child]
        return {child.pid for child in children if child}

    # --- how each is started

    def _api(self, name: str, port: int) -> Part:
        return Part(name, partial(self._launch, name, "control_plane", REELFARM_PORT=str(port)))

    def _launch(self, name: str, module: str, **more: str) -> Child:
        environment = {**self.environment, **more}
        return spawn(name, [sys.executable, "-m", module], log=self.root / f"{name}.log", environment=environment)

    def _launch_redis(self) -> Child:
        options = ["--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        return spawn("redis-server", ["redis-server", *options, "--dir", "/"], log=self.root / "redis.log")

    def _environment(self, ray_address: str) -> Mapping[str, str]:
        return {
            **os.environ,
            "REELFARM_DATABASE_URL": self.postgres.url,
            "REELFARM_REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "REELFARM_ARTIFACTS_URL": f"file://{self.store}",
            "REELFARM_RAY_ADDRESS": ray_address,
            "REELFARM_DATA_DIR": str(self.data_dir),
            "REELFARM_CATALOG": str(self.root / "catalog.toml"),
            "REELFARM_SECRET_KEY": secrets.token_hex(32),
            "REELFARM_SESSION_TTL_S": "86400",
            "REELFARM_LEASE_S": str(LEASE_S),
            # Nothing that would put a wrong count right: what is checked is what the product wrote in the first place.
            "REELFARM_COLLECT_INTERVAL_S": "86400",
        }
