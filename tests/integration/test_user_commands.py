"""`reelfarm user …` on a server's database."""

from collections.abc import Iterator

import pytest
from typer.testing import CliRunner, Result

from control_plane.cli import app
from runtime.settings import get_settings


@pytest.fixture
def _server(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("REELFARM_DATABASE_URL", database_url)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def reelfarm(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, ["user", *arguments], input=stdin)


def listed() -> dict[str, list[str]]:
    rows = [line.split("\t") for line in reelfarm("list").stdout.splitlines()]
    return {row[1]: row[2:] for row in rows}


@pytest.mark.usefixtures("_server")
def test_an_operator_makes_and_changes_users() -> None:
    assert reelfarm("create", "ada", "--password-stdin", "--admin", stdin="correct horse\n").exit_code == 0
    assert reelfarm("create", "lin", "--password-stdin", stdin="correct horse\n").exit_code == 0
    assert listed() == {"ada": ["admin", "0/5000"], "lin": ["user", "0/5000"]}
    assert reelfarm("admin", "lin").exit_code == reelfarm("admin", "ada", "--off").exit_code == 0
    assert reelfarm("limit", "LIN", "12").exit_code == 0
    assert listed() == {"ada": ["user", "0/5000"], "lin": ["admin", "0/12"]}


@pytest.mark.usefixtures("_server")
def test_a_reset_prints_nothing_but_its_token() -> None:
    reelfarm("create", "ada", "--password-stdin", stdin="correct horse\n")
    made = reelfarm("reset-password", "ada")
    assert made.exit_code == 0
    assert len(made.stdout.split()) == 1
    assert made.stdout.split()[0] not in made.stderr


@pytest.mark.usefixtures("_server")
@pytest.mark.parametrize("arguments", [("admin", "nobody"), ("limit", "nobody", "3"), ("reset-password", "nobody")])
def test_an_unknown_name_is_told_in_a_line(arguments: tuple[str, ...]) -> None:
    failed = reelfarm(*arguments)
    assert failed.exit_code == 1
    assert failed.stderr.startswith("error: not found")
    assert len(failed.stderr.splitlines()) == 1
