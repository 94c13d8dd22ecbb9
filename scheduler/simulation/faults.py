"""What goes wrong in a simulated farm: workers that die or hang, and measurements that are off."""

import math
import random
from dataclasses import dataclass

HANG_FOUND_S = 20.0
"""After how long without progress a worker is taken to hang."""
RESTART_S = 5.0
"""How long a slot is without a worker after the end of one."""


@dataclass(frozen=True)
class FaultOptions:
    """Rates are per hour in which a GPU is busy. ``estimate_error`` is the standard deviation of the logarithm by
    which a measured duration is off; 0 for none."""

    deaths_per_hour: float = 0.0
    hangs_per_hour: float = 0.0
    estimate_error: float = 0.0
    fault_seed: int = 0


class Faults:
    """Draws them; the same for the same options and calls."""

    def __init__(self, options: FaultOptions) -> None:
        self._options = options
        self._random = random.Random(options.fault_seed)
        self._per_s = (options.deaths_per_hour + options.hangs_per_hour) / 3600

    def lost_after_s(self, duration_s: float) -> float | None:
        """When an attempt that would take ``duration_s`` is found to be lost; None for one that is not."""
        if not self._per_s:
            return None
        struck_s = self._random.expovariate(self._per_s)
        if struck_s >= duration_s:
            return None
        hangs = self._random.random() * self._per_s * 3600 < self._options.hangs_per_hour
        return struck_s + HANG_FOUND_S if hangs else struck_s

    def measured_s(self, duration_s: float) -> float:
        if not self._options.estimate_error:
            return duration_s
        return duration_s * math.exp(self._random.gauss(0.0, self._options.estimate_error))
