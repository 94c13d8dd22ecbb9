"""What a scheduler needs beside a cluster, started for a benchmark and ended with it."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from control_plane.migrations import migrate
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.embedded.redis_server import EmbeddedRedis
from runtime.embedded.rundir import create_run_dir

REPOSITORY = Path(__file__).parents[1]


@contextmanager
def servers() -> Iterator[tuple[Path, Path, dict[str, str]]]:
    """A directory, one whose path is short enough for sockets, and the environment of a scheduler that lacks its
    catalog and its Ray: a migrated PostgreSQL with fsync, and a Redis."""
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        run_dir = create_run_dir()
        stack.callback(shutil.rmtree, run_dir, ignore_errors=True)
        postgres = EmbeddedPostgres(root / "postgres", run_dir, log=root / "postgres.log")
        postgres.start()
        stack.callback(postgres.stop)
        asyncio.run(migrate(postgres.url))
        redis_server = EmbeddedRedis()
        redis_server.start()
        stack.callback(redis_server.stop)
        environment = {
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "REELFARM_DATABASE_URL": postgres.url,
            "REELFARM_REDIS_URL": redis_server.url,
            "REELFARM_ARTIFACTS_URL": f"file://{root}/artifacts",
            "REELFARM_DATA_DIR": str(root / "data"),
        }
        yield root, run_dir, environment
