"""`reelfarm user`: what an operator does with the users of a server, over its database."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.console import DataDirOption, in_servers_database, settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

users = typer.Typer(no_args_is_help=True, help="Users of the server.")

NameArgument = Annotated[str, typer.Argument(help="The name to log in with.")]


@users.command("create")
def create(
    name: NameArgument,
    *,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
    daily_limit: Annotated[int | None, typer.Option(help="Quota units a day.", min=0, show_default=False)] = None,
    email: Annotated[str, typer.Option(help="Shown to the user.")] = "",
    admin: Annotated[bool, typer.Option("--admin", help="Make a platform admin.")] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Make a user of a data directory, whether its server runs or not, or of REELFARM_DATABASE_URL."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)

    async def act(session: "AsyncSession") -> None:
        from control_plane.accounts import service

        await service.create_user(
            session, username=name, password=password, email=email, daily_limit=daily_limit, is_platform_admin=admin
        )

    in_servers_database(data_dir, act)
    typer.echo(f"user {name} can log in")


@users.command("list")
def list_users(data_dir: DataDirOption = None) -> None:
    """The users, a line each: id, name, `admin` or `user`, quota units used today and a day, tab-separated."""
    from control_plane.accounts import admin

    for user in in_servers_database(data_dir, admin.list_users):
        kind = "admin" if user.is_platform_admin else "user"
        typer.echo(f"{user.id}\t{user.username}\t{kind}\t{user.used}/{user.daily_limit}")


@users.command("admin")
def make_admin(
    name: NameArgument,
    *,
    off: Annotated[bool, typer.Option("--off", help="Take it away.")] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Make a user a platform admin."""
    from control_plane.accounts import admin

    in_servers_database(data_dir, lambda session: admin.set_platform_admin(session, name, is_admin=not off))
    typer.echo(f"user {name} is {'no ' if off else 'a '}platform admin")


@users.command("limit")
def limit(
    name: Annotated[str, typer.Argument(help="A user's name, or a team's id.")],
    units: Annotated[int, typer.Argument(help="Quota units a day.", min=0)],
    data_dir: DataDirOption = None,
) -> None:
    """Change what a user or a team may spend a day."""
    from control_plane.accounts import admin

    in_servers_database(data_dir, lambda session: admin.set_daily_limit(session, name, units))
    typer.echo(f"{name} has {units} a day")


@users.command("reset-password")
def reset_password(name: NameArgument, data_dir: DataDirOption = None) -> None:
    """Print a token with which the user can choose another password, once."""
    from control_plane.accounts import admin

    ttl_s = settings().password_reset_ttl_s
    token, expires_at = in_servers_database(data_dir, lambda session: admin.issue_reset(session, name, ttl_s))
    typer.echo(token)
    typer.echo(f"good for POST /api/v1/auth/reset-password until {expires_at:%Y-%m-%d %H:%M} UTC", err=True)
