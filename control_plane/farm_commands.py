"""`reelfarm farm`: what an operator sees of the farm and orders it to do, over its database or over the API."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from control_plane.console import DataDirOption, fail, in_servers_database, password_of

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from control_plane.web.models import ResponseModel

farm = typer.Typer(no_args_is_help=True, help="Nodes and workers of the farm.")

_ORDERED_BY = "the command line"

TargetArgument = Annotated[
    str, typer.Argument(help="A worker or a node by its id, or a node by its address; `farm status` lists them.")
]
ReasonOption = Annotated[str, typer.Option(help="For whoever looks at the status.", show_default=False)]
ServerOption = Annotated[
    str | None, typer.Option(help="http://… of a server, instead of a database.", show_default=False)
]
UserOption = Annotated[
    str | None,
    typer.Option(help="A platform admin of that server; the password is in REELFARM_PASSWORD or asked for."),
]


@farm.command("status")
def status(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")] = False,
    server: ServerOption = None,
    user: UserOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Show nodes and workers as the scheduler saw them last."""

    async def look(session: "AsyncSession") -> "ResponseModel":
        from control_plane.farm import service

        return await service.status(session)

    found = _ask(look, ("GET", "/farm", None), server=server, user=user, data_dir=data_dir)
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return
    from control_plane.farm import show

    show.status(found, datetime.now(UTC))


@farm.command("drain")
def drain(
    target: TargetArgument,
    *,
    reason: ReasonOption = "",
    server: ServerOption = None,
    user: UserOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Let no new task start on a worker or a node; what runs ends."""

    async def order(session: "AsyncSession") -> "ResponseModel":
        from control_plane.farm import service

        return await service.drain(session, target, reason=reason, ordered_by=_ORDERED_BY)

    body = {"target": target, "reason": reason}
    _tell(_ask(order, ("POST", "/farm/drain", body), server=server, user=user, data_dir=data_dir), "no new task starts")


@farm.command("undrain")
def undrain(
    target: TargetArgument,
    *,
    server: ServerOption = None,
    user: UserOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Let tasks start there again."""

    async def order(session: "AsyncSession") -> "ResponseModel":
        from control_plane.farm import service

        return await service.undrain(session, target)

    body = {"target": target}
    _tell(
        _ask(order, ("POST", "/farm/undrain", body), server=server, user=user, data_dir=data_dir), "tasks start again"
    )


@farm.command("restart")
def restart(
    target: TargetArgument,
    *,
    now: Annotated[bool, typer.Option("--now", help="Do not wait for what runs: it runs again elsewhere.")] = False,
    reason: ReasonOption = "",
    server: ServerOption = None,
    user: UserOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Give a worker, or each worker of a node, a fresh process once it has nothing to do."""

    async def order(session: "AsyncSession") -> "ResponseModel":
        from control_plane.farm import service

        return await service.restart(session, target, now=now, reason=reason, ordered_by=_ORDERED_BY)

    body = {"target": target, "now": now, "reason": reason}
    found = _ask(order, ("POST", "/farm/restart", body), server=server, user=user, data_dir=data_dir)
    _tell(found, "restarted now" if now else "restarted when there is nothing to do")


def _tell(ordered: dict[str, Any], what: str) -> None:
    typer.echo(f"{', '.join(ordered['workers']) or 'no worker that is there'}: {what}")


def _ask(
    act: "Callable[[AsyncSession], Awaitable[ResponseModel]]",
    request: tuple[str, str, dict[str, Any] | None],
    *,
    server: str | None,
    user: str | None,
    data_dir: Path | None,
) -> dict[str, Any]:
    """The same answer from the database by ``act`` or from a server by ``request``."""
    if server is None:
        return in_servers_database(data_dir, act).model_dump(mode="json", exclude_none=True)
    if user is None:
        fail("whom to log in as? give --user NAME, and the password in REELFARM_PASSWORD")
    from control_plane.client import ClientError

    try:
        return asyncio.run(_request(server, user, *request))
    except ClientError as error:
        fail(str(error))


async def _request(server: str, user: str, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    from control_plane.client import ApiClient

    async with ApiClient(server) as client:
        await client.login(user, password_of(user))
        return await client.request(method, path, body)
