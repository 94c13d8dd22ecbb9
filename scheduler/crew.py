"""The scheduler's workers as it sees them: who is free, who runs what, who fell silent or got stuck."""

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from scheduler.leases import Leases
from scheduler.ledger import Progress, RunningAttempt
from scheduler.orders import Orders
from scheduler.policy import Policy
from scheduler.ports import (
    Assignment,
    AttemptEnded,
    AttemptId,
    AttemptReport,
    Farm,
    FarmEvent,
    WorkerLost,
    WorkerLostError,
    WorkerStatus,
    WorkerUp,
)
from scheduler.roster import Sighting
from scheduler.task import OutcomeClass, WorkerState, worker_state
from scheduler.warmth import WorkerProfile

log = structlog.get_logger(__name__)

_WITHOUT_STEPS = frozenset(("load", "compile", "decode"))
"""Phases in which a worker looks at no cancel flag. What hangs in one is found by its budget; else it costs less to
wait for the end of it than to start a worker anew, and a loaded model stays for the next task."""


@dataclass
class _Member:
    up: WorkerUp
    answered_at: float
    attempts: dict[AttemptId, RunningAttempt] = field(default_factory=dict)
    """What it runs: nothing, one, or several together."""
    status: WorkerStatus | None = None
    stop_by: float | None = None
    """When a worker that was asked to stop all that it runs is killed instead."""
    cancelled: set[AttemptId] = field(default_factory=set)
    asking: asyncio.Task[None] | None = None
    free_since: float = 0.0
    resident: tuple[str, ...] | None = None
    """The models that it has in memory, on its device or not; None until it says so."""
    closed: bool = False
    """Whether an order keeps new tasks from it."""
    dying: bool = False
    prepared: str | None = None
    """The model it was told to expect after this attempt."""

    @property
    def state(self) -> WorkerState:
        return worker_state(busy=bool(self.attempts), closed=self.closed, dying=self.dying)


@dataclass(frozen=True)
class EndedAttempt:
    """An attempt to be committed. When its worker was ``lost``, its manifest, if there is one, says more. ``slot`` is
    where it ran; None where nobody knows, and where it was ended on purpose, which tells nothing of the slot."""

    assignment: Assignment
    report: AttemptReport
    lost: bool
    slot: str | None


