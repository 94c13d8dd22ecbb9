"""``python -m control_plane``: one api process, addressed by the environment (runtime.settings)."""

import asyncio
import sys

import uvloop
from aiohttp import web

from control_plane.app import make_app
from monitoring.logs import configure_logging
from runtime.settings import get_settings


def main() -> None:
    settings = get_settings()
    configure_logging("api", settings.log_level)
    try:
        app = make_app(settings)
    except ValueError as error:
        sys.exit(f"reelfarm api: {error}")
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    web.run_app(
        app,
        host=settings.host,
        port=settings.port,
        print=None,
        access_log=None,
        handle_signals=True,
        shutdown_timeout=3.0,
    )


if __name__ == "__main__":
    main()
