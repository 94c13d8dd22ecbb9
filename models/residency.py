"""Which models a worker keeps, and where: on its device, in host memory, or only on disk.

A model on the device starts at once, one in host memory after a copy over the bus, one on disk after a load. When there
is no room, the model goes that is worth least: worth is the time it would take to bring back, times how often it was
asked for lately, per byte.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal, Protocol

import structlog

from models.catalog import Model
from models.faults import lost_device, ran_out_of_memory
from models.interfaces import Adapter, Report, WeightedAdapter
from models.measuring import Apart, Gauge, Measuring
from models.offloading import beyond, is_auto, may_offload, mode_of, with_mode
from models.peaks import Peaks, several
from models.weights import fetch, stored_bytes

log = structlog.get_logger(__name__)

Tier = Literal["device", "host"]

_HALF_LIFE_S = 600.0
_UNMEASURED_RUN_SHARE = 0.25
"""Of the weights' bytes: what a model that was never run is taken to need on top of them."""


class NotEnoughMemoryError(MemoryError):
    """A model does not fit into what this worker has, even alone."""


class Memory(Gauge, Protocol):
    """What residency asks of a device; models.device.Device has it."""

    @property
    def total_bytes(self) -> int: ...

    def empty_cache(self) -> None: ...


@dataclass
class _Kept:
    model: Model
    adapter: Adapter
    tier: Tier
    weight_bytes: int
    load_s: float
    offloaded: bool = False
    """Whether its weights are in host memory but for what computes."""
    cache_bytes: int = 0
    """What it keeps on the device between tasks, beside its weights."""
    uses: float = 0.0
    used_at: float = 0.0
    in_use: int = 0

    def worth(self, now: float) -> float:
        """Seconds saved per byte, as far as the past tells."""
        return self.load_s * self.uses * math.exp2((self.used_at - now) / _HALF_LIFE_S) / max(self.weight_bytes, 1)

    def held(self, tier: Tier) -> int:
        weights = self.weight_bytes if tier == ("host" if self.offloaded else self.tier) else 0
        return weights + (self.cache_bytes if tier == self.tier == "device" else 0)

    @property
    def parked_bytes(self) -> int:
        """What it would take of host memory, beyond what it takes there now."""
        return self.weight_bytes - self.held("host")


