"""A control plane on a real PostgreSQL and Redis, with the real scheduler loop; its workers run in this process.

What Ray adds (processes that die) is tested elsewhere; here the product's flow is, at the speed of the draft engine.
"""

import asyncio
import importlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import unused_port
from argon2 import PasswordHasher

from control_plane.accounts import passwords
from control_plane.accounts.service import create_user
from control_plane.app import make_app
from control_plane.events.hub import Hub
from control_plane.events.socket import HUB
from control_plane.web.handler import SERVICES
from control_plane.work import Services
from farm.provenance import provenance
from models.catalog import Catalog
from models.interfaces import UserInputError
from models.residency import Residency
from models.specs import StoredArtifact
from pipelines.context import LocalContext, PartOfTask, describe
from pipelines.registry import TASK_KINDS
from runtime.artifacts import ArtifactStore
from runtime.bilingual import both
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.settings import Settings
from scheduler.leader import try_to_lead
from scheduler.loop import Scheduler
from scheduler.loop_config import LoopConfig
from scheduler.ports import Assignment, AttemptReport
from scheduler.profiles import profiles
from scheduler.task import OutcomeClass
from scheduler.testing import FakeFarm
from tests.conftest import fresh_database
from tests.contract.fields import SENT
from tests.contract.watch import Watch
from tests.integration.control_plane.rendered import Rendered, rendered_in
from tests.residency import cpu_residency

PASSWORD = "correct horse"


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of a module share a control plane, so they share a worker of pytest-xdist."""
    for item in items:
        if "integration/control_plane" in item.path.as_posix():
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


SCALE = 4
"""Films are made at a quarter of the width and height asked for: here the product is tested, not the engine."""


def smaller(spec: dict[str, Any]) -> dict[str, Any]:
    sizes = {name: max(64, spec[name] // SCALE // 2 * 2) for name in ("width", "height") if name in spec}
    return {**spec, **sizes}


class StoreContext(LocalContext):
    """A task context over the test's artifact store."""

    def __init__(self, root: Path, store: ArtifactStore) -> None:
        super().__init__(root)
        self._artifacts = store

    def fetch(self, key: str) -> Path:
        path = self._artifacts.local_path(key)
        if path is None and self._artifacts.local_root is None:
            path = self.work_dir / "fetched" / key
            self._artifacts.download(key, path)
        if path is None:
            raise FileNotFoundError(key)
        return path

    def store(self, path: Path, media_type: str | None = None) -> StoredArtifact:
        artifact = describe(path, media_type)
        self._artifacts.put_file(artifact.key, path)
        return artifact


class InlineFarm(FakeFarm):
    """Workers that run the real pipelines in threads of this process, for each different task once. ``hold`` keeps
    kinds, or pictures of a framing, from starting, ``fail`` makes kinds fail, ``instead`` reports in the place of an
    engine."""

    def __init__(self, store: ArtifactStore, root: Path, rendered: Rendered, catalog: Catalog) -> None:
        super().__init__(slots=2)
        self._catalog = catalog
        self._rendered = rendered
        self._store = store
        self._root = root
        self._residencies: dict[str, Residency] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._released = asyncio.Event()
        self.hold: set[str] = set()
        self.fail: dict[str, str] = {}
        self.instead: dict[str, Callable[[Assignment], dict[str, Any]]] = {}
        self.ran: list[Assignment] = []

    def release(self) -> None:
        self.hold.clear()
        self._released.set()

    def start(self, worker: str, assignment: Assignment) -> None:
        super().start(worker, assignment)
        if self.workers[worker].assignment is assignment:
            task = asyncio.create_task(self._run(worker, assignment))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _run(self, worker: str, assignment: Assignment) -> None:
        while self.hold & {assignment.kind, assignment.spec.get("framing")}:
            self._released.clear()
            await self._released.wait()
        if worker not in self.workers:  # killed meanwhile
            return
        self.ran.append(assignment)
        if assignment.kind in self.fail:
            self.finish(assignment.task_id, OutcomeClass.USER, error_message=self.fail[assignment.kind])
            return
        report = await asyncio.to_thread(self._execute, worker, assignment)
        self.finish(assignment.task_id, **report)

    def _execute(self, worker: str, assignment: Assignment) -> dict[str, Any]:
        if assignment.kind in self.instead:
            return self.instead[assignment.kind](assignment)
        earlier = self._rendered.take(assignment, self._store)
        if earlier is not None:
            return {"result": earlier, "duration_s": 0.1}
        kind = TASK_KINDS[assignment.kind]
        context = StoreContext(self._root / worker / assignment.task_id, self._store)
        residency = self._residencies.setdefault(worker, cpu_residency(self._root))
        model = self._catalog.models[assignment.model]
        spec = kind.spec.model_validate(smaller(assignment.spec))
        try:
            with residency.use(model, kind.shape(spec), PartOfTask(context, 0.0, 0.0)) as adapter:
                result = importlib.import_module(kind.module).run(spec, adapter, context)
        except UserInputError as error:
            return {"outcome": OutcomeClass.USER, "error_message": both(error.zh, error.en), "error_field": error.field}
        how = provenance(kind.name, model, spec, context, self._root)
        made = result.model_copy(update={"provenance": how}).model_dump(mode="json")
        self._rendered.keep(assignment, made, self._store)
        return {"result": made, "duration_s": 0.1}

    def finish(self, task_id: str, outcome: OutcomeClass = OutcomeClass.SUCCEEDED, **fields: Any) -> AttemptReport:
        return super().finish(task_id, fields.pop("outcome", outcome), **fields)


