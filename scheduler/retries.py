"""What becomes of a task when an attempt ended. Pure."""

from dataclasses import dataclass

from scheduler.task import OutcomeClass, TaskState

MAX_FARM_FAILURES = 8
"""Attempts that may be lost with their workers; generous, since these are not the task's fault."""

_BACKOFF_BASE_S = 1.0
_BACKOFF_MAX_S = 60.0


@dataclass(frozen=True)
class Verdict:
    """The state that follows; ``delay_s`` is the backoff of a task that goes back to the queue."""

    state: TaskState
    outcome: OutcomeClass
    task_failures: int
    farm_failures: int
    delay_s: float = 0.0


def judge(
    outcome: OutcomeClass,
    *,
    permanent: bool = False,
    cancel_requested: bool,
    task_failures: int,
    farm_failures: int,
    max_attempts: int,
) -> Verdict:
    """Whether a task is done, gives up or tries again.

    A cancelled job's task is cancelled however its attempt ended: whoever cancelled was told that it costs
    nothing. ``permanent``: the worker knows that another try would fail alike.
    """
    if cancel_requested or outcome is OutcomeClass.CANCELLED:
        return Verdict(TaskState.CANCELLED, OutcomeClass.CANCELLED, task_failures, farm_failures)
    if outcome is OutcomeClass.SUCCEEDED:
        return Verdict(TaskState.SUCCEEDED, outcome, task_failures, farm_failures)
    if permanent or outcome is OutcomeClass.USER:
        return Verdict(TaskState.FAILED, outcome, task_failures + 1, farm_failures)
    if outcome is OutcomeClass.TASK:
        task_failures += 1
        gives_up = task_failures >= max_attempts
        delay_s = backoff_s(task_failures)
    else:
        farm_failures += 1
        gives_up = farm_failures >= MAX_FARM_FAILURES
        # The first loss of a worker says nothing about the task: it goes on at once elsewhere.
        delay_s = 0.0 if farm_failures == 1 else backoff_s(farm_failures - 1)
    state = TaskState.FAILED if gives_up else TaskState.QUEUED
    return Verdict(state, outcome, task_failures, farm_failures, 0.0 if gives_up else delay_s)


def backoff_s(failures: int) -> float:
    """Seconds to wait after the given number of failures: doubling, bounded."""
    return min(_BACKOFF_BASE_S * 2.0 ** (failures - 1), _BACKOFF_MAX_S)
