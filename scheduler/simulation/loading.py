"""Where models are, and what it costs to have one on a GPU."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from scheduler.simulation.fleet import Fleet


@dataclass
class Load:
    """Seconds a worker was busy loading; ``cold`` when the model was read from the disk."""

    seconds: float
    cold: bool


class Memory:
    """VRAM of every worker and host RAM of every node; in both the least recently used model makes room.

    Loads on one node do not slow each other down: the disk's and the bus' rates are per load.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._vram: list[dict[str, None]] = [{} for _ in range(fleet.gpus)]  # least recently used first
        # Model -> when its read from the disk is complete.
        self._ram: list[dict[str, float]] = [{} for _ in range(-(-fleet.gpus // fleet.gpus_per_node))]

    def resident(self, gpu: int) -> Collection[str]:
        """The models in the GPU's VRAM, the least recently used first."""
        return self._vram[gpu].keys()

    def clear(self, gpu: int) -> None:
        """The GPU's process ended."""
        self._vram[gpu].clear()

    def use(self, gpu: int, model: str, now_s: float, evict: Collection[str] = ()) -> Load | None:
        """Have the model run on the GPU from now on, without those to ``evict``; None when it is there already."""
        vram = self._vram[gpu]
        for other in evict:
            vram.pop(other, None)
        loaded = model in vram
        if loaded and next(reversed(vram)) == model:
            return None
        vram.pop(model, None)
        _make_room(vram, self._sizes(vram), self._fleet.vram_gb - self._fleet.models[model].peak_gb)
        vram[model] = None
        return None if loaded else self._load(gpu // self._fleet.gpus_per_node, model, now_s)

    def _load(self, node: int, model: str, now_s: float) -> Load:
        fleet, ram, size_gb = self._fleet, self._ram[node], self._fleet.models[model].size_gb
        complete_s = ram.pop(model, None)
        if complete_s is not None:
            ram[model] = complete_s
            # A model that another worker of the node is reading is not there before that one has it.
            return Load(max(fleet.load_fixed_s + size_gb / fleet.pcie_gb_per_s, complete_s - now_s), cold=False)
        seconds = fleet.load_fixed_s + size_gb / fleet.disk_gb_per_s
        if size_gb <= fleet.host_ram_gb:
            _make_room(ram, self._sizes(ram), fleet.host_ram_gb - size_gb)
            ram[model] = now_s + seconds
        return Load(seconds, cold=True)

    def _sizes(self, models: Iterable[str]) -> list[float]:
        return [self._fleet.models[model].size_gb for model in models]


def _make_room(models: dict[str, None] | dict[str, float], sizes_gb: list[float], limit_gb: float) -> None:
    """Drop models from the front until the rest takes at most ``limit_gb``."""
    taken_gb = sum(sizes_gb)
    for model, size_gb in zip(list(models), sizes_gb, strict=True):
        # Sums of decimal fractions may be too large by their rounding.
        if taken_gb <= limit_gb + 1e-9:
            return
        del models[model]
        taken_gb -= size_gb
