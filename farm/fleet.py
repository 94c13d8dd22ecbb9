"""The farm on Ray: a worker on every slot, kept so, and spoken to. Implements scheduler.ports.Farm."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import obstore.exceptions
import ray
import structlog
from ray.autoscaler.sdk import request_resources
from ray.exceptions import ActorUnavailableError, GetTimeoutError, RayActorError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy, PlacementGroupSchedulingStrategy
from ulid import ULID

from farm import gangs
from farm.attempt import manifest_key
from farm.cluster import Cluster, Slot, ask, own_node_id, resources, short, survey
from farm.process import end_process
from farm.worker import StaleLeaderError, Worker, WorkerConfig
from monitoring.tracing import bind
from runtime.artifacts import ArtifactStore
from scheduler.ports import (
    Assignment,
    AttemptEnded,
    AttemptId,
    AttemptReport,
    Device,
    FarmEvent,
    Node,
    Place,
    WorkerLost,
    WorkerLostError,
    WorkerStatus,
    WorkerUp,
)
from scheduler.task import OutcomeClass

log = structlog.get_logger(__name__)

_PREFIX = "reelfarm-worker"
_RECONCILE_INTERVAL_S = 1.0
_START_TIMEOUT_S = 120.0
_RETRY_INTERVAL_S = 1.0


@dataclass
class _Hand:
    """A worker as the fleet holds it: Ray's handle, its slot, and whether its death is being seen to."""

    handle: Any
    slot: Slot
    burial: asyncio.Task[None] | None = None


def worker_name(slot: Slot, incarnation: str) -> str:
    return f"{_PREFIX}:{slot.node_id}:{slot.device}:{slot.number}:{incarnation}"


def slot_of(name: str) -> Slot | None:
    """The slot in a worker's name; None for an actor that is no worker."""
    prefix, *parts = name.split(":")
    if prefix != _PREFIX or len(parts) != 4 or parts[1] not in {"cpu", "gpu"}:
        return None
    device: Device = "gpu" if parts[1] == "gpu" else "cpu"
    index, _, gpus = parts[2].partition("x")
    return Slot(node_id=parts[0], device=device, index=int(index), gpus=int(gpus or 1))


