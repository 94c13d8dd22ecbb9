"""Which slots fail whatever they are given. Pure.

A slot is to blame where its worker died, hung, ran out of memory or had a broken machine; and, seen later, where a
task failed that then succeeded elsewhere. A task that fails wherever it runs blames nobody: it is the poison.
Different tasks in a row count, so one task that kills its workers takes none of them out; a success clears the slot.
"""

from dataclasses import dataclass

from scheduler.ports import AttemptReport
from scheduler.task import OutcomeClass

LIMIT = 3
"""Different tasks in a row that a slot may fail before it is drained for a while and gets a fresh process."""

_PAUSE_BASE_S = 30.0
_PAUSE_MAX_S = 3600.0

_WORKERS_FAULT = frozenset({OutcomeClass.WORKER, OutcomeClass.NODE, OutcomeClass.MODEL_OUT_OF_MEMORY})


@dataclass(frozen=True)
class Failure:
    """``worker`` is the process that failed, ``message`` what it or the scheduler said."""

    worker: str
    message: str


@dataclass(frozen=True)
class Caught:
    """A slot to be drained for ``pause_s`` seconds, and the process there to be replaced."""

    slot: str
    worker: str
    reason: str
    pause_s: float


class Suspects:
    """Feed it how attempts ended; ``caught`` is for the caller to act on and to empty."""

    def __init__(self) -> None:
        self.caught: list[Caught] = []
        self._in_a_row: dict[str, dict[str, Failure]] = {}
        self._unexplained: dict[str, dict[str, Failure]] = {}
        """Failures of tasks that are to be tried again, by task and slot."""
        self._replaced: dict[str, str] = {}
        """The process that was caught last on a slot: what is heard of it later says nothing of its successor."""

    def failures(self, slot: str) -> list[Failure]:
        """Of different tasks, since the last success there."""
        return list(self._in_a_row.get(slot, {}).values())

    def on_end(self, slot: str, report: AttemptReport, *, settled: bool) -> None:
        """An attempt ended on a slot. ``settled``: its task is not tried again."""
        task_id = report.task_id
        failure = Failure(report.worker, report.error_message or report.outcome.value)
        if report.outcome is OutcomeClass.SUCCEEDED:
            self._in_a_row.pop(slot, None)
            for other, before in self._unexplained.get(task_id, {}).items():
                if other != slot:
                    self._blame(other, task_id, before)
        elif report.outcome in _WORKERS_FAULT and not report.permanent:
            self._blame(slot, task_id, failure)
        elif report.outcome is OutcomeClass.TASK:
            self._unexplained.setdefault(task_id, {})[slot] = failure
        if settled:
            self._unexplained.pop(task_id, None)

    def _blame(self, slot: str, task_id: str, failure: Failure) -> None:
        in_a_row = self._in_a_row.setdefault(slot, {})
        if task_id in in_a_row or self._replaced.get(slot) == failure.worker:
            return
        in_a_row[task_id] = failure
        times, rest = divmod(len(in_a_row), LIMIT)
        if rest == 0:
            self._replaced[slot] = failure.worker
            reason = f"failed {len(in_a_row)} different tasks in a row, the last with: {failure.message}"
            pause_s = min(_PAUSE_BASE_S * 2.0 ** (times - 1), _PAUSE_MAX_S)
            self.caught.append(Caught(slot, failure.worker, reason, pause_s))
