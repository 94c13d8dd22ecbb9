"""The scheduler's loop: commit what ended, take in what waits, start what the policy places.

PostgreSQL is the truth; everything held here is made from it and from the workers again after a restart. A
database that is away stops nothing that runs: reports wait here until they can be committed.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import redis.asyncio
import structlog
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession

from monitoring import metrics
from runtime.bilingual import spoken
from runtime.database import Database
from runtime.redis import WAKE_SCHEDULER, subscribed
from scheduler import estimates, ledger, orders, roster
from scheduler.crew import Crew, EndedAttempt
from scheduler.leader import Leadership
from scheduler.ledger import RunningAttempt
from scheduler.loop_config import LoopConfig
from scheduler.outage import MAYBE_AWAY, is_outage
from scheduler.policy import Policy
from scheduler.pool import Tuning
from scheduler.ports import Assignment, AttemptId, AttemptReport, Farm
from scheduler.queue import wake_reactions
from scheduler.retries import Verdict
from scheduler.scaling import Scaling
from scheduler.suspects import Suspects
from scheduler.task import TERMINAL, OutcomeClass
from scheduler.warmth import ModelProfile

log = structlog.get_logger(__name__)

_OUTAGE_RETRY_S = 0.5
_MOST_AT_ONCE = 200
"""Attempts that one transaction settles. Every task that it has changed is locked until its end."""


class Scheduler:
    """One turn of leadership. ``models`` are profiles by model id; a model that is not there runs on the CPU.
    ``wall_clock`` gives seconds since 1970."""

    def __init__(
        self,
        database: Database,
        redis_client: redis.asyncio.Redis,
        farm: Farm,
        *,
        leadership: Leadership,
        models: dict[str, ModelProfile],
        config: LoopConfig,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._redis = redis_client
        self._farm = farm
        self._leadership = leadership
        self._models = models
        self._config = config
        self._clock = clock
        self._wall_clock = wall_clock
        self._wake = asyncio.Event()
        self._finished = asyncio.Event()
        self._policy = Policy(models, wall_clock, Tuning(tenant_limit=config.tenant_limit))
        self._suspects = Suspects()
        self._scaling = Scaling(config.idle_node_s)
        self._crew = Crew(
            farm=farm,
            policy=self._policy,
            may_act=leadership.may_act,
            wake=self._wake.set,
            clock=clock,
            lease_s=config.lease_s,
            poll_interval_s=config.poll_interval_s,
            cancel_grace_s=config.cancel_grace_s,
        )
        self._in_doubt = True  # the database may hold running attempts that this process does not know
        self._measured = False
        self._news = False  # something arrived or was cancelled since it was read last
        self._read_all_at = 0.0
        self._last_seq = 0

    async def run(self) -> None:
        """Schedule until cancelled. Raises, in an ExceptionGroup, LostLeadershipError and FarmLostError."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_leading())
                await self._farm.attach(self._leadership.generation, self._leadership.may_act)
                group.create_task(self._farm.run())
                self._crew.catch_up()
                await self._until_recovered()
                group.create_task(self._crew.follow())
                group.create_task(self._listen())
                group.create_task(self._announce())
                group.create_task(self._write_down())
                if self._config.autoscales:
                    group.create_task(self._scale())
                group.create_task(self._work())
        finally:
            await self._farm.close()

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            if self._in_doubt:
                await self._until_recovered()
            try:
                await self._commit()
                await self._read()
                await self._start()
            except MAYBE_AWAY as error:
                if not is_outage(error):
                    raise
                # A commit whose answer was lost may have happened.
                self._in_doubt = True
                await _sit_out(error)
            else:
                await self._until_woken()

    async def _until_recovered(self) -> None:
        while self._in_doubt:
            try:
                await self._recover()
            except MAYBE_AWAY as error:
                if not is_outage(error):
                    raise
                await _sit_out(error)

    async def _until_woken(self) -> None:
        try:
            # The policy may want to be asked again though nothing happened: a load pays by then, or a deadline nears.
            wait_s = min(self._read_all_at - self._clock(), self._policy.next_at_s() - self._wall_clock())
            async with asyncio.timeout(max(0.0, wait_s)):
                await self._wake.wait()
        except TimeoutError:
            return

    # --- the steps of the loop

    async def _recover(self) -> None:
        """Join the attempts that run according to the database; those whose worker is gone are lost."""
        async with self._database.transaction() as session:
            running = await ledger.load_running(session, self._models)
            if not self._measured:
                self._policy.on_measured(await estimates.measured(session))
                self._measured = True
        known = self._crew.attempts()
        unknown = [(attempt, task) for attempt, task in running if attempt.assignment.attempt not in known]
        for attempt, task in unknown:
            self._policy.on_running(task)
            log.info("attempt taken up again", worker=attempt.worker, **attempt.assignment.trace)
        self._give(attempt for attempt, _ in unknown)
        self._in_doubt = False
        self._read_all_at = 0.0

    async def _commit(self) -> None:
        """What ended by now; what ends meanwhile waits, so that those who are free do not wait for it."""
        if ended := self._crew.ended[:_MOST_AT_ONCE]:
            reports = {one.assignment.attempt: await self._last_word(one) for one in ended}
            verdicts = await self._settle(list(reports.values()))
            for one in ended:
                if (attempt := one.assignment.attempt) in verdicts:
                    self._crew.ended.remove(one)
                    self._note_end(one, reports[attempt], verdicts[attempt])
            for one in ended:
                if (attempt := one.assignment.attempt) not in verdicts:
                    verdict = await self._settle_alone(reports[attempt])  # its task is waited for
                    self._crew.ended.remove(one)
                    self._note_end(one, reports[attempt], verdict)
        if self._crew.ended:
            self._wake.set()
        await self._sideline()

    async def _last_word(self, ended: EndedAttempt) -> AttemptReport:
        return (await self._farm.manifest(ended.assignment.attempt) if ended.lost else None) or ended.report

    def _note_end(self, ended: EndedAttempt, report: AttemptReport, verdict: Verdict | None) -> None:
        if verdict is None:
            self._policy.on_end(report.task_id, None)
            log.info("a late report changed nothing", **ended.assignment.trace)
            return
        self._count(ended.assignment, report)
        if ended.slot is not None:
            self._suspects.on_end(ended.slot, report, settled=verdict.state in TERMINAL)
        if verdict.state in TERMINAL:
            self._finished.set()
        else:
            self._read_all_at = min(self._read_all_at, self._clock() + verdict.delay_s)

    async def _sideline(self) -> None:
        """Drain for a while what fails task after task, with a fresh process when it is back."""
        if not self._suspects.caught:
            return
        async with self._fenced() as session:
            for caught in self._suspects.caught:
                log.warning("drained for failing", slot=caught.slot, reason=caught.reason, pause_s=caught.pause_s)
                await orders.pause(session, caught.slot, reason=caught.reason, pause_s=caught.pause_s)
                await orders.restart(
                    session,
                    {caught.worker: caught.slot},
                    at_once=False,
                    reason=caught.reason,
                    ordered_by=orders.SCHEDULER,
                )
        self._suspects.caught.clear()
        self._read_all_at = 0.0

    async def _settle(self, reports: Sequence[AttemptReport]) -> dict[AttemptId, Verdict | None]:
        """Settle together what can be: what comes back without a verdict is to be settled alone."""
        try:
            async with self._fenced() as session:
                return await ledger.commit_outcomes(session, reports, max_attempts=self._config.max_attempts)
        except MAYBE_AWAY as error:
            if is_outage(error):
                raise
            log.warning("results are refused", error=_first_line(error))
            return {}

    async def _settle_alone(self, report: AttemptReport) -> Verdict | None:
        try:
            async with self._fenced() as session:
                verdicts = await ledger.commit_outcomes(session, [report], max_attempts=self._config.max_attempts)
                return verdicts[report.attempt]
        except MAYBE_AWAY as error:
            if is_outage(error) or report.outcome is OutcomeClass.TASK:
                raise
            # The database refuses the result, such as text with a NUL in it: the task's fault, not the loop's.
            reason = f"the result cannot be stored: {_first_line(error)}"
        refused = {"outcome": OutcomeClass.TASK, "result": None, "error_message": reason, "error_field": None}
        return await self._settle_alone(report.model_copy(update=refused))

    def _count(self, assignment: Assignment, report: AttemptReport) -> None:
        load_s, compile_s = (report.timings_s.get(phase, 0.0) for phase in estimates.ONCE_PER_MODEL)
        self._policy.on_end(
            report.task_id,
            None if report.duration_s is None else report.duration_s - compile_s,
            load_s,
            succeeded=report.outcome is OutcomeClass.SUCCEEDED,
            peak_gb=report.peak_gb,
            batch=report.batch,
        )
        metrics.ATTEMPTS.labels(assignment.kind, report.outcome.value).inc()
        if report.outcome is OutcomeClass.SUCCEEDED and report.duration_s is not None:
            metrics.TASK_SECONDS.labels(assignment.kind, assignment.model).observe(report.duration_s)
            metrics.BATCH_TASKS.labels(assignment.kind).observe(report.batch)
        log.info(
            "attempt ended",
            label=assignment.label,
            outcome=report.outcome.value,
            error=spoken(report.error_message, "en") if report.error_message else None,
            **assignment.trace,
        )

    async def _read(self) -> None:
        """Tasks that arrived since the last time, once Redis says that there are; now and then all of them, since a
        transaction that began earlier may commit its lower numbers later."""
        read_all = self._clock() >= self._read_all_at
        if not read_all and not self._news:
            return
        self._news = False
        async with self._database.transaction() as session:
            waiting = await ledger.load_waiting(session, self._models, after_seq=0 if read_all else self._last_seq)
            cancelled = await ledger.load_cancelled(session)
            if read_all:
                self._crew.obey((await orders.load(session)).drain_too(self._scaling.let_go))
        if read_all:
            self._read_all_at = self._clock() + self._config.slow_poll_s
            present = {task.id for task in waiting}
            for task in self._policy.waiting:
                if task.id not in present:
                    self._policy.on_withdrawn(task.id)
        for task in waiting:
            self._policy.on_arrival(task)
            self._last_seq = max(self._last_seq, task.seq)
        for attempt in cancelled:
            self._crew.cancel(attempt)

    async def _start(self) -> None:
        placements = {placed.task.id: placed.worker for placed in self._policy.place()}
        if not placements:
            return
        # Until the answer is here, each of these may or may not have started.
        self._in_doubt = True
        async with self._fenced() as session:
            started = await ledger.start_attempts(
                session,
                list(placements.items()),
                generation=self._leadership.generation,
                lease_s=self._config.lease_s,
            )
        self._in_doubt = False
        for attempt in started:
            del placements[attempt.assignment.task_id]
            log.info("attempt started", worker=attempt.worker, **attempt.assignment.trace)
            metrics.DISPATCH_SECONDS.observe(min(attempt.since_created_s, self._crew.idle_s(attempt.worker)))
            if attempt.assignment.epoch == 1:
                metrics.QUEUE_SECONDS.labels(attempt.assignment.kind).observe(attempt.since_created_s)
        self._give(started)
        begun = {attempt.worker for attempt in started}
        for task_id, worker in placements.items():
            self._policy.on_end(task_id, None)
            if worker not in begun:
                self._crew.release(worker)
            self._wake.set()

    def _give(self, attempts: Iterable[RunningAttempt]) -> None:
        """What goes to one worker goes there together."""
        by_worker: dict[str, list[RunningAttempt]] = {}
        for attempt in attempts:
            by_worker.setdefault(attempt.worker, []).append(attempt)
        for together in by_worker.values():
            self._crew.give(*together)

    @asynccontextmanager
    async def _fenced(self) -> AsyncIterator[AsyncSession]:
        async with self._database.transaction() as session:
            await self._leadership.fence(session)
            yield session

    # --- beside the loop

    async def _keep_leading(self) -> None:
        while True:
            try:
                await self._leadership.renew(self._database)
            except MAYBE_AWAY as error:
                if not is_outage(error):
                    raise
            await asyncio.sleep(self._leadership.ttl_s / 3)

    async def _listen(self) -> None:
        """Wake at once when Redis says so; without it the slow poll finds the same, later."""
        while True:
            try:
                async with subscribed(self._redis, WAKE_SCHEDULER) as messages:
                    async for _ in messages:
                        self._news = True
                        self._wake.set()
            except (RedisError, OSError) as error:
                log.info("Redis is away, polling", error=str(error))
                await asyncio.sleep(_OUTAGE_RETRY_S)

    async def _announce(self) -> None:
        """Tell the api processes after a commit, without letting a slow Redis hold up the loop."""
        while True:
            await self._finished.wait()
            self._finished.clear()
            await wake_reactions(self._redis)

    async def _write_down(self) -> None:
        """How far the attempts are, and what there is of workers."""
        stranded: set[str] = set()
        while True:
            await asyncio.sleep(self._config.progress_interval_s)
            sightings = self._crew.sightings()
            before, stranded = stranded, self._policy.stranded()
            for model in sorted(stranded - before):
                needs = sorted(self._models[model].needs) if model in self._models else []
                log.warning("no worker can run the tasks of this model", model=model, needs=needs)
            metrics.show_workers(Counter((seen.device, seen.state.value) for seen in sightings))
            try:
                async with self._fenced() as session:
                    if progress := self._crew.progress():
                        await ledger.record_progress(session, progress, lease_s=self._config.lease_s)
                    await roster.record(session, self._farm.nodes(), sightings, self._suspects)
            except MAYBE_AWAY as error:
                if not is_outage(error):
                    raise

    async def _scale(self) -> None:
        """Tell the cluster's autoscaler what is wanted, zero included, and leave the nodes that nothing needs."""
        while True:
            await asyncio.sleep(self._config.scale_interval_s)
            sightings = self._crew.sightings()
            nodes = {node.id for node in self._farm.nodes()}
            self._scaling.look(self._policy.wanted(), sightings, nodes, self._clock())
            await self._farm.demand(self._scaling.wanted)
            self._farm.vacate(self._scaling.left(sightings))


async def _sit_out(error: BaseException) -> None:
    log.warning("the database or the artifact store is away", error=_first_line(error))
    await asyncio.sleep(_OUTAGE_RETRY_S)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