class RayFarm:
    """``address`` and the config are those that the workers use too. Ray must be connected."""

    def __init__(self, address: str, config: WorkerConfig) -> None:
        self.events: asyncio.Queue[FarmEvent] = asyncio.Queue()
        self._address = address
        self._config = config
        self._store = ArtifactStore(config.artifacts_url)
        self._generation = 0
        self._may_act: Callable[[], bool] = lambda: False
        self._hands: dict[str, _Hand] = {}
        self._starting: set[Slot] = set()
        self._clearing: set[Slot] = set()
        self._vacancy = asyncio.Event()
        self._cluster = Cluster({}, ())
        self._vacated: frozenset[str] = frozenset()
        self._own_node_id = own_node_id()

    # --- the port

    async def attach(self, generation: int, may_act: Callable[[], bool]) -> None:
        self._generation = generation
        self._may_act = may_act
        self._cluster = await ask(self._address, _survey)
        for name, handle in await ask(self._address, _find_workers):
            slot = slot_of(name)
            if slot is not None:
                self._join(name, _Hand(handle, slot))

    async def run(self) -> None:
        async with asyncio.TaskGroup() as self._group:
            while True:
                self._cluster = await ask(self._address, _survey)
                self._vacancy.clear()
                self._staff()
                try:
                    async with asyncio.timeout(_RECONCILE_INTERVAL_S):
                        await self._vacancy.wait()
                except TimeoutError:
                    continue

    def nodes(self) -> list[Node]:
        return [Node(short(node_id), address) for node_id, address in self._cluster.node_ids.items()]

    async def demand(self, slots: Mapping[Place, int]) -> None:
        bundles = [resources(place) for place, count in sorted(slots.items()) for _ in range(count)]
        await ask(self._address, partial(request_resources, bundles=bundles))

    def vacate(self, nodes: frozenset[str]) -> None:
        if nodes != self._vacated:
            self._vacated = nodes
            self._vacancy.set()

    def start(self, worker: str, *assignments: Assignment) -> None:
        hand = self._hands.get(worker)
        if hand is not None:
            self._group.create_task(self._run_attempts(worker, hand, assignments))

    async def status(self, worker: str) -> WorkerStatus:
        status: WorkerStatus = await self._ask(worker, lambda handle: handle.status.remote(self._generation))
        return status

    async def cancel(self, worker: str, attempt: AttemptId) -> None:
        await self._ask(worker, lambda handle: handle.cancel.remote(self._generation, attempt))

    def prepare(self, worker: str, model: str) -> None:
        hand = self._hands.get(worker)
        if hand is not None:
            hand.handle.prepare.remote(self._generation, model)

    async def kill(self, worker: str, message: str) -> None:
        hand = self._hands.get(worker)
        if hand is not None:
            await self._bury(worker, hand, message)

    async def manifest(self, attempt: AttemptId) -> AttemptReport | None:
        try:
            data = await self._store.get_bytes_async(manifest_key(attempt))
        except FileNotFoundError:
            return None
        except obstore.exceptions.BaseError as error:
            raise OSError(str(error)) from error
        return AttemptReport.model_validate_json(data)

    async def close(self) -> None:
        self._hands.clear()

    # --- one worker

    async def _run_attempts(self, worker: str, hand: _Hand, assignments: Sequence[Assignment]) -> None:
        bind(**assignments[0].trace)  # this is a task of its own, and what it starts inherits the ids
        while True:
            try:
                manifests = await hand.handle.run.remote(self._generation, *assignments)
            except ActorUnavailableError as error:
                # The connection broke, not the worker: asking again joins the attempt.
                log.warning("worker unavailable", worker=worker, error=str(error))
                await asyncio.sleep(_RETRY_INTERVAL_S)
                continue
            except RayActorError as error:
                await self._bury(worker, hand, _first_line(error))
                return
            except RayTaskError as error:
                if isinstance(error.cause, StaleLeaderError):
                    log.warning("a newer scheduler commands this worker", worker=worker)
                    return
                if len(assignments) > 1:
                    for assignment in assignments:
                        await self._run_attempts(worker, hand, [assignment])
                    return
                reports = [_failed_to_run(worker, assignments[0], str(error.cause))]
            else:
                pairs = zip(assignments, manifests, strict=True)
                reports = [await self._read_report(worker, assignment, data) for assignment, data in pairs]
            for report in reports:
                self.events.put_nowait(AttemptEnded(report))
            return

    async def _read_report(self, worker: str, assignment: Assignment, data: bytes | None) -> AttemptReport:
        if data is not None:
            return AttemptReport.model_validate_json(data)
        while True:
            try:
                report = await self.manifest(assignment.attempt)
            except OSError as error:
                log.warning("the artifact store is away", error=str(error))
                await asyncio.sleep(_RETRY_INTERVAL_S)
                continue
            return report or _failed_to_run(worker, assignment, "its manifest could not be stored")

    async def _ask(self, worker: str, call: Callable[[Any], Any]) -> Any:
        hand = self._hands.get(worker)
        if hand is None:
            raise WorkerLostError(worker)
        while True:
            try:
                return await call(hand.handle)
            except ActorUnavailableError:
                await asyncio.sleep(_RETRY_INTERVAL_S)
            except RayActorError as error:
                await self._bury(worker, hand, _first_line(error))
                raise WorkerLostError(worker) from error
            except RayTaskError as error:
                if isinstance(error.cause, StaleLeaderError):
                    raise WorkerLostError(worker) from error
                raise

    async def _bury(self, worker: str, hand: _Hand, message: str) -> None:
        """See to it that the worker's process is dead, once, then say so and give its slot away."""
        if hand.burial is None:
            hand.burial = self._group.create_task(self._end(worker, hand, message))
        await asyncio.shield(hand.burial)

    async def _end(self, worker: str, hand: _Hand, message: str) -> None:
        node_id = hand.slot.node_id
        await self._leading()
        while node_id in self._cluster.node_ids and not await self._end_process(worker, node_id):
            log.error("the worker's process does not end", worker=worker)
            await asyncio.sleep(_RETRY_INTERVAL_S)
            await self._leading()
        outcome = OutcomeClass.WORKER if node_id in self._cluster.node_ids else OutcomeClass.NODE
        # An actor that Ray had yet to make would still take the slot.
        ray.kill(hand.handle)
        await self._release(worker, hand.slot)
        del self._hands[worker]
        self.events.put_nowait(WorkerLost(worker, outcome, message))
        self._vacancy.set()

    async def _leading(self) -> None:
        """Wait until leadership is beyond doubt: a worker's process is ended by nobody else. For a scheduler that
        was replaced, this does not end."""
        while not self._may_act():  # noqa: ASYNC110 - time passing ends it, no event does
            await asyncio.sleep(_RETRY_INTERVAL_S)

    async def _end_process(self, worker: str, node_id: str) -> bool:
        scratch_dir = self._config.scratch_dir
        if node_id == self._own_node_id:
            return await asyncio.to_thread(end_process, scratch_dir, worker)
        there = ray.remote(num_cpus=0, max_retries=0)(end_process).options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False)
        )
        try:
            return bool(await (await ask(self._address, lambda: there.remote(scratch_dir, worker))))
        except ray.exceptions.RayError as error:
            log.warning("cannot reach the node", node_id=node_id, error=_first_line(error))
            return False

    # --- staffing

    def _staff(self) -> None:
        for worker, hand in self._hands.items():
            gone = hand.slot.node_id not in self._cluster.node_ids
            if (gone or hand.slot.node in self._vacated) and hand.burial is None:
                message = "its node is gone" if gone else "its node is let go"
                hand.burial = self._group.create_task(self._end(worker, hand, message))
        taken = {hand.slot for hand in self._hands.values()} | self._starting | self._clear_leftovers()
        for slot in self._cluster.slots:
            if slot not in taken and slot.node not in self._vacated and self._may_act():
                self._starting.add(slot)
                self._group.create_task(self._make(slot))

    def _clear_leftovers(self) -> set[Slot]:
        """Have the groups removed whose worker nobody knows, such as those of a scheduler that died as it made one, and
        of workers that died before this one came. Returns their slots, which are free once the groups are gone."""
        slots = {worker: slot_of(worker) for worker in self._cluster.gangs - self._hands.keys()}
        left = {worker: slot for worker, slot in slots.items() if slot is not None and slot not in self._starting}
        for worker, slot in left.items():
            if self._may_act() and slot not in self._clearing:
                self._clearing.add(slot)
                self._group.create_task(self._clear(worker, slot))
        return set(left.values())

    async def _clear(self, worker: str, slot: Slot) -> None:
        log.warning("GPUs are held for no worker", worker=worker)
        try:
            if slot.node_id in self._cluster.node_ids:
                await self._end_process(worker, slot.node_id)
            await self._release(worker, slot)
        finally:
            self._clearing.discard(slot)

    async def _make(self, slot: Slot) -> None:
        """Make a worker and wait until it answers; on failure the slot is vacant again."""
        name = worker_name(slot, str(ULID()).lower())
        handle = await ask(self._address, partial(_create, name, slot, self._config))
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                await handle.status.remote(self._generation)
        except (RayActorError, RayTaskError, GetTimeoutError, TimeoutError) as error:
            # A scheduler that was paused meanwhile may find its successor's worker here.
            await self._leading()
            log.error("a worker did not start", worker=name, error=_first_line(error))
            await self._end_process(name, slot.node_id)
            ray.kill(handle)
            await self._release(name, slot)
            await asyncio.sleep(_RETRY_INTERVAL_S)
        else:
            self._join(name, _Hand(handle, slot))
        finally:
            self._starting.discard(slot)

    def _join(self, name: str, hand: _Hand) -> None:
        self._hands[name] = hand
        slot = hand.slot
        self.events.put_nowait(WorkerUp(name, slot.device, node=slot.node, slot=str(slot), gpus=slot.gpus))

    async def _release(self, worker: str, slot: Slot) -> None:
        if slot.gpus > 1:
            await ask(self._address, partial(gangs.release, worker))


