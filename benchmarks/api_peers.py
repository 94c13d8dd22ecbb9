"""The servers that benchmarks/api.py compares, each a process of its own on a port of its own.

    python -m benchmarks.api_peers product|bare|fastapi PORT PROJECT

All read one project with the same query through the same pool. ``bare`` does nothing else: no login, no model, the row
straight to JSON, over SQLAlchemy's engine as one would write it. ``fastapi`` is the product's endpoint as one would
write it there, over the product's own way to the database.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Generic, TypeVar

import orjson
import structlog
import uvloop
from aiohttp import web
from pydantic import BaseModel

from control_plane.accounts.actor import Access, Actor
from control_plane.accounts.tokens import read_session_token
from control_plane.app import make_app, make_services
from control_plane.errors import ApiError, NotLoggedIn
from control_plane.projects import service
from control_plane.projects.queries import DETAIL
from control_plane.projects.schemas import ProjectDetail
from control_plane.work import Services, Work, reading_work
from runtime.settings import get_settings

T = TypeVar("T")


def bare(services: Services, actor: Actor, project_id: str) -> web.Application:
    asked = {"project_id": project_id, "user_id": actor.user_id, "session_id": actor.session_id}

    async def handle(request: web.Request) -> web.Response:
        async with services.database.engine.connect() as connection:
            rows = await connection.execute(DETAIL.statement, asked)
            found = [dict(row) for row in rows.mappings()]
        return web.Response(body=orjson.dumps(found), content_type="application/json")

    app = web.Application()
    app.router.add_get("/api/v1/projects/{project_id}", handle)
    return app


class Envelope(BaseModel, Generic[T]):
    code: int = 0
    message: str = "success"
    data: T


def fastapi_app(services: Services) -> Any:
    from fastapi import Depends, FastAPI, HTTPException, Path
    from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await services.database.close()

    app = FastAPI(lifespan=lifespan)
    bearer = HTTPBearer()

    def actor_of(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> Actor:
        try:
            return read_session_token(services.settings, credentials.credentials, Access.READ)
        except NotLoggedIn as error:
            raise HTTPException(401, error.message("en")) from error

    async def work() -> AsyncIterator[Work]:
        async with reading_work(services) as unit:
            yield unit

    @app.get("/api/v1/projects/{project_id}", response_model_exclude_none=True)
    async def detail(
        project_id: Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$")],
        actor: Annotated[Actor, Depends(actor_of)],
        unit: Annotated[Work, Depends(work)],
    ) -> Envelope[ProjectDetail]:
        try:
            return Envelope(data=await service.detail(unit, actor, project_id))
        except ApiError as error:
            raise HTTPException(error.status, error.message("en")) from error

    return app


def main() -> None:
    name, port, project_id, token = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    settings = get_settings()
    if name == "product":
        web.run_app(make_app(settings), host="127.0.0.1", port=port, print=None, access_log=None)
        return
    services = make_services(settings)
    if name == "fastapi":
        import uvicorn

        uvicorn.run(fastapi_app(services), host="127.0.0.1", port=port, log_level="error", access_log=False)
        return
    actor = read_session_token(settings, token, Access.READ)
    web.run_app(bare(services, actor, project_id), host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    main()
