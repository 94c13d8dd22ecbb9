"""The worker: one Ray actor per slot, one attempt at a time or several together, answering while it renders."""

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import groupby
from pathlib import Path

import ray
import structlog

from farm.attempt import Bench
from farm.batch import Batch
from farm.cache import ArtifactCache
from farm.cluster import devices_of_node
from farm.gangs import gather
from farm.gpu import own_vram_gb, probed
from farm.process import enter_process, note_process, work_root
from farm.reporter import Reporter
from models import host_memory
from models.catalog import Catalog
from models.catalog_file import DEFAULT_PATH, load_catalog
from models.device import Device as ModelDevice
from models.peaks import Peaks
from models.readahead import ReadAhead
from models.residency import Residency
from models.sources import Usage
from pipelines.registry import TASK_KINDS
from runtime.artifacts import ArtifactStore
from scheduler.ports import Assignment, AttemptId, Device, Place, WorkerStatus

log = structlog.get_logger(__name__)

RUN_GROUP, CONTROL_GROUP = "run", "control"
MAX_INLINE_BYTES = 64 * 1024
"""Ray keeps results over 100 KB in its object store, which dies with the node; the manifest is read instead.
"""

_REMEMBERED_ATTEMPTS = 64


class StaleLeaderError(RuntimeError):
    """The call comes from a scheduler that was replaced."""


@dataclass(frozen=True)
class WorkerConfig:
    """What a worker is told when it is made. ``scratch_dir`` is on its node's disk."""

    redis_url: str
    artifacts_url: str
    catalog: Path | None
    usage: Usage
    models_dir: Path
    vram_gb: float | None
    host_models_gb: float | None
    scratch_dir: Path
    cache_max_bytes: int
    budget_scale: float
    log_level: str


