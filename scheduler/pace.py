"""How fast work of one kind goes, alone and in batches. Pure."""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

_SMOOTHING = 0.2
_LOST_BATCHES = 2
_PAYS = 0.95
"""A batch of twice as many has to take that much less of each one's time, since the first waits for the last."""
_UNMEASURED_S_PER_UNIT = 10.0


class Measured(NamedTuple):
    """Of one kind, model and shape. ``peak_gb`` is None where no memory was measured."""

    s_per_unit: float
    peak_gb: float | None = None


@dataclass(slots=True)
class Pace:
    """What a unit of one kind of work takes."""

    s_per_unit: float = _UNMEASURED_S_PER_UNIT
    measured: bool = False
    together: dict[int, float] = field(default_factory=dict)
    """The same where so many tasks share the time, which they take together; infinite where that does not do."""
    lost: Counter[int] = field(default_factory=Counter)
    """Batches of so many that were lost with their workers."""

    def learn(self, s_per_unit: float, batch: int = 1) -> None:
        if batch > 1:
            before = self.together.get(batch, s_per_unit)
            if before < math.inf:
                self.together[batch] = before + _SMOOTHING * (s_per_unit - before)
        elif self.measured:
            self.s_per_unit += _SMOOTHING * (s_per_unit - self.s_per_unit)
        else:
            self.s_per_unit, self.measured = s_per_unit, True

    def lose(self, batch: int) -> None:
        """A batch was lost with its worker: once may be chance."""
        self.lost[batch] += 1
        if self.lost[batch] >= _LOST_BATCHES:
            self.together[batch] = math.inf

    def of(self, batch: int) -> float:
        """Seconds per unit of one of so many."""
        return self.together.get(batch, self.s_per_unit)

    def paying(self, most: int) -> int:
        """How many to make together, up to so many: twice as many, again and again, while that was seen to save time
        for each, and once to see whether it does."""
        batch = 1
        while self.measured and 2 * batch <= most:
            if (twice := self.together.get(2 * batch)) is None:
                return 2 * batch
            if twice > _PAYS * self.of(batch):
                break
            batch *= 2
        return batch
