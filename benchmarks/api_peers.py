"""The servers that benchmarks/api.py compares, each a process of its own on a port of its own.

    python -m benchmarks.api_peers product|bare|fastapi PORT PROJECT

All read one project with the statements that the product's own handler executes, through the same pool. ``bare`` does
nothing else: no login, no model, rows straight to JSON. ``fastapi`` is the product's endpoint as one would write
it there.
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
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState

from control_plane.accounts.actor import Access, Actor
from control_plane.accounts.tokens import read_session_token
from control_plane.app import make_app, make_services
from control_plane.errors import ApiError, NotLoggedIn
from control_plane.projects import service
from control_plane.projects.schemas import ProjectDetail
from control_plane.work import Services, Work, unit_of_work
from runtime.settings import get_settings

T = TypeVar("T")


async def statements_of(services: Services, actor: Actor, project_id: str) -> list[tuple[Any, Any]]:
    """What the product executes to read a project, in order, with parameters."""
    seen: list[tuple[Any, Any]] = []

    def note(state: ORMExecuteState) -> None:
        seen.append((state.statement, state.parameters))

    async with unit_of_work(services) as work:
        event.listen(work.session.sync_session, "do_orm_execute", note)
        await service.detail(work, actor, project_id)
    return seen


def columns(row: Any) -> Any:
    """A row of a table as JSON; whatever else a statement selects is a plain value."""
    if hasattr(row, "__table__"):
        return {name: getattr(row, name) for name in row.__table__.columns.keys()}  # noqa: SIM118
    if hasattr(row, "_mapping"):
        return dict(row._mapping)
    raise TypeError(type(row))


async def bare(services: Services, actor: Actor, project_id: str) -> web.Application:
    statements = await statements_of(services, actor, project_id)

    async def handle(request: web.Request) -> web.Response:
        found = []
        async with services.database.transaction() as session:
            for statement, parameters in statements:
                found.append((await session.execute(statement, parameters)).all())
        return web.Response(body=orjson.dumps(found, default=columns), content_type="application/json")

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
        async with unit_of_work(services) as unit:
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
