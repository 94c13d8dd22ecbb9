"""Whose fault a failure is, and when a slot is taken out for it."""

import pytest

from scheduler.ports import AttemptReport
from scheduler.suspects import LIMIT, Suspects
from scheduler.task import OutcomeClass


class Farm:
    """Two slots, ``a`` and ``b``, each with a process, which is another after a loss."""

    def __init__(self) -> None:
        self.suspects = Suspects()
        self.processes = {"a": 1, "b": 1}
        self._epochs: dict[str, int] = {}

    def end(
        self, slot: str, task_id: str, outcome: OutcomeClass, *, permanent: bool = False, last: bool = False
    ) -> None:
        epoch = self._epochs[task_id] = self._epochs.get(task_id, 0) + 1
        report = AttemptReport(
            task_id=task_id,
            epoch=epoch,
            worker=f"process {self.processes[slot]} on {slot}",
            outcome=outcome,
            permanent=permanent,
            error_message=f"{task_id} went wrong",
        )
        self.processes[slot] += outcome is OutcomeClass.WORKER
        self.suspects.on_end(slot, report, settled=last or outcome is OutcomeClass.SUCCEEDED)

    def caught(self) -> list[str]:
        return [found.slot for found in self.suspects.caught]


@pytest.mark.parametrize("outcome", [OutcomeClass.WORKER, OutcomeClass.NODE, OutcomeClass.MODEL_OUT_OF_MEMORY])
def test_a_slot_that_fails_three_different_tasks_in_a_row_is_caught_and_says_why(outcome: OutcomeClass) -> None:
    farm = Farm()
    for task_id in ("t1", "t2"):
        farm.end("a", task_id, outcome)
    assert farm.caught() == []
    farm.end("a", "t3", outcome)
    (caught,) = farm.suspects.caught
    assert caught.slot == "a"
    assert "3 different tasks" in caught.reason
    assert "t3 went wrong" in caught.reason
    assert [failure.message for failure in farm.suspects.failures("a")] == [f"t{n} went wrong" for n in (1, 2, 3)]


def test_one_task_that_kills_its_workers_takes_none_of_them_out() -> None:
    farm = Farm()
    for _ in range(8):
        farm.end("a", "killer", OutcomeClass.WORKER)
    assert farm.caught() == []
    assert len(farm.suspects.failures("a")) == 1


def test_a_success_clears_the_slot() -> None:
    farm = Farm()
    for round_ in range(4):
        farm.end("a", f"bad1-{round_}", OutcomeClass.WORKER)
        farm.end("a", f"bad2-{round_}", OutcomeClass.WORKER)
        farm.end("a", f"good-{round_}", OutcomeClass.SUCCEEDED)
    assert farm.caught() == []
    assert farm.suspects.failures("a") == []


def test_failures_of_tasks_that_succeed_elsewhere_are_the_slots() -> None:
    farm = Farm()
    for number in range(LIMIT):
        farm.end("a", f"t{number}", OutcomeClass.TASK)
        assert farm.caught() == []
        farm.end("b", f"t{number}", OutcomeClass.SUCCEEDED)
    assert farm.caught() == ["a"]
    assert farm.suspects.caught[0].worker == "process 1 on a"


def test_what_is_heard_later_of_a_process_that_was_caught_is_not_its_successors_fault() -> None:
    farm = Farm()
    for number in range(3 * LIMIT):
        farm.end("a", f"t{number}", OutcomeClass.TASK)
    for number in range(2 * LIMIT):
        farm.end("b", f"t{number}", OutcomeClass.SUCCEEDED)
    assert farm.caught() == ["a"]
    farm.processes["a"] += 1
    for number in range(2 * LIMIT, 3 * LIMIT):
        farm.end("a", f"t{number}", OutcomeClass.TASK)
        farm.end("b", f"t{number}", OutcomeClass.SUCCEEDED)
    assert farm.caught() == ["a", "a"]


def test_tasks_that_fail_wherever_they_run_blame_nobody() -> None:
    farm = Farm()
    for number in range(LIMIT):
        farm.end("a", f"poison{number}", OutcomeClass.TASK)
        farm.end("b", f"poison{number}", OutcomeClass.TASK)
        farm.end("a", f"poison{number}", OutcomeClass.TASK, last=True)
    assert farm.caught() == []
    assert farm.suspects.failures("a") == farm.suspects.failures("b") == []


def test_a_task_that_succeeds_where_it_failed_blames_nobody() -> None:
    farm = Farm()
    for number in range(LIMIT):
        farm.end("a", f"t{number}", OutcomeClass.TASK)
    for number in range(LIMIT):
        farm.end("a", f"t{number}", OutcomeClass.SUCCEEDED)
        assert farm.suspects.failures("a") == []


@pytest.mark.parametrize("outcome", [OutcomeClass.USER, OutcomeClass.CANCELLED, OutcomeClass.PREEMPTED])
def test_what_is_nobodys_fault_is_no_failure(outcome: OutcomeClass) -> None:
    farm = Farm()
    for number in range(2 * LIMIT):
        farm.end("a", f"t{number}", outcome, last=True)
    assert farm.caught() == []


def test_a_model_that_fits_no_worker_is_not_the_workers_fault() -> None:
    farm = Farm()
    for number in range(2 * LIMIT):
        farm.end("a", f"t{number}", OutcomeClass.MODEL_OUT_OF_MEMORY, permanent=True, last=True)
    assert farm.caught() == []


def test_a_slot_that_goes_on_failing_stays_out_ever_longer_within_a_bound() -> None:
    farm = Farm()
    for number in range(20 * LIMIT):
        farm.end("a", f"t{number}", OutcomeClass.WORKER)
    pauses = [caught.pause_s for caught in farm.suspects.caught]
    assert len(pauses) == 20
    assert pauses[0] < pauses[1] < pauses[2]
    assert pauses[-1] == pauses[-2] <= 3600
