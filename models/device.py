"""The device that a worker's models run on: one GPU, or the CPU."""

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from models import host_memory

if TYPE_CHECKING:
    import torch

    from models.gang import Gang

USABLE_SHARE = 0.95
"""Of a GPU's memory: the rest is for what is not ours, such as the context of CUDA itself."""

_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")


class Device:
    """``kind`` is ``cuda`` or ``cpu``; ``cache_dir`` keeps what was compiled for it. Loads torch when it is first asked
    for something of it. ``gang`` is the one that it is of, if it is of one."""

    def __init__(
        self, kind: Literal["cuda", "cpu"], *, limit_bytes: int | None = None, cache_dir: Path | None = None
    ) -> None:
        self.kind = kind
        self.cache_dir = cache_dir
        self.gang: Gang | None = None
        self._limit_bytes = limit_bytes

    @property
    def torch(self) -> "torch.device":
        import torch

        return torch.device("cuda", 0) if self.kind == "cuda" else torch.device("cpu")

    @property
    def total_bytes(self) -> int:
        """The memory that models may take of it: the operator's limit where one is set."""
        if self._limit_bytes is not None:
            return self._limit_bytes
        if self.kind == "cuda":
            import torch

            return int(torch.cuda.get_device_properties(0).total_memory * USABLE_SHARE)
        return host_memory.total_bytes() // 2

    @property
    def capability(self) -> tuple[int, int] | None:
        """CUDA's compute capability, (9, 0) for a Hopper; None on a CPU."""
        if self.kind == "cpu":
            return None
        import torch

        return torch.cuda.get_device_capability(0)

    def used_bytes(self) -> int:
        """What this process holds of it now: tensors on a GPU, resident memory on a CPU."""
        if self.kind == "cuda":
            import torch

            return int(torch.cuda.memory_allocated(0))
        return _field_bytes(_STATUS, "VmRSS")

    def reset_peak(self) -> None:
        if self.kind == "cuda":
            import torch

            torch.cuda.init()  # before anything is on it, it knows no peak: "Invalid device argument"
            torch.cuda.reset_peak_memory_stats(0)
        else:
            _CLEAR_REFS.write_text("5", encoding="ascii")  # proc(5): sets the peak to what is resident now

    def peak_bytes(self) -> int:
        """The most that was held at once since ``reset_peak``."""
        if self.kind == "cuda":
            import torch

            return int(torch.cuda.max_memory_allocated(0))
        return _field_bytes(_STATUS, "VmHWM")

    def empty_cache(self) -> None:
        """Give memory back that nothing uses."""
        gc.collect()
        if self.kind == "cuda":
            import torch

            torch.cuda.empty_cache()
            torch.accelerator.empty_host_cache()  # what was pinned for parked models


def _field_bytes(path: Path, name: str) -> int:
    for line in path.read_text(encoding="ascii").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    return 0
