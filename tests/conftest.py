"""Servers for tests: a real PostgreSQL, a real Ray, an embedded and a real Redis. A missing one fails."""

import asyncio
import os
import shutil
import signal
import sys
import urllib.request
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import redis
import structlog
from aiohttp.test_utils import unused_port

from control_plane import migrations
from runtime.artifacts import ArtifactStore
from runtime.database import Base, Database
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.embedded.process import spawn, wait_until
from runtime.embedded.ray_head import DRIVER_ENVIRONMENT, RayHead
from runtime.embedded.redis_server import EmbeddedRedis
from runtime.embedded.rundir import create_run_dir
from tests.contract.fields import SENT, claimed_by

REPOSITORY = Path(__file__).parents[1]
RAY_GROUP = "ray"

# A shell's background jobs ignore Ctrl-C and so would every process that the tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Ray reads these when it is imported, and a test module may import it before any fixture runs.
os.environ.update(DRIVER_ENVIRONMENT)
# As in a worker. Threads that share cores with those of other test processes spend their time waiting for each other.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

# As every process of the product tells of exceptions. The default draws all local variables, for seconds.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One Ray at a time: its tests share a worker of pytest-xdist."""
    for item in items:
        if "ray_head" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(RAY_GROUP))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    SENT.begin_test()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
    if fixturedef.scope == "function":
        return (yield)
    with SENT.shared():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A test that claims to show what a request field changes runs, and its client sends the field."""
    report = yield
    claims = claimed_by(item.iter_markers("shows"))
    if claims and report.skipped:
        report.outcome, report.longrepr = "failed", "it claims fields, so it may not be skipped"
    elif claims and call.when == "call" and report.passed and SENT.missing(claims):
        report.outcome, report.longrepr = "failed", f"it claims what it did not send: {sorted(SENT.missing(claims))}"
    return report


def run_apart(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine on a loop of its own in another thread, whatever loop the test has."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(work())).result()


@pytest.fixture(scope="session")
def run_dir() -> Iterator[Path]:
    """A directory with a short path, for sockets."""
    directory = create_run_dir()
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory, run_dir: Path) -> Iterator[EmbeddedPostgres]:
    """A running PostgreSQL, one for each worker of pytest-xdist. Tests take `database` or `database_url`."""
    base = tmp_path_factory.mktemp("postgres")
    server = EmbeddedPostgres(base / "data", run_dir, log=base / "postgres.log", durable=False)
    server.start()
    yield server
    server.stop()


async def execute(server: EmbeddedPostgres, *statements: str) -> None:
    """Statements outside a transaction, in the maintenance database."""
    connection = await asyncpg.connect(server.url_of("postgres").replace("+asyncpg", ""))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def database_template(postgres: EmbeddedPostgres) -> str:
    """The name of a migrated database without connections, to copy from."""
    name = "migrated"
    run_apart(lambda: execute(postgres, f"CREATE DATABASE {name}"))
    run_apart(lambda: _create_schema(postgres.url_of(name)))
    return name


async def _create_schema(url: str) -> None:
    if any(Path(migrations.__file__).parent.glob("versions/*.py")):
        await migrations.migrate(url)
        return
    migrations.import_tables()
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await database.close()


@contextmanager
def fresh_database(postgres: EmbeddedPostgres, database_template: str) -> Iterator[str]:
    """A copy of the migrated database, for as long as the block runs."""
    name = f"test_{uuid.uuid4().hex}"
    run_apart(lambda: execute(postgres, f"CREATE DATABASE {name} TEMPLATE {database_template} STRATEGY file_copy"))
    yield postgres.url_of(name)
    run_apart(lambda: execute(postgres, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, database_template: str) -> Iterator[str]:
    """A fresh migrated database: `postgresql+asyncpg://…`."""
    with fresh_database(postgres, database_template) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh migrated database, as every process uses it."""
    opened = Database(database_url)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def _embedded_redis_server() -> Iterator[str]:
    server = EmbeddedRedis()
    server.start()
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def _real_redis_server(run_dir: Path) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.fail("redis-server is not on PATH; `make test` installs it (apt-get install redis-server)")
    socket = run_dir / "redis.sock"
    child = spawn(
        "redis-server",
        [
            program,
            "--port",
            "0",
            "--unixsocket",
            str(socket),
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            "/",
        ],
    )
    client = redis.Redis(unix_socket_path=str(socket))

    def answers() -> bool:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False

    if not wait_until(answers, 10):
        pytest.fail(f"{program} does not answer")
    yield f"unix://{socket}"
    client.close()
    child.stop(grace_s=2)


def _flushed(url: str) -> str:
    with redis.from_url(url) as client:
        client.flushall()
    return url


@pytest.fixture
def embedded_redis_url(_embedded_redis_server: str) -> str:
    """The Redis that `reelfarm up` brings along, empty."""
    return _flushed(_embedded_redis_server)


@pytest.fixture
def real_redis_url(_real_redis_server: str) -> str:
    """A real redis-server, empty."""
    return _flushed(_real_redis_server)


@pytest.fixture(params=["embedded", "real"])
def redis_url(request: pytest.FixtureRequest) -> str:
    """An empty Redis; the test runs once on the embedded server and once on a real one."""
    return str(request.getfixturevalue(f"{request.param}_redis_url"))


@pytest.fixture(scope="session")
def ray_head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayHead]:
    """A Ray of two CPUs, for `ray.init(address=ray_head.address)`; workers can import `tests`.

    Drivers in processes of their own need `ray_head.environment`; this process has it already.
    """
    directory = create_run_dir()
    python_path = os.pathsep.join(filter(None, (str(REPOSITORY), os.environ.get("PYTHONPATH"))))
    head = RayHead(
        directory,
        cpu_workers=2,
        log=tmp_path_factory.mktemp("ray") / "ray.log",
        extra_environment={"PYTHONPATH": python_path},
    )
    head.start()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in head.environment.items():
            patch.setenv(name, value)
        yield head
    head.stop()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def _s3_server() -> Iterator[str]:
    """The address of a server of the S3 API, a process of its own."""
    port = unused_port()
    child = spawn("s3", [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)])
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"{address}/moto-api/", timeout=1):
                return True
        except OSError:
            return False

    if not wait_until(answers, 30):
        pytest.fail("moto's server does not answer")
    yield address
    child.stop(grace_s=2)


@pytest.fixture(scope="module")
def s3_url(_s3_server: str) -> Iterator[str]:
    """An empty place in a bucket, under a prefix: `s3://bucket/prefix`."""
    bucket = f"bucket-{uuid.uuid4().hex}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", _s3_server)
        patch.setenv("AWS_ALLOW_HTTP", "true")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_REGION", "us-east-1")
        request = urllib.request.Request(f"{_s3_server}/{bucket}", method="PUT")
        with urllib.request.urlopen(request, timeout=10):
            yield f"s3://{bucket}/farms/one"


@pytest.fixture
def artifacts(tmp_path: Path) -> ArtifactStore:
    """An empty artifact store on disk."""
    return ArtifactStore(f"file://{tmp_path / 'artifacts'}")