class ApiError(AssertionError):
    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.code = body["code"]
        self.message = body["message"]


@dataclass
class Client:
    """A user of the API: answers ``data``, raises ApiError for a failure's envelope."""

    session: aiohttp.ClientSession
    url: str
    token: str = ""
    name: str = ""

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= options.pop("headers", {})
        async with self.session.request(
            method, f"{self.url}/api/v1{path}", json=body, headers=headers, **options
        ) as answer:
            envelope = await answer.json()
        assert set(envelope) == {"code", "message", "data"}
        if envelope["code"] or answer.status != 200:
            raise ApiError(answer.status, envelope)
        SENT.note(method, path, body, options.get("params"))
        return envelope["data"]

    async def get(self, path: str, **options: Any) -> Any:
        return await self.call("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return await self.call("POST", path, {} if body is None else body, **options)

    async def put(self, path: str, body: Any = None, **options: Any) -> Any:
        return await self.call("PUT", path, {} if body is None else body, **options)

    async def login(self, name: str, password: str = PASSWORD) -> "Client":
        data = await self.post("/auth/login", {"username": name, "password": password})
        return Client(self.session, self.url, data["session_token"], name)

    async def until(self, path: str, done: Callable[[Any], bool], *, within_s: float = 60.0) -> Any:
        """Ask until the answer is as wanted."""
        async with asyncio.timeout(within_s):
            while not done(answer := await self.get(path)):  # noqa: ASYNC110 - the condition is on the server
                await asyncio.sleep(0.03)
        return answer


@dataclass
class Plane:
    services: Services
    hub: Hub
    farm: InlineFarm
    anonymous: Client
    new_user: Callable[..., Awaitable[Client]]
    watch: Watch


@pytest.fixture(scope="module")
def module_database_url(postgres: EmbeddedPostgres, database_template: str) -> Iterator[str]:
    """A migrated database for the tests of a module: each makes users of its own."""
    with fresh_database(postgres, database_template) as url:
        yield url


@pytest.fixture(scope="module")
def plane_settings() -> dict[str, Any]:
    """Settings of a module's own; a module overrides this fixture."""
    return {}


@pytest.fixture(scope="module")
def monkeypatch_module() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plane(
    module_database_url: str,
    _embedded_redis_server: str,
    tmp_path_factory: pytest.TempPathFactory,
    plane_settings: dict[str, Any],
    monkeypatch_module: pytest.MonkeyPatch,
) -> AsyncIterator[Plane]:
    """A served control plane with its scheduler. Its passwords are hashed in no time, as no thief will see them."""
    tmp_path = tmp_path_factory.mktemp("plane")
    port = unused_port()
    settings = Settings.model_validate(
        {
            "database_url": module_database_url,
            "redis_url": _embedded_redis_server,
            "artifacts_url": f"file://{tmp_path}/artifacts",
            "secret_key": "test secret of more than thirty-two characters",
            "port": port,
            "login_attempts_per_minute": 1000,
        }
        | plane_settings
    )
    monkeypatch_module.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    passwords._nobodys_hash.cache_clear()
    app = make_app(settings)
    watch = Watch()
    app.middlewares.insert(0, watch.middleware)
    services = app[SERVICES]
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    farm = InlineFarm(services.store, tmp_path / "work", rendered_in(tmp_path_factory), services.catalog)
    leadership = await try_to_lead(services.database)
    assert leadership is not None
    scheduler = Scheduler(
        services.database,
        services.redis,
        farm,
        leadership=leadership,
        models=profiles(services.catalog),
        config=LoopConfig(lease_s=30, poll_interval_s=0.1, max_attempts=3),
    )
    scheduling = asyncio.create_task(scheduler.run())

    async def new_user(name: str, **options: Any) -> Client:
        async with services.database.transaction() as session:
            await create_user(session, username=name, password=PASSWORD, **options)
        return await anonymous.login(name)

    async with aiohttp.ClientSession() as http:
        anonymous = Client(http, f"http://127.0.0.1:{port}")
        yield Plane(services, app[HUB], farm, anonymous, new_user, watch)
    scheduling.cancel()
    await asyncio.gather(scheduling, return_exceptions=True)
    await runner.cleanup()
    assert sorted(watch.surprises) == []


@pytest_asyncio.fixture(loop_scope="module")
async def user(plane: Plane) -> Client:
    """A logged-in user, new for each test."""
    return await plane.new_user(f"lin-{next(_numbers)}")


_numbers = itertools.count()


STORY = "夕阳下，小女孩林晓雨在海边遇见了老渔夫。“爷爷，你在等什么？”林晓雨问。"


def submission(content: str = STORY, **changes: Any) -> dict[str, Any]:
    config = {"aspect_ratio": "16:9", "duration_type": "smart"} | changes.pop("config", {})
    return {"input_mode": "general", "input_type": "text", "content": content, "config": config, **changes}


async def generated(user: Client, **changes: Any) -> tuple[str, str]:
    """A project whose materials are there: (project id, package id)."""
    project_id = (await user.post("/input/submit", submission(**changes)))["project_id"]
    package_id = (await user.post("/generation/start", {"project_id": project_id}))["material_package_id"]
    done = await user.until(f"/generation/progress/{project_id}", lambda a: a["status"] != "generating")
    assert done["status"] == "completed", done
    return project_id, package_id
