"""What scheduler.ports.Farm promises, held against the farm in memory and the one on Ray."""

import pytest

from scheduler.ports import AttemptEnded, WorkerLost, WorkerLostError, WorkerUp
from scheduler.task import OutcomeClass
from tests.integration.farm.conformance.rigs import Rig, event
from tests.integration.farm.conftest import eventually


async def until_begun(rig: Rig, task_id: str) -> None:
    async def begun() -> bool:
        return rig.executions()[task_id, 1] > 0

    await eventually(begun, f"{task_id} begins")


async def test_a_worker_comes_up_on_every_slot_of_a_node_that_is_there(rig: Rig) -> None:
    ups = [await event(rig.farm, WorkerUp) for _ in range(2)]
    assert len({up.worker for up in ups}) == len({up.slot for up in ups}) == 2
    (node,) = rig.farm.nodes()
    assert {(up.node, up.device) for up in ups} == {(node.id, "cpu")}
    for up in ups:
        assert (await rig.farm.status(up.worker)).attempts == ()


async def test_an_attempt_runs_is_seen_and_ends_with_a_manifest(rig: Rig) -> None:
    worker = (await event(rig.farm, WorkerUp)).worker
    assignment = rig.assignment("t1")
    assert await rig.farm.manifest(assignment.attempt) is None
    rig.farm.start(worker, assignment)
    await until_begun(rig, "t1")
    status = await rig.farm.status(worker)
    assert status.attempts == (("t1", 1),)
    assert status.since_progress_s <= status.budget_s
    await rig.release("t1")
    report = (await event(rig.farm, AttemptEnded)).report
    assert (report.attempt, report.worker, report.outcome) == (("t1", 1), worker, OutcomeClass.SUCCEEDED)
    assert await rig.farm.manifest(("t1", 1)) == report
    assert (await rig.farm.status(worker)).attempts == ()


async def test_starting_an_attempt_again_joins_it_and_runs_nothing_twice(rig: Rig) -> None:
    worker = (await event(rig.farm, WorkerUp)).worker
    rig.farm.start(worker, rig.assignment("t1"))
    await until_begun(rig, "t1")
    await rig.release("t1")
    first = (await event(rig.farm, AttemptEnded)).report
    rig.farm.start(worker, rig.assignment("t1"))
    assert (await event(rig.farm, AttemptEnded)).report == first
    assert rig.executions() == {("t1", 1): 1}


async def test_several_given_together_run_are_seen_and_end_each_with_a_manifest(rig: Rig) -> None:
    worker = (await event(rig.farm, WorkerUp)).worker
    both = [rig.assignment("t1"), rig.assignment("t2")]
    rig.farm.start(worker, *both)
    await until_begun(rig, "t1")
    # What cannot be made in one call may run one after the other.
    assert ("t1", 1) in (await rig.farm.status(worker)).attempts
    await rig.release("t1")
    await rig.release("t2")
    reports = [(await event(rig.farm, AttemptEnded)).report for _ in both]
    assert {report.attempt: report.outcome for report in reports} == {
        ("t1", 1): OutcomeClass.SUCCEEDED,
        ("t2", 1): OutcomeClass.SUCCEEDED,
    }
    assert [await rig.farm.manifest(report.attempt) for report in reports] == reports
    rig.farm.start(worker, *both)
    assert [(await event(rig.farm, AttemptEnded)).report for _ in both] == reports
    assert rig.executions() == {("t1", 1): 1, ("t2", 1): 1}
    assert (await rig.farm.status(worker)).attempts == ()


async def test_a_successor_finds_what_runs_and_hears_of_its_end(rig: Rig) -> None:
    up = await event(rig.farm, WorkerUp)
    rig.farm.start(up.worker, rig.assignment("t1"))
    await until_begun(rig, "t1")
    await rig.take_over()
    found = []
    while up not in found:
        found.append(await event(rig.farm, WorkerUp))
    assert (await rig.farm.status(up.worker)).attempts == (("t1", 1),)
    rig.farm.start(up.worker, rig.assignment("t1"))
    await rig.release("t1")
    assert (await event(rig.farm, AttemptEnded)).report.outcome is OutcomeClass.SUCCEEDED
    assert rig.executions() == {("t1", 1): 1}


async def test_a_cancelled_attempt_ends_so_and_its_worker_goes_on(rig: Rig) -> None:
    worker = (await event(rig.farm, WorkerUp)).worker
    rig.farm.start(worker, rig.assignment("t1"))
    await until_begun(rig, "t1")
    await rig.farm.cancel(worker, ("other", 1))
    assert (await rig.farm.status(worker)).attempts == (("t1", 1),), "another attempt's cancelling is not for it"
    await rig.farm.cancel(worker, ("t1", 1))
    assert (await event(rig.farm, AttemptEnded)).report.outcome is OutcomeClass.CANCELLED
    rig.farm.start(worker, rig.assignment("t2"))
    await until_begun(rig, "t2")
    await rig.release("t2")
    assert (await event(rig.farm, AttemptEnded)).report.attempt == ("t2", 1)


async def test_a_killed_worker_is_lost_before_kill_returns_and_another_takes_its_slot(rig: Rig) -> None:
    ups = [await event(rig.farm, WorkerUp) for _ in range(2)]
    rig.farm.start(ups[0].worker, rig.assignment("t1"))
    await until_begun(rig, "t1")
    await rig.farm.kill(ups[0].worker, "for a test")
    lost = rig.farm.events.get_nowait()
    assert lost == WorkerLost(ups[0].worker, OutcomeClass.WORKER, "for a test")
    with pytest.raises(WorkerLostError):
        await rig.farm.status(ups[0].worker)
    successor = await event(rig.farm, WorkerUp)
    assert successor.worker not in {up.worker for up in ups}
    assert (successor.slot, successor.node, successor.device) == (ups[0].slot, ups[0].node, ups[0].device)
    assert (await rig.farm.status(successor.worker)).attempts == ()


async def test_a_vacated_node_has_no_worker_until_it_is_taken_back(rig: Rig) -> None:
    ups = [await event(rig.farm, WorkerUp) for _ in range(2)]
    (node,) = rig.farm.nodes()
    rig.farm.vacate(frozenset({node.id}))
    lost = {(await event(rig.farm, WorkerLost)).worker for _ in range(2)}
    assert lost == {up.worker for up in ups}
    assert rig.farm.nodes() == [node]
    rig.farm.vacate(frozenset())
    back = [await event(rig.farm, WorkerUp) for _ in range(2)]
    assert {up.slot for up in back} == {up.slot for up in ups}
    assert not {up.worker for up in back} & lost


async def test_a_worker_that_nobody_knows_is_lost_or_not_heard(rig: Rig) -> None:
    with pytest.raises(WorkerLostError):
        await rig.farm.status("nobody")
    with pytest.raises(WorkerLostError):
        await rig.farm.cancel("nobody", ("t1", 1))
    rig.farm.prepare("nobody", "stage")
    rig.farm.start("nobody", rig.assignment("t1"))
    await rig.farm.kill("nobody", "for a test")
    assert rig.executions() == {}
