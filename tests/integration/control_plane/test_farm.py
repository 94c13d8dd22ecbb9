"""The farm over the API and over the command line that asks it, for platform admins."""

import asyncio
from typing import Any

import orjson
import pytest
import pytest_asyncio
from sqlalchemy import text
from typer.testing import CliRunner, Result

from control_plane.cli import app
from scheduler.farm_tables import NodeRow
from scheduler.ports import Assignment
from scheduler.task import OutcomeClass
from tests.contract.fields import shows
from tests.integration.control_plane.conftest import PASSWORD, ApiError, Client, Plane, submission

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def operator(plane: Plane) -> Client:
    """With a farm that has nothing to do: what a fresh database makes of presets is made."""
    made = await plane.new_user("operator", is_platform_admin=True)
    await made.until(
        "/farm", lambda status: status["workers"] and status["tasks_queued"] + status["tasks_running"] == 0
    )
    return made


async def until_worker(operator: Client, worker_id: str, **wanted: Any) -> dict[str, Any]:
    def found(status: dict[str, Any]) -> dict[str, Any]:
        return next((worker for worker in status["workers"] if worker["id"] == worker_id), {})

    return found(await operator.until("/farm", lambda status: wanted.items() <= found(status).items()))


async def test_an_operator_sees_nodes_and_workers(operator: Client) -> None:
    await until_worker(operator, "node0-cpu0", state="idle")
    await until_worker(operator, "node0-cpu1", state="idle")
    status = await operator.get("/farm")
    assert [(node["id"], node["address"], node["state"]) for node in status["nodes"]] == [("node0", "node0.test", "up")]
    assert [worker["id"] for worker in status["workers"]] == ["node0-cpu0", "node0-cpu1"]
    assert (status["tasks_queued"], status["tasks_running"]) == (0, 0)


@shows("POST /farm/drain", "target", "reason")
@shows("POST /farm/undrain", "target")
async def test_a_drain_is_shown_with_its_reason_until_it_is_taken_back(operator: Client) -> None:
    await until_worker(operator, "node0-cpu0", state="idle")
    ordered = await operator.post("/farm/drain", {"target": "node0-cpu0", "reason": "its fan is loud"})
    assert ordered == {"workers": ["node0-cpu0"]}
    drained = await until_worker(operator, "node0-cpu0", state="drained")
    assert (drained["drain"]["reason"], drained["drain"]["ordered_by"]) == ("its fan is loud", "operator")
    await until_worker(operator, "node0-cpu1", state="idle")
    assert await operator.post("/farm/undrain", {"target": "node0-cpu0"}) == {"workers": ["node0-cpu0"]}
    assert "drain" not in await until_worker(operator, "node0-cpu0", state="idle")


async def test_a_node_is_named_by_its_address_and_drained_with_all_its_workers(operator: Client) -> None:
    ordered = await operator.post("/farm/drain", {"target": "node0.test"})
    assert ordered == {"workers": ["node0-cpu0", "node0-cpu1"]}
    for worker_id in ordered["workers"]:
        assert "drain" not in await until_worker(operator, worker_id, state="drained")
    (node,) = (await operator.get("/farm"))["nodes"]
    assert node["drain"]["ordered_by"] == "operator"
    with pytest.raises(ApiError, match="target") as caught:
        await operator.post("/farm/undrain", {"target": "node0-cpu0"})
    assert (caught.value.status, caught.value.code) == (400, 1001)
    await operator.post("/farm/undrain", {"target": "node0"})
    await until_worker(operator, "node0-cpu0", state="idle")