@ray.remote(concurrency_groups={RUN_GROUP: 1, CONTROL_GROUP: 4}, max_restarts=0, max_task_retries=0)
class Worker:
    def __init__(self, name: str, place: Place, config: WorkerConfig) -> None:
        device = place.device
        enter_process(config.log_level)
        store = ArtifactStore(config.artifacts_url)
        catalog = load_catalog(config.catalog or DEFAULT_PATH, config.usage)
        share = host_share(config.host_models_gb, catalog, devices_of_node())
        model_device = ModelDevice(
            "cuda" if device == "gpu" else "cpu",
            limit_bytes=_limit_bytes(config.vram_gb, device, share),
            cache_dir=config.scratch_dir / "compiled",
        )
        self._bench = Bench(
            worker=name,
            store=store,
            cache=ArtifactCache(store, config.scratch_dir / "cache", max_bytes=config.cache_max_bytes),
            catalog=catalog,
            residency=Residency(
                model_device,
                models_dir=config.models_dir,
                # A CPU's models are in host memory already: there is nowhere to park them.
                host_bytes=share if device == "gpu" else 0,
                peaks=Peaks(config.scratch_dir / "peaks.json"),
            ),
            models_dir=config.models_dir,
            reporter=Reporter(config.redis_url),
            work_root=work_root(config.scratch_dir, name),
            budget_scale=config.budget_scale,
        )
        self._vram_gb = config.vram_gb if config.vram_gb is not None or device == "cpu" else own_vram_gb()
        self._capabilities: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self._generation = 0
        self._current: Batch | None = None
        self._manifests: OrderedDict[AttemptId, bytes] = OrderedDict()
        self._read_ahead = ReadAhead(config.models_dir, self._bench.residency.holds)
        if place.gpus > 1:
            self._ranks = gather(name, place.gpus, model_device, config)
        # Last: whoever finds the note may hold this worker for able to work.
        note_process(config.scratch_dir, name)
        threading.Thread(target=self._warm_up, args=(place,), name="warm-up", daemon=True).start()

    @ray.method(concurrency_group=RUN_GROUP)
    def run(self, generation: int, *assignments: Assignment) -> list[bytes | None]:
        """Run an attempt, or several together, and return their manifests, None for one that is too large for a Ray
        result.

        Called again for the same attempts, by a scheduler that lost the first answer, it waits for its turn
        behind them and returns the same manifests. Raises StaleLeaderError.
        """
        self._obey(generation)
        new = [assignment for assignment in assignments if assignment.attempt not in self._manifests]
        for together in _batches(new):
            batch = Batch(self._bench, together)
            with self._lock:
                self._current = batch
            try:
                made = batch.perform()
            finally:
                with self._lock:
                    self._current = None
            if batch.device_lost:
                # No later task could use the device in this process. The manifest tells how the attempt ended; what
                # an orderly end would do, such as free the device's memory, may hang.
                log.error("the device is lost to this process, which ends", **together[0].trace)
                os._exit(1)
            self._manifests.update(zip((assignment.attempt for assignment in together), made, strict=True))
        manifests = [self._manifests[assignment.attempt] for assignment in assignments]
        while len(self._manifests) > _REMEMBERED_ATTEMPTS:
            self._manifests.popitem(last=False)
        most = MAX_INLINE_BYTES // len(assignments)
        return [manifest if len(manifest) <= most else None for manifest in manifests]

    @ray.method(concurrency_group=CONTROL_GROUP)
    def status(self, generation: int) -> WorkerStatus:
        """Raises StaleLeaderError."""
        self._obey(generation)
        with self._lock:
            current = self._current
        status = WorkerStatus() if current is None else current.status()
        residency = self._bench.residency
        return replace(
            status,
            resident=tuple(residency.resident()),
            parked=tuple(residency.parked()),
            vram_gb=self._vram_gb,
            capabilities=self._capabilities,
        )

    @ray.method(concurrency_group=CONTROL_GROUP)
    def cancel(self, generation: int, attempt: AttemptId) -> None:
        """Stop that attempt at its next step, if it is one that runs. Raises StaleLeaderError."""
        self._obey(generation)
        with self._lock:
            if self._current is not None:
                self._current.cancel(attempt)

    @ray.method(concurrency_group=CONTROL_GROUP)
    def prepare(self, generation: int, model_id: str) -> None:
        """A task for that model may come next. Raises StaleLeaderError."""
        self._obey(generation)
        model = self._bench.catalog.get(model_id)
        if model is not None:
            self._read_ahead.prepare(model)

    def _obey(self, generation: int) -> None:
        with self._lock:
            if generation < self._generation:
                raise StaleLeaderError(f"generation {generation} was replaced by {self._generation}")
            self._generation = generation

    def _warm_up(self, place: Place) -> None:
        """Import what the first tasks will need, and probe what this worker can do, while there is nothing to do."""
        models = self._bench.catalog.models.values()
        adapters = [model.adapter for model in models if (model.device, model.gpus) == place]
        modules = [kind.module for kind in TASK_KINDS.values()]
        for module in (*modules, *(adapter.partition(":")[0] for adapter in adapters if adapter)):
            try:
                import_module(module)
            # Whatever is wrong with it, the task that needs it fails with that error and says so.
            except Exception as error:  # noqa: BLE001
                log.warning("cannot import", module=module, error=str(error))
        if place.device == "gpu":
            self._capabilities = probed()


def _batches(assignments: Sequence[Assignment]) -> list[list[Assignment]]:
    """Those that can be made together. A scheduler that follows another may send at once what was given to this worker
    one after the other."""
    if len(assignments) == 1:
        return [list(assignments)]
    return [list(alike) for _, alike in groupby(assignments, key=_batch_of)]


def _batch_of(assignment: Assignment) -> tuple[str, ...]:
    kind = TASK_KINDS[assignment.kind]
    alike = kind.batch(kind.spec.model_validate(assignment.spec))
    return (kind.name, assignment.model, alike) if alike else (assignment.task_id,)


def host_share(node_gb: float | None, catalog: Catalog, devices: Sequence[Device]) -> int:
    """What one worker may keep of models in host memory, in bytes: an equal part of what its node gives to models,
    which is ``node_gb`` or half of the node's memory. Workers for whose device the catalog has no weights take none.

    ``devices`` are those of all the node's workers.
    """
    node_bytes = host_memory.total_bytes() // 2 if node_gb is None else int(node_gb * 1e9)
    weighted = {model.device for model in catalog.models.values() if model.weights is not None}
    return node_bytes // max(1, sum(device in weighted for device in devices))


def _limit_bytes(vram_gb: float | None, device: Device, share: int) -> int | None:
    """What models may take of the worker's device; None for nearly all of a GPU."""
    if vram_gb is not None:
        return int(vram_gb * 1e9)
    return share if device == "cpu" else None
