"""The one place where the control plane is put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import prometheus_client
import structlog
from aiohttp import web
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

import control_plane.assets.reactions
import control_plane.exports.reactions
import control_plane.materials.reactions
import control_plane.timeline.reactions  # noqa: F401 - importing registers the reactions
from control_plane.accounts.passwords import delivery_of
from control_plane.accounts.routes import routes as accounts
from control_plane.accounts.team_routes import routes as teams
from control_plane.artifacts.routes import add_file_routes
from control_plane.artifacts.routes import routes as files
from control_plane.assets.presets import sync_presets
from control_plane.assets.routes import routes as assets
from control_plane.events.hub import Hub
from control_plane.events.socket import HUB, add_socket_routes
from control_plane.exports.routes import routes as exports
from control_plane.farm.routes import routes as farm
from control_plane.housekeeping import keep_house
from control_plane.inputs.pictures import add_picture_routes
from control_plane.inputs.routes import routes as inputs
from control_plane.materials.routes import routes as materials
from control_plane.moderation.hook import load_moderator
from control_plane.projects.routes import routes as projects
from control_plane.quota.routes import routes as quota
from control_plane.reactions import apply_finished_tasks
from control_plane.timeline.routes import routes as timeline
from control_plane.web.cors import add_cors
from control_plane.web.docs import add_docs_routes
from control_plane.web.failures import add_failures
from control_plane.web.handler import MAX_LINE_BYTES, SERVICES, register
from control_plane.web.parsing import MAX_BODY_BYTES
from control_plane.web.routes import Endpoint
from control_plane.web.signing import Signer
from control_plane.web.tracing import add_tracing
from control_plane.work import Services, unit_of_work
from models.catalog_file import DEFAULT_PATH, load_catalog
from models.sources import Usage
from monitoring.metrics import queue_metrics
from runtime import redis as redis_channels
from runtime.artifacts import ArtifactStore
from runtime.database import Database
from runtime.settings import Settings

log = structlog.get_logger(__name__)

IDLE_IN_TRANSACTION_TIMEOUT_S = 300.0
"""A process that hangs in the middle of a transaction must not hold up the others for ever by the locks it has. Longer
than a moderator looks at a film, which happens inside one."""

ENDPOINTS: tuple[Endpoint, ...] = (
    *accounts,
    *teams,
    *projects,
    *inputs,
    *materials,
    *timeline,
    *exports,
    *assets,
    *files,
    *quota,
    *farm,
)
"""Every endpoint of the API, as declared."""


def make_services(settings: Settings) -> Services:
    """Raises ValueError where a setting is missing or wrong, and CatalogError for a bad catalog."""
    for name in ("database_url", "redis_url", "secret_key"):
        if not getattr(settings, name).get_secret_value():
            raise ValueError(f"REELFARM_{name.upper()} is not set")
    delivery_of(settings)
    return Services(
        settings=settings,
        database=Database(
            settings.database_url.get_secret_value(),
            server_settings={"idle_in_transaction_session_timeout": str(int(IDLE_IN_TRANSACTION_TIMEOUT_S * 1000))},
        ),
        redis=redis_channels.connect(settings.redis_url.get_secret_value()),
        store=ArtifactStore(settings.artifacts_url),
        catalog=load_catalog(settings.catalog or DEFAULT_PATH, Usage.of(settings)),
        signer=Signer(
            settings.secret_key.get_secret_value(),
            settings.public_url or local_url(settings.host, settings.port),
            settings.file_url_ttl_s,
        ),
        moderator=load_moderator(settings),
    )


def local_url(host: str, port: int) -> str:
    """Where a server without a public URL can be reached: from its own machine, if it listens on every address."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    return f"http://{name}:{port}"


def make_app(settings: Settings) -> web.Application:
    services = make_services(settings)
    app = web.Application(
        client_max_size=MAX_BODY_BYTES,
        handler_args={"max_line_size": MAX_LINE_BYTES, "max_field_size": MAX_LINE_BYTES},
    )
    add_tracing(app)
    add_cors(app, settings.allowed_origins)
    add_failures(app)
    app[SERVICES] = services
    app[HUB] = Hub(services)
    for endpoint in ENDPOINTS:
        register(app, endpoint)
    add_file_routes(app)
    add_picture_routes(app)
    add_socket_routes(app)
    add_docs_routes(app, ENDPOINTS, services.signer)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/metrics", metrics)
    app.cleanup_ctx.append(_connections)
    app.cleanup_ctx.append(_background_tasks)
    return app


async def _connections(app: web.Application) -> AsyncIterator[None]:
    from control_plane.migrations import check_revision  # Alembic: only needed once, and slow to import

    services = app[SERVICES]
    async with services.database.engine.connect() as connection:
        await connection.run_sync(check_revision)
    async with unit_of_work(services) as work:
        await sync_presets(work)
    yield
    await services.redis.aclose()
    await services.database.close()


async def _background_tasks(app: web.Application) -> AsyncIterator[None]:
    services, hub = app[SERVICES], app[HUB]
    tasks = [
        asyncio.create_task(apply_finished_tasks(services), name="reactions"),
        asyncio.create_task(hub.listen(), name="events"),
        asyncio.create_task(hub.poll(), name="event poll"),
        asyncio.create_task(keep_house(services), name="housekeeping"),
    ]
    for task in tasks:
        task.add_done_callback(_stop_if_broken)
    yield
    await hub.close()
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task


def _stop_if_broken(task: asyncio.Task[None]) -> None:
    """A loop that ends by itself is a bug, and a process that answers but applies nothing is worse than a restart."""
    if not task.cancelled() and task.exception() is not None:
        log.critical("background task died, stopping", task=task.get_name(), exc_info=task.exception())
        raise SystemExit(70)


async def healthz(request: web.Request) -> web.Response:
    """200 while the database answers."""
    try:
        async with request.app[SERVICES].database.transaction() as session:
            await session.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError) as error:
        log.warning("unhealthy", error=str(error))
        return web.json_response({"status": "database is away"}, status=503)
    return web.json_response({"status": "ok"})


async def metrics(request: web.Request) -> web.Response:
    """Prometheus' exposition of this process and of the queue."""
    async with request.app[SERVICES].database.transaction() as session:
        queue = await queue_metrics(session)
    return web.Response(
        body=prometheus_client.generate_latest() + queue,
        headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST},
    )