def _create(name: str, slot: Slot, config: WorkerConfig) -> Any:
    """Have Ray register a worker. Blocks."""
    where = NodeAffinitySchedulingStrategy(slot.node_id, soft=False)
    if slot.gpus > 1:
        where = PlacementGroupSchedulingStrategy(gangs.reserve(name, slot), placement_group_bundle_index=0)
    return Worker.options(  # type: ignore[attr-defined]
        name=name,
        lifetime="detached",
        num_cpus=1 if slot.device == "cpu" else 0,
        num_gpus=1 if slot.device == "gpu" else 0,
        scheduling_strategy=where,
    ).remote(name, slot.place, config)


def _survey() -> Cluster:
    """With the gangs that hold GPUs. Blocks."""
    return replace(survey(), gangs=gangs.reserved())


def _find_workers() -> list[tuple[str, Any]]:
    """Names and handles of the workers that Ray knows. Blocks."""
    names = [name for name in ray.util.list_named_actors() if slot_of(name) is not None]
    found = []
    for name in sorted(names):
        try:
            found.append((name, ray.get_actor(name)))
        except ValueError:  # it died between the two calls
            continue
    return found


def _failed_to_run(worker: str, assignment: Assignment, message: str) -> AttemptReport:
    """The worker itself failed around the pipeline, such as for want of room for its work directory."""
    task_id, epoch = assignment.attempt
    return AttemptReport(
        task_id=task_id,
        epoch=epoch,
        worker=worker,
        outcome=OutcomeClass.NODE,
        error_message=message[:1000],
    )


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
