"""`python -m scheduler`: stand by, lead, schedule. The only place where the farm meets the loop."""

import asyncio
import os
import signal
import sys

import prometheus_client
import redis.asyncio
import structlog
import uvloop

from farm import cluster
from farm.fleet import RayFarm
from farm.worker import WorkerConfig
from models.catalog_file import DEFAULT_PATH, load_catalog
from models.sources import Usage
from monitoring import metrics
from monitoring.logs import configure_logging
from runtime.database import Database
from runtime.redis import connect
from runtime.settings import Settings, get_settings
from scheduler.leader import TTL_S, Leadership, LostLeadershipError, try_to_lead
from scheduler.loop import Scheduler
from scheduler.loop_config import LoopConfig
from scheduler.outage import MAYBE_AWAY, is_outage
from scheduler.ports import FarmLostError
from scheduler.profiles import profiles

log = structlog.get_logger(__name__)

EXIT_FARM_LOST = 3
"""The Ray head is gone; a new process attaches to its successor."""

_STANDBY_INTERVAL_S = 0.5
# A process stopped in the middle of a transaction must not hold off its successor by the locks it has.
_IDLE_IN_TRANSACTION_TIMEOUT_MS = int(TTL_S * 1000)


def worker_config(settings: Settings) -> WorkerConfig:
    return WorkerConfig(
        redis_url=settings.redis_url.get_secret_value(),
        artifacts_url=settings.artifacts_url,
        catalog=settings.catalog,
        usage=Usage.of(settings),
        models_dir=settings.models_folder,
        vram_gb=settings.vram_gb,
        host_models_gb=settings.host_models_gb,
        scratch_dir=settings.base_dir / "scratch",
        cache_max_bytes=settings.worker_cache_max_bytes,
        budget_scale=settings.phase_budget_scale,
        log_level=settings.log_level,
    )


async def serve(settings: Settings) -> int:
    """Schedule until a signal comes or the farm is gone; returns the exit status."""
    database = Database(
        settings.database_url.get_secret_value(),
        server_settings={"idle_in_transaction_session_timeout": str(_IDLE_IN_TRANSACTION_TIMEOUT_MS)},
    )
    redis_client = connect(settings.redis_url.get_secret_value())
    status = 0
    try:
        async with asyncio.TaskGroup() as group:
            turns = group.create_task(_take_turns(settings, database, redis_client))
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, turns.cancel)
    except* FarmLostError as lost:
        log.error("the farm is gone", error=str(lost.exceptions[0]))
        status = EXIT_FARM_LOST
    finally:
        await redis_client.aclose()
        await database.close()
    return status


async def _take_turns(settings: Settings, database: Database, redis_client: redis.asyncio.Redis) -> None:
    while True:
        leadership = await _stand_by(database)
        log.info("leading", generation=leadership.generation)
        metrics.LEADING.set(1)
        try:
            await _lead(settings, database, redis_client, leadership)
        except* LostLeadershipError as lost:
            log.warning("no longer leading", error=str(lost.exceptions[0]))
        finally:
            metrics.LEADING.set(0)
            await _resign(leadership, database)


async def _stand_by(database: Database) -> Leadership:
    while True:
        try:
            if (leadership := await try_to_lead(database)) is not None:
                return leadership
        except MAYBE_AWAY as error:
            if not is_outage(error):
                raise
            log.warning("the database is away", error=str(error).partition("\n")[0])
        await asyncio.sleep(_STANDBY_INTERVAL_S)


async def _lead(
    settings: Settings, database: Database, redis_client: redis.asyncio.Redis, leadership: Leadership
) -> None:
    catalog = load_catalog(settings.catalog or DEFAULT_PATH, Usage.of(settings))
    scheduler = Scheduler(
        database,
        redis_client,
        RayFarm(settings.ray_address, worker_config(settings)),
        leadership=leadership,
        models=profiles(catalog),
        config=LoopConfig(
            lease_s=settings.lease_s,
            poll_interval_s=settings.poll_interval_s,
            max_attempts=settings.max_attempts,
            tenant_limit=settings.tenant_limit,
            autoscales=settings.autoscale,
            idle_node_s=settings.idle_node_s,
        ),
    )
    await scheduler.run()


async def _resign(leadership: Leadership, database: Database) -> None:
    try:
        await leadership.resign(database)
    except MAYBE_AWAY as error:
        if not is_outage(error):
            raise
        log.info("the leader row will expire by itself")


def main() -> int:
    settings = get_settings()
    configure_logging("scheduler", settings.log_level)
    log.info("scheduler starts")
    if settings.scheduler_metrics_port is not None:
        prometheus_client.start_http_server(settings.scheduler_metrics_port, addr=settings.host)
    cluster.connect(settings.ray_address, settings.ray_namespace)
    status = uvloop.run(serve(settings))
    if status == EXIT_FARM_LOST:
        # Ray takes its leave of the head for half a minute, or ends the process with a status of its own.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


if __name__ == "__main__":
    sys.exit(main())
