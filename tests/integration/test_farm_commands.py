"""`reelfarm farm …` on a server's database: rows are all it needs of the farm."""

from collections.abc import Iterator

import pytest
from typer.testing import CliRunner, Result

from control_plane.cli import app
from runtime.database import Database
from runtime.settings import get_settings
from scheduler import roster
from scheduler.farm_tables import DrainRow, RestartRow
from scheduler.ports import Node
from scheduler.roster import Sighting
from scheduler.suspects import Suspects
from scheduler.task import WorkerState
from tests.conftest import run_apart


@pytest.fixture
def _server(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The database of a farm of two nodes with a worker each."""
    run_apart(lambda: _see_the_farm(database_url))
    monkeypatch.setenv("REELFARM_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


async def _see_the_farm(database_url: str) -> None:
    database = Database(database_url)
    nodes = [Node(f"n{number}", f"10.0.0.{number}") for number in range(2)]
    sightings = [
        Sighting(f"worker-{node.id}", f"{node.id}-gpu0", node.id, "gpu", WorkerState.IDLE, None, ("sdxl",), 90.0)
        for node in nodes
    ]
    async with database.transaction() as session:
        await roster.record(session, nodes, sightings, Suspects())
    await database.close()


def reelfarm(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["farm", *arguments])


def order_of(database_url: str, row: type[DrainRow] | type[RestartRow], key: str) -> list[object]:
    found: list[object] = []

    async def look() -> None:
        database = Database(database_url)
        async with database.transaction() as session:
            found.append(await session.get(row, key))
        await database.close()

    run_apart(look)
    return found


@pytest.mark.usefixtures("_server")
def test_the_status_is_a_table_of_nodes_and_one_of_workers() -> None:
    shown = reelfarm("status")
    assert shown.exit_code == 0, shown.output
    words = [line.split() for line in shown.stdout.splitlines()]
    assert ["n0", "10.0.0.0", "up", "1", "0", "s", "ago"] in words
    assert ["n1-gpu0", "idle", "sdxl", "2", "min", "ago"] in words
    assert words[-1] == ["0", "tasks", "run,", "0", "wait"]


@pytest.mark.usefixtures("_server")
def test_orders_are_written_shown_and_taken_back(database_url: str) -> None:
    assert reelfarm("drain", "10.0.0.1", "--reason", "new fans").stdout == "n1-gpu0: no new task starts\n"
    assert reelfarm("restart", "n0-gpu0", "--now").stdout == "n0-gpu0: restarted now\n"
    (drained,) = order_of(database_url, DrainRow, "n1")
    assert isinstance(drained, DrainRow)
    assert (drained.reason, drained.ordered_by) == ("new fans", "the command line")
    (restart,) = order_of(database_url, RestartRow, "worker-n0")
    assert isinstance(restart, RestartRow)
    assert (restart.slot, restart.at_once, restart.done_at) == ("n0-gpu0", True, None)
    shown = reelfarm("status").stdout
    assert "drained by the command line: new fans" in shown
    assert "to restart by the command line" in shown
    assert reelfarm("undrain", "n1").stdout == "n1-gpu0: tasks start again\n"
    assert order_of(database_url, DrainRow, "n1") == [None]


@pytest.mark.usefixtures("_server")
@pytest.mark.parametrize("order", ["drain", "undrain", "restart"])
def test_what_is_not_there_is_told_in_a_line(order: str) -> None:
    failed = reelfarm(order, "n7")
    assert failed.exit_code == 1
    assert failed.stderr == "error: not found: target: no such node or worker\n"


@pytest.mark.usefixtures("_server")
def test_a_server_is_asked_as_somebody() -> None:
    failed = reelfarm("status", "--server", "http://127.0.0.1:1")
    assert failed.exit_code == 1
    assert "--user" in failed.stderr