class Residency:
    """Adapters by model id. Not thread-safe: a worker runs one task at a time.

    ``device`` is the ``models.device.Device`` that models with weights run on; ``host_bytes`` is how much host memory
    models may take that are not on it.
    """

    def __init__(
        self,
        device: Memory,
        *,
        models_dir: Path,
        host_bytes: int,
        peaks: Peaks,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._device = device
        self._models_dir = models_dir
        self._host_bytes = host_bytes
        self._peaks = peaks
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._measuring = Measuring(device)
        self._short: set[str] = set()
        """Models that ran out of memory when they were last asked for."""

    @contextmanager
    def use(self, model: Model, shape: str, report: Report, *, batch: int = 1) -> Iterator[Adapter | None]:
        """The loaded adapter of a catalog entry, kept on the device while the block runs; None for an entry without
        one. What the block needs of the device at most is remembered for the ``shape``, such as ``1024x1024``, and for
        so many of it that are made together.

        Raises NotEnoughMemoryError, and what the adapter's module or its ``load`` raises; nothing is kept then.
        """
        if model.adapter is None:
            yield None
            return
        try:
            with self._used(model, shape if batch == 1 else several(shape, batch), report) as adapter:
                yield adapter
        except Exception as error:
            if ran_out_of_memory(error) and not isinstance(error, NotEnoughMemoryError):
                self._learn(model, alone=batch == 1)
            raise
        self._short.discard(model.id)

    @contextmanager
    def _used(self, model: Model, shape: str, report: Report) -> Iterator[Adapter]:
        # Without weights it takes nothing of the device, which may be none that torch knows.
        with self._measuring.span() if model.weights is not None else nullcontext():
            kept = self._on_device(model, shape, report)
        now = self._clock()
        kept.uses = 1 + kept.uses * math.exp2((kept.used_at - now) / _HALF_LIFE_S)
        kept.used_at = now
        kept.in_use += 1
        try:
            if model.weights is None:
                yield kept.adapter
            elif self._measuring.busy:
                # The block goes on while the model that is helped runs; what helps takes is in its calls.
                yield Apart(kept.adapter, lambda: self._measured(kept, shape))
            else:
                with self._measured(kept, shape):
                    yield kept.adapter
        finally:
            kept.in_use -= 1
            if model.weights is not None:
                kept.cache_bytes = _weighted(kept).cache_bytes

    def holds(self, model_id: str) -> bool:
        """Whether it is in memory, on the device or not. May be asked from another thread."""
        return model_id in self._kept

    def resident(self) -> list[str]:
        """The ids of the models on the device. May be asked from another thread."""
        return [model_id for model_id, kept in list(self._kept.items()) if kept.tier == "device"]

    def parked(self) -> list[str]:
        """The ids of the models in host memory. May be asked from another thread."""
        return [model_id for model_id, kept in list(self._kept.items()) if kept.tier == "host"]

    def peak_bytes(self, model: Model, shape: str) -> int | None:
        """The most that a loaded model was seen to take of the device for the shape, weights and all; None for one
        without weights."""
        kept = self._kept.get(model.id)
        run_bytes = None if kept is None else self._peaks.run_bytes(kept.model, shape)
        return None if kept is None or run_bytes is None else kept.held("device") + run_bytes

    def unload_all(self) -> None:
        """Make room: everything is loaded anew when next asked for."""
        while self._kept:
            model_id, kept = self._kept.popitem()
            kept.adapter.unload()
            log.info("model unloaded", model=model_id)
        # What a load left behind that ran out of memory belongs to no model.
        self._device.empty_cache()

    # --- bringing one in

    def _on_device(self, model: Model, shape: str, report: Report) -> _Kept:
        kept = self._kept.get(model.id)
        if model.weights is None:
            return kept or self._load(model, None, report)
        folder = fetch(model, self._models_dir, report)
        if kept is not None and kept.tier == "device":
            run_bytes = self._run_bytes(kept.model, shape, kept.weight_bytes)
            self._make_room(model, run_bytes, kept.held("device") + run_bytes)
            return kept
        model, needed = self._as_learned(model, shape, folder)
        self._make_room(model, needed, needed)
        if kept is not None and self._resumed(kept, report):
            return kept
        return self._load(model, folder, report)

    def _as_learned(self, model: Model, shape: str, folder: Path) -> tuple[Model, int]:
        """The entry with what ``auto`` has to mean here, and the bytes of the device that it needs."""
        auto = is_auto(model)
        offload = self._peaks.offload(model) if auto else None
        if offload is None:
            needed = self._needed(model, shape, folder)
            measured = self._peaks.run_bytes(model, shape) is not None
            if not (auto and measured and needed > self._device.total_bytes):
                return model, needed
            offload = beyond("none")
        model = with_mode(model, offload)
        # A share of its weights passes through the device, which is in what was measured of its runs.
        return model, self._peaks.run_bytes(model, shape) or self._needed(model, shape, folder)

    def _needed(self, model: Model, shape: str, folder: Path) -> int:
        """Weights and all. The catalog's word holds until they were measured."""
        weights = self._peaks.weight_bytes(model)
        if weights is None:
            weights = stored_bytes(folder)
            if model.vram_gb is not None:
                weights = min(weights, int(model.vram_gb * 1e9))
        return weights + self._run_bytes(model, shape, weights)

    def _run_bytes(self, model: Model, shape: str, weights: int) -> int:
        """On top of the weights."""
        measured = self._peaks.run_bytes(model, shape)
        if measured is not None:
            return measured
        if model.vram_gb is not None:
            return max(0, int(model.vram_gb * 1e9) - weights)
        return int(weights * _UNMEASURED_RUN_SHARE)

    def _resumed(self, kept: _Kept, report: Report) -> bool:
        """False where it could not be brought back from host memory, and was dropped."""
        with report.phase("load"):
            try:
                _weighted(kept).resume()
            # Whatever stopped it, some of it is on the device now and some is not: only a load makes it whole.
            except Exception as error:  # noqa: BLE001
                self._give_up(kept, error)
                return False
        kept.tier = "device"
        log.info("model back on the device", model=kept.model.id)
        return True

    def _load(self, model: Model, folder: Path | None, report: Report) -> _Kept:
        assert model.adapter is not None  # noqa: S101 - use() saw to it
        module, _, name = model.adapter.partition(":")
        adapter_class = getattr(import_module(module), name)
        started = self._clock()
        with report.phase("load"):
            adapter: Adapter = adapter_class(model) if folder is None else adapter_class(model, folder, self._device)
            adapter.load()
        load_s = self._clock() - started
        kept = _Kept(model, adapter, "device", 0, load_s)
        if folder is not None:
            mode = mode_of(adapter)
            kept.offloaded = mode != "none"
            if kept.offloaded and is_auto(model):
                kept.model = with_mode(model, mode)  # what is measured of it says nothing of one that is all there
            kept.weight_bytes = _weighted(kept).weight_bytes
            self._peaks.note_load(kept.model, kept.weight_bytes, load_s)
        self._kept[model.id] = kept
        log.info("model loaded", model=model.id, bytes=kept.weight_bytes, load_s=round(load_s, 2))
        return kept

    # --- making room

    def _free_bytes(self, tier: Tier) -> int:
        total = self._device.total_bytes if tier == "device" else self._host_bytes
        return total - sum(kept.held(tier) for kept in self._kept.values())

    def _make_room(self, model: Model, wanted: int, needed: int) -> None:
        """Have ``wanted`` bytes free on the device for a model that needs ``needed`` in all."""
        total = self._device.total_bytes
        if needed > total:
            if not may_offload(model):
                raise NotEnoughMemoryError(
                    f"{model.id} needs {_gb(needed)}, and this worker's device has {_gb(total)} for models: choose a"
                    " smaller model or size, or in its catalog entry let options.quantization be fp8 or nf4, or"
                    " options.offload be auto"
                )
            wanted = self._free_bytes("device") + sum(kept.held("device") for kept in self._idle("device", model))
        for kept in self._idle("device", model):
            if self._free_bytes("device") >= wanted:
                return
            self._evict(kept, model)

    def _idle(self, tier: Tier, but: Model) -> list[_Kept]:
        """What may go, the one that is worth least first."""
        now = self._clock()
        idle = [kept for kept in self._kept.values() if kept.held(tier) and not kept.in_use and kept.model.id != but.id]
        return sorted(idle, key=lambda kept: kept.worth(now))

    def _evict(self, kept: _Kept, but: Model) -> None:
        """From the device to host memory if it is worth more than what would have to go there, else away. ``but`` is
        the model that room is made for: it may be on its way from there."""
        now = self._clock()
        for other in self._idle("host", but):
            if self._free_bytes("host") >= kept.parked_bytes or other.worth(now) >= kept.worth(now):
                break
            self._drop(other)
        if self._free_bytes("host") < kept.parked_bytes:
            self._drop(kept)
            return
        try:
            _weighted(kept).park()
        # Half of it may be in host memory; the task that room is made for has no part in that.
        except Exception as error:  # noqa: BLE001
            self._give_up(kept, error)
            return
        kept.tier, kept.cache_bytes = "host", _weighted(kept).cache_bytes
        log.info("model parked in host memory", model=kept.model.id)

    def _give_up(self, kept: _Kept, error: Exception) -> None:
        """Drop a model that was half moved. Raises the error again where the device is lost with it."""
        log.warning("model could not be moved", model=kept.model.id, error=f"{type(error).__name__}: {error}")
        self._drop(kept)
        if lost_device(error):
            raise error

    def _drop(self, kept: _Kept) -> None:
        del self._kept[kept.model.id]
        kept.adapter.unload()
        log.info("model unloaded", model=kept.model.id)

    # --- learning

    def _measured(self, kept: _Kept, shape: str) -> AbstractContextManager[None]:
        return self._measuring.span(lambda peak: self._peaks.note_run(kept.model, shape, max(0, peak)))

    def _learn(self, model: Model, *, alone: bool) -> None:
        """A model ran out of memory. Where it did so the last time too, when it was tried without the others, more of
        it is to stay in host memory from its next load on. That there is no room for several says nothing of one."""
        kept = self._kept.get(model.id)
        if alone and model.id in self._short and is_auto(model):
            mode = mode_of(kept.adapter) if kept is not None else self._peaks.offload(model) or "none"
            self._peaks.note_offload(model, beyond(mode))
            log.warning("out of memory again: more is to be in host memory", model=model.id, offload=beyond(mode))
        if alone:
            self._short.add(model.id)
        if kept is not None and not kept.in_use:
            self._drop(kept)


def _weighted(kept: _Kept) -> WeightedAdapter:
    adapter: WeightedAdapter = kept.adapter  # type: ignore[assignment]
    return adapter


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e9:.1g} GB"