@shows("POST /farm/restart", "target", "now", "reason")
async def test_a_restart_waits_for_what_runs_unless_it_is_to_be_now(
    plane: Plane, operator: Client, user: Client
) -> None:
    plane.farm.hold = {"script"}
    project = (await user.post("/input/submit", submission()))["project_id"]
    await user.post("/generation/start", {"project_id": project})
    status = await operator.until("/farm", lambda found: any(w["state"] == "busy" for w in found["workers"]))
    (busy,) = [worker for worker in status["workers"] if worker["state"] == "busy"]
    assert status["tasks_running"] == 1
    assert busy["task_label"]
    await operator.post("/farm/restart", {"target": busy["id"], "reason": "it leaks"})
    waiting = await until_worker(operator, busy["id"], state="draining")
    assert (waiting["name"], waiting["restart"]["now"], "done_at" in waiting["restart"]) == (busy["name"], False, False)
    await operator.post("/farm/restart", {"target": busy["id"], "now": True, "reason": "it leaks much"})

    def restarted(found: dict[str, Any]) -> bool:
        (worker,) = [worker for worker in found["workers"] if worker["id"] == busy["id"]]
        return worker["name"] != busy["name"] and "done_at" in worker["restart"]

    status = await operator.until("/farm", restarted)
    (fresh,) = [worker for worker in status["workers"] if worker["id"] == busy["id"]]
    assert (fresh["restart"]["now"], fresh["restart"]["reason"]) == (True, "it leaks much")
    plane.farm.release()
    done = await user.until(f"/generation/progress/{project}", lambda found: found["status"] != "generating")
    assert done["status"] == "completed"


async def test_a_task_that_fails_by_its_own_making_is_shown_with_the_reason_to_operators_and_in_words_to_users(
    plane: Plane, operator: Client, user: Client
) -> None:
    def burn(assignment: Assignment) -> dict[str, Any]:
        return {"outcome": OutcomeClass.TASK, "error_message": "RuntimeError: the stage is on fire"}

    plane.farm.instead["script"] = burn
    project = (await user.post("/input/submit", submission()))["project_id"]
    await user.post("/generation/start", {"project_id": project})
    progress = await user.until(f"/generation/progress/{project}", lambda found: found["status"] != "generating")
    del plane.farm.instead["script"]
    assert progress["status"] == "failed"
    (failed,) = [step for step in progress["tasks"] if step["status"] == "failed"]
    assert failed["error_message"] == "生成失败，请重试"
    status = await operator.get("/farm")
    task = status["quarantined"][0]
    assert (task["project_id"], task["kind"], task["attempts"]) == (project, "script", 3)
    assert task["reason"] == "RuntimeError: the stage is on fire"
    assert [worker["failures"] for worker in status["workers"]] == [0, 0], "no worker is to blame"


async def test_what_is_not_there_is_told_by_its_field(plane: Plane, operator: Client) -> None:
    for order in ("drain", "undrain", "restart"):
        with pytest.raises(ApiError, match="target") as caught:
            await operator.post(f"/farm/{order}", {"target": "node7"})
        assert (caught.value.status, caught.value.code) == (404, 1004)
    async with plane.services.database.transaction() as session:
        seen_at = (await session.get_one(NodeRow, "node0")).seen_at
        session.add_all(NodeRow(id=f"twin{n}", address="twin", lost=False, seen_at=seen_at) for n in range(2))
    try:
        with pytest.raises(ApiError, match="target") as caught:
            await operator.post("/farm/drain", {"target": "twin"})
        assert (caught.value.status, caught.value.code) == (400, 1001)
    finally:
        async with plane.services.database.transaction() as session:
            await session.execute(text("DELETE FROM farm_nodes WHERE address = 'twin'"))


async def reelfarm(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, ["farm", *arguments])


async def test_the_command_line_asks_a_server(plane: Plane, operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELFARM_PASSWORD", PASSWORD)
    at = ("--server", operator.url, "--user", "operator")
    shown = await reelfarm("status", "--json", *at)
    assert shown.exit_code == 0, shown.output
    assert orjson.loads(shown.stdout)["nodes"] == (await operator.get("/farm"))["nodes"]
    assert (await reelfarm("drain", "node0-cpu1", "--reason", "loud", *at)).stdout == "node0-cpu1: no new task starts\n"
    await until_worker(operator, "node0-cpu1", state="drained")
    assert "drained by operator: loud" in (await reelfarm("status", *at)).stdout
    assert (await reelfarm("undrain", "node0-cpu1", *at)).exit_code == 0
    await until_worker(operator, "node0-cpu1", state="idle")
    refused = await reelfarm("restart", "node7", *at)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.startswith("error: not found: target")
    await plane.new_user("nobody-much")
    refused = await reelfarm("status", "--server", operator.url, "--user", "nobody-much")
    assert refused.exit_code == 1
    assert "permission denied" in refused.stderr
