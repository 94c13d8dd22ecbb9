"""The farm as an operator sees and orders it. The scheduler writes what is seen and follows the orders: rows are all
that an api process or a command has to do with it."""

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.errors import InvalidParameter, NotFound
from control_plane.farm.schemas import Drain, FarmNode, FarmStatus, FarmTask, FarmWorker, Ordered, Restart
from scheduler import orders, queue
from scheduler.farm_tables import DrainRow, NodeRow, RestartRow, WorkerRow
from scheduler.task import QuarantinedTask, TaskState, WorkerState

_SHOWN_TASKS = 20


async def status(session: AsyncSession) -> FarmStatus:
    drains = {row.target: _drain(row) for row in await session.scalars(select(DrainRow))}
    by_age = select(RestartRow).order_by(RestartRow.ordered_at)
    restarts = {row.slot: _restart(row) for row in await session.scalars(by_age)}
    nodes = list(await session.scalars(select(NodeRow).order_by(NodeRow.address, NodeRow.id)))
    workers = list(await session.scalars(select(WorkerRow).order_by(WorkerRow.node_id, WorkerRow.slot)))
    tasks = await queue.find_tasks(session, [row.task_id for row in workers if row.task_id is not None])
    counts = await queue.count_tasks(session)
    return FarmStatus(
        nodes=[
            FarmNode(
                id=row.id,
                address=row.address,
                state="lost" if row.lost else "up",
                seen_at=row.seen_at,
                drain=drains.get(row.id),
            )
            for row in nodes
        ],
        workers=[
            FarmWorker(
                id=row.slot,
                name=row.worker,
                node_id=row.node_id,
                device="gpu" if row.device == "gpu" else "cpu",
                state=WorkerState(row.state),
                task_id=row.task_id,
                task_label=tasks[row.task_id].label if row.task_id in tasks else None,
                models=row.resident,
                seen_at=row.seen_at,
                failures=row.failures,
                last_failure=row.last_failure,
                drain=drains.get(row.slot),
                restart=restarts.get(row.slot),
            )
            for row in workers
        ],
        tasks_queued=counts.get(TaskState.QUEUED, 0),
        tasks_running=counts.get(TaskState.RUNNING, 0),
        quarantined=[_quarantined(task) for task in await queue.list_quarantined(session, limit=_SHOWN_TASKS)],
    )


def _quarantined(task: QuarantinedTask) -> FarmTask:
    return FarmTask(
        id=task.id,
        kind=task.kind,
        label=task.label,
        model_id=task.model,
        project_id=task.project_id or None,
        attempts=task.attempts,
        reason=task.reason,
        finished_at=task.finished_at,
    )


def _drain(row: DrainRow) -> Drain:
    return Drain(reason=row.reason, ordered_by=row.ordered_by, ordered_at=row.ordered_at, until=row.until)


def _restart(row: RestartRow) -> Restart:
    return Restart(
        reason=row.reason,
        ordered_by=row.ordered_by,
        ordered_at=row.ordered_at,
        now=row.at_once,
        done_at=row.done_at,
    )


async def drain(session: AsyncSession, target: str, *, reason: str, ordered_by: str) -> Ordered:
    """Let no new task start there; what runs ends. Of a node: also on workers that come later. Raises NotFound, and
    InvalidParameter for an address that several nodes have."""
    found, workers = await _find(session, target)
    await orders.drain(session, found, reason=reason, ordered_by=ordered_by)
    return _about(workers)


async def undrain(session: AsyncSession, target: str) -> Ordered:
    """Take a drain back. One of a node leaves those of its workers as they are. Raises as ``drain`` does, and
    InvalidParameter for a worker whose node is drained."""
    found, workers = await _find(session, target)
    worker = await session.get(WorkerRow, found)
    if worker is not None and await session.get(DrainRow, worker.node_id) is not None:
        raise InvalidParameter("其所在节点已被排空，请恢复该节点", "its node is drained: undrain that", field="target")
    await orders.undrain(session, found)
    return _about(workers)


async def restart(session: AsyncSession, target: str, *, now: bool, reason: str, ordered_by: str) -> Ordered:
    """Give a worker, or each worker of a node, a fresh process, once it has nothing to do or ``now``. Raises as
    ``drain`` does."""
    _, workers = await _find(session, target)
    processes = {row.worker: row.slot for row in workers}
    await orders.restart(session, processes, at_once=now, reason=reason, ordered_by=ordered_by)
    return _about(workers)


def _about(workers: list[WorkerRow]) -> Ordered:
    return Ordered(workers=[row.slot for row in workers])


async def _find(session: AsyncSession, target: str) -> tuple[str, list[WorkerRow]]:
    """The id of a worker or a node, and the workers there are."""
    there = select(WorkerRow).where(WorkerRow.state != WorkerState.LOST.value).order_by(WorkerRow.slot)
    if await session.get(WorkerRow, target) is not None:
        return target, list(await session.scalars(there.where(WorkerRow.slot == target)))
    named = or_(NodeRow.id == target, NodeRow.address == target)
    nodes = list(await session.scalars(select(NodeRow).where(named, ~NodeRow.lost)))
    if not nodes:
        raise NotFound("没有这样的节点或工作进程", "no such node or worker", field="target")
    if len(nodes) > 1:
        raise InvalidParameter(
            "多个节点使用此地址，请用节点的 id", "several nodes have this address: use an id", field="target"
        )
    return nodes[0].id, list(await session.scalars(there.where(WorkerRow.node_id == nodes[0].id)))
