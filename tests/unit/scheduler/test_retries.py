"""Which failures count, and for how long a task is tried again."""

import pytest

from scheduler.retries import MAX_FARM_FAILURES, Verdict, backoff_s, judge
from scheduler.task import OutcomeClass, TaskState


def verdict(
    outcome: OutcomeClass,
    *,
    permanent: bool = False,
    cancel_requested: bool = False,
    task_failures: int = 0,
    farm_failures: int = 0,
) -> Verdict:
    return judge(
        outcome,
        permanent=permanent,
        cancel_requested=cancel_requested,
        task_failures=task_failures,
        farm_failures=farm_failures,
        max_attempts=3,
    )


def test_success_ends_the_task() -> None:
    assert verdict(OutcomeClass.SUCCEEDED).state is TaskState.SUCCEEDED


def test_a_users_mistake_fails_at_once() -> None:
    assert verdict(OutcomeClass.USER).state is TaskState.FAILED


def test_what_would_fail_alike_is_not_tried_again() -> None:
    after = verdict(OutcomeClass.MODEL_OUT_OF_MEMORY, permanent=True)
    assert (after.state, after.outcome) == (TaskState.FAILED, OutcomeClass.MODEL_OUT_OF_MEMORY)


def test_a_tasks_own_failures_count_to_the_limit_with_growing_pauses() -> None:
    first = verdict(OutcomeClass.TASK)
    second = verdict(OutcomeClass.TASK, task_failures=first.task_failures)
    third = verdict(OutcomeClass.TASK, task_failures=second.task_failures)
    assert [v.state for v in (first, second, third)] == [TaskState.QUEUED, TaskState.QUEUED, TaskState.FAILED]
    assert 0 < first.delay_s < second.delay_s


@pytest.mark.parametrize(
    "outcome",
    [OutcomeClass.WORKER, OutcomeClass.NODE, OutcomeClass.PREEMPTED, OutcomeClass.MODEL_OUT_OF_MEMORY],
)
def test_a_lost_worker_is_not_the_tasks_fault_but_not_forgiven_for_ever(outcome: OutcomeClass) -> None:
    farm_failures = 0
    for _ in range(MAX_FARM_FAILURES - 1):
        after = verdict(outcome, task_failures=2, farm_failures=farm_failures)
        assert after.state is TaskState.QUEUED
        assert after.task_failures == 2
        farm_failures = after.farm_failures
    assert verdict(outcome, farm_failures=farm_failures).state is TaskState.FAILED


def test_the_first_loss_of_a_worker_costs_no_pause() -> None:
    assert verdict(OutcomeClass.WORKER).delay_s == 0
    assert verdict(OutcomeClass.WORKER, farm_failures=1).delay_s > 0


@pytest.mark.parametrize("outcome", list(OutcomeClass))
def test_a_cancelled_task_ends_cancelled_however_its_attempt_ended(outcome: OutcomeClass) -> None:
    after = verdict(outcome, cancel_requested=True)
    assert (after.state, after.outcome) == (TaskState.CANCELLED, OutcomeClass.CANCELLED)


def test_the_pause_is_bounded() -> None:
    assert backoff_s(1) < backoff_s(2) < backoff_s(50) == backoff_s(51)