@dataclass
class Crew:
    """Follows the farm's events and answers. Not thread-safe; everything runs on one event loop.

    ``may_act`` is asked before a worker is killed. ``wake`` is called when there is something to commit or to
    place. Attempts that ended stay in ``ended`` until the loop has committed them.
    """

    farm: Farm
    policy: Policy
    may_act: Callable[[], bool]
    wake: Callable[[], None]
    clock: Callable[[], float]
    lease_s: float
    poll_interval_s: float
    cancel_grace_s: float
    ended: list[EndedAttempt] = field(default_factory=list)
    _members: dict[str, _Member] = field(default_factory=dict)
    _orders: Orders = field(default_factory=Orders)

    def __post_init__(self) -> None:
        self._hurry = asyncio.Event()
        self._leases = Leases(self.lease_s, self.clock, max_tick_gap_s=2 * self.poll_interval_s)

    # --- what the loop asks

    def attempts(self) -> set[AttemptId]:
        """Every attempt that is running or waits to be committed."""
        running = {attempt for member in self._members.values() for attempt in member.attempts}
        return running | {ended.assignment.attempt for ended in self.ended}

    def progress(self) -> list[Progress]:
        """How far the running attempts are, of those whose worker answered."""
        return [
            Progress(attempt, member.status.phase, member.status.fraction)
            for member in self._members.values()
            if member.status is not None
            for attempt in member.status.attempts
            if attempt in member.attempts
        ]

    def sightings(self) -> list[Sighting]:
        """Every worker as it is now."""
        now = self.clock()
        return [
            Sighting(
                worker=worker,
                slot=member.up.slot,
                node=member.up.node,
                device=member.up.device,
                state=member.state,
                task_id=next((task_id for task_id, _ in member.attempts), None),
                resident=member.resident or (),
                silent_s=now - member.answered_at,
                gpus=member.up.gpus,
            )
            for worker, member in self._members.items()
        ]

    def obey(self, orders: Orders) -> None:
        """Follow the orders as they are now: close workers to new tasks, open others again, end those to restart."""
        self._orders = orders
        for worker, member in self._members.items():
            closed = orders.close(worker, node=member.up.node, slot=member.up.slot)
            if closed:
                self.policy.on_lost(worker)
            elif member.closed:
                member.resident = None  # it is new to the policy, and says again what it has
            member.closed = closed
            restart = orders.restarts.get(worker)
            if restart is not None and (restart.at_once or not member.attempts):
                self._kill(worker, f"restarted: {restart.reason}" if restart.reason else "restarted by an operator")

    def give(self, *attempts: RunningAttempt) -> None:
        """Send attempts of one worker there, to be made together, or join them there if they run already."""
        name = attempts[0].worker
        member = self._members.get(name)
        if member is None:
            self._lose(attempts, OutcomeClass.WORKER, f"worker {name} is gone", slot=None)
            return
        self.policy.on_gone(name)
        member.attempts |= {attempt.assignment.attempt: attempt for attempt in attempts}
        member.status = member.prepared = None
        self.farm.start(name, *(attempt.assignment for attempt in attempts))
        for attempt in attempts:
            if attempt.cancel_requested:
                self.cancel(attempt.assignment.attempt)

    def release(self, worker: str) -> None:
        """A worker has nothing to do, or was chosen and gets nothing after all. One that did not say yet what it is has
        to do so first."""
        member = self._members.get(worker)
        if member is not None and member.resident is not None and not member.dying and not member.closed:
            member.free_since = self.clock()
            self.policy.on_free(worker)

    def idle_s(self, worker: str) -> float:
        """Seconds since the worker became free; 0 for one that is gone."""
        member = self._members.get(worker)
        return 0.0 if member is None else self.clock() - member.free_since

    def cancel(self, attempt: AttemptId) -> None:
        """Ask for a stop at the next step, and kill the worker if it does not come in time, once there are steps. What
        is made together with others that go on is made to the end, and then dropped."""
        for member in self._members.values():
            if attempt in member.attempts and attempt not in member.cancelled:
                member.cancelled.add(attempt)
                self._limit_stop(member)
                self._hurry.set()
                return

    def _limit_stop(self, member: _Member) -> None:
        if member.stop_by is None and member.cancelled >= member.attempts.keys():
            member.stop_by = self.clock() + self.cancel_grace_s

    # --- what happens

    async def follow(self) -> None:
        """Take the farm's events and watch the workers, until cancelled.

        To be started once the attempts that run were given to this object: it stops those it does not know.
        """
        async with asyncio.TaskGroup() as self._group:
            self._group.create_task(self._watch())
            while True:
                self._on_event(await self.farm.events.get())

    def catch_up(self) -> None:
        """Take the events that are there already."""
        while not self.farm.events.empty():
            self._on_event(self.farm.events.get_nowait())

    def _on_event(self, event: FarmEvent) -> None:
        match event:
            case WorkerUp(worker, _, node, slot, _):
                closed = self._orders.close(worker, node=node, slot=slot)
                self._members[worker] = _Member(event, self.clock(), closed=closed)
                self._leases.extend(worker)
                self._hurry.set()
            case AttemptEnded(report):
                self._on_ended(report)
            case WorkerLost(worker, outcome, message):
                member = self._members.pop(worker, None)
                log.warning("worker lost", worker=worker, outcome=outcome.value, message=message, **_trace(member))
                self._leases.drop(worker)
                self.policy.on_lost(worker)
                if member is not None and member.attempts:
                    on_purpose = member.stop_by is not None or worker in self._orders.restarts
                    attempts = list(member.attempts.values())
                    self._lose(attempts, outcome, message, slot=None if on_purpose else member.up.slot)
        self.wake()

    def _on_ended(self, report: AttemptReport) -> None:
        member = self._members.get(report.worker)
        attempt = None if member is None else member.attempts.pop(report.attempt, None)
        if member is None or attempt is None:
            log.info("ignored the end of an attempt that is not running", task_id=report.task_id, epoch=report.epoch)
            return
        self.ended.append(EndedAttempt(attempt.assignment, report, lost=False, slot=member.up.slot))
        member.cancelled.discard(report.attempt)
        if member.attempts:
            self._limit_stop(member)
        else:
            member.status = member.stop_by = None
            self.release(report.worker)

    def _lose(
        self, attempts: Sequence[RunningAttempt], outcome: OutcomeClass, message: str, *, slot: str | None
    ) -> None:
        for number, attempt in enumerate(attempts):
            report = AttemptReport(
                task_id=attempt.assignment.task_id,
                epoch=attempt.assignment.epoch,
                worker=attempt.worker,
                outcome=outcome,
                error_message=message,
            )
            # A batch is one failure of its slot, whoever's it was.
            self.ended.append(EndedAttempt(attempt.assignment, report, lost=True, slot=None if number else slot))

    # --- watching

    async def _watch(self) -> None:
        while True:
            for worker in self._leases.expired():
                self._kill(worker, f"the worker did not answer for {self.lease_s:g} s")
            now = self.clock()
            for worker, member in self._members.items():
                if member.stop_by is not None and member.status is not None and member.status.phase in _WITHOUT_STEPS:
                    member.stop_by = max(member.stop_by, now + self.cancel_grace_s)
                if member.stop_by is not None and now >= member.stop_by:
                    self._kill(worker, f"the task did not stop within {self.cancel_grace_s:g} s")
                self._ask(worker, member)
            self._prepare()
            self._hurry.clear()
            try:
                async with asyncio.timeout(self.poll_interval_s):
                    await self._hurry.wait()
            except TimeoutError:
                continue

    def _prepare(self) -> None:
        """Tell busy workers which model comes next, so that they read its weights while they render: no more of them
        than tasks wait for it."""
        prepared = Counter(member.prepared for member in self._members.values() if member.attempts)
        for worker, member in self._members.items():
            if not member.attempts or member.prepared is not None or member.closed or member.dying:
                continue
            following = self.policy.next_load(worker)
            if following is not None and prepared[following] < self.policy.count_waiting(following):
                prepared[following] += 1
                member.prepared = following
                self.farm.prepare(worker, following)

    def _ask(self, worker: str, member: _Member) -> None:
        if not member.dying and (member.asking is None or member.asking.done()):
            member.asking = self._group.create_task(self._converse(worker, member))

    async def _converse(self, worker: str, member: _Member) -> None:
        """One round of question and answer. A silent worker leaves this waiting, and its lease runs out."""
        try:
            asked_about = set(member.attempts)
            status = await self.farm.status(worker)
            self._leases.extend(worker)
            if self._members.get(worker) is not member or member.attempts.keys() != asked_about:
                return
            member.status, member.answered_at = status, self.clock()
            if not member.closed and not member.dying:
                self.policy.on_worker(_profile(member.up, status))
            self._note_models(worker, member, status)
            for attempt in status.attempts:
                if attempt not in asked_about or attempt in member.cancelled:
                    await self.farm.cancel(worker, attempt)
        except WorkerLostError:
            return
        if not status.attempts and not member.attempts and not member.closed and not self.policy.is_free(worker):
            self.release(worker)
            self.wake()
        if status.attempts and status.since_progress_s > status.budget_s:
            self._kill(
                worker,
                f"no progress for {status.since_progress_s:.1f} s while in phase {status.phase or 'start'}",
            )

    def _note_models(self, worker: str, member: _Member, status: WorkerStatus) -> None:
        first, member.resident = member.resident is None, (*status.resident, *status.parked)
        if member.attempts:  # what it is loading is not there yet, but will be
            loading = dict.fromkeys(attempt.assignment.model for attempt in member.attempts.values())
            self.policy.on_resident(worker, (*status.resident, *loading), status.parked)
        elif first or self.policy.is_free(worker):  # else it is chosen, and told so in a moment
            self.policy.on_resident(worker, status.resident, status.parked)

    def _kill(self, worker: str, message: str) -> None:
        member = self._members[worker]
        # When leadership is in doubt the lease stays expired, and the next round asks again.
        if member.dying or not self.may_act():
            return
        member.dying = True
        self.policy.on_lost(worker)
        log.warning("killing worker", worker=worker, reason=message, **_trace(member))
        self._group.create_task(self.farm.kill(worker, message))


def _profile(up: WorkerUp, status: WorkerStatus) -> WorkerProfile:
    vram_gb = math.inf if status.vram_gb is None else status.vram_gb
    return WorkerProfile(
        up.worker, up.device, up.node, vram_gb, capabilities=frozenset(status.capabilities), gpus=up.gpus
    )


def _trace(member: _Member | None) -> dict[str, str | int]:
    first = None if member is None else next(iter(member.attempts.values()), None)
    return {} if first is None else first.assignment.trace
